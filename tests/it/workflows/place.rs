//! A repository, a forge and a runner's work folder for a workflow that is run to its end, and what is looked at afterwards.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a test may fail anywhere, its helpers too")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use orch::ports::vcs::GitRepository;
use serde_json::{Value, json};

use super::root;
use super::third_party::{action, run, stand_in, variables};
use crate::env::{TestEnv, files_below, is_raw_output};
use crate::intake_events::hub::Hub;
use crate::support::github::{FakeGitHub, Seen, State};

/// What the first token of a run looks like; each job has another one at its end.
const TOKEN: &str = "ghs_testtokenthatnobodymaysee0123456789";

/// A repository whose default branch a runner checks out, a forge, and what a runner says of itself.
pub struct Place {
    pub folder: PathBuf,
    pub env: TestEnv,
    pub hub: Hub,
    /// A forge with a memory, instead of the canned one.
    pub github: Option<FakeGitHub>,
    pub source: PathBuf,
}

impl Place {
    pub fn new(files: &[(&str, &str)]) -> Option<Self> {
        let folder = stand_in()?;
        let env = TestEnv::new();
        let source = env.repository("shop", files);
        env.git(&source, &["push", "-q", "origin", "main"]);
        env.git(&env.path("shop.git"), &["symbolic-ref", "HEAD", "refs/heads/main"]);
        Some(Self { folder, hub: Hub::new(), github: None, source, env })
    }

    /// With a forge that remembers, whose commits are those of the repository that is checked out.
    pub fn on_github(files: &[(&str, &str)], set: impl FnOnce(&mut State)) -> Option<Self> {
        let mut place = Self::new(files)?;
        let mut state = State::of(&GitRepository::open(&place.source).unwrap(), "acme/shop");
        state.backed = Some(place.env.path("shop.git"));
        state.login = "github-actions[bot]".into();
        state.roles = [("maintainer", "maintain"), ("outsider", "read")]
            .map(|(login, role)| (login.to_owned(), role.to_owned()))
            .into();
        set(&mut state);
        place.github = Some(FakeGitHub::start(state));
        Some(place)
    }

    pub fn github(&self) -> &FakeGitHub {
        self.github.as_ref().unwrap()
    }

    /// Runs a workflow as one that was started by this event.
    pub fn run(&self, workflow: &str, event: Option<&Value>, more: &Value) -> Value {
        let mut told = variables(&self.env);
        if event.is_some() {
            let address = self.github.as_ref().map_or_else(|| self.hub.address.clone(), FakeGitHub::url);
            for (name, value) in [
                ("GITHUB_API_URL", address.as_str()),
                ("GITHUB_REPOSITORY", "acme/shop"),
                ("GITHUB_WORKFLOW_REF", "acme/shop/.github/workflows/orch.yml@refs/heads/main"),
                ("GITHUB_SERVER_URL", "https://github.com"),
            ] {
                told.insert(name.into(), value.into());
            }
        }
        let mut plan = json!({
            "root": root(), "workflow": workflow, "service": self.env.path("shop.git"), "work": self.env.path("work"),
            "action": action(&self.env), "tools": self.env.path("tools"), "home": self.env.path("home"), "env": told,
            "repository": "acme/shop",
        });
        if let Some(event) = event {
            plan["event"] = event.clone();
            plan["event_name"] = "issue_comment".into();
            plan["token"] = TOKEN.into();
        }
        for (key, value) in more.as_object().unwrap() {
            match (key.as_str(), value.as_object()) {
                ("env", Some(more)) => plan["env"].as_object_mut().unwrap().extend(more.clone()),
                _ => plan[key] = value.clone(),
            }
        }
        let _ = fs::remove_dir_all(self.env.path("work"));
        run(&self.folder, &self.env, &plan)
    }

    pub fn writes(&self) -> Vec<String> {
        let all = self.hub.asked().into_iter().map(|(ask, _)| ask);
        all.filter(|ask| !ask.starts_with("GET ") && ask != "GRAPHQL Viewer").collect()
    }

    pub fn branches(&self) -> Vec<String> {
        let all = self
            .env
            .git(&self.env.path("shop.git"), &["for-each-ref", "--format=%(refname:short)", "refs/heads"]);
        all.lines().filter(|name| *name != "main").map(str::to_owned).collect()
    }

    /// Lets a comment be written below an issue.
    pub fn takes_comments(&self, issue: u64) -> &Self {
        let path = format!("/repos/acme/shop/issues/{issue}/comments");
        let comment = json!({"id": 1, "body": "", "user": {"login": "github-actions[bot]", "id": 1, "type": "Bot"},
            "created_at": "2026-01-01T00:00:00Z", "updated_at": "2026-01-01T00:00:00Z", "html_url": "https://x"});
        self.hub.put(&format!("GET {path}"), 200, json!([])).put(&format!("POST {path}"), 201, comment);
        self
    }

    /// Holds every request of a run to the rights of the job that made it.
    #[track_caller]
    pub fn keeps_to_its_rights(&self, done: &Value) {
        for seen in self.github().seen() {
            let jobs = done["tokens"].as_array().unwrap();
            let job = jobs.iter().find(|job| job["token"] == seen.token.as_str());
            let job = job.unwrap_or_else(|| panic!("nobody's token asked {} {}", seen.method, seen.path));
            assert!(may(job, &seen), "{} asked {} {} {}", job, seen.method, seen.path, seen.body);
        }
    }
}

/// Tells whether a job may make a request: by the fine-grained permissions GitHub's reference names for each.
fn may(job: &Value, seen: &Seen) -> bool {
    let has = |right: &str, level: &str| {
        let given = job["may"][right].as_str().unwrap_or("none");
        given == "write" || (given == "read" && level == "read")
    };
    let level = if seen.method == "GET" { "read" } else { "write" };
    let path = seen.path.split('?').next().unwrap_or_default();
    if path == "/graphql" {
        return match seen.body["operationName"].as_str() {
            Some("Viewer") => true,
            Some("ReviewThreads") => has("pull-requests", "read"),
            Some("CommitOnBranch") => has("contents", "write"),
            Some("EnableAutoMerge" | "DisableAutoMerge") => {
                has("contents", "write") && has("pull-requests", "write")
            }
            _ => has("pull-requests", "write"),
        };
    }
    let rest = path.strip_prefix("/repos/acme/shop").unwrap_or(path);
    let first = rest.trim_start_matches('/').split('/').next().unwrap_or_default();
    match first {
        "" | "collaborators" | "rules" => level == "read",
        "issues" => has("issues", level) || has("pull-requests", level),
        "pulls" if rest.ends_with("/merge") => has("contents", "write"),
        "pulls" => has("pull-requests", level),
        "check-runs" => has("checks", level),
        "commits" if rest.ends_with("/check-runs") => has("checks", level),
        "commits" if rest.ends_with("/statuses") => has("statuses", level),
        "commits" if rest.ends_with("/pulls") => has("pull-requests", level),
        "git" | "compare" | "commits" | "contents" | "branches" | "releases" => has("contents", level),
        "statuses" => has("statuses", level),
        "code-scanning" => has("security-events", level),
        "actions" | "environments" => has("actions", level),
        "deployments" => has("deployments", level),
        _ => false,
    }
}

/// The script of a provider as a file of the repository: what an entry is for stands there in other letters than in a question, since
/// a file of the repository may be shown with any question.
pub fn script(replies: &[Value]) -> String {
    let text = json!({ "version": 1, "replies": replies }).to_string();
    let mut parts = text.split("\"match\":\"");
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (first, rest) = part.split_at(1);
        let _ = write!(out, "\"match\":\"\\u{:04x}{rest}", first.as_bytes()[0]);
    }
    out
}

/// The jobs that ran, in order, with how each ended.
pub fn ran(done: &Value) -> Vec<(String, String)> {
    let order = done["order"].as_array().unwrap().iter().map(|name| name.as_str().unwrap().to_owned());
    let ends = order.map(|name| {
        let end = done["jobs"][&name]["result"].as_str().unwrap().to_owned();
        (name, end)
    });
    ends.filter(|(_, end)| end != "skipped").collect()
}

/// The names of the jobs that ran, each of which ended well.
#[track_caller]
pub fn names(done: &Value) -> Vec<String> {
    let bad: Vec<_> = ran(done).into_iter().filter(|(_, end)| end != "success").collect();
    let whys: Vec<_> =
        done["jobs"].as_object().unwrap().iter().map(|(name, job)| (name, &job["outputs"])).collect();
    assert!(bad.is_empty(), "{bad:?}: {whys:?}\n{}", log(done));
    ran(done).into_iter().map(|(name, _)| name).collect()
}

/// What the runner wrote down, for a test that failed.
pub fn log(done: &Value) -> String {
    done["log"].as_array().unwrap().iter().filter_map(Value::as_str).collect::<Vec<_>>().join("\n")
}

pub fn workflow_run(id: u64, title: &str, status: &str) -> Value {
    json!({"id": id, "display_title": title, "path": ".github/workflows/orch.yml@main", "event": "issues",
        "head_branch": "main", "head_repository": {"full_name": "acme/shop"}, "status": status, "html_url": "https://x"})
}

/// What a stage was told, but for how long it took: of a command, how it ended, since what it printed tells times too.
fn told(tape: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(tape);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let kept = lines.filter(|line| line["ask"] != "elapsed").map(|line| match line["ask"].as_str() {
        Some("run") => format!("{} {}", line["argv"], line["answer"]["ended"]),
        _ => line.to_string(),
    });
    kept.collect()
}

/// The lines of a record of calls, but for how long each took, and for the chain over lines that tell it.
fn timeless(record: &[u8]) -> Vec<Value> {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                for name in ["took_ms", "waited_ms", "worked_ms", "previous", "digest_of_previous"] {
                    fields.remove(name);
                }
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            _ => {}
        }
    }
    let text = String::from_utf8_lossy(record);
    let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines
        .map(|mut line| {
            strip(&mut line);
            line
        })
        .collect()
}

fn shown(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).chars().take(3000).collect()
}

/// Puts together what the jobs handed on, and holds it to the run that the command made.
#[track_caller]
pub fn ends_like(env: &TestEnv, source: &Path, done: &Value, whole: &Path) {
    let parts = env.path("parts");
    let run = whole.file_name().unwrap().to_string_lossy().into_owned();
    for artifact in done["artifacts"].as_array().unwrap() {
        let name = artifact["name"].as_str().unwrap();
        assert!(name.starts_with(&format!("orch-{run}-")) && name.ends_with("-a1"), "{name}");
        for (path, bytes) in files_below(Path::new(artifact["folder"].as_str().unwrap())) {
            let file = parts.join(name).join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, bytes).unwrap();
        }
    }
    let merged = env.path("merged").display().to_string();
    env.orch(source, &["artifacts", "merge", &parts.display().to_string(), "--artifacts", &merged]).exits(0);
    let place = env.path("merged").join(whole.file_name().unwrap());
    let made = files_below(&place);
    env.orch(source, &["artifacts", "verify", &place.display().to_string()]).exits(0);
    let mut other = Vec::new();
    for (path, bytes) in files_below(whole) {
        let rest = path.strip_prefix("rounds/").and_then(|rest| rest.split_once('/'));
        let first = rest.map_or(&*path, |(_, rest)| rest);
        let Some(made) = made.get(&path) else {
            other.push(format!("{path} was not handed over"));
            continue;
        };
        let same = match first.split('/').next().unwrap_or_default() {
            // How long each took is in these.
            "manifest" | "events" => true,
            "tape" => told(made) == told(&bytes),
            "cassette" | "ledger" => timeless(made) == timeless(&bytes),
            _ => is_raw_output(&path) || *made == bytes,
        };
        if !same {
            other.push(format!("{path}: {}\nand not\n{}", shown(made), shown(&bytes)));
        }
    }
    assert!(other.is_empty(), "{}", other.join("\n"));
}
