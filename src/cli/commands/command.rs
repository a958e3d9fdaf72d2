//! `orch command`: commands in comments, for the jobs of a workflow that carry them out.

use clap::{Args, Subcommand};

use crate::artifact::envelope::Envelope;
use crate::artifact::kind::slot;
use crate::artifact::store::ArtifactStore as _;
use crate::artifact::types::event::{Event, Intent};
use crate::artifact::types::plan::Plan;
use crate::cli::args::{Format, Global};
use crate::cli::error::UsageError;
use crate::cli::event::{self, EventArgs};
use crate::cli::output::Output;
use crate::cli::session::{self, Session};
use crate::cli::{CommandError, outputs};
use crate::conversation::find::{Found, Here, runs};
use crate::conversation::reply::{Ended, answer, mark, post};
use crate::conversation::{Heard, act, hear};
use crate::diagnostic::Class;
use crate::ports::forge::github::GitHub;
use crate::ports::forge::{ForgeRead as _, IssueNumber};

/// Carry out a command that somebody wrote into a comment
///
/// Each of the three is one job of a workflow, with rights of its own, and each asks the forge anew whether whoever wrote the
/// command may: no job believes another one. `orch event` tells what an event asks for, without a forge.
#[derive(Debug, Args)]
pub struct CommandArgs {
    #[command(subcommand)]
    what: What,
    #[command(flatten)]
    which: EventArgs,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Tell what is asked for, whether it may be, and which run it is about
    Read,
    /// Stop a run, or run a stage once more
    Act,
    /// Answer the comment, once
    Reply(ReplyArgs),
}

#[derive(Debug, Args)]
struct ReplyArgs {
    /// How what was asked for ended
    #[arg(long, value_name = "CODE")]
    exit: Option<u8>,
    /// Why it ended so
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
    /// The number of the pull request
    #[arg(long, value_name = "N")]
    pull: Option<u64>,
    /// What was done by `orch command act`
    #[arg(long, value_name = "TEXT")]
    said: Option<String>,
}

/// Reads, acts or answers.
pub fn run(args: &CommandArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let session = Session::open(global)?;
    let found = event::find(&args.which, session.environment(), &session.config, output)?;
    let Some(event) = found else {
        return Err(UsageError {
            what: "there is no event".into(),
            help:
                "Run in a workflow, or name one: orch command --event FILE --event-name issue_comment read."
                    .into(),
        }
        .into());
    };
    let heard = hear(&event, session.hub(), &session.config)?;
    match &args.what {
        What::Read => read(&session, &event, &heard, output),
        What::Act => acted(&session, &event, &heard, output),
        What::Reply(args) => reply(args, &session, &event, &heard, global, output),
    }
}

/// Tells a workflow which job is next, and with which files.
fn read(session: &Session, event: &Event, heard: &Heard, output: &Output) -> Result<u8, CommandError> {
    let mut values = vec![("intent", heard.word().to_owned()), ("exit", heard.exit().to_string())];
    let mut exit = heard.exit();
    let mut reason = match heard {
        Heard::Nothing { why } => Some(why.clone()),
        Heard::Teach { text, .. } => text.lines().next().map(str::to_owned),
        Heard::Go(_) => None,
    };
    if let Heard::Go(Intent::Approve { .. }) = heard {
        let all = found(session, event)?;
        let whole = |one: &&Found| one.run.is_some() && !one.up_to_the_verdict().is_empty();
        if let Some(one) = all.iter().find(whole) {
            values.push(("from-run", one.workflow.id.to_string()));
            values.push(("parts", one.up_to_the_verdict()));
            values.push(("run-id", one.run.as_ref().map(ToString::to_string).unwrap_or_default()));
        } else {
            // Nobody approves what nobody can look at.
            exit = Class::Usage.exit_code();
            let why = "the files of the run are not there any more, or were made by another workflow";
            reason = Some(why.to_owned());
            values[1].1 = exit.to_string();
            values[0].1 = "lost".into();
        }
    }
    if let Some(reason) = &reason {
        values.push(("reason", reason.clone()));
    }
    outputs::write_values(&values, output);
    match output.format {
        Format::Json => {
            let document: serde_json::Map<String, serde_json::Value> =
                values.iter().map(|(name, value)| ((*name).to_owned(), value.clone().into())).collect();
            output.print_json_line(&serde_json::Value::Object(document))?;
        }
        Format::Human => output.print(|out| {
            writeln!(out, "{}", values[0].1)?;
            reason.iter().try_for_each(|why| writeln!(out, "{why}"))
        })?,
    }
    Ok(exit)
}

fn acted(session: &Session, event: &Event, heard: &Heard, output: &Output) -> Result<u8, CommandError> {
    let done = match heard {
        Heard::Go(Intent::Stop) => act::stop(&found(session, event)?, hub(session)?)?,
        Heard::Go(Intent::Rerun { stage }) => {
            let hub = hub(session)?;
            act::rerun(*stage, &found(session, event)?, hub, hub)?
        }
        _ => act::Acted { said: "There is nothing to stop or to run once more.".into(), done: false },
    };
    let exit = if done.done { 0 } else { Class::Nothing.exit_code() };
    outputs::write_values(&[("exit", exit.to_string()), ("said", done.said.clone())], output);
    output.show(&done.said, |out| writeln!(out, "{}", done.said))?;
    Ok(exit)
}

fn reply(
    args: &ReplyArgs,
    session: &Session,
    event: &Event,
    heard: &Heard,
    global: &Global,
    output: &Output,
) -> Result<u8, CommandError> {
    // Nobody waits for an answer where nobody wrote.
    let Some(subject) = &event.subject else { return Ok(Class::Nothing.exit_code()) };
    let text = |text: &Option<String>| text.clone().filter(|text| !text.trim().is_empty());
    let mut ended = Ended {
        exit: args.exit,
        reason: text(&args.reason),
        pull: args.pull,
        said: text(&args.said),
        log: log(session),
        ..Ended::default()
    };
    if let (Heard::Go(_), Ok(run)) = (heard, session::find_run(global, None)) {
        let bytes = run.store.read(slot::PLAN.path)?;
        ended.plan = bytes.and_then(|bytes| Envelope::<Plan>::from_bytes(&bytes).ok()).map(|plan| plan.body);
        ended.run = Some(run.run);
    }
    let Some(answer) = answer(heard, &ended) else { return Ok(Class::Nothing.exit_code()) };
    let hub = hub(session)?;
    let done = post(hub, hub, IssueNumber(subject.number), &mark(event, heard), &answer)?;
    let word = format!("{done:?}").to_lowercase();
    output.show(&word, |out| writeln!(out, "The answer on {} is {word}.", subject.number))?;
    Ok(0)
}

/// Returns where the workflow's run is read.
fn log(session: &Session) -> Option<String> {
    let environment = session.environment();
    let run: u64 = environment.github_run()?.parse().ok()?;
    Some(format!("{}/actions/runs/{run}", environment.repository()?))
}

fn hub(session: &Session) -> Result<&GitHub, CommandError> {
    session.github().ok_or_else(|| {
        UsageError {
            what: "there is no forge to ask".into(),
            help: "Set GITHUB_TOKEN in `env` of the step.".into(),
        }
        .into()
    })
}

/// Returns the runs of this workflow that the command may mean.
fn found(session: &Session, event: &Event) -> Result<Vec<Found>, CommandError> {
    let hub = hub(session)?;
    let environment = session.environment();
    let names = environment.github_workflow().zip(environment.github_run()).zip(hub.slug());
    let branch = hub.repository()?.default_branch;
    let here = names
        .map(|((workflow, run), slug)| Here::read(&workflow, &run, slug, branch, hub))
        .transpose()?
        .flatten();
    let here = here.ok_or_else(|| UsageError {
        what: "it is not known which workflow this is".into(),
        help: "Run in GitHub Actions, which sets GITHUB_WORKFLOW_REF and GITHUB_RUN_ID.".into(),
    })?;
    Ok(runs(event, &here, hub, hub)?)
}
