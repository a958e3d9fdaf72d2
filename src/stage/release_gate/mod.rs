//! `release-gate`: what is known of a release is collected, then judged.
//!
//! `collect` looks at forge, repository, run folders, files and a metrics server, and writes down what it saw; `judge` is
//! a pure function of that. Must never change anything: `promote` and `rollback` act on the decision.

pub mod collect;
pub mod judge;

use crate::artifact::id::{Slug, StageId};
use crate::artifact::kind::slot;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::release::{
    ControlOutcome, OwnRules, ReleaseDecision, ReleaseEvidence, ReleaseOutcome, ReleaseRequest,
};
use crate::config::{Config, ReleaseEnvironment};
use crate::diagnostic::Class;
use crate::ports::vcs::VcsRead;

use super::policy::bundle::{BundleError, Sources};
use super::spec::{EffectKind, Permission, StageSpec};
use super::{Finished, Inputs, Outputs, Stage, StageContext, StageError};
use collect::{Gathering, collect};
use judge::{Pack, judge, own_rules};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::ReleaseGate,
    version: 1,
    summary: "Collects what is known of a release and decides: promote, hold, deny or rollback",
    about: "Asks the forge for checks by app, reviews, deployments and releases of a commit; verifies the change runs behind \
            it; reads measures, the error budget, the freeze calendar, the rollback plan, the list of components and the \
            digests of what was tested; and writes all of it down with source, time and digest. Rules in Rego then judge \
            that file and nothing else, one control each. What is missing is never a pass. 0: promote; 75: hold; 3: deny, \
            or rollback, which the decision tells apart.",
    inputs: &[],
    outputs: &[slot::RELEASE_EVIDENCE, slot::RELEASE_DECISION],
    may_write: &[],
    effects: &[EffectKind::RepositoryRead, EffectKind::ForgeRead, EffectKind::Observe],
    config: &["release"],
    permissions: &[
        Permission::ContentsRead,
        Permission::ChecksRead,
        Permission::StatusesRead,
        Permission::PullRequestsRead,
        Permission::DeploymentsRead,
    ],
    exits: &[3, 75],
};

/// The stage.
#[derive(Clone, Copy, Debug, Default)]
pub struct ReleaseGate;

impl Stage for ReleaseGate {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn materials(&self, cx: &StageContext<'_>) -> Result<Vec<Material>, StageError> {
        let own = match cx.request.and_then(|request| serde_json::from_str(&request.text).ok()) {
            Some(request) => rules_at(cx.vcs()?, cx.config, &request)?,
            // Nobody said what is to be released; to run says so.
            None => Vec::new(),
        };
        Ok(vec![Material { name: RULES.into(), digest: Pack::with(&own)?.digest }])
    }

    fn run(&self, cx: &StageContext<'_>, _inputs: &Inputs) -> Result<Finished, StageError> {
        let request = cx.request.ok_or_else(|| refused("nobody said what is to be released", ASK))?;
        let request: ReleaseRequest = serde_json::from_str(&request.text)
            .map_err(|error| refused(format!("what is to be released cannot be read: {error}"), ASK))?;
        let environment = environment_of(cx.config, &request)?;
        let evidence = collect(&Gathering {
            request: &request,
            config: cx.config,
            environment,
            hub: cx.hub()?,
            observe: cx.observe()?,
            vcs: cx.vcs()?,
            rules: rules_at(cx.vcs()?, cx.config, &request)?,
            now: cx.clock().now(),
        })
        .map_err(internal)?;
        for gap in evidence.gaps() {
            cx.note(format!("not known: {:?}: {}", gap.0, gap.1));
        }
        let decision = judged(&evidence)?;
        let mut outputs = Outputs::default();
        outputs.put(slot::RELEASE_EVIDENCE, &evidence)?;
        outputs.put(slot::RELEASE_DECISION, &decision)?;
        Ok(finish(outputs, &decision))
    }

    /// The world moves on: what was known is looked at again each time.
    fn still_holds(&self, _cx: &StageContext<'_>, _outputs: &Inputs) -> Result<bool, StageError> {
        Ok(false)
    }
}

/// The name of the rules among the materials of the stage.
pub const RULES: &str = "release-rules";

/// Returns the rules that a repository adds, as the released commit has them: they went through what guards the branch.
pub fn rules_at(
    vcs: &dyn VcsRead,
    config: &Config,
    request: &ReleaseRequest,
) -> Result<Vec<OwnRules>, StageError> {
    if config.release.packs.is_empty() {
        return Ok(Vec::new());
    }
    let Some(tree) = &request.subject.tree else {
        return Err(refused("the tree of the released commit is not known, so neither are its rules", ASK));
    };
    Ok(own_rules(Sources::packs(vcs, tree, &config.release.packs)?))
}

/// Judges evidence by the rules of this program and those it carries.
pub fn judged(evidence: &ReleaseEvidence) -> Result<ReleaseDecision, StageError> {
    let pack = Pack::of_evidence(evidence).map_err(|error: BundleError| StageError::from(error))?;
    judge(evidence, &pack).map_err(internal)
}

/// Returns what the environment of a request asks for.
pub fn environment_of<'a>(
    config: &'a Config,
    request: &ReleaseRequest,
) -> Result<&'a ReleaseEnvironment, StageError> {
    let environments = &config.release.environments;
    environments.get(&request.environment).ok_or_else(|| {
        let known: Vec<&str> = environments.keys().map(Slug::as_str).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        refused(
            format!("orch.yml does not say what the environment `{}` asks for", request.environment),
            &format!("Add it below `release.environments`. It has: {known}."),
        )
    })
}

const ASK: &str =
    "Run `orch stage release-gate --to ENVIRONMENT`, with the commit, its artifacts and its runs.";

fn finish(outputs: Outputs, decision: &ReleaseDecision) -> Finished {
    match class(decision.outcome) {
        None => Finished::done(outputs),
        Some(class) => Finished::stopped(outputs, class, why(decision)),
    }
}

/// Returns the documented outcome of a decision; `None`: it may go out. A rollback is no success of a gate.
pub const fn class(outcome: ReleaseOutcome) -> Option<Class> {
    match outcome {
        ReleaseOutcome::Promote => None,
        ReleaseOutcome::Hold => Some(Class::Temporary),
        ReleaseOutcome::Rollback | ReleaseOutcome::Deny => Some(Class::Denied),
    }
}

/// Says what decided, in one line.
pub fn why(decision: &ReleaseDecision) -> String {
    let decides = |outcome: ControlOutcome| match decision.outcome {
        ReleaseOutcome::Promote => false,
        ReleaseOutcome::Rollback => outcome == ControlOutcome::Rollback,
        ReleaseOutcome::Hold | ReleaseOutcome::Deny => outcome != ControlOutcome::Pass,
    };
    let decisive: Vec<_> = decision.controls.iter().filter(|one| decides(one.outcome)).collect();
    let first = decisive.first().map(|one| format!("{} ({})", one.reason, one.control)).unwrap_or_default();
    let word = decision.outcome.as_str();
    match decisive.len().saturating_sub(1) {
        0 => format!("{word}: {first}"),
        more => format!("{word}: {first}, and {more} more"),
    }
}

fn refused(what: impl Into<String>, help: &str) -> StageError {
    StageError::Refused { class: Class::Usage, what: what.into(), help: help.into() }
}

fn internal(error: crate::artifact::digest::CanonicalError) -> StageError {
    StageError::Refused {
        class: Class::Internal,
        what: error.to_string(),
        help: "This is a fault of orch; please report it.".into(),
    }
}
