//! `orch policy check`: files against policies.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::RegoVersion;
use crate::cli::CommandError;
use crate::cli::args::Format;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::conftest::check::{Request, check};
use crate::conftest::input::Parser;
use crate::conftest::outcome::Totals;
use crate::conftest::render::{Form, Style, render};
use crate::rego::limit::Limits;

/// Check configuration files against Rego policies, by conftest's conventions
///
/// Exit codes are conftest's: 0 when nothing failed, 1 for failures; with --fail-on-warn 2 for failures and 1 for warnings. A rule
/// that does not answer (an error, a limit, a builtin that is refused) is a failure with its name.
#[derive(Debug, Args)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own on the command line")]
pub struct CheckArgs {
    /// Files and folders to check; `-` is standard input
    #[arg(required = true)]
    files: Vec<String>,
    /// Files and folders with policies
    #[arg(short, long, default_value = "policy")]
    policy: Vec<PathBuf>,
    /// Files and folders with data (.json, .yaml); folders become keys
    #[arg(short, long)]
    data: Vec<PathBuf>,
    /// A folder with the schemas that annotations name, as `schema.input` for `input.json`: rules are held to them
    #[arg(long)]
    schema: Option<PathBuf>,
    /// Judge by the rules of this namespace; `*`, `?` and `[...]` are patterns
    #[arg(short, long, default_value = "main")]
    namespace: Vec<String>,
    /// Judge by the rules of every namespace
    #[arg(long)]
    all_namespaces: bool,
    /// Give all files to the rules at once
    #[arg(long)]
    combine: bool,
    /// End with 1 on warnings and with 2 on failures
    #[arg(long)]
    fail_on_warn: bool,
    /// End with 0 whatever was found
    #[arg(long)]
    no_fail: bool,
    /// The version of Rego the policies are written in; told from each file when not said
    #[arg(long, value_enum, ignore_case = true)]
    rego_version: Option<RegoVersion>,
    /// Read every file with this parser
    #[arg(long)]
    parser: Option<String>,
    /// Leave out files below folders whose path fits this regular expression
    #[arg(long)]
    ignore: Option<String>,
    /// What standard input is called in the report
    #[arg(long)]
    stdin_filename: Option<String>,
    /// Show which rule was asked and what it answered
    #[arg(long)]
    trace: bool,
    /// The form of the report
    #[arg(short, long, value_enum)]
    output: Option<Form>,
    /// Do not list exceptions
    #[arg(long)]
    suppress_exceptions: bool,
    /// Name JUnit cases by the file alone
    #[arg(long)]
    junit_hide_message: bool,
    /// Write no group of GitHub for files that passed
    #[arg(long)]
    github_hide_passed: bool,
    /// What an error of a builtin means: `deny`, or `undefined` as in OPA, which can make a deny vanish
    #[arg(long, value_enum, default_value_t = BuiltinErrors::Deny)]
    builtin_errors: BuiltinErrors,
    /// The seconds one rule may take for one input
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// The largest input, in MB
    #[arg(long, default_value_t = 64, value_parser = clap::value_parser!(u64).range(1..=1024))]
    max_input: u64,
    /// The memory of the whole check, in MB
    #[arg(long, default_value_t = 4096, value_parser = clap::value_parser!(u64).range(64..))]
    max_memory: u64,
}

/// What an error of a builtin means.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum BuiltinErrors {
    /// The rule fails.
    Deny,
    /// The expression is undefined.
    Undefined,
}

/// Checks, reports, and ends the process as soon as the report is written: a rule that hangs is not waited for.
pub fn run(args: &CheckArgs, output: &Output) -> Result<u8, CommandError> {
    let request = request(args)?;
    let report = check(&request)?;
    let totals = Totals::of(&report.outcomes);
    let exit = totals.exit(args.fail_on_warn, args.no_fail);
    let form = args.output.unwrap_or(if output.format == Format::Json { Form::Json } else { Form::Stdout });
    let style = Style {
        suppress_exceptions: args.suppress_exceptions,
        junit_hide_message: args.junit_hide_message,
        github_hide_passed: args.github_hide_passed,
        trace: args.trace,
    };
    let silent = output.is_quiet() && form == Form::Stdout && totals.failures + totals.warnings == 0;
    if !silent {
        output.print(|out| render(&report, form, style, out))?;
    }
    if report.outcomes.iter().all(|o| o.total() == 0) {
        output.note("no rule of these policies judged anything: is the namespace right? (--all-namespaces)");
    }
    Ok(exit)
}

fn request(args: &CheckArgs) -> Result<Request, UsageError> {
    let parser = args.parser.as_deref().map(|name| {
        Parser::named(name).ok_or_else(|| UsageError {
            what: format!("there is no parser `{name}`"),
            help: format!("The parsers are {}.", Parser::ALL.map(Parser::name).join(", ")),
        })
    });
    let ignore = args.ignore.as_deref().filter(|i| !i.is_empty()).map(|pattern| {
        regex::Regex::new(pattern).map_err(|e| UsageError {
            what: format!("`{pattern}` is no regular expression: {e}"),
            help: "Mend --ignore.".into(),
        })
    });
    Ok(Request {
        files: args.files.clone(),
        policies: args.policy.clone(),
        data: args.data.clone(),
        namespaces: args.namespace.clone(),
        all_namespaces: args.all_namespaces,
        combine: args.combine,
        parser: parser.transpose()?,
        version: args.rego_version.map(Into::into),
        ignore: ignore.transpose()?,
        stdin_filename: args.stdin_filename.clone(),
        schema: args.schema.clone(),
        lenient: args.builtin_errors == BuiltinErrors::Undefined,
        limits: Limits {
            rule: Duration::from_secs(args.timeout),
            input_bytes: usize::try_from(args.max_input << 20).unwrap_or(usize::MAX),
            memory_bytes: args.max_memory << 20,
        },
    })
}
