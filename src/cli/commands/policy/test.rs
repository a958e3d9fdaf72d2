//! `orch policy test`: the tests of policies.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::RegoVersion;
use crate::cli::CommandError;
use crate::cli::args::Format;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::conftest::check::load;
use crate::conftest::data::{documents, schemas};
use crate::conftest::files::policies;
use crate::conftest::render::escape;
use crate::conftest::suite::{self, Coverage, TestResult};
use crate::diagnostic::text::plain;
use crate::rego::limit::Limits;
use crate::rego::policies::Options;

/// Run the tests of Rego policies: every rule named `test_*`
///
/// Ends with 0 when all passed, with 6 when a test failed, did not answer, or too few lines were covered.
#[derive(Debug, Args)]
pub struct TestArgs {
    /// Files and folders with policies and their tests
    #[arg(required = true)]
    paths: Vec<PathBuf>,
    /// Files and folders with data (.json, .yaml); folders become keys
    #[arg(short, long)]
    data: Vec<PathBuf>,
    /// A folder with the schemas that annotations name, as `schema.input` for `input.json`: rules are held to them
    #[arg(long)]
    schema: Option<PathBuf>,
    /// Run only tests whose full name fits this regular expression
    #[arg(short, long)]
    run: Option<String>,
    /// Tell which lines the tests ran
    #[arg(long)]
    coverage: bool,
    /// Fail when less than this percentage of lines ran
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=100))]
    threshold: Option<u32>,
    /// The seconds one test may take
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// The version of Rego the policies are written in; told from each file when not said
    #[arg(long, value_enum, ignore_case = true)]
    rego_version: Option<RegoVersion>,
    /// The form of the report
    #[arg(short, long, value_enum, default_value_t = Form::Pretty)]
    output: Form,
    /// List tests that passed too
    #[arg(short, long)]
    verbose: bool,
}

/// The form of a report of tests.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Form {
    /// Lines for people.
    Pretty,
    /// JSON.
    Json,
    /// JUnit XML.
    Junit,
}

#[derive(Serialize)]
struct Report {
    passed: usize,
    failed: usize,
    errors: usize,
    skipped: usize,
    tests: Vec<TestResult>,
    #[serde(skip_serializing_if = "Option::is_none")]
    coverage: Option<Vec<Coverage>>,
    /// In hundredths of a percent.
    #[serde(skip_serializing_if = "Option::is_none")]
    covered_basis_points: Option<u32>,
}

/// Runs the tests.
pub fn run(args: &TestArgs, output: &Output) -> Result<u8, CommandError> {
    let only = args.run.as_deref().map(regex::Regex::new).transpose().map_err(|e| UsageError {
        what: format!("--run is no regular expression: {e}"),
        help: "Write a part of the test's name.".into(),
    })?;
    let data = regorus::Value::from(documents(&args.data)?);
    let wants_coverage = args.coverage || args.threshold.is_some();
    let sources = policies(&args.paths)?;
    let version = args.rego_version.map(Into::into);
    let mut loaded = load(
        &sources,
        data.clone(),
        Options { version, split: false, coverage: false, whole: false, world: true },
    )?;
    loaded.hold_to(&schemas(args.schema.as_deref())?);
    let limits = Limits { rule: Duration::from_secs(args.timeout), ..Limits::default() };
    let tests = suite::run(&loaded, only.as_ref(), limits);
    let coverage = wants_coverage.then(|| -> Result<Vec<Coverage>, CommandError> {
        let counting = load(
            &sources,
            data,
            Options { version, split: false, coverage: true, whole: true, world: true },
        )?;
        Ok(suite::coverage(&counting, &tests, limits).map_err(|fault| UsageError {
            what: format!("the lines could not be counted: {fault}"),
            help: "Run without --coverage.".into(),
        })?)
    });
    let coverage = coverage.transpose()?;
    let count = |what: &str| tests.iter().filter(|t| t.outcome == what).count();
    let report = Report {
        passed: count("pass"),
        failed: count("fail"),
        errors: count("error"),
        skipped: count("skip"),
        covered_basis_points: coverage.as_deref().map(suite::share),
        coverage,
        tests,
    };
    let too_little =
        args.threshold.zip(report.covered_basis_points).is_some_and(|(want, got)| got < want * 100);
    match (args.output, output.format) {
        (Form::Json, _) | (Form::Pretty, Format::Json) => output.print_json(&report)?,
        (Form::Junit, _) => output.print(|out| write!(out, "{}", junit(&report)))?,
        (Form::Pretty, Format::Human) => {
            output.print(|out| write!(out, "{}", pretty(&report, args.verbose)))?;
        }
    }
    Ok(if report.failed + report.errors > 0 || report.tests.is_empty() || too_little { 6 } else { 0 })
}

fn pretty(report: &Report, verbose: bool) -> String {
    let mut text = String::new();
    for test in &report.tests {
        if test.outcome == "pass" && !verbose && test.note.is_none() {
            continue;
        }
        let name = plain(&format!("data.{}.{}", test.package, test.name));
        let _ =
            writeln!(text, "{}:{}: {name}: {}", plain(&test.file), test.line, test.outcome.to_uppercase());
        for line in test.note.iter().chain(&test.prints) {
            let _ = writeln!(text, "  {}", plain(line));
        }
    }
    for file in report
        .coverage
        .iter()
        .flatten()
        .filter(|f| !f.not_covered.is_empty() && !f.file.ends_with("_test.rego"))
    {
        let lines: Vec<String> = file.not_covered.iter().map(ToString::to_string).collect();
        let _ = writeln!(text, "{}: lines that no test ran: {}", plain(&file.file), lines.join(", "));
    }
    let _ = write!(
        text,
        "{} passed, {} failed, {} errors, {} skipped",
        report.passed, report.failed, report.errors, report.skipped
    );
    if let Some(share) = report.covered_basis_points {
        let _ = write!(text, ", {}.{:02} % of lines covered", share / 100, share % 100);
    }
    text + "\n"
}

fn junit(report: &Report) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    let _ = writeln!(
        text,
        "  <testsuite name=\"policies\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        report.tests.len(),
        report.failed,
        report.errors,
        report.skipped
    );
    for test in &report.tests {
        let (package, name, file) = (escape(&test.package), escape(&test.name), escape(&test.file));
        let note = escape(test.note.as_deref().unwrap_or_default());
        let inside = match test.outcome {
            "fail" => format!("<failure message=\"{note}\"/>"),
            "error" => format!("<error message=\"{note}\"/>"),
            "skip" => "<skipped/>".into(),
            _ => String::new(),
        };
        let _ = writeln!(
            text,
            "    <testcase classname=\"{package}\" name=\"{name}\" file=\"{file}\" line=\"{}\">{inside}</testcase>",
            test.line
        );
    }
    text + "  </testsuite>\n</testsuites>\n"
}
