//! The predicate of this program: what made a change, stage by stage, what judged it, and what it cost.
//!
//! Made from the files of the run alone, so that a reader with the files can make it again and compare. Must never hold a
//! number that no file of the run gives: a part that was not measured is absent.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::opened::{Lacking, OpenRun};
use super::statement::Resource;
use crate::agent::budget::RunLedgers;
use crate::artifact::digest::Digest;
use crate::artifact::envelope::Producer;
use crate::artifact::id::{CommitId, Round, RunId, StageId, TreeId};
use crate::artifact::kind::{ArtifactKind, slot};
use crate::artifact::money::NanoUsd;
use crate::artifact::types::ledger::LedgerEntry;
use crate::artifact::types::manifest::Material;
use crate::artifact::types::pull_request::PullRequest;
use crate::artifact::types::task::{Channel, Task, Trust};
use crate::artifact::types::verdict::{AsideBy, Decision, Verdict};
use crate::artifact::types::verification::{Verification, VerificationOutcome};

/// The type of the predicate.
pub const TYPE: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/orch-change/v1");

/// What made a change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Change {
    /// The run.
    pub run: RunId,
    /// The programs that wrote the files.
    pub producers: Vec<Producer>,
    /// What was asked, by whom.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Asked>,
    /// The commits that were written; absent: none was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub head: Option<Head>,
    /// Every finished stage, in order.
    pub stages: Vec<StagePart>,
    /// What the stages depended on besides files of the run: templates, policy bundle, routes.
    pub materials: Vec<Material>,
    /// The prompts and roles among them.
    pub prompts: Vec<Material>,
    /// The newest file of each slot.
    pub products: Vec<Product>,
    /// What judged it; absent: it was not judged, or the verdict was not kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy: Option<PolicyPart>,
    /// What the tests said; absent: not measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tests: Option<TestPart>,
    /// The approvals by people.
    pub approvals: Vec<ProductRef>,
    /// The models that were asked; absent: no ledger says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub models: Option<Vec<ModelPart>>,
    /// What was spent; absent: no ledger says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<CostPart>,
}

/// What was asked, by whom.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Asked {
    /// `task.json`, which holds the request's text.
    pub task: Digest,
    /// Where the request came from.
    pub channel: Channel,
    /// How far its text was trusted.
    pub trust: Trust,
    /// The engine it was given to.
    pub engine: String,
    /// The agent it was given to.
    pub agent: String,
    /// The commit it starts from.
    pub base_commit: CommitId,
    /// Its tree.
    pub base_tree: TreeId,
}

/// The commits that were written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Head {
    /// The branch.
    pub branch: String,
    /// Every commit, oldest first, with its tree.
    pub commits: Vec<(CommitId, TreeId)>,
}

/// A finished stage.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct StagePart {
    /// The stage.
    pub stage: StageId,
    /// The round.
    pub round: Round,
    /// The version of its behaviour.
    pub version: u32,
    /// How it ended.
    pub exit: u8,
    /// The digest of its manifest's link.
    pub link: Digest,
    /// The digest over link, records and times.
    pub seal: Digest,
    /// When it began.
    pub started_at: String,
    /// How long it took, milliseconds.
    pub duration_ms: u64,
}

/// A file of the run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Product {
    /// Its path in the run folder.
    pub path: String,
    /// Its kind.
    pub kind: ArtifactKind,
    /// Its digest.
    pub digest: Digest,
    /// Its size.
    pub bytes: u64,
}

/// A file by path and digest.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductRef {
    /// Its path in the run folder.
    pub path: String,
    /// Its digest.
    pub digest: Digest,
}

/// What judged the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PolicyPart {
    /// The decision.
    pub decision: Decision,
    /// The digest over all rules and data that judged.
    pub bundle: Digest,
    /// The digest of the document they judged.
    pub input: Digest,
    /// How many rules ran.
    pub rules: usize,
    /// How many findings there are, by code.
    pub findings: BTreeMap<String, usize>,
    /// What a waiver or a baseline set aside, by code, with the last day it holds.
    pub set_aside: Vec<WaivedPart>,
}

/// A finding that did not count because somebody said so.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WaivedPart {
    /// The code of the rule.
    pub code: String,
    /// Waiver or baseline.
    pub by: AsideBy,
    /// Why.
    pub reason: String,
    /// The last day it holds; absent: it has no end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
}

/// What the tests said.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct TestPart {
    /// On the base.
    pub red: VerificationOutcome,
    /// With the change.
    pub green: VerificationOutcome,
    /// The tests that were red and are green, as `path::name`.
    pub proven: Vec<String>,
    /// Whether the code under test was kept from files, network and privileges it has no business with.
    pub sandboxed: bool,
}

/// A model that was asked.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ModelPart {
    /// The provider.
    pub provider: String,
    /// The model.
    pub model: String,
    /// The roles it was asked as.
    pub roles: BTreeSet<String>,
    /// How often a call was begun.
    pub calls: u64,
}

/// What was spent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CostPart {
    /// Billionths of a US dollar, kept reservations included.
    pub nano_usd: NanoUsd,
    /// The part of it that nobody knows to be billed.
    pub kept_nano_usd: NanoUsd,
    /// Tokens.
    pub tokens: u64,
    /// Calls that were or may be billed.
    pub calls: u64,
    /// Those of them without a known cost.
    pub unknown_cost_calls: u64,
}

/// Makes the predicate of a run; a file that is not what it should be is an error.
pub fn change(run: &OpenRun<'_>) -> Result<Change, String> {
    let (materials, prompts) = materials(run);
    let (models, cost) = money(run)?;
    let approvals = run
        .find(slot::APPROVAL.path)
        .map(|(_, file)| ProductRef { path: file.path.clone(), digest: file.digest.clone() });
    Ok(Change {
        run: run.run.clone(),
        producers: producers(run),
        request: request(run)?,
        head: head(run)?,
        stages: stages(run),
        materials,
        prompts,
        products: products(run),
        policy: policy(run)?,
        tests: tests(run)?,
        approvals: approvals.into_iter().collect(),
        models,
        cost,
    })
}

/// Returns the subjects of every statement about a run: its last commit, that commit's tree, and the patch.
pub fn subjects(run: &OpenRun<'_>) -> Result<Vec<Resource>, String> {
    if run.is_release() {
        return super::release::subjects(run);
    }
    let mut subjects = Vec::new();
    if let Some((commit, tree)) = head(run)?.and_then(|head| head.commits.last().cloned()) {
        subjects.push(Resource::new("commit", "gitCommit", commit.as_str()));
        subjects.push(Resource::new("tree", "gitTree", tree.as_str()));
    }
    if let Some(digest) = run.digest(slot::PATCH) {
        subjects.push(Resource::new(slot::PATCH.path, "sha256", digest.hex()));
    }
    if subjects.is_empty() {
        return Err("it has neither commits nor a patch yet".into());
    }
    Ok(subjects)
}

/// What no stage wrote, or was not kept, is no part of the predicate; what is wrong makes none.
pub(super) fn there<T>(found: Result<T, Lacking>) -> Result<Option<T>, String> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Lacking::Unwritten(_) | Lacking::NotKept(_)) => Ok(None),
        Err(Lacking::Wrong(why)) => Err(why),
    }
}

pub(super) fn producers(run: &OpenRun<'_>) -> Vec<Producer> {
    let mut producers: Vec<Producer> = Vec::new();
    for manifest in &run.chain.manifests {
        if !producers.contains(&manifest.producer) {
            producers.push(manifest.producer.clone());
        }
    }
    producers
}

fn request(run: &OpenRun<'_>) -> Result<Option<Asked>, String> {
    let Some(task) = there(run.body::<Task>(slot::TASK))? else { return Ok(None) };
    let Some(digest) = run.digest(slot::TASK) else { return Ok(None) };
    Ok(Some(Asked {
        task: digest.clone(),
        channel: task.requester.channel,
        trust: task.requester.trust,
        engine: task.assignment.engine,
        agent: task.assignment.agent_id.to_string(),
        base_commit: task.base.commit,
        base_tree: task.base.tree,
    }))
}

fn head(run: &OpenRun<'_>) -> Result<Option<Head>, String> {
    let request = there(run.body::<PullRequest>(slot::PULL_REQUEST))?;
    Ok(request.map(|request| Head {
        branch: request.branch,
        commits: request.commits.into_iter().map(|commit| (commit.id, commit.tree)).collect(),
    }))
}

pub(super) fn stages(run: &OpenRun<'_>) -> Vec<StagePart> {
    let part = |m: &crate::artifact::types::manifest::Manifest| StagePart {
        stage: m.link.stage,
        round: m.link.round,
        version: m.link.stage_version,
        exit: m.link.exit,
        link: m.link_digest.clone(),
        seal: m.seal.clone(),
        started_at: m.timing.started_at.clone(),
        duration_ms: m.timing.duration_ms,
    };
    run.chain.bodies().map(part).collect()
}

fn materials(run: &OpenRun<'_>) -> (Vec<Material>, Vec<Material>) {
    let all: BTreeSet<&Material> = run.chain.bodies().flat_map(|m| &m.link.materials).collect();
    let is_prompt = |m: &&&Material| m.name.starts_with("prompt") || m.name.starts_with("role");
    let (prompts, rest): (Vec<&Material>, Vec<&Material>) = all.iter().partition(is_prompt);
    (rest.into_iter().cloned().collect(), prompts.into_iter().cloned().collect())
}

pub(super) fn products(run: &OpenRun<'_>) -> Vec<Product> {
    let file = |path: &str| {
        let (_, file) = run.find(path)?;
        let (path, kind, digest, bytes) = (file.path.clone(), file.kind, file.digest.clone(), file.bytes);
        Some(Product { path, kind, digest, bytes })
    };
    slot::ALL.iter().filter(|slot| !slot.record).filter_map(|slot| file(slot.path)).collect()
}

fn policy(run: &OpenRun<'_>) -> Result<Option<PolicyPart>, String> {
    let Some(verdict) = there(run.body::<Verdict>(slot::VERDICT))? else { return Ok(None) };
    let mut findings = BTreeMap::new();
    for finding in &verdict.findings {
        *findings.entry(finding.code.clone()).or_default() += 1;
    }
    let waived =
        verdict.set_aside.iter().filter(|aside| matches!(aside.by, AsideBy::Waiver | AsideBy::Baseline));
    let set_aside: BTreeSet<WaivedPart> = waived
        .map(|aside| WaivedPart {
            code: aside.finding.code.clone(),
            by: aside.by,
            reason: aside.reason.clone(),
            until: aside.until.clone(),
        })
        .collect();
    Ok(Some(PolicyPart {
        decision: verdict.decision,
        bundle: verdict.bundle,
        input: verdict.input,
        rules: verdict.rules.len(),
        findings,
        set_aside: set_aside.into_iter().collect(),
    }))
}

fn tests(run: &OpenRun<'_>) -> Result<Option<TestPart>, String> {
    let red = there(run.body::<Verification>(slot::RED))?;
    let green = there(run.body::<Verification>(slot::GREEN))?;
    let (Some(red), Some(green)) = (red, green) else { return Ok(None) };
    Ok(Some(TestPart {
        red: red.outcome,
        green: green.outcome,
        proven: super::catalogue::proven(&red, &green),
        sandboxed: red.protection.is_sandboxed() && green.protection.is_sandboxed(),
    }))
}

/// Ledgers are the only files money is taken from; a kept run has none, and then nothing is said.
fn money(run: &OpenRun<'_>) -> Result<(Option<Vec<ModelPart>>, Option<CostPart>), String> {
    if run.kept {
        return Ok((None, None));
    }
    let ledgers = RunLedgers::read(run.store).map_err(|error| error.to_string())?;
    if ledgers.ledgers.is_empty() {
        return Ok((None, None));
    }
    let mut models: BTreeMap<(String, String), ModelPart> = BTreeMap::new();
    for line in ledgers.ledgers.iter().flat_map(|ledger| &ledger.lines) {
        if let LedgerEntry::Reserve { provider, model, role, .. } = &line.entry {
            let part = models.entry((provider.clone(), model.clone())).or_insert_with(|| ModelPart {
                provider: provider.clone(),
                model: model.clone(),
                roles: BTreeSet::new(),
                calls: 0,
            });
            part.roles.insert(role.clone());
            part.calls += 1;
        }
    }
    let spent = ledgers.spent();
    let cost = CostPart {
        nano_usd: spent.nano_usd,
        kept_nano_usd: spent.kept_nano_usd,
        tokens: spent.tokens,
        calls: spent.calls,
        unknown_cost_calls: spent.unknown,
    };
    Ok((Some(models.into_values().collect()), Some(cost)))
}
