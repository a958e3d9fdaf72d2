//! Repositories that try to run something, to change their own judge, or to be read for ever.

use std::fs;

use super::{World, denied, secret};

const QUIET: &str = "policy:\n  levels:\n    secrets/token: off\n";

#[test]
fn a_change_cannot_switch_its_judge_off() {
    let world = World::new(&[("a.py", "x = 1\n")]);
    world.write("orch.yml", QUIET);
    world.write("a.py", secret());
    for flags in [&["--work"][..], &["--staged"]] {
        world.git(&["add", "-A"]);
        let said = world.judge(flags).exits(3).says("a.py:1:").says("orch.yml in the working tree differs");
        said.says("protected");
    }
    // A pack that would answer for the rule, in the same change.
    let base = world.git(&["rev-parse", "HEAD"]);
    world.commit("both");
    denied(world.judge(&["--diff", &format!("{base}..HEAD")]), "a.py:1:");
    // Once it is in the base, it counts, for what comes after and for the whole tree.
    world.write("b.py", secret());
    world.judge(&["--work"]).exits(0);
    world.judge(&["--all"]).exits(0);
    // And the tip of the base judges, not the old commit a branch was begun on.
    world.write("orch.yml", "");
    world.remove("b.py");
    let tip = world.commit("strict again");
    world.git(&["checkout", "-q", "-b", "old", "HEAD~1"]);
    world.write("c.py", secret());
    world.commit("from the quiet days");
    denied(world.judge(&["--diff", &format!("{tip}...HEAD")]), "c.py:1:");
}

#[test]
fn a_base_whose_config_cannot_be_read_allows_nothing() {
    let world = World::new(&[("orch.yml", "policy: [\n")]);
    world.judge(&["--work"]).exits(2).says("orch.yml of");
    let empty = world.env.path("empty.yml");
    fs::write(&empty, "").unwrap();
    world.judge(&["--work", "--config", &empty.display().to_string()]).exits(0);
}

#[cfg(unix)]
#[test]
fn nothing_that_a_repository_configures_runs() {
    use std::os::unix::fs::PermissionsExt as _;
    let world =
        World::new(&[("a.py", "x = 1\n"), ("b.bin", "b\n"), (".gitattributes", "* filter=evil diff=evil\n")]);
    let marker = world.env.path("ran");
    let script = world.env.path("evil.sh");
    fs::write(&script, format!("#!/bin/sh\necho \"$@\" >> {}\ncat\n", marker.display())).unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let evil = script.display().to_string();
    let hooks = world.root.join(".git/hooks");
    fs::create_dir_all(&hooks).unwrap();
    for hook in
        ["pre-commit", "post-checkout", "post-index-change", "fsmonitor-watchman", "reference-transaction"]
    {
        fs::copy(&script, hooks.join(hook)).unwrap();
    }
    world.write("a.py", secret());
    world.git(&["add", "a.py"]);
    world.write("a.py", format!("{}y = 1\n", secret()));
    let before = world.git(&["diff"]);
    let _ = fs::remove_file(&marker);
    for (key, value) in [
        ("filter.evil.clean", evil.as_str()),
        ("filter.evil.smudge", &evil),
        ("filter.evil.process", &evil),
        ("filter.evil.required", "true"),
        ("diff.evil.command", &evil),
        ("diff.evil.textconv", &evil),
        ("diff.external", &evil),
        ("core.fsmonitor", &evil),
        ("core.pager", &evil),
        ("core.sshCommand", &evil),
        ("core.alternateRefsCommand", &evil),
        ("core.hooksPath", &hooks.display().to_string()),
    ] {
        // Written by hand: git itself would run some of them.
        let mut text = fs::read_to_string(world.root.join(".git/config")).unwrap();
        let (section, name) = key.rsplit_once('.').unwrap();
        let section = section.split_once('.').map_or(section.to_owned(), |(a, b)| format!("{a} \"{b}\""));
        text = format!("{text}[{section}]\n\t{name} = {value}\n");
        fs::write(world.root.join(".git/config"), text).unwrap();
    }
    for flags in [&["--staged"][..], &["--work"], &["--all"], &["--diff", "HEAD..HEAD"]] {
        let exit = if flags[0] == "--diff" { 0 } else { 3 };
        let _ = world.judge(flags).exits(exit);
    }
    let _ = world.judge_patch(format!("{before}\n").as_bytes());
    assert!(!marker.exists(), "ran: {}", fs::read_to_string(&marker).unwrap_or_default());
}

#[test]
fn the_repository_is_left_as_it_was() {
    let world = World::new(&[("a.py", "x = 1\n")]);
    world.write("a.py", secret());
    world.write("new.py", "z\n");
    let files = || crate::env::files_below(&world.root);
    let before = files();
    for flags in [&["--staged"][..], &["--work"], &["--all"], &["--pr"], &["--diff", "HEAD..HEAD"]] {
        let _ = world.judge(flags);
    }
    assert_eq!(files(), before);
}

#[test]
fn a_gigabyte_is_denied_and_not_read() {
    let world = World::new(&[("a.py", "x = 1\n")]);
    let file = fs::File::create(world.root.join("huge.bin")).unwrap();
    file.set_len(1 << 30).unwrap();
    world.judge(&["--work"]).exits(3).says("policy/not-scanned").says("huge.bin");
    world.judge(&["--all"]).exits(0).says("policy/not-scanned").says("huge.bin");
    world.remove("huge.bin");
    world.judge(&["--work"]).exits(0);
    let patch = vec![b'a'; (64 << 20) + 2];
    world.judge_patch(&patch).exits(2).says("more than");
}

#[cfg(unix)]
#[test]
fn links_are_looked_at_and_never_followed() {
    use std::os::unix::fs::symlink;
    let world = World::new(&[("dir/a.py", "x = 1\n"), ("b.py", "y = 1\n")]);
    let outside = world.env.path("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a.py"), secret()).unwrap();
    fs::remove_dir_all(world.root.join("dir")).unwrap();
    symlink(&outside, world.root.join("dir")).unwrap();
    world.remove("b.py");
    symlink(outside.join("a.py"), world.root.join("b.py")).unwrap();
    for flags in [&["--work"][..], &["--all"]] {
        world.judge(flags).exits(0);
    }
    world.remove("b.py");
    symlink(format!("x/{}", super::token()), world.root.join("b.py")).unwrap();
    denied(world.judge(&["--work"]), "b.py:1:");
    world.git(&["add", "-A"]);
    denied(world.judge(&["--staged"]), "b.py:1:");
}
