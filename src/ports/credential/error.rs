//! Why there is no credential, each thing that can be missing told apart.
//!
//! Must never hold a credential, a token or the body of a reply.

use std::path::PathBuf;

use crate::diagnostic::{Class, Failure};
use crate::ports::model::CallError;

/// Why there is no credential.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// A name that is not treated as a credential, so that its value would stay in the environment.
    #[error(
        "the variable {name} cannot hold a credential: its name does not end in _API_KEY, _TOKEN, _SECRET or _PASSWORD"
    )]
    Name {
        /// The name.
        name: String,
    },
    /// The variable is not set, or empty.
    #[error("the variable {name} is not set")]
    NotSet {
        /// The name.
        name: String,
    },
    /// The variable holds something else than a key as PEM.
    #[error("the variable {name} holds no PEM text")]
    NotPem {
        /// The name.
        name: String,
    },
    /// The file is not taken.
    #[error("the credential file {} {why}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// Standard input is not taken.
    #[error("the credential cannot be read from standard input: {why}")]
    Stdin {
        /// What is wrong with it.
        why: &'static str,
    },
    /// An identity of GitHub Actions was asked for elsewhere.
    #[error("this is not a GitHub Actions workflow, so there is no identity to exchange")]
    NotInActions,
    /// The workflow may not ask for an identity.
    #[error("the workflow may not ask GitHub for an identity")]
    NoIdentityPermission,
    /// A pull request from a fork gets neither secrets nor an identity.
    #[error("this is a pull request from a fork, which gets no credentials")]
    Fork,
    /// GitHub did not give an identity.
    #[error("GitHub did not give the workflow an identity ({code})")]
    Identity {
        /// The status, and its word for it.
        code: String,
    },
    /// The provider did not accept the identity.
    #[error("{issuer} does not accept the workflow's identity ({code})")]
    Rule {
        /// Who.
        issuer: &'static str,
        /// The status, and its word for it.
        code: String,
    },
    /// The identity is expired or not valid yet for the provider.
    #[error("{issuer} finds the workflow's identity expired or not valid yet ({code})")]
    Skew {
        /// Who.
        issuer: &'static str,
        /// The status, and its word for it.
        code: String,
    },
    /// A setting of the exchange is wrong.
    #[error("the setting {name} of the credential {why}")]
    Setting {
        /// Which.
        name: &'static str,
        /// What is wrong with it.
        why: &'static str,
    },
    /// The reply holds no token.
    #[error("the reply of {issuer} holds no token: {what}")]
    Reply {
        /// Who.
        issuer: &'static str,
        /// What is wrong.
        what: &'static str,
    },
}

impl Failure for CredentialError {
    fn class(&self) -> Class {
        match self {
            Self::Reply { .. } => Class::Temporary,
            _ => Class::Usage,
        }
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Name { .. } => "Give the variable a name with such an ending, so that it is hidden from commands.".into(),
            Self::NotSet { name } => format!("Set {name}; in a workflow: `{name}: ${{{{ secrets.{name} }}}}` in `env` of the step."),
            Self::NotPem { .. } => "Give it the whole file that `orch attest keygen` wrote, `-----BEGIN` line included.".into(),
            Self::File { path, why } if why.contains("PEM") => format!(
                "Name the file `orch attest keygen` wrote; {} is another.", path.display()
            ),
            Self::File { .. } => "Name a file with the key on one line that only you can read: chmod 600 FILE.".into(),
            Self::Stdin { .. } => "Pipe the key in, and give the task as words or as a file.".into(),
            Self::NotInActions => "Use a key from the environment or a file here; OIDC works in GitHub Actions only.".into(),
            Self::NoIdentityPermission => "Add `permissions: id-token: write` to the job.".into(),
            Self::Fork => "A person with write access has to start it, or run without models: `engine: template`.".into(),
            Self::Identity { .. } => "Run the job again; see githubstatus.com if it stays.".into(),
            Self::Rule { .. } => {
                "Compare the rule at the provider (issuer, subject, audience) with the repository, branch and environment of this job."
                    .into()
            }
            Self::Skew { .. } => "Set the clock of the runner; identities live for minutes only.".into(),
            Self::Setting { .. } => "Correct it in models.toml.".into(),
            Self::Reply { .. } => "Check the address in models.toml; run again later if it is right.".into(),
        })
    }
}

impl From<CredentialError> for CallError {
    fn from(error: CredentialError) -> Self {
        if let CredentialError::Reply { .. } = &error {
            return Self::Shape { what: error.to_string() };
        }
        let help = error.help().unwrap_or_default();
        Self::Auth { code: format!("{error}: {}", help.trim_end_matches('.')) }
    }
}
