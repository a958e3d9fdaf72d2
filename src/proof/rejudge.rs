//! Policy time travel: the recorded document of a run, judged by other rules beside its recorded verdict.
//!
//! The facts are those of then: scanners do not look again. Must never judge what the run's manifests do not vouch for, and
//! must never count a run that cannot be judged as one that keeps its decision.

use std::collections::{BTreeMap, BTreeSet};

use crate::artifact::digest::Digest;
use crate::artifact::id::StageId;
use crate::artifact::kind::slot;
use crate::artifact::types::change_set::ChangeSet;
use crate::artifact::types::policy_input::PolicyInput;
use crate::artifact::types::task::Task;
use crate::artifact::types::verdict::{AsideBy, Finding, Verdict};
use crate::attest::opened::Lacking;
use crate::config::{Config, FILE_NAME, Level, Paths, Policy, parse};
use crate::diagnostic::Failure as _;
use crate::ports::vcs::VcsRead;
use crate::stage::StageError;
use crate::stage::policy::SPEC;
use crate::stage::policy::bundle::Bundle;
use crate::stage::policy::diags::Diag;
use crate::stage::policy::judge_again;
use crate::stage::runner::key_with;

use super::case::Case;

/// What judges now.
#[derive(Clone, Debug, Default)]
pub struct Terms {
    /// Levels, settings and lists, and paths, in place of those each run had.
    pub config: Option<(Policy, Paths)>,
    /// Levels in place of any other, by code.
    pub levels: BTreeMap<String, Level>,
    /// Rules the recorded verdict knows nothing of are on trial: their findings are shown and do not count.
    pub trial: bool,
}

/// A run that was judged again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rejudged {
    /// The recorded verdict.
    pub then: Verdict,
    /// The verdict by the other rules.
    pub now: Verdict,
    /// What was left out on the way, one line each.
    pub notes: Vec<String>,
}

/// What becomes of the findings of one code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Moved {
    /// Findings that count now and did not.
    pub appear: usize,
    /// Findings that counted and do not now.
    pub vanish: usize,
    /// Findings that count in both, with another effect.
    pub differ: usize,
    /// Findings of a rule on trial.
    pub on_trial: usize,
}

impl Rejudged {
    /// Returns what becomes of findings, by code; codes where nothing does are left out.
    pub fn moved(&self) -> BTreeMap<String, Moved> {
        let keyed = |list: &[Finding]| -> BTreeMap<(String, String), _> {
            list.iter().map(|f| ((f.code.clone(), f.fingerprint.clone()), f.effect)).collect()
        };
        let (then, now) = (keyed(&self.then.findings), keyed(&self.now.findings));
        let mut moved: BTreeMap<String, Moved> = BTreeMap::new();
        for (key, effect) in &now {
            match then.get(key) {
                None => moved.entry(key.0.clone()).or_default().appear += 1,
                Some(before) if before != effect => moved.entry(key.0.clone()).or_default().differ += 1,
                Some(_) => {}
            }
        }
        for key in then.keys().filter(|key| !now.contains_key(*key)) {
            moved.entry(key.0.clone()).or_default().vanish += 1;
        }
        for aside in self.now.set_aside.iter().filter(|aside| aside.by == AsideBy::Shadow) {
            moved.entry(aside.finding.code.clone()).or_default().on_trial += 1;
        }
        moved
    }
}

/// Judges a run again; the error says why it cannot be, in one line.
pub fn rejudge(
    case: &Case<'_>,
    vcs: &dyn VcsRead,
    bundle: &Bundle,
    terms: &Terms,
) -> Result<Rejudged, String> {
    let run = &case.opened;
    if let Some(first) = run.chain.breaks.first() {
        return Err(format!("the run is not what its manifests say: {first}"));
    }
    let then: Verdict = run.body(slot::VERDICT).map_err(told)?;
    let input: PolicyInput = run.body(slot::POLICY_INPUT).map_err(told)?;
    if Digest::of_json(&input).ok().as_ref() != Some(&then.input) {
        return Err("the verdict is about another document than `policy/input.json`".into());
    }
    let task = input.task.clone().ok_or("its document has no task")?;
    let mut config = config(case, vcs, &task)?;
    if let Some((policy, paths)) = &terms.config {
        config.policy = policy.clone();
        config.paths = paths.clone();
    }
    config.policy.levels.extend(terms.levels.clone());
    let edits = edits(case, &config, &input)?;
    let mut notes = known_levels(&mut config, bundle);
    if terms.trial {
        notes.extend(on_trial(&mut config, bundle, &then));
    }
    let now = judge_again(&config, bundle, vcs, &input, edits.as_ref())
        .map_err(|error| format!("the rules cannot be asked: {}", told_error(&error)))?;
    Ok(Rejudged { then, now, notes })
}

fn told(lacking: Lacking) -> String {
    match lacking {
        Lacking::NotKept(why) => format!("{why}; `orch runs keep --document` keeps what rules judge too"),
        Lacking::Wrong(why) | Lacking::Unwritten(why) => why,
    }
}

fn told_error(error: &StageError) -> String {
    match error.help().filter(|help| !help.is_empty()) {
        Some(help) => format!("{error}; {help}"),
        None => error.to_string(),
    }
}

/// Returns the config the policy stage had: as its tape says, else that of the base commit where it gives the recorded key.
fn config(case: &Case<'_>, vcs: &dyn VcsRead, task: &Task) -> Result<Config, String> {
    match case.config(StageId::Policy) {
        Ok(config) => return Ok(config),
        Err(Lacking::NotKept(_)) => {}
        Err(lacking) => return Err(told(lacking)),
    }
    let unreadable = |why: String| format!("the config of then is not at hand: {why}");
    let bytes = vcs.file(&task.base.tree, FILE_NAME).map_err(|error| unreadable(error.to_string()))?;
    let config = match bytes {
        Some(bytes) => parse(&bytes, FILE_NAME).map_err(|error| unreadable(error.to_string()))?,
        None => Config::default(),
    };
    let link = &case.opened.last(StageId::Policy).ok_or("the stage `policy` is not finished")?.link;
    match key_with(case.opened.run, link, config.slice(SPEC.config)) {
        Ok(key) if key == link.key => Ok(config),
        _ => {
            Err(format!("its tape was not kept, and the `{FILE_NAME}` of its base is not the config it had"))
        }
    }
}

/// Returns the edits where they are at hand; without them a change of the very files of waivers cannot be judged.
fn edits(case: &Case<'_>, config: &Config, input: &PolicyInput) -> Result<Option<ChangeSet>, String> {
    match case.opened.body(slot::EDITS) {
        Ok(edits) => Ok(Some(edits)),
        Err(Lacking::NotKept(why)) => {
            let lists = [&config.policy.waivers, &config.policy.baseline];
            let touched = |path: &&String| input.changes.iter().flatten().any(|file| file.path == **path);
            match lists.into_iter().find(touched) {
                Some(path) => Err(format!("the change touches `{path}`, and {why}")),
                None => Ok(None),
            }
        }
        Err(lacking) => Err(told(lacking)),
    }
}

/// Takes out levels of codes that no rule has now: a real run would refuse the config.
fn known_levels(config: &mut Config, bundle: &Bundle) -> Vec<String> {
    let codes: BTreeSet<&str> = bundle.rules.iter().map(|rule| rule.metadata.code.as_str()).collect();
    let known = |code: &str| codes.contains(code) || Diag::ALL.iter().any(|diag| diag.as_str() == code);
    let gone: Vec<String> =
        config.policy.levels.keys().filter(|code| !known(code.as_str())).cloned().collect();
    config.policy.levels.retain(|code, _| known(code));
    gone.iter().map(|code| format!("`policy.levels` has `{code}`, which no rule has now")).collect()
}

/// Puts rules on trial that the recorded verdict knows nothing of; a rule that cannot be lowered stays as it is.
fn on_trial(config: &mut Config, bundle: &Bundle, then: &Verdict) -> Vec<String> {
    let codes = then.rules.iter().chain(then.skipped.iter().map(|rule| &rule.code));
    let mut known: BTreeSet<&str> = codes.map(String::as_str).collect();
    known.extend(then.findings.iter().map(|finding| finding.code.as_str()));
    let mut notes = Vec::new();
    for rule in &bundle.rules {
        let code = rule.metadata.code.as_str();
        if known.contains(code) || config.policy.levels.contains_key(code) {
            continue;
        }
        if rule.metadata.locked {
            notes.push(format!("`{code}` is locked, so it counts although it is new"));
        } else {
            config.policy.levels.insert(code.to_owned(), Level::Shadow);
        }
    }
    notes
}
