//! `orch providers test`: the conformance suite against a provider or a program.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde::Serialize;

use crate::cli::CommandError;
use crate::cli::error::UsageError;
use crate::cli::models::{ModelSetup, Readiness};
use crate::cli::output::Output;
use crate::diagnostic::Class;
use crate::diagnostic::text::{plain, wall_time};
use crate::ports::credential::{Credential, CredentialKind, CredentialSource};
use crate::ports::model::conformance::{CaseOutcome, check, check_embeddings};
use crate::ports::model::exec::exec_provider;
use crate::ports::model::{CallError, Provider};
use crate::ports::secret::Secret;

#[derive(Debug, Args)]
pub struct TestArgs {
    /// The provider, or a model at it
    #[arg(required_unless_present = "exec", conflicts_with = "exec")]
    name: Option<String>,
    /// The model, where the name is a provider or a program is tested
    #[arg(long)]
    model: Option<String>,
    /// The longest one call may take, in seconds
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=3600))]
    timeout: u64,
    /// Test how it turns texts into vectors instead; the model is one of embeddings
    #[arg(long, requires = "model")]
    embeddings: bool,
    /// Give the program this variable, besides PATH
    #[arg(long, value_name = "VARIABLE", requires = "exec")]
    env: Vec<String>,
    /// Test this program instead of a provider of models.toml; everything after it belongs to the program
    #[arg(long, value_name = "CMD", num_args = 1.., allow_hyphen_values = true)]
    exec: Vec<String>,
}

#[derive(Serialize)]
struct Case {
    #[serde(rename = "case")]
    name: &'static str,
    outcome: &'static str,
    about: String,
    took_ms: u64,
}

/// Shows a credential that nobody issued, to see how an endpoint says so.
struct WrongKey;

impl CredentialSource for WrongKey {
    fn credential(&self) -> Result<Option<Credential>, CallError> {
        let secret = Secret::new("orch-conformance-no-such-key".into());
        Ok(Some(Credential { secret, kind: CredentialKind::Key }))
    }
}

/// Runs the suite and says by the exit code whether all of it passed.
pub fn run(args: &TestArgs, setup: &ModelSetup, output: &Output) -> Result<u8, CommandError> {
    let timeout = Duration::from_secs(args.timeout);
    let cases = if args.embeddings {
        let (provider, model) = embedder(args, setup)?;
        check_embeddings(provider.as_ref(), &model, timeout)
    } else {
        let (provider, model, wrong) = subject(args, setup)?;
        check(provider.as_ref(), &model, wrong.as_deref(), timeout)
    };
    let cases: Vec<Case> = cases
        .into_iter()
        .map(|case| Case {
            name: case.name,
            outcome: match case.outcome {
                CaseOutcome::Passed(_) => "passed",
                CaseOutcome::Skipped(_) => "skipped",
                CaseOutcome::Failed(_) => "failed",
            },
            about: case.outcome.about().to_owned(),
            took_ms: u64::try_from(case.took.as_millis()).unwrap_or(u64::MAX),
        })
        .collect();
    let failed = cases.iter().filter(|case| case.outcome == "failed").count();
    output.show(&cases, |out| {
        for case in &cases {
            let took = wall_time(case.took_ms);
            writeln!(out, "{:<8} {:<14} {:>8}  {}", case.outcome, case.name, took, plain(&case.about))?;
        }
        writeln!(out, "\n{} of {} cases failed.", failed, cases.len())
    })?;
    Ok(if failed == 0 { 0 } else { Class::TestsFailed.exit_code() })
}

/// Returns the words of a program; one that is quoted as a whole is split as a shell would.
fn words(given: &[String]) -> Result<Vec<String>, CommandError> {
    let [one] = given else { return Ok(given.to_vec()) };
    shell_words::split(one).map_err(|_| {
        let what = "the program has a quote that is not closed".into();
        UsageError { what, help: "Close it, or give the words one by one.".into() }.into()
    })
}

/// Returns the provider and the model of embeddings; no row of models.toml need know the model.
fn embedder(args: &TestArgs, setup: &ModelSetup) -> Result<(Arc<dyn Provider>, String), CommandError> {
    let model = args.model.clone().unwrap_or_default();
    match &args.name {
        None => Ok((exec_provider(setup.program_with("exec", words(&args.exec)?, &args.env))?, model)),
        Some(name) => Ok((setup.provider(setup.catalogue.provider(name)?)?, model)),
    }
}

/// A provider, the model to ask, and the same provider with a wrong credential.
type Subject = (Arc<dyn Provider>, String, Option<Arc<dyn Provider>>);

fn subject(args: &TestArgs, setup: &ModelSetup) -> Result<Subject, CommandError> {
    if !args.exec.is_empty() {
        let model = args.model.clone().unwrap_or_else(|| "test".into());
        let spec = setup.program_with("exec", words(&args.exec)?, &args.env);
        return Ok((exec_provider(spec)?, model, None));
    }
    let name = args.name.clone().unwrap_or_default();
    let full = match &args.model {
        Some(_) if name.contains('/') => {
            return Err(UsageError {
                what: "the model is named twice".into(),
                help: "Give it as NAME/MODEL or with --model.".into(),
            }
            .into());
        }
        Some(model) => format!("{name}/{model}"),
        None => name,
    };
    let entry = super::ping::entry(&full, setup)?;
    let candidate = setup.candidate(&entry)?;
    let row = setup.catalogue.provider(&entry.provider)?;
    let wrong = match setup.readiness(row) {
        Readiness::Usable { credential: Some(_) } => Some(setup.endpoint(row, Arc::new(WrongKey))?),
        _ => None,
    };
    Ok((candidate.provider, candidate.model, wrong))
}
