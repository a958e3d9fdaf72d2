//! Keys of models come out nowhere but in the header of the provider they are for, wherever they were put in or said back.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

mod identity;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;

use orch::ports::model::WireFormat::{self, AnthropicMessages, OpenaiChat, OpenaiResponses};
use serde_json::{Value, json};

use crate::env::{Said, TestEnv};
use crate::providers::server::{Act, Seen, Server, reply};
use crate::providers::wires;
use crate::secrets::{holds_none, scan};
use crate::wire_runs::world::{
    ANTHROPIC_KEY, OPENAI_KEY, REQUEST, TODAY, answer_to, lines, models, shop, with_keys,
};

/// Keys from a file, from standard input, and of a program; of no known shape, the first with what has to be escaped.
const FILE_KEY: &str = "f1le/k3y+in=a\"file\"&of7its%own";
const STDIN_KEY: &str = "st4in-0ne-l1ne-0f-t3xt";
const TOOL_KEY: &str = "t00l-handed-0n-t0-a-pr0gram";
const ALL: [&str; 5] = [ANTHROPIC_KEY, OPENAI_KEY, FILE_KEY, STDIN_KEY, TOOL_KEY];

/// A server that answers well and says the key back: in a text, beside it, in a header, and in an error before.
fn parrot(format: WireFormat, key: &'static str) -> Server {
    let failed = std::sync::atomic::AtomicBool::new(false);
    Server::start(Act::Answer(Arc::new(move |seen| {
        let headers = [("content-type", "application/json"), ("x-request-id", key), ("retry-after", "0")];
        if !failed.swap(true, std::sync::atomic::Ordering::SeqCst) {
            let mut body = wires::error(format, 529, false);
            body["error"]["message"] = format!("{key} has too much to do").into();
            return reply(529, &headers, body.to_string().as_bytes());
        }
        let pong = || json!({ "answer": "pong", "sure": true });
        let mut answer = answer_to(seen).map_or_else(pong, |(_, answer)| answer);
        for field in ["summary", "exempt"] {
            if answer["answer"][field].is_string() {
                answer["answer"][field] = format!("As {key} says, and {}.", base64(key)).into();
            }
        }
        let mut body = wires::answer(format, &answer.to_string());
        body["said_back"] = json!({ "plain": key, "escaped": json!({ "key": key }).to_string() });
        reply(200, &headers, body.to_string().as_bytes())
    })))
}

fn base64(text: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::STANDARD.encode(text)
}

/// Checks what a server was sent: its own key once, in one header; no other key anywhere.
fn only_its_own(server: &Server, header: &str, key: &str) {
    let all = server.seen();
    // The suite of `orch providers test` tries a key that is none.
    let all: Vec<Seen> = all.into_iter().filter(|seen| !seen.head.contains("no-such-key")).collect();
    assert!(!all.is_empty(), "nobody asked for {header}");
    for Seen { head, body } in all {
        holds_none("a body", &body, &ALL);
        let (own, rest): (Vec<&str>, Vec<&str>) =
            head.lines().partition(|line| line.to_ascii_lowercase().starts_with(header));
        assert!(own.len() == 1 && own[0].ends_with(key), "{head}");
        holds_none("the other headers", rest.join("\n").as_bytes(), &ALL);
    }
}

const CURIOUS: &str =
    "env\ncat /proc/*/environ /proc/*/cmdline 2>/dev/null | tr '\\0' '\\n'\nenv | base64\nexit 0\n";

/// A program that answers for a model, tells its environment to a file and its key in the answer.
fn tool(env: &TestEnv) -> String {
    let (path, seen) = (env.path("tool"), env.path("seen"));
    let answer = json!({ "outcome": "answer", "reason": null, "context": null,
        "answer": { "summary": format!("Judged with {TOOL_KEY}."), "claims": [], "risks": [] } });
    let said = json!({ "text": answer.to_string() }).to_string();
    let script = format!(
        "#!/bin/sh\ncat >'{0}.in'\nenv >>'{0}'\ncat /proc/$PPID/environ /proc/self/environ >>'{0}' 2>/dev/null\n\
         echo \"$TOOL_TOKEN\" >&2\ncat <<'END'\n{said}\nEND\n",
        seen.display()
    );
    fs::write(&path, script).unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    path.display().to_string()
}

fn catalogue(anthropic: &str, openai: &str, house: &str, key_file: &str, tool: &str) -> String {
    format!(
        "[[provider]]\nname = \"anthropic\"\nformat = \"anthropic-messages\"\nbase_url = \"{anthropic}\"\n\
         credential = {{ env = \"ANTHROPIC_API_KEY\" }}\n\
         [[provider]]\nname = \"openai\"\nformat = \"openai-responses\"\nbase_url = \"{openai}/v1\"\n\
         credential = [{{ env = \"NOT_SET_API_KEY\" }}, {{ file = \"{key_file}\" }}]\n\
         [[provider]]\nname = \"house\"\nformat = \"openai-chat\"\nbase_url = \"{house}/v1\"\n\
         credential = {{ stdin = true }}\ncontext = 100000\nmax_output = 8000\n\
         [[provider]]\nname = \"tool\"\nformat = \"exec\"\ncommand = [\"{tool}\"]\nenv = [\"TOOL_TOKEN\"]\n\
         context = 100000\nmax_output = 8000\n\
         [[price]]\nmodel = \"*\"\nprovider = [\"house\", \"tool\"]\neffective_from = 2026-11-01\n\
         source = \"a test\"\nin = \"0.40\"\nout = \"1.60\"\n\
         [routes]\narchitect = [\"openai/gpt-6.1-sol\"]\nbuilder = [\"anthropic/claude-sonnet-5-5\"]\n\
         test-writer = [\"house/m\"]\nsecurity-architect = [\"tool/m\"]\n"
    )
}

fn run(env: &TestEnv, root: &Path, words: &[&str]) -> Said {
    let mut command = env.orch_command(root, words);
    command.env("SOURCE_DATE_EPOCH", TODAY).env("ANTHROPIC_API_KEY", ANTHROPIC_KEY);
    command.env("OTHER_API_KEY", OPENAI_KEY).env("TOOL_TOKEN", TOOL_KEY);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    // A command that needs no key need not read it.
    let _ = stdin.write_all(format!("{STDIN_KEY}\n").as_bytes());
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    Said {
        exit: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn keys_from_everywhere_come_out_in_their_own_header_only() {
    let env = TestEnv::new();
    let key_file = env.path("key");
    fs::write(&key_file, format!("{FILE_KEY}\n")).unwrap();
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    let anthropic = parrot(AnthropicMessages, ANTHROPIC_KEY);
    let openai = parrot(OpenaiResponses, FILE_KEY);
    let house = parrot(OpenaiChat, STDIN_KEY);
    let text = catalogue(
        &anthropic.url(""),
        &openai.url(""),
        &house.url(""),
        &key_file.display().to_string(),
        &tool(&env),
    );
    let root = shop(&env, "shop", &text);
    let config = "version: 1\nservice: shop\ncommands:\n  test: sh curious.sh\nmodels:\n  critics: [security-architect]\n";
    // Notes that models are shown, with keys somebody left there: committed, so that git's objects hold them on purpose.
    let notes =
        format!("Money is in cents.\nThe key is {ANTHROPIC_KEY} or {FILE_KEY}, {OPENAI_KEY}, {TOOL_KEY}.\n");
    for (path, text) in [("orch.yml", config), ("curious.sh", CURIOUS), (".orch/notes.md", notes.as_str())] {
        fs::write(root.join(path), text).unwrap();
    }
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "notes with keys"]);
    let request = format!("{REQUEST}; the key is {ANTHROPIC_KEY}, or {OPENAI_KEY}, or {TOOL_KEY}");
    let said = run(&env, &root, &["run", &request, "--engine", "model", "--format", "json"]).exits(0);
    holds_none("a run", format!("{}{}", said.stdout, said.stderr).as_bytes(), &ALL);
    for words in [
        &["cost"][..],
        &["cost", "--format", "json"],
        &["report"],
        &["report", "--format", "json"],
        &["replay"],
        &["artifacts", "list"],
        &["providers"],
        &["providers", "--format", "json"],
        &["providers", "ping", "openai", "--format", "json"],
        &["providers", "test", "house", "--format", "json"],
        &["run", &request, "--engine", "model", "--dry-run"],
        &["run", "x", "--engine", "model", "--model", ANTHROPIC_KEY],
        &["run", "x", "--model", &format!("openai/{OPENAI_KEY}")],
        &["providers", "ping", ANTHROPIC_KEY],
    ] {
        let said = run(&env, &root, words);
        holds_none(&format!("{words:?}"), format!("{}{}", said.stdout, said.stderr).as_bytes(), &ALL);
        assert!([0, 2, 4, 6].contains(&said.exit), "{words:?}: {} {}{}", said.exit, said.stdout, said.stderr);
    }
    only_its_own(&anthropic, "x-api-key:", ANTHROPIC_KEY);
    only_its_own(&openai, "authorization:", FILE_KEY);
    only_its_own(&house, "authorization:", STDIN_KEY);
    // The program got the one variable it names, and nothing of the others.
    let seen = fs::read(env.path("seen")).unwrap();
    assert!(String::from_utf8_lossy(&seen).contains(&format!("TOOL_TOKEN={TOOL_KEY}")));
    holds_none("the program's environment", &seen, &ALL[..4]);
    holds_none("the program's request", &fs::read(env.path("seen.in")).unwrap(), &ALL);
    // The whole of what the run wrote; what was committed on purpose is not its work.
    scan(&env, &root.join("artifacts"), &ALL);
    scan(&env, &env.path("tmp"), &ALL);
    scan(&env, &env.path("home"), &ALL);
    let cassette = lines(&root, "cassette");
    let all: Vec<Value> = cassette.into_iter().map(|(_, line)| line).collect();
    let text = Value::from(all).to_string();
    assert!(text.contains("[redacted:anthropic-key]") && text.contains("[redacted:credential]"));
    assert!(
        text.contains("\"redacted\":true") && text.contains("Money is in cents."),
        "the notes were shown"
    );
    let branches = env.git(&root, &["log", "--all", "--format=%D %B", "--not", "main"]);
    holds_none("commits", branches.as_bytes(), &ALL);
}

#[test]
fn a_key_that_is_configured_where_it_would_be_recorded_is_refused() {
    let env = TestEnv::new();
    let server = Server::start(Act::Close);
    let url = server.url("");
    let keys = [("ANTHROPIC_API_KEY", ANTHROPIC_KEY), ("OPENAI_API_KEY", OPENAI_KEY)];
    // A key with nothing to escape in it, which no shape tells: only that it is in the environment.
    let plain = "house0k3y1that2looks3like4n0ne";
    let plain_keys = [("ANTHROPIC_API_KEY", plain), ("OPENAI_API_KEY", OPENAI_KEY)];
    let good = models(&url, &url);
    let with = |line: &str| good.replacen("\n\n", &format!("\n{line}\n\n"), 1);
    for (at, text) in [
        with(&format!("headers = {{ x-team = \"{plain}\" }}")),
        with(&format!("extra = {{ user = \"{plain}\" }}")),
        good.replacen(&url, &format!("{url}/{plain}"), 1),
        with(&format!("note = \"the key is {plain}\"")),
        good.replacen("{ env = \"ANTHROPIC_API_KEY\" }", &format!("\"{plain}\""), 1),
        good.replacen("ANTHROPIC_API_KEY", plain, 1),
        good.replacen("claude-sonnet-5-5", plain, 1),
    ]
    .into_iter()
    .enumerate()
    {
        assert_ne!(text, good, "{at}");
        let root = shop(&env, &format!("shop-{at}"), &text);
        for words in [&["run", REQUEST, "--engine", "model"][..], &["providers", "--format", "json"]] {
            let said = with_keys(&env, &root, &plain_keys, words);
            holds_none(&text, format!("{}{}", said.stdout, said.stderr).as_bytes(), &[plain]);
            assert_eq!(said.exit, 2, "{at} {words:?}: {}{}", said.stdout, said.stderr);
        }
        for below in ["artifacts", ".git/orch"] {
            scan(&env, &root.join(below), &[plain]);
        }
    }
    let root = shop(&env, "addresses", &good);
    let address = format!("{url}/{plain}");
    for (variable, value) in [
        ("ORCH_ANTHROPIC_BASE_URL", address.as_str()),
        ("ORCH_ANTHROPIC_BASE_URL", "http://api.example.com"),
        ("ORCH_OPENAI_BASE_URL", "http://10.0.0.1/v1"),
        ("ORCH_OPENAI_BASE_URL", "https://user:p4ssw0rd-of-mine@api.example.com/v1"),
        ("ORCH_GEMINI_BASE_URL", "http://127.0.0.1.example.com/"),
    ] {
        let all = [plain_keys[0], plain_keys[1], (variable, value)];
        let said = with_keys(&env, &root, &all, &["run", REQUEST, "--engine", "model"]).exits(2);
        let text = format!("{}{}", said.stdout, said.stderr);
        holds_none(variable, text.as_bytes(), &[plain, OPENAI_KEY, "p4ssw0rd-of-mine"]);
    }
    scan(&env, &root.join("artifacts"), &[plain, OPENAI_KEY]);
    let model = format!("anthropic/{}", keys[0].1);
    let said =
        with_keys(&env, &root, &keys, &["run", REQUEST, "--engine", "model", "--model", &model]).exits(2);
    holds_none("a model", format!("{}{}", said.stdout, said.stderr).as_bytes(), &[ANTHROPIC_KEY]);
    scan(&env, &root.join("artifacts"), &[ANTHROPIC_KEY]);
    assert!(server.seen().is_empty(), "nothing is sent");
}

#[test]
fn a_redirect_and_an_error_carry_no_key() {
    let env = TestEnv::new();
    let elsewhere = Server::start(Act::Close);
    for status in [301, 302, 303, 307, 308] {
        let location = elsewhere.url("/v1/messages");
        let away = Server::start(Act::Send(reply(status, &[("location", &location)], b"")));
        let root = shop(&env, &format!("away-{status}"), &models(&away.url(""), &away.url("")));
        let said = with_keys(
            &env,
            &root,
            &[("ANTHROPIC_API_KEY", ANTHROPIC_KEY), ("OPENAI_API_KEY", OPENAI_KEY)],
            &["run", REQUEST, "--engine", "model"],
        );
        assert!(said.exit != 0 && !away.seen().is_empty(), "{status}: {}", said.stderr);
    }
    assert!(elsewhere.seen().is_empty(), "a redirect was followed");
    for status in [400, 401, 403, 429, 500] {
        let refuses = |format, key: &'static str| {
            Server::start(Act::Answer(Arc::new(move |_: &Seen| {
                let mut body = wires::error(format, status, false);
                body["error"]["message"] = format!("Incorrect API key provided: {key}").into();
                let headers =
                    [("content-type", "application/json"), ("retry-after", "0"), ("request-id", key)];
                reply(status, &headers, body.to_string().as_bytes())
            })))
        };
        let (anthropic, openai) =
            (refuses(AnthropicMessages, ANTHROPIC_KEY), refuses(OpenaiResponses, OPENAI_KEY));
        let root = shop(&env, &format!("refused-{status}"), &models(&anthropic.url(""), &openai.url("")));
        let keys = [("ANTHROPIC_API_KEY", ANTHROPIC_KEY), ("OPENAI_API_KEY", OPENAI_KEY)];
        for words in [
            &["run", REQUEST, "--engine", "model", "--format", "json"][..],
            &["providers", "ping", "openai"],
            &["providers", "test", "anthropic"],
        ] {
            let said = with_keys(&env, &root, &keys, words);
            let text = format!("{}{}", said.stdout, said.stderr);
            holds_none(&format!("{status} {words:?}"), text.as_bytes(), &[ANTHROPIC_KEY, OPENAI_KEY]);
            assert!(said.exit != 0, "{status} {words:?}: {text}");
        }
        scan(&env, &root, &[ANTHROPIC_KEY, OPENAI_KEY]);
    }
}

/// While a call hangs, and when the process dies of it: no environment, no descriptor, no core file has a key.
#[cfg(target_os = "linux")]
#[test]
fn a_call_under_way_shows_no_key_and_leaves_none() {
    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    let env = TestEnv::new();
    let key_file = env.path("key");
    fs::write(&key_file, FILE_KEY).unwrap();
    fs::set_permissions(&key_file, fs::Permissions::from_mode(0o600)).unwrap();
    let server = Server::start(Act::Hang(Vec::new()));
    let (url, key_file, tool) = (server.url(""), key_file.display().to_string(), tool(&env));
    let root = shop(&env, "shop", &catalogue(&url, &url, &url, &key_file, &tool));
    let mut command = env.command("sh", &root);
    let shell = "ulimit -c unlimited 2>/dev/null; exec \"$0\" \"$@\"";
    command.args(["-c", shell, env!("CARGO_BIN_EXE_orch"), "run", REQUEST, "--engine", "model"]);
    command
        .env("SOURCE_DATE_EPOCH", TODAY)
        .env("ANTHROPIC_API_KEY", ANTHROPIC_KEY)
        .env("TOOL_TOKEN", TOOL_KEY);
    let mut child =
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(STDIN_KEY.as_bytes()).unwrap();
    let start = std::time::Instant::now();
    while server.seen().is_empty() {
        assert!(start.elapsed().as_secs() < 60, "nobody was asked");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let proc = Path::new("/proc").join(child.id().to_string());
    for name in ["environ", "cmdline"] {
        // Readable by root only; where it is not, that is the better answer.
        holds_none(name, &fs::read(proc.join(name)).unwrap_or_default(), &ALL);
    }
    if let Ok(limits) = fs::read_to_string(proc.join("limits")) {
        let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
        assert_eq!(core.split_whitespace().rev().nth(2), Some("0"), "{core}");
    }
    kill(Pid::from_raw(child.id().try_into().unwrap()), Signal::SIGABRT).unwrap();
    let status = child.wait().unwrap();
    assert!(!std::os::unix::process::ExitStatusExt::core_dumped(&status));
    for folder in ["shop", "tmp", "home"] {
        scan(&env, &env.path(folder), &ALL);
    }
}
