//! `orch policy waive` and `orch policy explain`.

use std::fs;

use crate::env::TestEnv;

const WAIVERS: &str = ".orch/waivers.yml";

/// The clock of tests stands at 2026-01-01.
fn waive<'a>(more: &[&'a str]) -> Vec<&'a str> {
    [
        &["policy", "waive", "paths/protected", "--until", "2026-06-30", "--reason", "agreed with the team"],
        more,
    ]
    .concat()
}

#[test]
fn waive_adds_an_entry_in_its_place_and_shows_it() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n"), (WAIVERS, "# ours\nwaivers:\n  # first\n  - code: paths/workflows\n    path: x\n    until: 2026-03-01\n    reason: r\n    by: j\n")]);
    let said = env.orch(&root, &waive(&["--path", "docs/**", "--by", "Jo Doe"])).exits(0);
    let text = fs::read_to_string(root.join(WAIVERS)).unwrap();
    assert!(
        text.starts_with(
            "# ours\nwaivers:\n  - code: paths/protected\n    path: \"docs/**\"\n    until: 2026-06-30\n"
        ),
        "{text}"
    );
    assert!(text.contains("  # first\n  - code: paths/workflows\n"), "{text}");
    for line in ["+++ b/.orch/waivers.yml", "+  - code: paths/protected", "+    by: \"Jo Doe\"", " # ours"] {
        assert!(said.stdout.contains(line), "{line}: {}", said.stdout);
    }
    env.orch(&root, &waive(&["--path", "docs/**", "--by", "Jo Doe"])).exits(2).says("already");
    let dry = env
        .orch(&root, &waive(&["--path", "b", "--by", "Jo", "--dry-run", "--format", "json"]))
        .exits(0)
        .json();
    assert_eq!((dry["written"].as_bool(), dry["waiver"]["path"].as_str()), (Some(false), Some("b")));
    assert_eq!(fs::read_to_string(root.join(WAIVERS)).unwrap(), text);
    // A repository without the file gets one; the person is who git says.
    let fresh = env.repository("fresh", &[("a.txt", "a\n")]);
    env.git(&fresh, &["config", "user.name", "Ann Other"]);
    env.orch(&fresh, &waive(&["--fingerprint", "0123456789abcdef"])).exits(0);
    let text = fs::read_to_string(fresh.join(WAIVERS)).unwrap();
    assert!(text.contains("by: \"Ann Other\"") && text.starts_with("# Findings"), "{text}");
}

#[test]
fn waive_refuses_what_must_not_be_waived() {
    let env = TestEnv::new();
    let root = env.repository("repo", &[("a.txt", "a\n")]);
    let with = |code: &str, until: &str, more: &[&str]| {
        let words =
            [&["policy", "waive", code, "--until", until, "--reason", "r", "--by", "j"], more].concat();
        env.orch(&root, &words)
    };
    let path = ["--path", "a"];
    with("tests/frozen", "2026-06-30", &path).exits(2).says("locked");
    with("policy/rule-error", "2026-06-30", &path).exits(2).says("policy stage itself");
    with("paths/protectd", "2026-06-30", &path).exits(2).says("Did you mean `paths/protected`");
    with("paths/protected", "2025-12-31", &path).exits(2).says("is past");
    with("paths/protected", "2027-01-02", &path).exits(2).says("more than a year ahead");
    with("paths/protected", "2026-02-30", &path).exits(2).says("no day");
    with("paths/protected", "2026-06-30", &[]).exits(2);
    with("paths/protected", "2026-06-30", &["--path", "../x"]).exits(2).says("`path` that");
    with("paths/protected", "2026-06-30", &["--fingerprint", "x"]).exits(2).says("`fingerprint`");
    assert!(!root.join(".orch").exists(), "nothing was written");
    fs::create_dir_all(root.join(".orch")).unwrap();
    fs::write(root.join(WAIVERS), "waivers: [x]\n").unwrap();
    with("paths/protected", "2026-06-30", &path).exits(2).says("cannot be read");
}

#[test]
fn explain_tells_the_rules_as_they_are_taken_here() {
    let env = TestEnv::new();
    let rule = "# METADATA\n# title: Nothing is new\n# description: Why not.\n# custom:\n#   code: team/new\n#   effect: deny\n#   help: H\n#   effective_on: 2026-02-01\npackage orch.team.new\n\ndeny contains \"no\" if count(input.changes) > input.settings.most\n";
    let config = "policy:\n  packs: [rules]\n  levels: {paths/protected: deny, size/change: 'off'}\n  settings: {most: 3, max_files: 7}\n";
    let root = env.repository("repo", &[("orch.yml", config), ("rules/new.rego", rule)]);
    let all = env.orch(&root, &["policy", "explain", "--format", "json"]).exits(0).json();
    let rules = all["rules"].as_array().unwrap();
    let of = |code: &str| rules.iter().find(|rule| rule["code"] == code).unwrap_or_else(|| panic!("{code}"));
    assert_eq!(
        (of("team/new")["effective_on"].as_str(), of("team/new")["in_force"].as_bool()),
        (Some("2026-02-01"), Some(false))
    );
    assert_eq!(
        (of("team/new")["settings"]["most"].as_u64(), of("team/new")["source"].as_str()),
        (Some(3), Some("rules/new.rego"))
    );
    assert_eq!(
        (of("paths/protected")["level"].as_str(), of("paths/protected")["level_from"].as_str()),
        (Some("deny"), Some("orch.yml"))
    );
    assert_eq!(
        (of("size/change")["level"].as_str(), of("size/change")["settings"]["max_files"].as_u64()),
        (Some("off"), Some(7))
    );
    assert_eq!(
        (of("tests/frozen")["locked"].as_bool(), of("tests/frozen")["level_from"].as_str()),
        (Some(true), Some("rule"))
    );
    let list = env.orch(&root, &["policy", "explain"]).exits(0).stdout;
    assert!(list.contains("paths/protected") && list.contains("deny (orch.yml)"), "{list}");
    assert!(
        list.lines().any(
            |line| line.starts_with("team/new") && line.contains("deny, from 2026-02-01: Nothing is new")
        ),
        "{list}"
    );
    let one = env.orch(&root, &["policy", "explain", "team/new"]).exits(0).stdout;
    for words in
        ["source    rules/new.rego", "setting   most = 3", "needs     changes", "Why not.", "to do     H"]
    {
        assert!(one.contains(words), "{words}: {one}");
    }
    env.orch(&root, &["policy", "explain", "paths/protected"]).exits(0).says("# paths/protected");
    env.orch(&root, &["policy", "explain", "policy/rule-error"]).exits(0).says("# policy/rule-error");
    env.orch(&root, &["policy", "explain", "team/nw"]).exits(2).says("Did you mean `team/new`");
}

#[test]
fn what_is_waived_is_told_in_the_pull_request_and_in_every_report() {
    let env = TestEnv::new();
    let root = env
        .repository("notes", &[("README.md", "# Notes\n"), ("orch.yml", "paths:\n  protect: [LICENSE]\n")]);
    let request = "add an MIT license for ACME Inc";
    let more = ["--path", "LICENSE", "--by", "Jo Doe", "--owner", "Ann Other"];
    env.orch(&root, &waive(&more)).exits(0);
    let text = fs::read_to_string(root.join(WAIVERS)).unwrap();
    assert!(text.contains("owner: \"Ann Other\"") && text.contains("approved: \"sha256:"), "{text}");
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "waived"]);
    env.orch(&root, &["run", request]).exits(0);
    let page = fs::read_to_string(crate::env::run_folder(&root).join("pr.md")).unwrap();
    assert!(page.contains("Set aside, and not counted:") && page.contains("by a waiver"), "{page}");
    let reason = "agreed with the team (by Jo Doe, Ann Other mends it)";
    let shown = |words: &[&str]| env.orch(&root, words).exits(0).stdout;
    for words in [
        &["report"][..],
        &["report", "--as", "markdown"],
        &["policy", "show"],
        &["policy", "show", "--as", "junit"],
        &["policy", "show", "--as", "sarif"],
        &["policy", "show", "--as", "summary"],
        &["policy", "show", "--as", "json"],
    ] {
        let told = shown(words);
        assert!(told.contains("2026-06-30") && told.contains("agreed with the team"), "{words:?}: {told}");
    }
    assert!(shown(&["report"]).contains(reason));
    assert!(shown(&["policy", "show", "--as", "sarif"]).contains("\"suppressions\""));
    env.orch(&root, &["verify"]).exits(0).says("1 set aside");
    // Stretched by hand, it counts no more: the same change waits for a person again.
    fs::write(root.join(WAIVERS), text.replace("2026-06-30", "2026-09-30")).unwrap();
    env.git(&root, &["commit", "-qam", "stretched"]);
    env.orch(&root, &["run", request]).exits(4).says("was changed after Jo Doe approved it");
}
