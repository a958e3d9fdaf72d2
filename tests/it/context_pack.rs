//! What a model is shown of a repository, and which citations of it are taken.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use orch::agent::context::pack::{PartRole, Want, pack};
use orch::agent::context::{Cite, TreeSource};
use orch::agent::debate::Resolver;
use orch::ports::vcs::{FakeRepository, VcsRead as _};
use serde_json::{Value, json};

use crate::env::{TestEnv, run_folder};
use crate::model_runs::world::{MODELS, PLAN, PLAN_JUDGED, answer, entry, judges, says, wants};

const REQUEST: &str = "update the policy in auth";

/// A file too large to be shown whole: many functions, one that fits.
fn policy() -> String {
    let mut text = String::from("\"\"\"Who may do what.\"\"\"\n\nfrom store import rows\n\n");
    for n in 0..30 {
        let _ = write!(
            text,
            "\ndef grant_{n}(user):\n    \"\"\"Gives right {n}.\"\"\"\n    rights = rows(user)\n    rights.append({n})\n    rights.sort()\n    return rights\n\n"
        );
        if n == 17 {
            text.push_str(
                "\n# The one place where a policy changes.\n@audited\ndef update_policy(user, policy):\n    \"\"\"Updates the policy of a user.\"\"\"\n    check_policy(policy)\n    rows(user).policy = policy\n    return policy\n\n",
            );
        }
    }
    text
}

fn files() -> Vec<(String, String)> {
    let mut noise = String::new();
    for n in 0..60 {
        let _ = write!(noise, "def invoice_{n}(order):\n    return order.lines[{n}]\n\n\n");
    }
    let file = |path: &str, text: &str| (path.to_owned(), text.to_owned());
    vec![
        file("src/auth/policy.py", &policy()),
        file(
            "src/auth/session.py",
            "from store import rows\n\n\ndef open_session(user):\n    return rows(user)\n",
        ),
        file("src/billing.py", &noise),
        file(
            "src/admin.py",
            "from auth.policy import update_policy\n\n\ndef save_form(form):\n    return update_policy(form.user, form.policy)\n",
        ),
        file(
            "tests/test_policy.py",
            "from auth.policy import update_policy\n\n\ndef test_update():\n    assert update_policy('a', 'b') == 'b'\n",
        ),
        file("README.md", "# Service\n\nSells things.\n"),
        file("orch.yml", "commands:\n  test: [\"true\"]\n"),
        file(".orch/models.toml", MODELS),
        file(".gitignore", ".orch/*.json\n"),
    ]
}

fn repository(env: &TestEnv) -> std::path::PathBuf {
    let files = files();
    env.repository("r", &files.iter().map(|(path, text)| (path.as_str(), text.as_str())).collect::<Vec<_>>())
}

/// The lines of the function that fits, with its comment and decorator.
fn right() -> (u32, u32) {
    let text = policy();
    let at = |wanted: &str| text.lines().position(|line| line.starts_with(wanted)).unwrap() + 1;
    let first = u32::try_from(at("# The one place")).unwrap();
    (first, u32::try_from(at("    return policy")).unwrap())
}

fn right_cite() -> Cite {
    let (first, last) = right();
    Cite::of("src/auth/policy.py", policy().as_bytes(), first, last)
}

fn propose(evidence: &[String]) -> Value {
    answer(&json!({
        "plan": {
            "summary": "The policy is updated.", "type": "feat", "scope": "auth", "subject": "update the policy",
            "steps": ["do it"], "files": [{ "path": "src/auth/policy.py", "role": "change" }],
            "criteria": [{ "id": "c1", "text": "it is updated" }],
            "risks": [{ "level": "low", "text": "little", "mitigation": "read it" }], "rollback": "git revert",
        },
        "claims": [{ "id": "k1", "text": "it is here", "evidence": evidence }], "answers": [],
    }))
}

fn texts_of(folder: &Path, kind: &str) -> String {
    let files = crate::env::files_below(folder).into_iter();
    files
        .filter(|(path, _)| path.contains(kind))
        .fold(String::new(), |all, (_, bytes)| all + &String::from_utf8_lossy(&bytes))
}

#[test]
fn a_plan_is_shown_the_right_lines_and_only_citations_of_them_count() {
    let env = TestEnv::new();
    let root = repository(&env);
    let right = right_cite();
    let (path, blob) = (&right.path, &right.blob);
    let after = format!("{path}@{blob}:{}-{}", right.first + 1, right.last + 1);
    let before = format!("{path}@{blob}:{}-{}", right.first - 1, right.last - 1);
    let other = format!("{path}@0123456789ab:{}-{}", right.first, right.last);
    let evidence = [right.to_string(), after.clone(), before.clone(), other.clone()];
    says(&root, "alpha", &[entry(PLAN_JUDGED, judges(&json!([])))]);
    says(&root, "beta", &[entry(PLAN, propose(&evidence))]);
    // The run ends without agreement: what was asked and answered is what counts here.
    let _ = env.orch(&root, &["run", REQUEST, "--engine", "model"]);
    let folder = run_folder(&root);
    let cassette = texts_of(&folder, "cassette/plan");
    assert!(
        cassette.contains(&format!("{right} (update_policy), fits the request, lines numbered")),
        "{cassette}"
    );
    assert!(
        cassette.contains(&format!("{}\\\\tdef update_policy", right.first + 2))
            || cassette.contains(&format!("{}\\tdef update_policy", right.first + 2)),
        "{cassette}"
    );
    let messages = texts_of(&folder, "messages/plan");
    let said: Value = serde_json::from_str(messages.lines().next().unwrap()).unwrap();
    let said = if said.get("body").is_some() { said["body"].clone() } else { said };
    assert_eq!(said["dropped_citations"], 3, "{said}");
    let kept = &said["claims"][0]["evidence"];
    assert_eq!((&kept[0]["first"], &kept[0]["last"]), (&json!(right.first), &json!(right.last)));
    assert_eq!(kept.as_array().unwrap().len(), 1);
    let events = texts_of(&folder, "events/plan");
    for (refused, why) in [(&after, "a line after"), (&before, "a line before"), (&other, "another content")]
    {
        let note = events
            .lines()
            .find(|line| line.contains(refused.as_str()))
            .unwrap_or_else(|| panic!("{refused}: {events}"));
        assert!(note.contains(why) && note.contains(&format!("nearest right one is `{right}`")), "{note}");
    }
}

#[test]
fn a_run_with_an_index_replays_and_more_is_told_on_request() {
    let env = TestEnv::new();
    let root = repository(&env);
    says(&root, "alpha", &[entry(PLAN_JUDGED, judges(&json!([])))]);
    let more = entry(PLAN, wants(&["src/admin.py"], &["open_session"]));
    let asked = "You asked to see more of the repository";
    says(&root, "beta", &[entry(asked, propose(&[])), more]);
    // The run ends without agreement: what was asked and answered is what counts here.
    let _ = env.orch(&root, &["run", REQUEST, "--engine", "model"]);
    let folder = run_folder(&root);
    let cassette = texts_of(&folder, "cassette/plan");
    assert!(
        cassette.contains("src/auth/session.py@") && cassette.contains(":4-5 (open_session)"),
        "{cassette}"
    );
    assert!(texts_of(&folder, "tape/plan").contains("\"ask\":\"ranked\""));
    // The index that answered is gone and the past has grown; the tape has what it said.
    fs::remove_dir_all(root.join(".git/orch")).unwrap();
    fs::write(root.join("src/auth/other_policy.py"), "def update_policy():\n    pass\n").unwrap();
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "update the policy in auth elsewhere"]);
    let run = folder.file_name().unwrap().to_string_lossy().into_owned();
    let said = env.orch(&root, &["replay", &run]);
    assert!(
        !said.stdout.contains("differs") && !said.stderr.contains("another way"),
        "{}\n{}",
        said.stdout,
        said.stderr
    );
}

#[test]
fn the_command_prints_the_pack_within_its_ceiling() {
    let env = TestEnv::new();
    let root = repository(&env);
    let right = right_cite().to_string();
    let words = ["context", "--format", "json", "--pack", "3000", REQUEST];
    let said = env.orch(&root, &words).exits(0);
    let found = said.json();
    let cites: Vec<&str> =
        found["parts"].as_array().unwrap().iter().map(|part| part["cite"].as_str().unwrap()).collect();
    assert!(cites.contains(&right.as_str()), "{cites:?}");
    let role = |path: &str| {
        let parts = found["parts"].as_array().unwrap();
        parts
            .iter()
            .find(|part| part["cite"].as_str().unwrap().starts_with(path))
            .map(|part| part["role"].clone())
    };
    assert!(role("tests/test_policy.py").is_some() && role("src/admin.py").is_some(), "{found:#}");
    assert!(role("src/billing.py").is_none());
    assert!(found["tokens"].as_u64().unwrap() <= 3000);
    assert_eq!(env.orch(&root, &words).exits(0).stdout, said.stdout, "the same again");
    let text = env.orch(&root, &["context", "--pack", "3000", REQUEST]).exits(0);
    assert!(text.stdout.contains(&format!("{right} (update_policy)")), "{}", text.stdout);
    let little = env.orch(&root, &["context", "--format", "json", "--pack", "250", REQUEST]).json();
    assert!(little["tokens"].as_u64().unwrap() <= 250);
    assert!(!little["left_out"].as_array().unwrap().is_empty());
    env.orch(&root, &["context", "--pack", "8", REQUEST]).exits(2);
    env.orch(&root, &["context", "--pack", "800", "--limit", "3", REQUEST]).exits(2);
}

/// A repository without an index is looked through, and gives the same kind of pack.
#[test]
fn without_an_index_tests_users_and_neighbours_are_found_too() {
    let files = files();
    let repo = FakeRepository::new(files.iter().map(|(path, text)| (path.as_str(), text.as_bytes())));
    let base = repo.head().unwrap();
    let source = TreeSource::of(&repo, &base.tree).unwrap().at(&base.commit);
    let want = |ceiling, shown| Want { text: "update_policy of a user", ceiling, shown };
    let made = pack(&want(4000, &[]), &source).unwrap();
    let role = |path: &str| made.parts.iter().find(|part| part.cite.path == path).map(|part| part.role);
    assert_eq!(role("src/auth/policy.py"), Some(PartRole::Match));
    assert!(made.cites().contains(&right_cite()), "{:?}", made.cites());
    let around = pack(&want(4000, &["src/auth/policy.py"]), &source).unwrap();
    assert!(around.parts.iter().all(|part| part.cite.path != "src/auth/policy.py"));
    assert!(around.parts.iter().any(|part| part.cite.path == "tests/test_policy.py"));
    // Every piece is whole, cited as it stands, and every citation resolves but a line further.
    let read = |path: &str| repo.file(&base.tree, path).unwrap();
    let resolver = Resolver::new(vec![&read]).with_shown(&made.cites());
    for part in made.parts.iter().filter(|part| part.role != PartRole::Outline) {
        let Cite { path, blob, first, last } = &part.cite;
        assert!(resolver.check(&part.cite.to_string()).is_ok(), "{}", part.cite);
        let shifted = format!("{path}@{blob}:{}-{}", first + 1, last + 1);
        assert_eq!(resolver.check(&shifted).unwrap_err().nearest, Some(part.cite.to_string()), "{shifted}");
        assert_eq!(part.text.lines().count(), (last + 1 - first) as usize);
    }
}
