//! What is done for each kind of case; the error says what was let through, or that the twin was not.

use std::fs;
use std::path::{Path, PathBuf};

use orch::artifact::types::change_set::FileMode;
use serde_json::{Value, json};

use super::case::{Event, Exit, Flap, Hosted, Judge, Kind, Lint, Nothing, Probe, Remote, Run, Tamper};
use crate::env::{Said, TestEnv, files_below, run_folder, said};
use crate::forge::{BRANCH, Scene};
use crate::intake_events::hub::Hub;
use crate::intake_events::{Runner, fixture};
use crate::judge::{World, secret, token};
use crate::model_runs::world::{
    BUILD, JUDGED, MEND, PLAN, PLAN_JUDGED, TESTS, answer, entry, exempt, judges, plans, readme, replaces,
    shop,
};

const LICENCE: &str = "add an MIT license for ACME Inc";
use crate::support::github::{Fault, Seen};

pub fn act(kind: &Kind) -> Result<(), String> {
    match kind {
        Kind::Lint(case) => lint(case),
        Kind::Judge(case) => judge(case),
        Kind::Event(case) => event(case),
        Kind::Run(case) => run(case),
        Kind::Probe(case) => probe(case),
        Kind::Tamper(case) => tamper(case),
        Kind::Remote(case) => remote(case),
        Kind::Nothing(case) => nothing(case),
        Kind::Hosted(case) => hosted(case),
        Kind::Flap(case) => flap(case),
    }
}

fn ensure(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

fn ends(said: &Said, exit: i32, what: &str) -> Result<(), String> {
    ensure(said.exit == exit, || {
        format!("{what} ended with {} and not {exit}:\n{}\n{}", said.exit, said.stdout, said.stderr)
    })
}

fn lint(case: &Lint) -> Result<(), String> {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/lint");
    let linted = |folder: &str, file: &str| {
        let env = TestEnv::new();
        let text = fs::read_to_string(golden.join(folder).join(file)).unwrap();
        let root = env.repository("repo", &[(".github/workflows/a.yml", &text)]);
        env.orch(&root, &["lint", "--as", "json"])
    };
    let attack = linted("bad", &case.attack);
    ends(&attack, 3, "the lint of the attack")?;
    for code in &case.codes {
        ensure(attack.stdout.contains(&format!("\"{code}\"")), || format!("no {code}: {}", attack.stdout))?;
    }
    ends(&linted("good", &case.twin), 0, "the lint of the twin")
}

fn judge(case: &Judge) -> Result<(), String> {
    let judged = |after: &std::collections::BTreeMap<String, String>| {
        let before: Vec<(&str, &str)> = case.before.iter().map(|(p, t)| (p.as_str(), t.as_str())).collect();
        let world = World::new(&before);
        for (path, text) in after {
            world.write(path, text);
        }
        world.judge(&["--work", "--as", "json"])
    };
    let attack = judged(&case.attack);
    ensure(matches!(attack.exit, 3 | 4), || format!("let through: {}\n{}", attack.stdout, attack.stderr))?;
    for code in &case.codes {
        ensure(attack.stdout.contains(&format!("\"{code}\"")), || format!("no {code}: {}", attack.stdout))?;
    }
    ends(&judged(&case.twin), 0, "the twin")
}

fn event(case: &Event) -> Result<(), String> {
    let env = TestEnv::new();
    let intake = |name: &str, event: &str, since: bool| {
        let (hub, data) = (Hub::new(), fixture(event));
        hub.as_in(&data);
        if let Some(since) = case.since.as_ref().filter(|_| since) {
            let mut part = data[&since.part].clone();
            part["body"] = json!(since.body);
            hub.put(&since.ask, 200, part);
        }
        let root = env.repository(name, &[("README.md", "A shop.\n")]);
        let runner = Runner { env: &env, root: &root, hub: &hub };
        let said = runner.says(event.split('.').nth(1).unwrap(), &data, &["stage", "intake"]);
        let written = hub.asked().into_iter().find(|(ask, _)| !ask.starts_with("GET "));
        (root, said, written)
    };
    let (root, said, written) = intake("attacked", &case.payload, true);
    ends(&said, case.exit, "intake")?;
    ensure(written.is_none(), || format!("intake wrote: {written:?}"))?;
    for file in ["GITHUB_ENV", "GITHUB_PATH"] {
        ensure(fs::read_to_string(env.path(file)).unwrap().is_empty(), || format!("{file} was written"))?;
    }
    if case.exit == 0 {
        let folder = run_folder(&root);
        let task: Value = serde_json::from_slice(&fs::read(folder.join("task.json")).unwrap()).unwrap();
        let trust = &task["body"]["requester"]["trust"];
        ensure(!case.untrusted || trust == "untrusted", || format!("its trust is {trust}"))?;
        // The tape holds what the forge answered, as it was; no stage and no model reads it.
        fs::remove_dir_all(folder.join("tape")).unwrap();
        absent(&folder, &case.gone)?;
    }
    let (_, twin, _) = intake("twin", &case.twin.event, false);
    ends(&twin, case.twin.exit, "intake of the twin")
}

/// Looks for texts in every file below a folder, plain and as base64.
fn absent(folder: &Path, forbidden: &[String]) -> Result<(), String> {
    use base64::Engine as _;
    for (path, bytes) in files_below(folder) {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        for word in forbidden {
            let coded = base64::engine::general_purpose::STANDARD.encode(word);
            let found = text.contains(word.as_str()) || text.contains(coded.trim_end_matches('='));
            ensure(!found, || format!("`{word}` is in {path}"))?;
        }
    }
    Ok(())
}

/// What the models of a shop say: a plan with a summary, and a text in a file.
fn says(summary: &str, path: &str, content: &str) -> (Vec<Value>, Vec<Value>) {
    let mut plan = plans(&[(path, "change")]);
    plan["answer"]["plan"]["summary"] = json!(summary);
    let edits = if path == "README.md" {
        let to = format!("Sells things.\n\n## Refunds\n\n{content}\n");
        replaces(path, &[("Sells things.\n", &to)], &json!([]))
    } else {
        answer(&json!({
            "summary": "as planned", "claims": [], "answers": [],
            "edits": [{ "path": path, "op": "create", "content": format!("{content}\n"), "replacements": null, "executable": null }],
        }))
    };
    let alpha = vec![entry(PLAN_JUDGED, judges(&json!([]))), entry(TESTS, exempt()), entry(BUILD, edits)];
    (alpha, vec![entry(PLAN, plan), entry(JUDGED, judges(&json!([])))])
}

/// The text that has to be found again wherever the forbidden is looked for.
const MARK: &str = "within 30 days of buying";

fn run(case: &Run) -> Result<(), String> {
    let env = TestEnv::new();
    let asked = |name: &str, summary: &str, path: &str, content: &str| {
        let (alpha, beta) = says(summary, path, content);
        let root = shop(&env, name, &alpha, &beta);
        let config = "commands:\n  test: [\"sh test.sh\"]\npaths:\n  protect: [LICENSE]\n";
        fs::write(root.join("orch.yml"), config).unwrap();
        env.git(&root, &["commit", "-qam", "config"]);
        let mut command = env.orch_command(&root, &["run", "say how refunds work", "--engine", "model"]);
        command.envs(&case.env);
        (said(command), root)
    };
    let summary = format!("{} {MARK}", case.summary.as_deref().unwrap_or("What was asked for,"));
    let content = match case.content.as_deref() {
        Some("SECRET") => secret(),
        Some(content) => content.to_owned(),
        None => "As it is.".to_owned(),
    };
    let (attack, root) = asked("attacked", &summary, &case.path, &content);
    match case.exit {
        Exit::Code(exit) => ends(&attack, exit, "the run")?,
        Exit::Done => ends(&attack, 0, "the run")?,
        Exit::Any(()) => {}
    }
    let masked = case.content.as_deref().filter(|content| *content == "SECRET").map(|_| token());
    let forbidden: &[String] = &[case.forbidden.clone(), masked.into_iter().collect()].concat();
    let scripts = [".orch/alpha.json", ".orch/beta.json"];
    for (path, bytes) in files_below(&root) {
        // What the scripted models say is the attack itself.
        if !scripts.contains(&path.as_str()) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let found = forbidden.iter().find(|word| text.contains(word.as_str()));
            ensure(found.is_none(), || format!("{found:?} is in {path}"))?;
        }
    }
    absent(&root.join("artifacts"), forbidden)?;
    absent(&env.path("attacked.git"), forbidden)?;
    let told = format!("{}{}", attack.stdout, attack.stderr);
    ensure(forbidden.iter().all(|word| !told.contains(word.as_str())), || format!("it is said: {told}"))?;
    let log = env.git(&root, &["log", "--all", "-p", "--format=%B"]);
    ensure(forbidden.iter().all(|word| !log.contains(word.as_str())), || format!("it is committed: {log}"))?;
    if !case.forbidden_text.is_empty() {
        let page = fs::read_to_string(run_folder(&root).join("pr.md")).unwrap();
        let found = case.forbidden_text.iter().find(|word| page.contains(word.as_str()));
        ensure(found.is_none(), || format!("{found:?} is in the pull request's text: {page}"))?;
        // The very text is there, made harmless: the right place was looked at.
        ensure(page.contains(MARK), || format!("the summary is not in it: {page}"))?;
    }
    if let Some(file) = &case.untouched {
        let made: Vec<PathBuf> = [root.join(file), env.path(file), env.path("tmp").join(file)]
            .into_iter()
            .filter(|path| path.exists())
            .collect();
        ensure(made.is_empty(), || format!("a command was run: {made:?}"))?;
    }
    let path = case.twin_path.as_deref().unwrap_or("README.md");
    let (twin, root) = asked("twin", &format!("What was asked for, {MARK}"), path, "Ask us.");
    ends(&twin, 0, "the twin")?;
    let page = fs::read_to_string(run_folder(&root).join("pr.md")).unwrap();
    ensure(page.contains(MARK), || format!("the twin's text does not tell its summary: {page}"))
}

fn probe(case: &Probe) -> Result<(), String> {
    let env = TestEnv::new();
    let files: Vec<PathBuf> = case.files.iter().map(|name| env.path(name)).collect();
    let named: Vec<String> = files.iter().map(|path| format!("'{}'", path.display())).collect();
    let script = format!("echo the-probe-ran\n{}", case.script.replace("FILES", &named.join(" ")));
    let config = "commands:\n  lint: [\"sh probe.sh\"]\n";
    let root = env.repository(
        "probed",
        &[("README.md", "# Notes\n"), ("probe.sh", &format!("{script}\nexit 0\n")), ("orch.yml", config)],
    );
    let mut command = env.orch_command(&root, &["run", LICENCE, "--engine", "template"]);
    command.envs(&case.env);
    for (name, path) in case.files.iter().zip(&files) {
        fs::write(path, "").unwrap();
        command.env(name, path);
    }
    let ran = said(command);
    let logs: String = files_below(&run_folder(&root))
        .iter()
        .filter(|(path, _)| Path::new(path).extension().is_some_and(|ending| ending == "log"))
        .map(|(_, bytes)| String::from_utf8_lossy(bytes).into_owned())
        .collect();
    // What it prints is recorded: had it found a key, it would be there.
    ensure(logs.contains("the-probe-ran"), || format!("the probe did not run: {}\n{logs}", ran.stderr))?;
    for path in &files {
        let text = fs::read_to_string(path).unwrap();
        ensure(!text.contains("BASH_ENV"), || format!("{} was written: {text}", path.display()))?;
    }
    absent(&root.join("artifacts"), &case.forbidden)?;
    let told = format!("{}{}", ran.stdout, ran.stderr);
    ensure(case.forbidden.iter().all(|word| !told.contains(word.as_str())), || format!("it is said: {told}"))
}

fn tamper(case: &Tamper) -> Result<(), String> {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("README.md", "# Notes\n")]);
    ends(&env.orch(&root, &["run", LICENCE, "--until", "policy"]), 0, "the run")?;
    let path = run_folder(&root).join(&case.file);
    let good = fs::read(&path).unwrap();
    let text = String::from_utf8_lossy(&good).into_owned();
    let bad = match case.cut {
        Some(left) => text[..left].to_owned(),
        None => text.replacen(&case.from, &case.to, 1),
    };
    ensure(case.delete || bad != text, || format!("`{}` is not in {}", case.from, case.file))?;
    if case.delete {
        fs::remove_file(&path).unwrap();
    } else {
        fs::write(&path, bad).unwrap();
    }
    for words in [&["stage", "pr"][..], &["verify"], &["artifacts", "verify"]] {
        let refused = env.orch(&root, words);
        ends(&refused, 3, &words.join(" "))?;
    }
    let branches = env.git(&root, &["branch", "--list"]);
    ensure(branches.lines().count() == 1, || format!("a branch was written: {branches}"))?;
    fs::write(&path, good).unwrap();
    ends(&env.orch(&root, &["stage", "pr"]), 0, "the twin")?;
    let branches = env.git(&root, &["branch", "--list"]);
    ensure(branches.lines().count() == 2, || format!("the twin wrote no branch: {branches}"))
}

fn remote(case: &Remote) -> Result<(), String> {
    let env = TestEnv::new();
    let pushed = |name: &str, url: Option<&str>| {
        let root = env.repository(name, &[("README.md", "# Notes\n")]);
        let mark = env.path(&case.untouched);
        if let Some(url) = url {
            let url = url.replace(&case.untouched, &mark.display().to_string());
            env.git(&root, &["remote", "set-url", "origin", &url]);
        }
        let said = env.orch(&root, &["run", LICENCE]);
        (said, mark.exists())
    };
    let (attack, ran) = pushed("attacked", Some(&case.url));
    ensure(!ran, || "the remote's program was run".into())?;
    ensure(attack.exit != 0, || format!("it was pushed: {}", attack.stdout))?;
    ends(&pushed("twin", None).0, 0, "the twin")
}

fn nothing(case: &Nothing) -> Result<(), String> {
    let env = TestEnv::new();
    let root = env.repository("notes", &[("README.md", "# Notes\n")]);
    let attack = env.orch(&root, &["run", &case.request]);
    ends(&attack, case.exit, "the run")?;
    ensure(env.git(&root, &["branch", "--list"]).lines().count() == 1, || "a branch was written".into())?;
    ends(&env.orch(&root, &["run", &case.twin]), 0, "the twin")?;
    // The models of a shop that edit nothing did nothing either.
    let (mut alpha, beta) = readme();
    alpha[2] = entry(BUILD, answer(&json!({ "summary": "done", "edits": [], "claims": [], "answers": [] })));
    let root = shop(&env, "shop", &alpha, &beta);
    let said = env.orch(&root, &["run", "say how refunds work", "--engine", "model"]);
    ensure(said.exit != 0, || format!("no edit was taken for a change: {}", said.stdout))
}

fn hosted(case: &Hosted) -> Result<(), String> {
    let scene = || {
        let mut scene = Scene::new();
        scene.hub.state().graphql = !case.objects;
        if case.executable {
            scene.world.edits.files[0].mode = FileMode::Executable;
        }
        scene
    };
    let twin = scene();
    twin.try_run().map_err(|error| format!("the twin: {error}"))?;
    let mode = {
        let state = twin.hub.state();
        let path = twin.world.edits.files[0].path.to_string();
        state.files_of(&state.branches[BRANCH])[&path].mode.clone()
    };
    ensure((mode == "100755") == case.executable, || format!("the file's mode is {mode}"))?;
    if let Some(path) = &case.never {
        ensure(twin.hub.seen().iter().all(|seen| !seen.path.ends_with(path)), || format!("{path} is asked"))?;
    }
    let Some(refuse) = &case.refuse else { return Ok(()) };
    let is_it =
        |seen: &Seen| seen.body["operationName"] == refuse.call.as_str() || seen.path.ends_with(&refuse.call);
    let at = twin.hub.seen().iter().position(is_it).ok_or("the call is never made")? + 1;
    let attacked = scene();
    let answer = Fault::Refuse(refuse.status, vec![], json!({ "message": refuse.message }));
    attacked.hub.arm([(at, answer)]);
    let ended = attacked.try_run();
    let sent = attacked.hub.seen().iter().filter(|seen| is_it(seen)).count();
    ensure(ended.is_ok() == case.goes, || format!("it ended so: {:?}", ended.as_ref().map(|_| "well")))?;
    ensure(case.goes || sent == 1, || format!("it was sent {sent} times"))?;
    let pulls = attacked.hub.state().pulls.len();
    ensure(pulls == usize::from(case.goes), || format!("there are {pulls} pull requests"))
}

fn flap(case: &Flap) -> Result<(), String> {
    let turned = |name: &str, [first, second]: &[String; 2]| {
        let env = TestEnv::new();
        let (mut alpha, mut beta) = readme();
        let plain = "Sells things.\n";
        let risk = json!([{ "id": "r1", "severity": "high", "rule": "unclear", "why": "nobody knows from when",
            "fix": "say so", "evidence": ["README.md:5"] }]);
        let fixed = json!([{ "risk": "r1", "outcome": "fixed", "why": "said" }]);
        let text = |part: &str| if part.is_empty() { plain.to_owned() } else { format!("{plain}\n{part}") };
        alpha[2] = entry(BUILD, replaces("README.md", &[(plain, &text(first))], &json!([])));
        alpha.push(entry(MEND, replaces("README.md", &[(&text(first), &text(second))], &fixed)));
        beta[1] = entry(JUDGED, judges(&risk));
        beta.push(entry(JUDGED, judges(&json!([]))));
        let root = shop(&env, name, &alpha, &beta);
        let said = env.orch(&root, &["run", "say how refunds work", "--engine", "model"]);
        let branches = env.git(&root, &["branch", "--list"]).lines().count();
        (said, branches)
    };
    let (attack, branches) = turned("attacked", &case.turns);
    ends(&attack, 7, "the run")?;
    ensure(attack.stderr.contains("flapping"), || format!("it does not say so: {}", attack.stderr))?;
    ensure(branches == 1, || "a branch was written".into())?;
    ends(&turned("twin", &case.twin).0, 0, "the twin")
}
