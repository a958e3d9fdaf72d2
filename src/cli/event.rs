//! The event of a forge that a command is started by: from flags, or from the runner it runs on.
//!
//! Must never take an event that nobody asked it to take: on a laptop only the flags name one.

use std::borrow::Cow;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandError;
use super::error::UsageError;
use super::output::Output;
use crate::artifact::types::event::Event;
use crate::artifact::types::task::Assignment;
use crate::config::Config;
use crate::config::env::Environment;
use crate::diagnostic::redact::redact;
use crate::stage::Request;
use crate::stage::intake;

/// Which event.
#[derive(Clone, Debug, Default, Args)]
pub struct EventArgs {
    /// The payload of an event of GitHub; on a runner it is found without
    #[arg(long, value_name = "FILE", requires = "event_name")]
    pub event: Option<PathBuf>,
    /// The kind of that event, as `issues` or `issue_comment`
    #[arg(long, value_name = "NAME", requires = "event")]
    pub event_name: Option<String>,
}

/// Returns the event that is named, or that the runner was started by; `None` where there is neither.
pub fn find(
    args: &EventArgs,
    environment: &Environment,
    config: &Config,
    output: &Output,
) -> Result<Option<Event>, CommandError> {
    let (path, name) = match (&args.event, &args.event_name) {
        (Some(path), Some(name)) => (path.clone(), name.clone()),
        _ if environment.is_github() => match (environment.github_event(), environment.github_event_name()) {
            (Some(path), Some(name)) => (path, name),
            _ => return Ok(None),
        },
        _ => return Ok(None),
    };
    let kind = intake::event::kind(&name)?;
    let mut event = intake::event::read(kind, &payload(&path)?, &config.intake)?;
    let mut masked = false;
    for words in &mut event.texts {
        if let Cow::Owned(text) = redact(&words.text) {
            words.text = text;
            masked = true;
        }
    }
    if masked {
        output.note("the request held something that looks like a credential; it is masked and goes nowhere");
    }
    Ok(Some(event))
}

/// Returns the request that an event makes.
pub fn request(event: Event, assignment: Assignment) -> Request {
    let (text, channel) = (event.text(), intake::channel(&event));
    Request { event: Some(event), ..Request::new(text, channel, assignment) }
}

fn payload(path: &Path) -> Result<Vec<u8>, CommandError> {
    let refused = |why: String| UsageError {
        what: format!("the event {} {why}", path.display()),
        help: "Name the file of GITHUB_EVENT_PATH as GitHub wrote it.".into(),
    };
    let most = intake::event::MAX_PAYLOAD as u64;
    let is_file = fs::metadata(path).map_err(|error| refused(format!("cannot be read: {error}")))?.is_file();
    if !is_file {
        return Err(refused("is no regular file".into()).into());
    }
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|error| refused(format!("cannot be read: {error}")))?;
    Ok(bytes)
}
