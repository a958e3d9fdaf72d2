//! What verdict and review have to say together before anything is merged.

use super::*;
use crate::artifact::digest::Digest;
use crate::artifact::types::pull_request::{CiStart, CommitRef, Hosted, Outcome, Provenance};

fn request(number: Option<u64>, head: &str) -> PullRequest {
    let some = || Digest::of("x");
    PullRequest {
        forge: "github".into(),
        branch: "feat/x".into(),
        target: Some("main".into()),
        commits: vec![CommitRef {
            id: head.repeat(40).parse().unwrap(),
            tree: "c".repeat(40).parse().unwrap(),
            subject: "feat: x".into(),
        }],
        remote: None,
        title: "feat: x".into(),
        body: some(),
        draft: false,
        provenance: Provenance {
            task: some(),
            tests: some(),
            edits: some(),
            report: some(),
            verdict: some(),
        },
        hosted: Some(Hosted {
            repository: "acme/shop".into(),
            number,
            url: None,
            outcome: Outcome::Created,
            why: None,
            head: Some(head.repeat(40).parse().unwrap()),
            signed: true,
            ci: CiStart::Unknown,
            warnings: vec![],
        }),
    }
}

fn review(number: u64, head: &str, outcome: ReviewOutcome) -> Review {
    Review {
        number,
        head: head.repeat(40).parse().unwrap(),
        outcome,
        reasons: vec![],
        reviewers: vec![],
        checks: vec![],
        findings: vec![],
        round: 0,
        check_run: None,
    }
}

#[test]
fn only_a_pass_of_the_same_head_and_number_is_one() {
    use ReviewOutcome::{Fail, Pass, Unavailable, Waiting};
    assert!(judged(&request(Some(20), "a"), &review(20, "a", Pass)).is_ok());
    for (request, review) in [
        (request(Some(20), "a"), review(20, "a", Fail)),
        (request(Some(20), "a"), review(20, "a", Waiting)),
        (request(Some(20), "a"), review(20, "a", Unavailable)),
        (request(Some(20), "a"), review(21, "a", Pass)),
        (request(Some(20), "a"), review(20, "b", Pass)),
        (request(None, "a"), review(20, "a", Pass)),
        (PullRequest { hosted: None, ..request(Some(20), "a") }, review(20, "a", Pass)),
        (PullRequest { commits: vec![], ..request(Some(20), "a") }, review(20, "a", Pass)),
    ] {
        assert!(judged(&request, &review).is_err(), "{request:?} {review:?}");
    }
}
