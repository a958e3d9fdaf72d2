//! Every event of `tests/fixtures/events`, read; among them the incidents that made agents of others do harm.

use std::collections::BTreeSet;
use std::path::PathBuf;

use proptest::prelude::*;

use super::*;
use crate::artifact::types::event::HiddenKind;
use crate::diagnostic::text::is_hidden;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/events")
}

fn config() -> IntakeConfig {
    IntakeConfig { scheduled: "update the licence".into(), ..IntakeConfig::default() }
}

fn given(name: &str) -> Result<Event, EventError> {
    let bytes = std::fs::read(folder().join(format!("{name}.json"))).unwrap();
    read(kind(name.split('.').nth(1).unwrap())?, &bytes, &config())
}

/// Each fixture with the word its event comes to.
const WANTED: &[(&str, &str)] = &[
    ("01-promptpwnd.issues", "run"),
    ("02-comment-and-control.issue_comment", "run"),
    ("03-bot-suffix.issue_comment", "run"),
    ("03-bot-suffix-as-user.issue_comment", "run"),
    ("04-proc-environ.issues", "run"),
    ("05-clinejection.issues", "run"),
    ("06-hackerbot-claw.pull_request_target", "refused"),
    ("06-hackerbot-claw-review.pull_request_review", "nothing"),
    ("07-s1ngularity.pull_request", "nothing"),
    ("08-tj-actions.push", "nothing"),
    ("09-step-output.workflow_dispatch", "run"),
    ("09-step-output-command.workflow_dispatch", "refused"),
    ("10-agent-files.pull_request", "nothing"),
    ("10-agent-files-review-comment.pull_request_review_comment", "nothing"),
    ("11-toctou.issue_comment", "run"),
    ("11-toctou-edited.issue_comment", "nothing"),
    ("11-toctou-issue.issues", "run"),
    ("12-push-options.issue_comment", "unknown"),
    ("13-path-poison.workflow_dispatch", "run"),
    ("14-oidc.issues", "run"),
    ("15-markdown-exfiltration.issues", "run"),
    ("16-hidden-text.issues", "run"),
    ("17-dispatch-extra.repository_dispatch", "refused"),
    ("ordinary-label.issues", "run"),
    ("ordinary-other-label.issues", "nothing"),
    ("ordinary-ghost.issues", "run"),
    ("ordinary-run.issue_comment", "run"),
    ("ordinary-plan.issue_comment", "plan"),
    ("ordinary-talk.issue_comment", "nothing"),
    ("ordinary-unknown.issue_comment", "unknown"),
    ("ordinary-approve.issue_comment", "approve"),
    ("ordinary-stop.issue_comment", "stop"),
    ("ordinary-rerun.issue_comment", "rerun"),
    ("ordinary-dispatch.workflow_dispatch", "plan"),
    ("ordinary-dispatch.repository_dispatch", "run"),
    ("ordinary-schedule.schedule", "run"),
];

#[test]
fn every_event_comes_to_what_it_asks_for() {
    let files: BTreeSet<String> = std::fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_str().unwrap().strip_suffix(".json").unwrap().to_owned())
        .collect();
    assert_eq!(files, WANTED.iter().map(|(name, _)| (*name).to_owned()).collect());
    for (name, wanted) in WANTED {
        let word = given(name).map_or("refused", |event| event.intent.as_str());
        assert_eq!(word, *wanted, "{name}");
    }
}

#[test]
fn no_text_keeps_what_is_not_seen_and_no_error_repeats_a_word() {
    for (name, _) in WANTED {
        match given(name) {
            Ok(event) => {
                for words in &event.texts {
                    let odd = |c: char| is_hidden(c) || (c.is_control() && c != '\n' && c != '\t');
                    assert!(!words.text.chars().any(odd) && !words.text.contains("<!--"), "{name}");
                }
                if let Intent::Unknown { reply } = &event.intent {
                    assert!(!reply.contains("attacker") && !reply.contains("ext::"), "{name}");
                }
            }
            Err(error) => {
                let text = format!("{error} {:?}", error.help());
                assert!(!text.contains("attacker") && !text.contains("verdict=allow"), "{text}");
            }
        }
    }
}

#[test]
fn hidden_text_is_told_of_in_the_part_it_was_in() {
    let event = given("16-hidden-text.issues").unwrap();
    let of = |part: Part| {
        let words = event.texts.iter().find(|words| words.part == part).unwrap();
        let kinds: Vec<_> = words.hidden.iter().map(|hidden| hidden.kind).collect();
        (words.text.clone(), kinds)
    };
    assert_eq!(of(Part::Title), ("Add a LICENSE".into(), vec![HiddenKind::Tag, HiddenKind::ZeroWidth]));
    let (text, kinds) = of(Part::Body);
    assert_eq!(text, "Add a LICENSE file.\n\n\nMIT, please. gnihtemos");
    assert_eq!(
        kinds,
        [
            HiddenKind::HtmlComment,
            HiddenKind::LinkDefinition,
            HiddenKind::Bidirectional,
            HiddenKind::Tag,
            HiddenKind::Variation
        ]
    );
}

#[test]
fn who_and_what_are_told() {
    let event = given("ordinary-run.issue_comment").unwrap();
    assert_eq!(event.text(), "Add a LICENSE file\n\nWe need one.\n\nUse the MIT licence.");
    assert_eq!(event.repository.as_ref().unwrap().name.as_str(), "acme/shop");
    let actor = event.actor.clone().unwrap();
    assert_eq!((actor.id, actor.login.as_str(), actor.kind), (1001, "maintainer", AccountKind::Person));
    let comment = event.comment.clone().unwrap();
    assert_eq!((comment.id, comment.created_at.as_deref()), (7002, Some("2026-11-27T12:00:00Z")));
    assert_eq!(event.subject.as_ref().unwrap().number, 2);
    let authors: Vec<_> = event.texts.iter().map(|words| words.author.as_ref().unwrap().id).collect();
    assert_eq!(authors, [2002, 2002, 1001]);
    // An issue by an account that is gone has words by nobody.
    assert!(given("ordinary-ghost.issues").unwrap().texts.iter().all(|words| words.author.is_none()));
    // A name with the ending of programs is one's, whatever type it claims to be.
    for name in ["03-bot-suffix.issue_comment", "03-bot-suffix-as-user.issue_comment"] {
        assert_eq!(given(name).unwrap().actor.unwrap().kind, AccountKind::Bot, "{name}");
    }
    // Nobody asks by the clock, whoever the payload says sent it.
    assert_eq!(given("ordinary-schedule.schedule").unwrap().actor, None);
    assert!(given("10-agent-files.pull_request").unwrap().subject.unwrap().branches.unwrap().from_fork);
}

/// Returns a fixture with one value changed.
fn bent(name: &str, change: impl FnOnce(&mut serde_json::Value)) -> Result<Event, EventError> {
    let bytes = std::fs::read(folder().join(format!("{name}.json"))).unwrap();
    let mut value = serde_json::from_slice(&bytes).unwrap();
    change(&mut value);
    read(kind(name.split('.').nth(1).unwrap())?, value.to_string().as_bytes(), &config())
}

#[test]
fn a_comment_speaks_for_its_author_alone() {
    let foreign = bent("ordinary-run.issue_comment", |v| v["sender"]["id"] = 9.into());
    assert_eq!(foreign, Err(EventError::Foreign));
    assert!(bent("ordinary-run.issue_comment", |v| v["comment"]["user"] = serde_json::Value::Null).is_err());
}

#[test]
fn names_with_more_than_a_name_are_refused() {
    type Bend = fn(&mut serde_json::Value);
    let bends: [(&str, Bend); 5] = [
        ("sender", |v| v["sender"]["login"] = "a\n::error::b".into()),
        ("comment", |v| v["comment"]["user"]["login"] = "$(id)".into()),
        ("issue.user", |v| v["issue"]["user"]["login"] = "a b".into()),
        ("repository.full_name", |v| v["repository"]["full_name"] = "acme/../../x".into()),
        ("action", |v| v["action"] = "created\nx".into()),
    ];
    for (field, bend) in bends {
        let error = bent("ordinary-run.issue_comment", bend);
        assert_eq!(error, Err(EventError::Field { name: EventName::IssueComment, field }));
    }
}

#[test]
fn a_fork_is_known_by_its_number_and_a_gone_one_is_one() {
    let from_fork = |change: fn(&mut serde_json::Value)| {
        let event = bent("07-s1ngularity.pull_request", change).unwrap();
        event.subject.unwrap().branches.unwrap().from_fork
    };
    assert!(from_fork(|_| {}));
    assert!(from_fork(|v| v["pull_request"]["head"]["repo"] = serde_json::Value::Null));
    assert!(from_fork(|v| v["pull_request"]["head"]["repo"]["full_name"] = "acme/shop".into()));
    assert!(!from_fork(|v| v["pull_request"]["head"]["repo"]["id"] = 4004.into()));
}

#[test]
fn sizes_are_bounded() {
    let long = "x".repeat(MAX_TEXT + 1);
    let error = bent("ordinary-label.issues", |v| v["issue"]["body"] = long.into());
    assert_eq!(error, Err(EventError::Long { part: Part::Body, bytes: MAX_TEXT + 1 }));
    let huge = vec![b' '; MAX_PAYLOAD + 1];
    assert_eq!(read(EventName::Push, &huge, &config()), Err(EventError::TooLarge(MAX_PAYLOAD + 1)));
}

#[test]
fn dispatches_say_who_they_speak_for_where_there_is_a_list() {
    let bytes = std::fs::read(folder().join("ordinary-dispatch.repository_dispatch.json")).unwrap();
    for (tenants, ok) in [(vec![], true), (vec!["team-a"], true), (vec!["team-b"], false)] {
        let tenants = tenants.iter().map(|name| name.parse().unwrap()).collect();
        let config = IntakeConfig { tenants, ..IntakeConfig::default() };
        assert_eq!(read(EventName::RepositoryDispatch, &bytes, &config).is_ok(), ok);
    }
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..9) {
        let _ = read(EventName::ALL[at], &bytes, &config());
    }

    #[test]
    fn no_body_of_a_comment_makes_it_panic(body in "(/orch (run|plan|approve|rerun) ?)?\\PC{0,60}\n?\\PC{0,60}") {
        let event = bent("ordinary-run.issue_comment", |v| v["comment"]["body"] = body.into()).unwrap();
        prop_assert!(event.texts.iter().all(|words| !words.text.chars().any(is_hidden)));
    }
}
