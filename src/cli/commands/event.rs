//! `orch event`: what an event of a forge asks for.

use clap::Args;

use crate::artifact::types::event::{Event, Intent};
use crate::cli::CommandError;
use crate::cli::args::{Format, Global};
use crate::cli::error::UsageError;
use crate::cli::event::{self, EventArgs};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::config::env::Environment;
use crate::diagnostic::Class;
use crate::diagnostic::text::plain;
use crate::stage::intake;

/// Tell what an event of GitHub asks for
///
/// Reads the event a workflow was started by, or the one that --event names, and says in one word what it asks for: plan,
/// run, approve, rerun, stop, unknown or nothing. With --admit it asks the forge whether whoever asked may, and whether the
/// comment and the issue still read as they did. Ends with 78 where there is nothing to do.
#[derive(Debug, Args)]
pub struct EventCommandArgs {
    #[command(flatten)]
    which: EventArgs,
    /// Ask the forge whether whoever asked may; ends with 3 if not
    #[arg(long)]
    admit: bool,
}

/// Reads the event, says what it asks for.
pub fn run(args: &EventCommandArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let session = Session::open(global)?;
    let found = event::find(&args.which, &Environment::of_process(), &session.config, output)?;
    let Some(event) = found else {
        return Err(UsageError {
            what: "there is no event".into(),
            help: "Name one: orch event --event FILE --event-name issue_comment.".into(),
        }
        .into());
    };
    let idle = matches!(event.intent, Intent::Nothing { .. } | Intent::Unknown { .. });
    if args.admit && !idle {
        let rights = match event.intent {
            // Approvals have a permission of their own, and no program gives one.
            Intent::Approve { .. } => crate::config::Intake {
                allow: session.config.approve.allow,
                bots: Vec::new(),
                ..session.config.intake.clone()
            },
            _ => session.config.intake.clone(),
        };
        intake::admitted(&event, session.hub(), &rights)?;
    }
    show(&event, output)?;
    Ok(if idle { Class::Nothing.exit_code() } else { 0 })
}

fn show(event: &Event, output: &Output) -> Result<(), CommandError> {
    match output.format {
        Format::Json => output.print_json_line(&serde_json::json!({
            "event": "forge-event", "intent": event.intent.as_str(), "document": event,
        })),
        Format::Human => output.print(|out| {
            writeln!(out, "{} asks for: {}", event.name, event.intent.as_str())?;
            match &event.intent {
                Intent::Nothing { why } => writeln!(out, "{why}")?,
                Intent::Unknown { reply } => writeln!(out, "\n{reply}")?,
                Intent::Rerun { stage } => writeln!(out, "stage {stage}")?,
                Intent::Approve { digest } => writeln!(out, "digest {digest}")?,
                Intent::Plan | Intent::Run | Intent::Stop => {}
            }
            if let Some(actor) = &event.actor {
                writeln!(out, "by {} (account {})", actor.login, actor.id)?;
            }
            for words in &event.texts {
                writeln!(out, "{}: {}", words.part.as_str(), plain(&words.text))?;
                for hidden in &words.hidden {
                    writeln!(out, "  taken out: {} {}", hidden.times, hidden.kind.as_str())?;
                }
            }
            Ok(())
        }),
    }
}
