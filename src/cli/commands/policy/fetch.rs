//! `orch policy fetch`: the bundles of rules that `orch.yml` pins, put by in this checkout.

use clap::Args;
use serde::Serialize;

use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::config::Pack;
use crate::ports::vcs::{GitRepository, KEPT, VcsRead as _};
use crate::stage::policy::pack::{self, PackError, objects};

/// Fetch the bundles of rules that orch.yml pins
///
/// Each is checked against its commit id or digest, here and every time it is used. The policy stage itself never reaches the
/// network.
#[derive(Debug, Args)]
pub struct FetchArgs {
    /// Fetch also those that are here already
    #[arg(long)]
    again: bool,
}

#[derive(Serialize)]
struct Row {
    pack: String,
    rules: usize,
    data: usize,
    fetched: bool,
}

/// Fetches what is missing.
pub fn run(args: &FetchArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let session = Session::open(global)?;
    let mut rows = Vec::new();
    for pack in session.config.policy.packs.iter().chain(&session.config.release.packs) {
        let Some(name) = pack::kept_as(pack) else { continue };
        let here = session.vcs.kept(&name)?.filter(|_| !args.again).map(|bytes| pack::open(pack, &bytes));
        let (fetched, opened) = if let Some(Ok(opened)) = here {
            (false, opened)
        } else {
            let bytes = bytes(&session.vcs, pack)?;
            let opened = pack::open(pack, &bytes)?;
            session.vcs.keep(&name, &bytes)?;
            (true, opened)
        };
        rows.push(Row {
            pack: pack::shown(pack),
            rules: opened.rules.len(),
            data: opened.data.len(),
            fetched,
        });
    }
    output.show(&rows, |out| {
        for row in &rows {
            let told = if row.fetched { "fetched" } else { "here already" };
            let data = if row.data > 0 { format!(", {} of data", row.data) } else { String::new() };
            writeln!(out, "{}: {} files of rules{data}, {told}", row.pack, row.rules)?;
        }
        if rows.is_empty() {
            writeln!(out, "policy.packs and release.packs in orch.yml name no bundle.")
        } else {
            writeln!(out, "They are in {KEPT}, which git does not see.")
        }
    })?;
    Ok(0)
}

fn bytes(vcs: &GitRepository, pack: &Pack) -> Result<Vec<u8>, CommandError> {
    match pack {
        Pack::Folder(_) => Ok(Vec::new()),
        Pack::File(pin) => Ok(vcs.named_file(&pin.file)?),
        Pack::Git(pin) => {
            let fetched = vcs.fetch_commit(&pin.git, &pin.commit)?;
            let mut kept = objects::Objects::default();
            let mismatch = |why| PackError::Mismatch { pack: pack::shown(pack), why };
            let walked = objects::walk(&pin.commit, &pin.folder, |id| {
                let (kind, data) = fetched.object(id)?;
                let hash = kept.add(kind, data.clone())?;
                if hash == id {
                    Ok((kind, data))
                } else {
                    Err(format!("the object {id} is not what its id says"))
                }
            });
            match walked {
                Ok(_) => Ok(kept.to_bytes()),
                Err(objects::Fault::Object(why)) => Err(mismatch(why).into()),
                Err(objects::Fault::Form(why)) => {
                    Err(PackError::Form { pack: pack::shown(pack), why }.into())
                }
            }
        }
    }
}
