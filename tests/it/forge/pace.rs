//! How fast the forge is asked: a second between writes, waits as it says, nothing asked for that did not change.

use std::sync::Arc;
use std::time::Duration;

use orch::ports::forge::github::{Addresses, FakePace, GitHub, Pace, TokenSource};
use orch::ports::forge::{ForgeError, ForgeRead as _, ForgeWrite as _, IssueNumber};
use orch::ports::secret::Secret;
use serde_json::json;

use super::{Scene, TOKEN};
use crate::support::github::Fault;

/// A pace that can be looked at while somebody else holds it.
struct Shared(Arc<FakePace>);

impl Pace for Shared {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    fn epoch(&self) -> u64 {
        self.0.epoch()
    }

    fn wait(&self, time: Duration) {
        self.0.wait(time);
    }
}

/// The forge as one on another machine: this one is asked without a pause. `0.0.0.0` reaches it and is no loopback address.
fn elsewhere(scene: &Scene) -> (GitHub, Arc<FakePace>) {
    let pace = Arc::new(FakePace::default());
    let url = scene.hub.url().replace("127.0.0.1", "0.0.0.0");
    let at = Addresses { rest: url.parse().unwrap(), graphql: format!("{url}/graphql").parse().unwrap() };
    let token = TokenSource::Given { token: Secret::new(TOKEN.into()), of_workflow: false };
    let slug = "acme/app".parse().unwrap();
    (GitHub::new(slug, at, token, Box::new(Shared(Arc::clone(&pace)))), pace)
}

fn seconds(all: &[u64]) -> Vec<Duration> {
    all.iter().map(|one| Duration::from_secs(*one)).collect()
}

#[test]
fn writes_come_a_second_apart_and_looks_do_not_wait() {
    let scene = Scene::new();
    let (forge, pace) = elsewhere(&scene);
    for text in ["one", "two", "three"] {
        forge.add_comment(IssueNumber(7), text).unwrap();
        forge.repository().unwrap();
    }
    assert_eq!(pace.waits(), seconds(&[1, 1]));
    scene.keeps_to_the_documents();
}

#[test]
fn a_limit_is_waited_out_as_the_forge_says_and_never_past_the_deadline() {
    let limited = |status: u16, headers: Vec<(&'static str, String)>, message: &str| {
        Fault::Refuse(status, headers, json!({ "message": message }))
    };
    let secondary =
        "You have exceeded a secondary rate limit. Please wait a few minutes before you try again.";
    let reset = |after: u64| {
        vec![
            ("x-ratelimit-remaining", "0".to_owned()),
            ("x-ratelimit-reset", (1_800_000_000 + after).to_string()),
        ]
    };
    for (fault, least, most) in [
        (limited(429, vec![("retry-after", "7".into())], secondary), 7, 8),
        (limited(403, vec![("retry-after", "7".into())], secondary), 7, 8),
        // It does not say how long: a minute, as GitHub's documents ask.
        (limited(403, vec![], secondary), 60, 61),
        (limited(403, reset(100), "API rate limit exceeded for installation."), 100, 102),
    ] {
        let scene = Scene::new();
        let (forge, pace) = elsewhere(&scene);
        scene.hub.arm([(1, fault.clone())]);
        // A write that was refused for a limit was not done, so it is sent again.
        forge.add_comment(IssueNumber(7), "x").unwrap();
        let waited: u64 = pace.waits().iter().map(Duration::as_secs).sum();
        assert!((least..=most).contains(&waited), "{fault:?}: {:?}", pace.waits());
        assert_eq!(scene.hub.state().comments.len(), 1);
    }
    let scene = Scene::new();
    let (forge, pace) = elsewhere(&scene);
    scene.hub.arm([(1, limited(403, reset(3_000), "API rate limit exceeded"))]);
    let error = forge.add_comment(IssueNumber(7), "x").unwrap_err();
    assert!(matches!(error, ForgeError::RateLimited { until: Some(_), .. }), "{error:?}");
    assert_eq!((pace.waits().len(), scene.hub.seen().len()), (0, 1), "nobody waits for an hour");
}

#[test]
fn what_did_not_change_is_not_sent_again() {
    let scene = Scene::new();
    let (forge, _) = elsewhere(&scene);
    let body = json!({ "id": 4004, "full_name": "acme/app", "default_branch": "trunk" });
    scene.hub.arm([
        (1, Fault::Refuse(200, vec![("etag", "W/\"abc\"".into())], body)),
        (2, Fault::Refuse(304, vec![], json!(null))),
    ]);
    let first = forge.repository().unwrap();
    assert_eq!((forge.repository().unwrap(), first.default_branch.as_str()), (first.clone(), "trunk"));
    let seen = scene.hub.seen();
    assert_eq!(seen[0].headers.get("if-none-match"), None);
    assert_eq!(seen[1].headers.get("if-none-match").map(String::as_str), Some("W/\"abc\""));
}
