//! `orch explain`: the page of a code.

use clap::Args;
use serde::Serialize;

use crate::cli::CommandError;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::diagnostic::explain;

/// Explain the code of a finding or reason; without a code, list them
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code, as `paths/protected` or `verify/already-passes`
    code: Option<String>,
}

#[derive(Serialize)]
struct Page<'a> {
    code: &'a str,
    page: &'a str,
}

/// Prints the page, or the list.
pub fn run(args: &ExplainArgs, output: &Output) -> Result<u8, CommandError> {
    let Some(code) = &args.code else {
        let codes: Vec<String> = explain::codes().iter().map(ToString::to_string).collect();
        output.show(&codes, |out| codes.iter().try_for_each(|code| writeln!(out, "{code}")))?;
        return Ok(0);
    };
    page(code, output)
}

/// Prints the page of a code.
pub fn page(code: &str, output: &Output) -> Result<u8, CommandError> {
    match explain::explain(code) {
        Ok(page) => output.show(&Page { code, page: &page }, |out| out.write_all(page.as_bytes()))?,
        Err(unknown) => {
            return Err(UsageError {
                what: unknown.to_string(),
                help: "`orch explain` without a code lists them all.".into(),
            }
            .into());
        }
    }
    Ok(0)
}
