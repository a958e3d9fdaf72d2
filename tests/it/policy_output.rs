//! `orch policy show`, the forms of `orch stage policy`, and `--fix`.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::PathBuf;

use crate::env::TestEnv;

/// A password nobody chose.
const PASSWORD: &str = concat!("xK9#mQ2v", "Lp8$wRt5");

/// A repository with a staged change that has something of each kind that can be mended.
fn staged(env: &TestEnv) -> PathBuf {
    let folder = env.path("app");
    fs::create_dir_all(&folder).unwrap();
    env.git(&folder, &["init", "-q"]);
    fs::write(folder.join("app.py"), "import os\nx = 1\n").unwrap();
    env.git(&folder, &["add", "."]);
    env.git(&folder, &["commit", "-qm", "first"]);
    fs::write(folder.join("app.py"), format!("import os\nx = 1\npassword = \"{PASSWORD}\"\n")).unwrap();
    fs::write(folder.join(".env"), "MODE=dev\n").unwrap();
    fs::write(folder.join("note.txt"), "a\u{202e}b\n").unwrap();
    env.git(&folder, &["add", "-f", "."]);
    folder
}

#[test]
fn a_verdict_has_every_form_on_the_way_and_later() {
    let env = TestEnv::new();
    let folder = staged(&env);
    let judge = ["stage", "policy", "--staged"];
    let said = env.orch(&folder, &[&judge[..], &["--save", "kept"]].concat()).exits(3);
    assert!(
        said.stdout.contains("deny[secrets/password]") && !said.stdout.contains(PASSWORD),
        "{}",
        said.stdout
    );
    for form in ["human", "json", "sarif", "github", "summary", "junit"] {
        let now = env.orch(&folder, &[&judge[..], &["--as", form]].concat()).exits(3).stdout;
        let later = env.orch(&folder, &["policy", "show", "kept/policy/verdict.json", "--as", form]).exits(0);
        assert_eq!(now, later.stdout, "{form}");
        assert!(now.contains("secrets") && !now.contains(PASSWORD), "{form}: {now}");
    }
    fs::write(folder.join("x.json"), "{}").unwrap();
    env.orch(&folder, &["policy", "show", "x.json"]).exits(2).says("holds no verdict");
}

#[test]
fn a_runner_gets_annotations_and_a_summary() {
    let env = TestEnv::new();
    let folder = staged(&env);
    let summary = env.path("summary.md");
    fs::write(&summary, "# before\n").unwrap();
    let mut command = env.orch_command(&folder, &["stage", "policy", "--staged"]);
    command.env("GITHUB_ACTIONS", "true").env("GITHUB_STEP_SUMMARY", &summary);
    let said = command.output().unwrap();
    let text = String::from_utf8(said.stdout).unwrap();
    assert!(text.lines().any(|line| line.starts_with("::error file=app.py,line=3,")), "{text}");
    let summary = fs::read_to_string(&summary).unwrap();
    assert!(summary.starts_with("# before\n## orch policy: denied\n"), "{summary}");
}

#[test]
fn what_is_safe_is_shown_then_mended_and_nothing_else_is_touched() {
    let env = TestEnv::new();
    let folder = staged(&env);
    let judge = |more: &[&str]| env.orch(&folder, &[&["stage", "policy", "--staged"], more].concat());
    let shown = judge(&["--fix"]).exits(3).says("3 fixes can be made");
    assert!(!shown.stdout.contains(PASSWORD), "{}", shown.stdout);
    assert!(!folder.join(".gitignore").exists());
    judge(&["--fix=apply"]).exits(3).says("3 fixes made");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    assert_eq!(read("app.py"), "import os\nx = 1\npassword = os.environ[\"PASSWORD\"]\n");
    assert_eq!(
        (read("note.txt"), read(".env"), read(".gitignore")),
        ("ab\n".into(), "MODE=dev\n".into(), "/.env\n".into())
    );
    let status = env.git(&folder, &["status", "--porcelain"]);
    assert_eq!(status.trim_end(), "MM app.py\nAM note.txt\n?? .gitignore");
    env.git(&folder, &["add", "."]);
    judge(&[]).exits(0).says("allowed: nothing found");
    env.orch(&folder, &["stage", "policy", "--all", "--fix"]).exits(2).says("--staged or --work");
}
