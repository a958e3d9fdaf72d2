//! The answer to a command: one comment for each question, brought up to date instead of written again.
//!
//! Must never hold text of others that was not made harmless, and must never change a comment of somebody else.

use std::fmt::Write as _;

use crate::artifact::digest::Digest;
use crate::artifact::id::RunId;
use crate::artifact::types::event::{Event, Intent};
use crate::artifact::types::plan::{FileRole, Plan, RiskLevel};
use crate::diagnostic::EXIT_CODES;
use crate::ports::forge::{Answer, Comment, ForgeRead, ForgeWrite, IssueNumber};
use crate::stage::pr::markdown::{code, text};

use super::Heard;

const START: &str = "<!-- orch-reply ";
const END: &str = " -->";
/// Longer lists are cut, and say so.
const MAX_ITEMS: usize = 50;
/// GitHub takes 65,536 characters.
const MOST: usize = 60_000;

/// What came of what was asked.
#[derive(Clone, Debug, Default)]
pub struct Ended {
    /// The exit code; absent where no job came as far.
    pub exit: Option<u8>,
    /// Why, one line.
    pub reason: Option<String>,
    /// The pull request.
    pub pull: Option<u64>,
    /// What was done, for `rerun` and `stop`.
    pub said: Option<String>,
    /// The run of orch.
    pub run: Option<RunId>,
    /// Where the workflow's run is read.
    pub log: Option<String>,
    /// The plan, where one was asked for.
    pub plan: Option<Plan>,
}

/// Returns the answer, Markdown; `None` where there is nothing to say.
pub fn answer(heard: &Heard, ended: &Ended) -> Option<String> {
    let page = match heard {
        Heard::Nothing { .. } => return None,
        Heard::Teach { text, .. } => text.clone(),
        Heard::Go(intent) => went(intent, ended),
    };
    Some(page.chars().take(MOST).collect())
}

fn went(intent: &Intent, ended: &Ended) -> String {
    let mut page = match (intent, ended.exit, &ended.said) {
        (Intent::Rerun { .. } | Intent::Stop, _, Some(said)) => text(said),
        (_, None, _) => format!("`/orch {}` did not come to an end.", intent.as_str()),
        (Intent::Plan, Some(0), _) => "This is the plan. `/orch run` makes the change.".to_owned(),
        (Intent::Approve { .. }, Some(0), _) => "Approved. The pull request goes on.".to_owned(),
        (_, Some(0), _) => match ended.pull {
            Some(number) => format!("Done: pull request #{number}."),
            None => "Done.".to_owned(),
        },
        (_, Some(4), _) => match ended.pull {
            Some(number) => format!(
                "Pull request #{number} waits for a person: the digest to approve is in its text, for `/orch approve DIGEST`."
            ),
            None => "This waits for a person.".to_owned(),
        },
        (_, Some(code), _) => {
            let meaning = EXIT_CODES.iter().find(|exit| exit.code == code).map_or("", |exit| exit.meaning);
            format!("`/orch {}` ended with {code}: {}.", intent.as_str(), meaning.trim_end_matches('.'))
        }
    };
    page.push('\n');
    if let Some(reason) = ended.reason.as_deref().filter(|reason| !reason.is_empty() && ended.exit != Some(0))
    {
        let _ = writeln!(page, "\n{}", text(reason));
    }
    if let (Intent::Plan, Some(plan)) = (intent, &ended.plan) {
        show(plan, &mut page);
    }
    let mut footer = Vec::new();
    footer.extend(ended.run.as_ref().map(|run| format!("run {}", code(run.as_str()))));
    footer.extend(ended.log.as_ref().map(|log| format!("[log]({log})")));
    if !footer.is_empty() {
        let _ = writeln!(page, "\n<sub>{}</sub>", footer.join(" · "));
    }
    page
}

fn show(plan: &Plan, page: &mut String) {
    let _ = writeln!(page, "\n{}", text(&plan.summary));
    section(page, "Steps", plan.steps.iter().map(|step| text(step)));
    section(
        page,
        "Files",
        plan.files.iter().map(|file| {
            let (is, role) = (if file.exists { "changed" } else { "new" }, file.role);
            format!(
                "{} ({is}{})",
                code(file.path.as_str()),
                if role == FileRole::Test { ", test" } else { "" }
            )
        }),
    );
    section(page, "What must hold afterwards", plan.criteria.iter().map(|one| text(&one.text)));
    section(
        page,
        "Risks",
        plan.risks.iter().map(|risk| {
            let level = match risk.level {
                RiskLevel::Low => "low",
                RiskLevel::Medium => "medium",
                RiskLevel::High => "high",
            };
            format!("{level}: {} {}", text(&risk.text), text(&risk.mitigation))
        }),
    );
}

fn section(page: &mut String, title: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    if items.is_empty() {
        return;
    }
    let _ = writeln!(page, "\n**{title}**\n");
    for item in items.iter().take(MAX_ITEMS) {
        let _ = writeln!(page, "- {item}");
    }
    if let Some(more) = items.len().checked_sub(MAX_ITEMS).filter(|more| *more > 0) {
        let _ = writeln!(page, "- and {more} more");
    }
}

/// Returns the hidden line by which an answer is found again: one for each event, or for each account and reason.
pub fn mark(event: &Event, heard: &Heard) -> String {
    let of = match heard {
        Heard::Teach { text, once: true } => {
            let account = event.actor.as_ref().map(|actor| actor.id).unwrap_or_default();
            Digest::of(format!("{account}\n{text}"))
        }
        _ => event.payload.clone(),
    };
    format!("{START}{of}{END}")
}

/// What was done about a comment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Posted {
    /// It was written.
    Created,
    /// It was brought up to date.
    Edited,
    /// It was there as it should be.
    Unchanged,
}

/// Writes an answer, or brings the one that is there up to date.
pub fn post(
    read: &dyn ForgeRead,
    write: &dyn ForgeWrite,
    issue: IssueNumber,
    mark: &str,
    answer: &str,
) -> Answer<Posted> {
    let body = format!("{}\n\n{mark}", answer.trim_end());
    let who = read.identity()?;
    let bare = |login: &str| login.strip_suffix("[bot]").unwrap_or(login).to_ascii_lowercase();
    let own = |comment: &&Comment| {
        let author = comment.author.as_ref();
        match &who.login {
            Some(login) => author.is_some_and(|author| bare(author.login.as_str()) == bare(login.as_str())),
            // Nobody tells who the token is, so it is no person's.
            None => author.is_some_and(|author| author.bot),
        }
    };
    // Anybody can write our mark into a comment of their own; that is none of ours.
    let all = read.comments(issue, None)?;
    let there = all.iter().filter(own).find(|comment| comment.body.trim_end().ends_with(mark));
    match there {
        Some(comment) if comment.body.replace("\r\n", "\n").trim_end() == body.trim_end() => {
            Ok(Posted::Unchanged)
        }
        Some(comment) => write.edit_comment(comment.id, &body).map(|_| Posted::Edited),
        None => write.add_comment(issue, &body).map(|_| Posted::Created),
    }
}
