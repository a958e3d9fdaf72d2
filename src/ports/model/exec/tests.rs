//! Programs as providers: POSIX shells that answer, hang, flood and leave children behind.
#![cfg(unix)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::Instant;

use super::*;
use crate::ports::model::conformance;

fn spec(script: &str) -> ExecSpec {
    ExecSpec {
        name: "program".into(),
        words: ["sh", "-c", script].map(str::to_owned).into(),
        base: "/".into(),
        repository: None,
        path: "/usr/local/bin:/usr/bin:/bin".into(),
        home: None,
        variables: vec![
            ("PLAIN".into(), ExecValue::Plain("plain".into())),
            ("KEY".into(), ExecValue::Secret(Secret::new("s3cr3t-k3y".into()))),
        ],
    }
}

fn ask(script: &str, timeout: Duration) -> Result<String, CallError> {
    let provider = exec_provider(spec(script)).unwrap();
    let prepared = provider.prepare(&conformance::request("m")).unwrap();
    provider.read(&provider.send(&prepared, timeout)?).result
}

const LONG: Duration = Duration::from_secs(20);

#[test]
fn programs_are_read_by_what_they_say_and_how_they_end() {
    let cases = [
        (r#"cat >/dev/null; echo '{"text":"hi"}'"#, "ok"),
        // It never reads its request.
        (r#"echo '{"text":"hi"}'"#, "ok"),
        (r#"echo '{"text":"hi"}'; exit 3"#, "shape"),
        (r#"echo '{"error":{"kind":"wait","retry_after_ms":5}}'; exit 3"#, "wait"),
        ("exit 3", "overloaded"),
        ("kill -9 $$", "overloaded"),
        ("echo Traceback; exit 1", "shape"),
        ("true", "shape"),
        (r#"echo '{"text":"hi"}{"text":"hi"}'"#, "shape"),
        // What it leaves behind holds the pipe open, and is ended.
        (r#"sleep 60 & echo '{"text":"hi"}'"#, "ok"),
    ];
    for (script, wanted) in cases {
        let started = Instant::now();
        let result = ask(script, LONG);
        assert_eq!(result.as_ref().map_or_else(CallError::kind, |_| "ok"), wanted, "{script}: {result:?}");
        assert!(started.elapsed() < Duration::from_secs(10), "{script}");
    }
}

#[test]
fn the_deadline_ends_it_and_all_it_started() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let script = format!("trap '' TERM; sleep 61 & echo $! > {}; wait; sleep 61", pid.display());
    let started = Instant::now();
    let error = ask(&script, Duration::from_millis(400)).unwrap_err();
    assert!(matches!(error, CallError::Timeout { maybe_billed: true, .. }), "{error:?}");
    assert!(started.elapsed() < Duration::from_secs(5));
    let pid: i32 = fs::read_to_string(&pid).unwrap().trim().parse().unwrap();
    let gone = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        // A zombie that nobody has collected yet is as gone as it can be.
        fs::read_to_string(format!("/proc/{pid}/stat")).map_or(true, |stat| stat.contains(") Z "))
    });
    assert!(gone, "{pid} runs on");
}

#[test]
fn too_much_is_stopped_and_ten_megabytes_are_not() {
    let started = Instant::now();
    let error = ask("exec cat /dev/zero", LONG).unwrap_err();
    assert!(error.to_string().contains("larger than 32 MB"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(15));
    let text =
        ask(r#"printf '{"text":"'; head -c 10485760 /dev/zero | tr '\0' x; printf '"}'"#, LONG).unwrap();
    assert_eq!(text.len(), 10_485_760);
    // Errors without end neither fill memory nor hold it up.
    let text = ask(r#"head -c 9999999 /dev/zero >&2; echo '{"text":"hi"}'"#, LONG);
    assert_eq!(text, Ok("hi".into()));
}

#[test]
fn it_sees_its_own_variables_and_an_empty_folder_only() {
    let script = r#"printf '{"text":"%s|%s|%s|%s|%s"}' "$(env | cut -d= -f1 | sort | tr '\n' ' ')" "$PLAIN" "$(echo $KEY | wc -c)" "$(ls -A | wc -l)" "$HOME""#;
    let text = ask(script, LONG).unwrap();
    let parts: Vec<&str> = text.split('|').map(str::trim).collect();
    // PWD, SHLVL, OLDPWD and _ are set by shells themselves.
    let seen: Vec<&str> =
        parts[0].split(' ').filter(|name| !["PWD", "SHLVL", "OLDPWD", "_"].contains(name)).collect();
    assert_eq!(seen, ["KEY", "PATH", "PLAIN"]);
    assert_eq!(parts[1..], ["plain", "11", "0", ""]);
}

#[test]
fn a_secret_it_prints_does_not_come_back() {
    let provider = exec_provider(spec(r#"echo "bad key $KEY" >&2; printf '{"text":"%s"}' "$KEY""#)).unwrap();
    let prepared = provider.prepare(&conformance::request("m")).unwrap();
    let reply = provider.send(&prepared, LONG).unwrap();
    assert_eq!(provider.read(&reply).result, Ok("***".into()));
    for text in
        [format!("{prepared:?}"), format!("{reply:?}"), String::from_utf8(reply.body.clone()).unwrap()]
    {
        assert!(!text.contains("s3cr3t"), "{text}");
    }
    let error = ask(r#"echo "bad key $KEY" >&2; exit 1"#, LONG).unwrap_err().to_string();
    assert!(error.contains("bad key ***"), "{error}");
}

#[test]
fn a_program_in_the_checkout_gets_no_secret() {
    let (checkout, outside) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let program = |folder: &Path| {
        let path = folder.join("answer.sh");
        fs::write(&path, "#!/bin/sh\necho '{\"text\":\"hi\"}'\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (inner, outer) = (program(checkout.path()), program(outside.path()));
    let link_in = checkout.path().join("link");
    let link_out = outside.path().join("link");
    std::os::unix::fs::symlink(&outer, &link_in).unwrap();
    std::os::unix::fs::symlink(&inner, &link_out).unwrap();
    let (link_in, link_out) = (link_in.to_str().unwrap().to_owned(), link_out.to_str().unwrap().to_owned());
    let option = format!("--script={inner}");
    let cases: [(&[&str], bool); 9] = [
        (&[&outer], true),
        (&[&inner], false),
        (&["./answer.sh"], false),
        (&[&link_in], false),
        (&[&link_out], false),
        (&["sh", &inner], false),
        (&["sh", "answer.sh"], false),
        (&["sh", &option], false),
        (&["sh", &outer], true),
    ];
    for (words, fine) in cases {
        let mut spec = spec("");
        spec.words = words.iter().map(|word| (*word).to_owned()).collect();
        spec.base = checkout.path().to_owned();
        spec.repository = Some(checkout.path().to_owned());
        let made = exec_provider(spec.clone());
        assert_eq!(made.is_ok(), fine, "{words:?}: {:?}", made.err());
        // Without a secret it may.
        spec.variables.clear();
        assert!(exec_provider(spec).is_ok(), "{words:?}");
    }
}

#[test]
fn what_cannot_be_started_or_set_is_told() {
    let with = |change: &dyn Fn(&mut ExecSpec)| {
        let mut spec = spec("true");
        change(&mut spec);
        exec_provider(spec).err().map(|e| e.to_string()).unwrap_or_default()
    };
    assert!(with(&|s| s.words.clear()).contains("names no program"));
    assert!(with(&|s| s.words[0] = "no-such-program-here".into()).contains("not found"));
    assert!(with(&|s| s.words[0] = "/no/such".into()).contains("not found"));
    assert!(with(&|s| s.path = ".:bin".into()).contains("not found"));
    for name in ["", "A=B", "LD_PRELOAD", "PATH", "BASH_ENV"] {
        let why = with(&|s| s.variables.push((name.into(), ExecValue::Plain("x".into()))));
        assert!(why.contains("sets the variable"), "{name}: {why}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("text");
    fs::write(&path, "no program").unwrap();
    let mut spec = spec("");
    spec.words = vec![path.to_str().unwrap().into()];
    let provider = exec_provider(spec).unwrap();
    let prepared = provider.prepare(&conformance::request("m")).unwrap();
    assert_eq!(provider.send(&prepared, LONG).unwrap_err().kind(), "offline");
}
