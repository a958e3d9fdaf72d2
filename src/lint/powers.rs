//! The two-of-three rule for a job: model key, running repository code, write token; at most one of them.
//!
//! Must never take a power for absent because it comes by a detour: a called workflow, an action, a persisted token.

use std::ops::Range;
use std::sync::LazyLock;

use regex::Regex;

use super::Files;
use super::doc::{Doc, agent, checkouts, input, secrets};
use crate::scan::workflows::checkout::BUILDS;
use crate::scan::workflows::model::{Flow, Job, action, inputs, text};
use crate::scan::yaml::{self, Node};
use crate::stage::registry;
use crate::stage::spec::Power;

/// A power of a job: what gives it, and where.
#[derive(Clone, Debug)]
pub struct Held {
    /// The power.
    pub power: Power,
    /// What gives it, to be read after "by".
    pub by: String,
    /// Where.
    pub place: Range<usize>,
}

/// Names of secrets that open a model.
static MODEL_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?x)ANTHROPIC|CLAUDE|OPENAI|CODEX|GEMINI|GOOGLE_(?:AI|GENAI|API_KEY)|MISTRAL|GROQ|(?:^|_)XAI|DEEPSEEK|OPENROUTER|COHERE|HUGGING|(?:^|_)HF_|COPILOT|PERPLEXITY|TOGETHER|REPLICATE|BEDROCK|VLLM|(?:^|_)LLM(?:_|$)|MODEL_(?:API_)?KEY|(?:^|_)AI_(?:API_)?KEY").ok()
});
/// Names of secrets with which something is pushed, published or deployed.
static WRITE_KEY: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r"(?x)NPM|PYPI|CARGO|CRATES|(?:^|_)GH(?:_|$)|GITHUB|(?:^|_)PAT(?:_|$)|DEPLOY|RELEASE|PUSH|PUBLISH|DOCKER|REGISTRY|(?:^|_)SSH|(?:^|_)AWS|(?:^|_)GCP|AZURE_(?:CLIENT|CRED)|SIGNING|RUBYGEMS|MAVEN|NUGET|VERCEL|NETLIFY|CLOUDFLARE|BOT_TOKEN|APP_(?:PRIVATE_)?KEY").ok()
});

/// Returns whether a secret's name is that of a model key.
pub(super) fn is_model_key(name: &str) -> bool {
    MODEL_KEY.as_ref().is_some_and(|key| key.is_match(name))
}

fn is_write_key(name: &str) -> bool {
    !is_model_key(name) && WRITE_KEY.as_ref().is_some_and(|key| key.is_match(name))
}

/// Rights that write, but change neither code nor what people see of it.
const HARMLESS: [&str; 4] = ["id-token", "security-events", "attestations", "models"];

/// Returns the rights of a job's token: its own, else the workflow's, else those it is called with.
pub(super) fn permissions<'n>(flow: &Flow<'n>, job: &Job<'n>, caller: Option<&'n Node>) -> Option<&'n Node> {
    job.node.get("permissions").or_else(|| flow.root.get("permissions")).or(caller)
}

/// Returns what of the rights is written, as `contents: write`, with its place.
pub(super) fn writes(permissions: &Node) -> Vec<(String, Range<usize>)> {
    if permissions.text() == Some("write-all") {
        return vec![("permissions: write-all".into(), permissions.range.clone())];
    }
    let entries = permissions.entries().iter();
    entries
        .filter_map(|(name, right)| {
            let name_of = name.text()?;
            let writes = right.text() == Some("write") && !HARMLESS.contains(&name_of);
            writes.then(|| (format!("{name_of}: write"), name.range.start..right.range.end))
        })
        .collect()
}

/// Returns whether a right is among the permissions.
pub(super) fn grants(permissions: Option<&Node>, right: &str) -> Option<Range<usize>> {
    let (key, value) = permissions?.entry(right)?;
    let granted = value.text() == Some("write") || (right == "models" && value.text() == Some("read"));
    granted.then_some(key.range.start..value.range.end)
}

/// Returns where a job first runs code of the repository.
pub(super) fn runs_code(job: &Job<'_>) -> Option<(String, Range<usize>)> {
    // Folders that another repository was checked out into.
    let foreign: Vec<String> = checkouts(job)
        .filter(|(_, step)| input(step, "repository").is_some_and(|name| !name.contains("github.repository")))
        .filter_map(|(_, step)| input(step, "path"))
        .map(|path| path.trim_start_matches("./").trim_end_matches('/').to_owned())
        .collect();
    let mut present = false;
    for step in &job.steps {
        let script = text(step, "run");
        if action(step).is_some_and(|(name, _)| name == "actions/checkout") {
            present |= input(step, "repository").is_none_or(|name| name.contains("github.repository"));
            continue;
        }
        present |= script.contains("git clone") || script.contains("gh pr checkout");
        if let Some((what, place)) = of_orch(step) {
            return Some((what, place));
        }
        if let Some((key, value)) = step.entry("uses").filter(|_| present) {
            let uses = value.text().unwrap_or_default();
            if let Some(path) = uses.strip_prefix("./") {
                let elsewhere =
                    foreign.iter().any(|folder| path == folder || path.starts_with(&format!("{folder}/")));
                if !elsewhere {
                    return Some((
                        format!("the action `{uses}` of the checkout"),
                        key.range.start..value.range.end,
                    ));
                }
            } else if [
                "docker/build-push-action",
                "docker/bake-action",
                "pre-commit/action",
                "golangci/golangci-lint-action",
            ]
            .iter()
            .any(|name| uses.starts_with(name))
            {
                return Some((format!("`{uses}`"), key.range.start..value.range.end));
            }
        }
        if present && let Some(command) = command(script) {
            let node = step.get("run")?;
            return Some((format!("`{command}`"), node.range.clone()));
        }
    }
    None
}

/// Returns the first command of a script that runs what is in the working directory.
pub(super) fn command(script: &str) -> Option<String> {
    BUILDS.as_ref()?.find_iter(script).find_map(|found| {
        let line_start = script.get(..found.start()).and_then(|head| head.rfind('\n')).map_or(0, |at| at + 1);
        let before = script.get(line_start..found.start()).unwrap_or_default().trim();
        let line = script.get(line_start..).unwrap_or_default().lines().next().unwrap_or_default().trim();
        let text = found.as_str().trim_matches(|c: char| c.is_whitespace() || ";&|(`".contains(c));
        let starts = before.is_empty()
            || found.as_str().starts_with([';', '&', '|', '(', '`'])
            || before.ends_with(['&', ';', '|', '('])
            || ["then", "do", "else", "sudo", "time", "exec", "env", "xargs", "!"]
                .iter()
                .any(|word| before.ends_with(word))
            || before.split_whitespace().all(|word| word.contains('='));
        (starts && !line.starts_with('#')).then(|| text.to_owned())
    })
}

/// Stages of orch that run code of the repository, by command or action.
fn of_orch(step: &Node) -> Option<(String, Range<usize>)> {
    let runs = |name: &str| {
        let stage = name.parse().ok().and_then(registry::stage)?;
        stage.spec().powers().contains(&Power::Exec).then(|| format!("the stage `{name}`"))
    };
    if let Some(node) = step.get("run") {
        let script = node.text()?;
        let mut words =
            script.split_whitespace().skip_while(|word| *word != "orch" && !word.ends_with("/orch"));
        let (_, second, third) = (words.next()?, words.next()?, words.next());
        return match (second, third) {
            ("stage", Some(name)) => Some((runs(name)?, node.range.clone())),
            ("run", _) => Some(("`orch run`".into(), node.range.clone())),
            _ => None,
        };
    }
    let uses = step.get("uses")?;
    let ours = uses.text().is_some_and(|name| name.contains("orch"));
    input(step, "stage").filter(|_| ours).and_then(runs).map(|what| (what, uses.range.clone()))
}

/// Returns the powers of a job, each by the first thing that gives it.
pub(super) fn held(
    flow: &Flow<'_>,
    job: &Job<'_>,
    caller: Option<&Node>,
    given: Option<&[String]>,
) -> Vec<Held> {
    let mut all: Vec<Held> = Vec::new();
    let add =
        |all: &mut Vec<Held>, power, by: String, place: Range<usize>| all.push(Held { power, by, place });
    let rights = permissions(flow, job, caller);
    let mut named: Vec<(Range<usize>, String)> =
        secrets(job.node).into_iter().map(|(node, name)| (node.range.clone(), name)).collect();
    if let Some(env) = flow.root.get("env") {
        named.extend(secrets(env).into_iter().map(|(node, name)| (node.range.clone(), name)));
    }
    // A called workflow gets only what its caller gives.
    named.retain(|(_, name)| given.is_none_or(|given| given.iter().any(|one| one == name || one == "*")));
    if let Some((place, name)) = named.iter().find(|(_, name)| is_model_key(name)) {
        add(&mut all, Power::Key, format!("the secret `{name}`"), place.clone());
    } else if let Some(place) = grants(rights, "models") {
        add(&mut all, Power::Key, "the right `models`".into(), place);
    } else if let Some(place) = job.steps.iter().find_map(|step| agent(step)) {
        add(&mut all, Power::Key, "an agent that asks a model".into(), place);
    }
    if let Some((what, place)) = runs_code(job) {
        add(&mut all, Power::Exec, what, place);
    }
    let unlimited = rights.is_none() && all.iter().any(|held| held.power == Power::Key);
    if let Some((what, place)) = rights.and_then(|rights| writes(rights).into_iter().next()) {
        add(&mut all, Power::Write, format!("`{what}`"), place);
    } else if let Some((place, name)) = named.iter().find(|(_, name)| is_write_key(name)) {
        add(&mut all, Power::Write, format!("the secret `{name}`"), place.clone());
    } else if let Some(place) = app_token(job) {
        add(&mut all, Power::Write, "the token of an App".into(), place);
    } else if unlimited && !flow.action {
        add(
            &mut all,
            Power::Write,
            "a token whose rights nobody limits".into(),
            job.node.range.start..job.node.range.start + 1,
        );
    }
    all
}

fn app_token(job: &Job<'_>) -> Option<Range<usize>> {
    let step = job
        .steps
        .iter()
        .find(|step| action(step).is_some_and(|(name, _)| name.ends_with("/create-github-app-token")))?;
    let rights: Vec<_> = inputs(step).filter(|(key, _)| key.starts_with("permission-")).collect();
    let reads = !rights.is_empty() && rights.iter().all(|(_, value)| value.text() == Some("read"));
    (!reads).then(|| step.get("uses").map_or(0..0, |node| node.range.clone()))
}

/// Returns the powers of the jobs of a workflow that is called and lies beside the caller, by the job's name.
pub(super) fn called(doc: &Doc<'_>, job: &Job<'_>) -> Vec<(String, Vec<Held>)> {
    let Some(root) = callee(doc.files, doc.path, text(job.node, "uses")) else { return Vec::new() };
    let flow = Flow::new(&root, false);
    let given: Vec<String> = match job.node.get("secrets") {
        Some(node) if node.text() == Some("inherit") => vec!["*".into()],
        Some(node) => node.entries().iter().filter_map(|(key, _)| Some(key.text()?.to_uppercase())).collect(),
        None => Vec::new(),
    };
    let caller = job.node.get("permissions").or_else(|| doc.flow.root.get("permissions"));
    flow.jobs.iter().map(|inner| (inner.name.to_owned(), held(&flow, inner, caller, Some(&given)))).collect()
}

/// Returns the workflow a job calls, where it is one of the files.
pub(super) fn callee(files: &Files, path: &str, uses: &str) -> Option<std::rc::Rc<Node>> {
    let name = uses.strip_prefix("./").or_else(|| uses.strip_prefix("$/"))?;
    let file = name.rsplit('/').next()?;
    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
    let beside = if folder.is_empty() { file.to_owned() } else { format!("{folder}/{file}") };
    yaml::read(files.get(&beside).or_else(|| files.get(name))?)
}
