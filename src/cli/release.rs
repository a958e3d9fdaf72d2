//! What is to be released, as flags say it; and a decision on its way to whoever asked.
//!
//! Must never say of a commit what nobody looked up.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args;

use super::CommandError;
use super::args::Format;
use super::error::{IoError, UsageError};
use super::output::Output;
use super::session::Session;
use crate::artifact::id::{RunId, Slug};
use crate::artifact::types::release::{ArtifactDigest, ReleaseDecision, ReleaseRequest, ReleaseSubject};
use crate::artifact::types::task::{Assignment, Channel};
use crate::config::env::Environment;
use crate::diagnostic::redact::redact_bytes;
use crate::engine::template;
use crate::ports::vcs::{VcsChanges as _, VcsRead as _};
use crate::report::release;
use crate::stage::Request;
use crate::stage::release_gate::collect::sums;

/// What is to be released.
#[derive(Debug, Args, Default)]
#[command(next_help_heading = "Release")]
pub struct ReleaseArgs {
    /// The environment it is to go to, as orch.yml names it, for release-gate
    #[arg(long, value_name = "ENVIRONMENT")]
    to: Option<Slug>,
    /// The commit; absent: HEAD
    #[arg(long, value_name = "COMMIT", requires = "to")]
    commit: Option<String>,
    /// The branch it has to be on; absent: the branch of HEAD
    #[arg(long, value_name = "BRANCH", requires = "to")]
    branch: Option<String>,
    /// What is promoted, as NAME=sha256:HEX. Can be repeated
    #[arg(long, value_name = "NAME=DIGEST", requires = "to")]
    artifact: Vec<String>,
    /// A file with digests of what is promoted, as `sha256sum` writes them
    #[arg(long, value_name = "FILE", requires = "to")]
    artifacts_file: Option<PathBuf>,
    /// A change run behind it, besides those that its commits name. Can be repeated
    #[arg(long, value_name = "RUN", requires = "to")]
    change: Vec<RunId>,
    /// The commit that is known to be good; absent: what the forge says was deployed last
    #[arg(long, value_name = "COMMIT", requires = "to")]
    last_good: Option<String>,
    /// The environment runs it already: a canary, or a release that is looked at again
    #[arg(long, requires = "to")]
    deployed: bool,
}

impl ReleaseArgs {
    /// Tells whether a release is named.
    pub fn is_given(&self) -> bool {
        self.to.is_some()
    }

    /// Returns what is asked; `None` where no environment is named.
    pub fn request(&self, session: &Session) -> Result<Option<ReleaseRequest>, CommandError> {
        let Some(environment) = self.to.clone() else { return Ok(None) };
        let head = session.vcs.head()?;
        let commit = session.vcs.commit_named(self.commit.as_deref().unwrap_or("HEAD"))?;
        let branch = self.branch.clone().or(head.branch).ok_or_else(|| UsageError {
            what: "HEAD is on no branch, so nobody knows which one the release has to be on".into(),
            help: "Name it with --branch.".into(),
        })?;
        let last_good = self.last_good.as_deref().map(|name| session.vcs.commit_named(name)).transpose()?;
        Ok(Some(ReleaseRequest {
            subject: ReleaseSubject {
                commit: commit.commit,
                tree: Some(commit.tree),
                artifacts: self.artifacts()?,
            },
            environment,
            branch,
            runs: self.change.clone(),
            last_good: last_good.map(|commit| commit.commit),
            deployed: self.deployed,
        }))
    }

    fn artifacts(&self) -> Result<Vec<ArtifactDigest>, CommandError> {
        let mut all = Vec::new();
        if let Some(path) = &self.artifacts_file {
            let bytes = fs::read(path)
                .map_err(|source| IoError { what: format!("read {}", path.display()), source })?;
            all = sums(&bytes).map_err(|unseen| UsageError {
                what: format!("{} {unseen}", path.display()),
                help: "Write it with `sha256sum`.".into(),
            })?;
        }
        for text in &self.artifact {
            let wrong = || UsageError {
                what: format!("`{text}` is no artifact with its digest"),
                help: "Write NAME=sha256:HEX, as shop.tar.gz=sha256:9f86d0...".into(),
            };
            let (name, digest) = text.rsplit_once('=').ok_or_else(wrong)?;
            all.push(ArtifactDigest { name: name.to_owned(), digest: digest.parse().map_err(|_| wrong())? });
        }
        all.sort_by(|a, b| a.name.cmp(&b.name));
        if let Some(twice) = all.windows(2).find(|pair| pair[0].name == pair[1].name) {
            return Err(UsageError {
                what: format!("the artifact `{}` is named twice", twice[0].name),
                help: "Name each once.".into(),
            }
            .into());
        }
        Ok(all)
    }
}

/// Returns the request of the stage, and the run it is kept in: one for each environment and commit.
pub fn stage_request(asked: &ReleaseRequest) -> Result<(Request, RunId), CommandError> {
    let internal = |error: &dyn std::fmt::Display| UsageError {
        what: format!("what is to be released has no canonical form: {error}"),
        help: "This is a fault of orch; please report it.".into(),
    };
    let text = serde_json::to_string(asked).map_err(|error| internal(&error))?;
    let commit: String = asked.subject.commit.as_str().chars().take(12).collect();
    let run = format!("release-{}-{commit}", asked.environment).parse().map_err(|error| internal(&error))?;
    Ok((Request::new(text, Channel::CommandLine, Assignment::to_engine(template::NAME)), run))
}

/// Shows a decision: JSON where the whole program speaks JSON, else text; on a runner with annotations and a summary.
pub fn show(decision: &ReleaseDecision, output: &Output) -> Result<(), CommandError> {
    if output.format == Format::Json {
        return output.print_json(decision);
    }
    output.print(|out| release::text(decision, out))?;
    let environment = Environment::of_process();
    if environment.is_github() {
        output.print(|out| release::annotations(decision, out))?;
        if let Some(file) = environment.step_summary()
            && let Err(error) = append(decision, &file)
        {
            output.note(&format!("the summary of the step was not written to {}: {error}", file.display()));
        }
    }
    Ok(())
}

fn append(decision: &ReleaseDecision, file: &Path) -> io::Result<()> {
    let mut text = Vec::new();
    release::page(decision, &mut text)?;
    text.push(b'\n');
    OpenOptions::new().create(true).append(true).open(file)?.write_all(&redact_bytes(&text))
}
