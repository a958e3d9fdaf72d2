//! What reviews, discussions and checks come to: a pure function over what the forge told.
//!
//! Red wins: what speaks against the change counts wherever it is from, what speaks for it only from who was named. Must
//! never take silence, a dismissed or an older review, a skipped check or a check of another app for a yes.

use std::collections::{BTreeMap, BTreeSet};

use crate::artifact::id::CommitId;
use crate::artifact::types::event::Standing;
use crate::artifact::types::review::{GateCheck, Review, ReviewFinding, ReviewOutcome, Reviewer};
use crate::config::{Permitted, Review as Terms, ReviewProgram};
use crate::ports::forge::{
    Actor, CheckRun, CommitStatus, Conclusion, Login, Pull, Review as Said, ReviewState, ReviewThread,
    StatusState,
};
use crate::stage::intake::admit::is_enough;
use crate::stage::intake::event::strip;

/// The name of our own check.
pub const CHECK: &str = "orch / review-gate";

/// The longest text of a finding, in characters.
const MAX_TEXT: usize = 2_000;
/// More findings than these are counted and not kept.
const MAX_FINDINGS: usize = 200;

/// Everything the forge told at one time.
#[derive(Clone, Debug)]
pub struct Evidence {
    /// The pull request.
    pub pull: Pull,
    /// The commit that was tested and judged: what the head must be.
    pub judged: CommitId,
    /// Its reviews, oldest first.
    pub reviews: Vec<Said>,
    /// Its discussions on lines.
    pub threads: Vec<ReviewThread>,
    /// The check runs on the head.
    pub checks: Vec<CheckRun>,
    /// The commit statuses on the head.
    pub statuses: Vec<CommitStatus>,
    /// What people may do, by account number.
    pub standing: BTreeMap<u64, Standing>,
    /// Who was asked, and how that went.
    pub asked: BTreeMap<ReviewProgram, Asked>,
    /// The account that asked for the change.
    pub requester: Option<u64>,
}

/// How asking a program went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Asked {
    /// It was asked, or will come by itself.
    Yes(String),
    /// It was not, so nothing is waited for.
    No(String),
}

/// Decides; `over`: the time to wait has ended.
pub fn decide(evidence: &Evidence, terms: &Terms, over: bool) -> Review {
    let mut reasons = Vec::new();
    let programs: Vec<_> =
        terms.reviewers.iter().map(|program| program_says(*program, evidence, over)).collect();
    let people = people_say(evidence);
    let checks: Vec<_> = terms.checks.iter().map(|check| check_says(check, evidence, over)).collect();
    let (findings, more) = findings(evidence, &terms.reviewers);

    let mut outcome = ReviewOutcome::Pass;
    let mut note = |of: ReviewOutcome, why: String| {
        outcome = outcome.max(of);
        if of != ReviewOutcome::Pass {
            reasons.push(why);
        }
    };
    if evidence.pull.head_commit != evidence.judged {
        note(
            ReviewOutcome::Fail,
            "the head of the pull request is not the commit that was tested and judged".into(),
        );
    }
    for one in people.iter().chain(&programs).filter(|one| one.outcome == ReviewOutcome::Fail) {
        note(one.outcome, format!("{}: {}", one.name, one.why));
    }
    for check in &checks {
        note(check.outcome, format!("{} of {}: {}", check.name, check.app, check.why));
    }
    let open = findings.iter().filter(|finding| finding.counts).count() + more;
    if open > 0 {
        note(ReviewOutcome::Fail, format!("{open} discussions are not resolved"));
    }
    let approvals = people.iter().filter(|person| person.outcome == ReviewOutcome::Pass).count();
    let answers = approvals + programs.iter().filter(|one| one.outcome == ReviewOutcome::Pass).count();
    // Nobody asks people, so while there is time one more may come.
    let missing = if over { ReviewOutcome::Unavailable } else { ReviewOutcome::Waiting };
    if approvals < terms.approvals as usize {
        note(missing, format!("{approvals} of {} people have approved the head commit", terms.approvals));
    }
    if answers < (terms.answers as usize).max(1) {
        let pending = programs.iter().any(|one| one.outcome == ReviewOutcome::Waiting);
        let silent = programs.iter().filter(|one| one.outcome != ReviewOutcome::Pass);
        let who: Vec<_> = silent.map(|one| format!("{}: {}", one.name, one.why)).collect();
        let who = if who.is_empty() { "no program is asked".to_owned() } else { who.join("; ") };
        let of = if pending || !over { missing } else { ReviewOutcome::Unavailable };
        note(of, format!("{answers} of {} have answered ({who})", terms.answers.max(1)));
    } else if programs.iter().any(|one| one.outcome == ReviewOutcome::Waiting) {
        note(ReviewOutcome::Waiting, "a program that was asked is still at work".into());
    }
    Review {
        number: evidence.pull.number.0,
        head: evidence.pull.head_commit.clone(),
        outcome,
        reasons,
        reviewers: programs.into_iter().chain(people).collect(),
        checks,
        findings,
        round: 0,
        check_run: None,
    }
}

/// Returns the logins a program uses, without `[bot]`.
fn logins(program: ReviewProgram) -> &'static [&'static str] {
    match program {
        ReviewProgram::Copilot => &["copilot-pull-request-reviewer", "copilot"],
        ReviewProgram::Coderabbit => &["coderabbitai"],
    }
}

fn is_program(program: ReviewProgram, login: &str, bot: bool) -> bool {
    let bare = login.strip_suffix("[bot]").unwrap_or(login).to_ascii_lowercase();
    // A person may call themselves nearly anything; the forge tells apps apart.
    bot && logins(program).contains(&bare.as_str())
}

fn program_says(program: ReviewProgram, evidence: &Evidence, over: bool) -> Reviewer {
    let head = &evidence.pull.head_commit;
    let by = |review: &&Said| {
        let author = review.author.as_ref();
        author.is_some_and(|author| is_program(program, author.login.as_str(), author.bot))
            && review.state != ReviewState::Pending
    };
    let all: Vec<_> = evidence.reviews.iter().filter(by).collect();
    let newest = all.iter().rev().find(|review| review.commit.is_some());
    let at_head = all.iter().rev().find(|review| review.commit.as_ref() == Some(head));
    let signal = match program {
        ReviewProgram::Copilot => None,
        ReviewProgram::Coderabbit => coderabbit_signal(evidence),
    };
    let (mut outcome, why) = match (at_head, signal) {
        (Some(review), _) if review.state == ReviewState::ChangesRequested => {
            (ReviewOutcome::Fail, "it asks for changes".to_owned())
        }
        (_, Some(Signal::Red)) => (ReviewOutcome::Fail, "its check is red".into()),
        (Some(review), _) if review.state == ReviewState::Dismissed => {
            (ReviewOutcome::Unavailable, "its review was dismissed".into())
        }
        (Some(review), _) if gave_up(&review.body) => {
            (ReviewOutcome::Unavailable, "it says that it could not review".into())
        }
        (Some(_), _) => (ReviewOutcome::Pass, "it reviewed the head commit".into()),
        (None, Some(Signal::Green)) => (ReviewOutcome::Pass, "its check is green at the head commit".into()),
        (None, Some(Signal::Running)) => (ReviewOutcome::Waiting, "it is at work".into()),
        (None, Some(Signal::Unavailable(why))) => (ReviewOutcome::Unavailable, why.into()),
        (None, None) => match (evidence.asked.get(&program), newest) {
            (Some(Asked::No(why)), _) => (ReviewOutcome::Unavailable, format!("not asked: {why}")),
            (_, Some(_)) => (ReviewOutcome::Waiting, "it reviewed an older commit, not the head".into()),
            (Some(Asked::Yes(_)), None) => (ReviewOutcome::Waiting, "it has not answered".into()),
            (None, None) => (ReviewOutcome::Unavailable, "it was not asked".into()),
        },
    };
    if over && outcome == ReviewOutcome::Waiting {
        outcome = ReviewOutcome::Unavailable;
    }
    let asked = evidence.asked.get(&program).map(|asked| match asked {
        Asked::Yes(how) => how.clone(),
        Asked::No(why) => format!("not asked: {why}"),
    });
    Reviewer {
        name: program.as_str().into(),
        is_person: false,
        asked,
        at: at_head.or(newest).and_then(|review| review.commit.clone()),
        outcome,
        why,
    }
}

/// What a program writes where it did not review; a wording, so it only ever takes a yes away.
fn gave_up(body: &str) -> bool {
    let body = body.to_ascii_lowercase();
    ["unable to review", "wasn't able to review", "was not able to review", "review skipped", "rate limit"]
        .iter()
        .any(|words| body.contains(words))
}

enum Signal {
    Green,
    Red,
    Running,
    Unavailable(&'static str),
}

/// CodeRabbit's check run or status, from its own app alone.
fn coderabbit_signal(evidence: &Evidence) -> Option<Signal> {
    let run = evidence.checks.iter().find(|check| {
        check.app.as_deref() == Some("coderabbitai")
            && check.name == "CodeRabbit"
            && check.commit == evidence.pull.head_commit
    });
    if let Some(run) = run {
        let said = gave_up(run.title.as_deref().unwrap_or_default());
        return Some(match run.conclusion {
            None => Signal::Running,
            Some(_) if said => Signal::Unavailable("it did not review: skipped, or its limit is reached"),
            Some(Conclusion::Success) => Signal::Green,
            Some(Conclusion::Neutral | Conclusion::Skipped | Conclusion::Stale | Conclusion::Cancelled) => {
                Signal::Unavailable("its check ended without a result")
            }
            Some(_) => Signal::Red,
        });
    }
    let own = |status: &&CommitStatus| {
        let creator = status.creator.as_ref();
        status.context == "CodeRabbit"
            && creator.is_some_and(|by| is_program(ReviewProgram::Coderabbit, by.login.as_str(), by.bot))
    };
    let status = evidence.statuses.iter().find(own)?;
    let said = gave_up(status.description.as_deref().unwrap_or_default());
    Some(match status.state {
        StatusState::Pending => Signal::Running,
        _ if said => Signal::Unavailable("it did not review: skipped, or its limit is reached"),
        StatusState::Success => Signal::Green,
        StatusState::Failure => Signal::Red,
        StatusState::Error => Signal::Unavailable("its status says that it failed"),
    })
}

/// What people say who may write: the newest of their reviews that is more than a comment.
fn people_say(evidence: &Evidence) -> Vec<Reviewer> {
    let mut newest: BTreeMap<u64, (&Actor, &Said)> = BTreeMap::new();
    for review in &evidence.reviews {
        let decides = matches!(
            review.state,
            ReviewState::Approved | ReviewState::ChangesRequested | ReviewState::Dismissed
        );
        if let Some(author) = review.author.as_ref().filter(|author| decides && !author.bot) {
            newest.insert(author.id, (author, review));
        }
    }
    let author = evidence.pull.author.as_ref().map(|author| author.id);
    let head = &evidence.pull.head_commit;
    newest
        .into_values()
        .map(|(actor, review)| {
            let may = evidence
                .standing
                .get(&actor.id)
                .is_some_and(|standing| is_enough(*standing, Permitted::Write));
            let own = Some(actor.id) == author || Some(actor.id) == evidence.requester;
            let (outcome, why) = match review.state {
                _ if !may => {
                    (ReviewOutcome::Unavailable, "may not write to the repository, so it does not count")
                }
                // Whoever it is from: a person who may write wants it changed.
                ReviewState::ChangesRequested => (ReviewOutcome::Fail, "asks for changes"),
                ReviewState::Dismissed => (ReviewOutcome::Unavailable, "the review was dismissed"),
                _ if own => {
                    (ReviewOutcome::Unavailable, "asked for the change or opened it, so it does not count")
                }
                _ if review.commit.as_ref() != Some(head) => {
                    (ReviewOutcome::Unavailable, "approved an older commit, not the head")
                }
                _ => (ReviewOutcome::Pass, "approved the head commit"),
            };
            Reviewer {
                name: actor.login.as_str().into(),
                is_person: true,
                asked: None,
                at: review.commit.clone(),
                outcome,
                why: why.into(),
            }
        })
        .collect()
}

fn check_says(check: &str, evidence: &Evidence, over: bool) -> GateCheck {
    let (app, name) = check.split_once(':').unwrap_or(("", check));
    let head = &evidence.pull.head_commit;
    let named: Vec<_> =
        evidence.checks.iter().filter(|run| run.name == name && &run.commit == head).collect();
    let red = |conclusion: Conclusion| {
        !matches!(conclusion, Conclusion::Success | Conclusion::Neutral | Conclusion::Skipped)
    };
    let mut others: BTreeSet<&str> = BTreeSet::new();
    let (mut green, mut running, mut not_run) = (false, false, false);
    for run in &named {
        let by = run.app.as_deref().unwrap_or("an unknown app");
        match run.conclusion {
            Some(conclusion) if red(conclusion) => {
                let why = format!("{} by {by}", conclusion.as_str());
                return GateCheck { app: app.into(), name: name.into(), outcome: ReviewOutcome::Fail, why };
            }
            _ if run.app.as_deref() != Some(app) => {
                others.insert(by);
            }
            None => running = true,
            Some(Conclusion::Success) => green = true,
            Some(_) => not_run = true,
        }
    }
    let status = evidence.statuses.iter().find(|status| status.context == name);
    let red_status = status.is_some_and(|s| matches!(s.state, StatusState::Error | StatusState::Failure));
    let missing = if over { ReviewOutcome::Unavailable } else { ReviewOutcome::Waiting };
    let (outcome, why) = match () {
        () if red_status => (ReviewOutcome::Fail, "a status of the same name is red".to_owned()),
        // A second run of the same name and app that is not there yet, or did not run, makes a green one doubtful.
        () if running => (missing, "still running".to_owned()),
        () if not_run => (ReviewOutcome::Fail, "skipped or neutral, which is not green".into()),
        () if green => (ReviewOutcome::Pass, "green".into()),
        () if !others.is_empty() => {
            let by = others.into_iter().collect::<Vec<_>>().join(", ");
            (missing, format!("made by {by}, and not by the app that has to"))
        }
        () => (missing, "not there".into()),
    };
    GateCheck { app: app.into(), name: name.into(), outcome, why }
}

/// Returns what is not resolved, and how much more there is that counts.
fn findings(evidence: &Evidence, programs: &[ReviewProgram]) -> (Vec<ReviewFinding>, usize) {
    // Discussions know logins alone; they are matched with accounts whose standing was asked.
    let may_write: BTreeSet<String> = evidence
        .reviews
        .iter()
        .filter_map(|review| review.author.as_ref())
        .chain(evidence.pull.author.as_ref())
        .filter(|actor| {
            evidence.standing.get(&actor.id).is_some_and(|standing| is_enough(*standing, Permitted::Write))
        })
        .map(|actor| actor.login.as_str().to_ascii_lowercase())
        .collect();
    let (mut findings, mut more) = (Vec::new(), 0);
    // Outdated is not resolved: the lines moved, the question may still be open.
    for thread in evidence.threads.iter().filter(|thread| !thread.resolved) {
        let Some(first) = thread.comments.first() else { continue };
        let login = first.author.as_ref().map(Login::as_str);
        let counts = login.is_some_and(|login| {
            programs.iter().any(|program| is_program(*program, login, first.bot))
                || (!first.bot && may_write.contains(&login.to_ascii_lowercase()))
        });
        if findings.len() == MAX_FINDINGS {
            more += usize::from(counts);
            continue;
        }
        findings.push(ReviewFinding {
            by: login.unwrap_or("a deleted account").into(),
            counts,
            path: Some(one_line(&thread.path)),
            line: thread.line,
            text: cut(&strip(&first.body).0),
        });
    }
    (findings, more)
}

fn one_line(text: &str) -> String {
    cut(&strip(text).0.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn cut(text: &str) -> String {
    let text = text.trim();
    if text.chars().count() <= MAX_TEXT {
        return text.to_owned();
    }
    text.chars().take(MAX_TEXT).chain(['…']).collect()
}
