//! Each kind of subject: a secret in it is denied with its place, and once mended the same command allows.

use super::{World, denied, secret, token};

const CLEAN: &str = "import stripe\n\nstripe.api_key = os.environ[\"STRIPE_KEY\"]\n";

fn world() -> World {
    World::new(&[("src/pay.py", CLEAN), ("src/other.py", "x = 1\n")])
}

fn with_secret() -> String {
    format!("import stripe\n\n{}", secret())
}

#[test]
fn staged_changes_are_judged_as_they_are_staged() {
    let world = world();
    world.judge(&["--staged"]).exits(0).says("allow");
    world.write("src/pay.py", with_secret());
    world.judge(&["--staged"]).exits(0);
    world.git(&["add", "src/pay.py"]);
    denied(world.judge(&["--staged"]), "src/pay.py:3:");
    // Mended in the working tree only: the index still holds it.
    world.write("src/pay.py", CLEAN);
    denied(world.judge(&["--staged"]), "src/pay.py:3:");
    world.git(&["add", "src/pay.py"]);
    world.judge(&["--staged"]).exits(0);
    // New, executable, in a new folder, and with all else removed.
    world.write("deep/er/new.py", secret());
    world.git(&["add", "-A"]);
    world.git(&["rm", "-q", "--cached", "src/other.py"]);
    denied(world.judge(&["--staged"]), "deep/er/new.py:1:");
}

#[test]
fn the_working_tree_is_judged_with_what_git_does_not_track() {
    let world = world();
    world.judge(&["--work"]).exits(0);
    world.write("src/pay.py", with_secret());
    denied(world.judge(&["--work"]), "src/pay.py:3:");
    world.git(&["add", "src/pay.py"]);
    denied(world.judge(&["--work"]), "src/pay.py:3:");
    // Staged with it, mended after: what would be committed with all of the working tree has none.
    world.write("src/pay.py", CLEAN);
    world.judge(&["--work"]).exits(0);
    world.git(&["reset", "-q"]);
    world.write("notes/new.py", secret());
    denied(world.judge(&["--work"]), "notes/new.py:1:");
    world.write(".gitignore", "notes/\n");
    world.judge(&["--work"]).exits(0);
    world.git(&["add", "-N", "-f", "notes/new.py"]);
    denied(world.judge(&["--work"]), "notes/new.py:1:");
    world.judge(&["--staged"]).exits(0);
}

#[test]
fn without_a_flag_and_a_run_the_working_tree_is_judged() {
    let world = world();
    world.judge(&[]).exits(0).says("working tree");
    world.write("src/pay.py", with_secret());
    denied(world.judge(&[]), "src/pay.py:3:");
}

#[test]
fn commits_are_compared_directly_or_from_where_they_parted() {
    let world = world();
    let base = world.git(&["rev-parse", "HEAD"]);
    world.git(&["checkout", "-q", "-b", "topic"]);
    world.write("src/topic.py", secret());
    world.commit("topic");
    world.git(&["checkout", "-q", "main"]);
    world.write("src/main.py", "y = 2\n");
    world.commit("main");
    for range in
        [format!("{base}..topic"), format!("{base}...topic"), "main...topic".into(), "main..topic".into()]
    {
        denied(world.judge(&["--diff", &range]), "src/topic.py:1:");
    }
    world.judge(&["--diff", &base]).exits(0);
    world.judge(&["--diff", "topic..main"]).exits(0);
    world.git(&["checkout", "-q", "topic"]);
    denied(world.judge(&["--diff", "main"]), "src/topic.py:1:");
    world.write("src/topic.py", CLEAN);
    world.commit("mended");
    world.judge(&["--diff", "main...topic"]).exits(0);
    world.judge(&["--diff", "nowhere..topic"]).exits(2).says("nowhere");
    world.judge(&["--diff", ".."]).exits(2).says("no range");
}

#[test]
fn the_whole_tree_is_judged_as_it_lies_there() {
    let world = world();
    world.judge(&["--all"]).exits(0).says("whole tree");
    world.write("src/old.py", secret());
    world.commit("long ago");
    denied(world.judge(&["--all"]), "src/old.py:1:");
    world.judge(&["--work"]).exits(0);
    world.write("src/old.py", CLEAN);
    world.judge(&["--all"]).exits(0);
    world.write("ignored/x.py", secret());
    world.write("fresh.py", secret());
    world.write(".gitignore", "ignored/\n");
    denied(world.judge(&["--all"]), "fresh.py:1:");
    world.remove("fresh.py");
    world.judge(&["--all"]).exits(0);
    // Ignored, but tracked all the same.
    world.git(&["add", "-f", "ignored/x.py"]);
    denied(world.judge(&["--all"]), "ignored/x.py:1:");
}

#[test]
fn a_patch_is_judged_on_top_of_head() {
    let world = world();
    world.write("src/pay.py", with_secret());
    let patch = world.git(&["diff"]) + "\n";
    world.git(&["checkout", "-q", "src/pay.py"]);
    denied(world.judge_patch(patch.as_bytes()), "src/pay.py:3:");
    world.judge(&["--work"]).exits(0);
    world.judge_patch(patch.replace(&token(), "...").as_bytes()).exits(0);
    let cut = patch.lines().take(7).collect::<Vec<_>>().join("\n") + "\n";
    world.judge_patch(cut.as_bytes()).exits(2).says("line 8 of the patch");
    world.judge_patch(b"").exits(2).says("holds no change");
    world.judge_patch(b"hello\n").exits(2).says("holds no change");
    let other = patch.replace("-stripe.api_key", "-stripe.other");
    world.judge_patch(other.as_bytes()).exits(2).says("line 5 of the patch").says("does not fit");
}

#[test]
fn words_that_do_not_go_together_are_refused() {
    let world = world();
    world.judge(&["--staged", "--work"]).exits(2);
    world.judge(&["--work", "--run", "x"]).exits(2);
    world.env.orch(&world.root, &["stage", "plan", "--staged"]).exits(2).says("works on a run only");
    world
        .env
        .orch(&world.env.path("."), &["stage", "policy", "--all"])
        .exits(2)
        .says("not in a git repository");
}

#[test]
fn the_verdict_is_kept_as_artifacts_that_programs_read() {
    let world = world();
    world.write("src/pay.py", with_secret());
    let said = world.judge(&["--work", "--save", "out", "--format", "json"]).exits(3);
    let verdict = said.json();
    assert_eq!(
        (verdict["decision"].as_str(), verdict["subject"]["kind"].as_str()),
        (Some("deny"), Some("work"))
    );
    let read = |name: &str| -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(world.root.join("out/policy").join(name)).unwrap()).unwrap()
    };
    assert_eq!(read("verdict.json")["body"], verdict);
    let input = read("input.json");
    assert_eq!(
        (input["kind"].as_str(), input["body"]["subject"]["kind"].as_str()),
        (Some("policy-input"), Some("work"))
    );
    let list = world.judge(&["--work", "--save", "out"]).exits(3);
    list.says("help: ");
}
