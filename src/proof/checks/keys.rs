//! Stage keys, made again from the header of each tape.
//!
//! The key takes in the config a stage was given, so a config changed in a tape shows here.

use crate::artifact::types::tape::FORM;
use crate::attest::opened::Lacking;
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;
use crate::stage::runner::key_of;

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let run = &case.opened;
    let (mut problems, mut made, mut without) = (Vec::new(), 0_usize, Vec::new());
    for manifest in &run.chain.manifests {
        let link = &manifest.body.link;
        let header = match run.header(link.stage, link.round) {
            Ok(header) => header,
            Err(Lacking::Wrong(why)) => {
                problems.push(why);
                continue;
            }
            Err(Lacking::Unwritten(why) | Lacking::NotKept(why)) => {
                without.push(why);
                continue;
            }
        };
        if (header.stage, header.round, header.stage_version) != (link.stage, link.round, link.stage_version)
        {
            problems
                .push(format!("the tape of `{}` in round {} is of another stage", link.stage, link.round));
            continue;
        }
        if header.tape != FORM || header.orch != manifest.producer.version || header.horizon < link.round {
            problems.push(format!("the tape of `{}` in round {} has another head", link.stage, link.round));
            continue;
        }
        match key_of(run.run, link, &header) {
            Ok(key) if key == link.key => made += 1,
            Ok(_) => problems.push(format!(
                "the key of `{}` in round {} does not follow from its config, inputs and materials",
                link.stage, link.round
            )),
            Err(error) => problems.push(error.to_string()),
        }
    }
    match without.first() {
        Some(why) if problems.is_empty() && made == 0 && run.kept => Outcome::not_measured(why.clone()),
        Some(why) if problems.is_empty() => Outcome::needed(why.clone()),
        _ => Outcome::of(problems, || format!("{made} stage keys")),
    }
}
