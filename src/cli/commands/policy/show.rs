//! `orch policy show`: a verdict again, in any form.

use std::fs;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use clap::Args;

use crate::artifact::envelope::{Envelope, EnvelopeError};
use crate::artifact::kind::slot;
use crate::artifact::types::verdict::Verdict;
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::verdict::{Showing, show};
use crate::cli::{CommandError, session};
use crate::report::Report;
use crate::report::verdict::VerdictFormat;

/// Larger files are no verdicts.
const LARGEST: u64 = 256 << 20;

/// Show the verdict of a run, or one from a file, in any form
///
/// A file holds what `--as json` printed, or is the `policy/verdict.json` of a run. The exit code is 0 whatever the verdict.
#[derive(Debug, Args)]
pub struct ShowArgs {
    /// The file with the verdict; `-` is standard input. Absent: the verdict of a run
    #[arg(conflicts_with = "run")]
    file: Option<PathBuf>,
    /// The run: its id, the start of its id, or its folder; absent: the newest
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    #[command(flatten)]
    form: FormArgs,
}

/// The form of a verdict on the command line.
#[derive(Clone, Debug, Default, Args)]
pub struct FormArgs {
    /// The form; absent: text, and on a GitHub runner annotations and the step summary too
    #[arg(long = "as", value_enum, value_name = "FORM")]
    shape: Option<VerdictFormat>,
    /// Show every finding in full, however many there are
    #[arg(long)]
    full: bool,
    /// Leave what was set aside out of SARIF: GitHub would open alerts for it
    #[arg(long)]
    only_findings: bool,
}

impl FormArgs {
    /// Tells whether a form was asked for by name.
    pub const fn is_named(&self) -> bool {
        self.shape.is_some()
    }

    /// Returns how a verdict is to be shown.
    pub fn showing(&self) -> Showing<'static> {
        Showing { format: self.shape, full: self.full, only_findings: self.only_findings, source: None }
    }
}

/// Shows the verdict.
pub fn run(args: &ShowArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let verdict = match &args.file {
        Some(file) => parse(&read(file)?, file)?,
        None => of_run(global, args.run.as_deref())?,
    };
    show(&verdict, args.form.showing(), output)?;
    Ok(0)
}

fn of_run(global: &Global, name: Option<&str>) -> Result<Verdict, CommandError> {
    let found = session::find_run(global, name)?;
    Report::read(&found.store, &found.run)?.verdict.ok_or_else(|| {
        UsageError {
            what: format!("the run `{}` has no {}", found.run, slot::VERDICT.path),
            help: "Its policy stage has not run; `orch stage policy` runs it.".into(),
        }
        .into()
    })
}

fn read(file: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let from: io::Result<Box<dyn io::Read>> = if file == Path::new("-") {
        Ok(Box::new(io::stdin()))
    } else {
        fs::File::open(file).map(|open| Box::new(open) as _)
    };
    from.and_then(|from| from.take(LARGEST).read_to_end(&mut bytes))
        .map_err(|source| IoError { what: format!("read {}", file.display()), source })?;
    Ok(bytes)
}

/// A file is an artifact with its envelope, or the verdict alone.
fn parse(bytes: &[u8], file: &Path) -> Result<Verdict, CommandError> {
    let alone = serde_json::from_slice::<Verdict>(bytes);
    let why = match (alone, Envelope::<Verdict>::from_bytes(bytes)) {
        (Ok(verdict), _) => return Ok(verdict),
        (_, Ok(envelope)) => return Ok(envelope.body),
        // Of no envelope at all, what the verdict lacks says more.
        (Err(alone), Err(EnvelopeError::Unreadable { .. })) => alone.to_string(),
        (_, Err(error)) => error.to_string(),
    };
    Err(UsageError {
        what: format!("{} holds no verdict: {why}", file.display()),
        help: "Name the policy/verdict.json of a run, or a file that `--as json` wrote.".into(),
    }
    .into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_verdict_is_refused() {
        for text in ["", "{}", "[]", "{\"kind\":\"task\"}", "\u{0}"] {
            let error = parse(text.as_bytes(), Path::new("x.json")).unwrap_err();
            assert_eq!(error.exit_code(), 2, "{text}");
        }
    }
}
