//! `orch providers`: who can be asked, for what, at what price, and whether it works.

mod list;
pub(super) mod ping;
mod test;

use clap::{Args, Subcommand};

use crate::cli::args::Global;
use crate::cli::models::ModelSetup;
use crate::cli::output::Output;
use crate::cli::{CommandError, session};
use crate::config::env::Environment;
use crate::config::{Config, load};
use crate::ports::clock::{Clock as _, SystemClock};
use crate::ports::vcs::{GitRepository, VcsError};

/// List the providers of models, or try one
///
/// Without a command: every provider with what it needs and whether it can be used now, the models with today's prices,
/// and who would be asked for each role.
#[derive(Debug, Args)]
pub struct ProvidersArgs {
    #[command(subcommand)]
    command: Option<ProvidersCommand>,
}

#[derive(Debug, Subcommand)]
enum ProvidersCommand {
    /// List the providers, the models and the routes
    List,
    /// Make one real tiny call: the model that answers, its tokens, time and cost
    Ping(ping::PingArgs),
    /// Run the conformance suite against a provider, or against a program; exit 6 when a case fails
    Test(test::TestArgs),
}

/// Lists or tries.
pub fn run(args: &ProvidersArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let (setup, _) = setup(global)?;
    match &args.command {
        None | Some(ProvidersCommand::List) => list::run(&setup, output),
        Some(ProvidersCommand::Ping(args)) => ping::run(args, &setup, &SystemClock::new(None), output),
        Some(ProvidersCommand::Test(args)) => test::run(args, &setup, output),
    }
}

/// Reads the configuration and the catalogue of the repository the command works in; outside of one, the built-in ones.
pub(super) fn setup(global: &Global) -> Result<(ModelSetup, Config), CommandError> {
    let folder = session::folder(global)?;
    let root = match GitRepository::open(&folder) {
        Ok(vcs) => vcs.root().to_owned(),
        Err(VcsError::NotARepository { .. }) => folder,
        Err(error) => return Err(error.into()),
    };
    let environment = Environment::of_process();
    let now = SystemClock::new(environment.fixed_time()?).now();
    let named = global.config.clone().or(environment.config_file());
    let config = load(&root, named.as_deref())?.config;
    let setup = ModelSetup::open(&root, &config.models.file, environment, now)?;
    Ok((setup, config))
}
