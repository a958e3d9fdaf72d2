//! The credentials of the environment: taken out of it at the start, held as secrets, masked everywhere.
//!
//! Must never tell a value to anybody but the provider or forge it is for, and must never leave one in the environment of
//! this process where the system lets it be taken out.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::{IsTerminal as _, Read as _};
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};

use super::CredentialError;
use super::file::one_line;
use crate::diagnostic::redact;
use crate::ports::secret::Secret;

/// Names that are credentials though their ending does not tell.
const NAMES: &[&str] =
    &["ACTIONS_ID_TOKEN_REQUEST_URL", "ORCH_FORGE_APP_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"];
/// What names of credentials end with.
const ENDINGS: &[&str] = &["_API_KEY", "_TOKEN", "_SECRET", "_PASSWORD"];
/// Tokens that git's credential helpers may need to reach the remote.
const FORGE: &[&str] = &[
    "BITBUCKET_TOKEN",
    "CI_JOB_TOKEN",
    "GH_ENTERPRISE_TOKEN",
    "GH_TOKEN",
    "GITEA_TOKEN",
    "GITHUB_ENTERPRISE_TOKEN",
    "GITHUB_TOKEN",
    "GITLAB_TOKEN",
];
/// The largest credential that is read from standard input.
const STDIN_BYTES: u64 = 64 * 1024;

static PROCESS: OnceLock<Vault> = OnceLock::new();

/// The credentials of this process.
#[derive(Default)]
pub struct Vault {
    held: BTreeMap<String, Secret>,
    surroundings: Surroundings,
    stdin: Mutex<Stdin>,
}

/// What is around this process, as far as it tells why a credential is missing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Surroundings {
    /// True on a GitHub runner.
    pub actions: bool,
    /// The file with the event that started the workflow.
    pub event: Option<PathBuf>,
}

/// Who reads standard input.
#[derive(Default)]
enum Stdin {
    #[default]
    Free,
    Task,
    Credential(Secret),
}

/// Tells whether a variable of this name holds a credential.
pub fn is_credential(name: &OsStr) -> bool {
    let name = name.to_string_lossy().to_ascii_uppercase();
    NAMES.contains(&name.as_str()) || ENDINGS.iter().any(|ending| name.ends_with(ending))
}

/// Returns the credentials of this process; none before they were taken in.
pub fn vault() -> &'static Vault {
    static NONE: OnceLock<Vault> = OnceLock::new();
    PROCESS.get().unwrap_or_else(|| NONE.get_or_init(Vault::default))
}

/// Sets the credentials of this process; the first call counts.
pub(super) fn set(vault: Vault) {
    let _ = PROCESS.set(vault);
}

impl Vault {
    /// Holds these variables; every value is masked from now on, where masking it would not mask ordinary text.
    pub fn of(variables: impl IntoIterator<Item = (OsString, OsString)>, surroundings: Surroundings) -> Self {
        let mut held = BTreeMap::new();
        for (name, value) in variables {
            // What is no text is no key of any provider, and names are text.
            let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else { continue };
            if !value.trim().is_empty() {
                let _ = redact::learn(value);
                held.insert(name.to_owned(), Secret::new(value.to_owned()));
            }
        }
        Self { held, surroundings, stdin: Mutex::default() }
    }

    /// Returns the credential a variable held.
    pub fn get(&self, name: &str) -> Option<&Secret> {
        self.held.get(name)
    }

    /// Returns the names of the variables that held one, for people.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.held.keys().map(String::as_str)
    }

    /// Returns what is around this process.
    pub fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    /// Returns the tokens a git child gets, since its credential helpers may use them; never one of a model provider.
    pub fn for_git(&self) -> impl Iterator<Item = (&'static str, &Secret)> {
        FORGE.iter().filter_map(|name| self.held.get(*name).map(|secret| (*name, secret)))
    }

    /// Reserves standard input for the task file, so that no credential is read from it.
    pub fn task_reads_stdin(&self) {
        let mut stdin = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        if matches!(*stdin, Stdin::Free) {
            *stdin = Stdin::Task;
        }
    }

    /// Reads the credential on standard input, once for all that ask.
    pub(super) fn stdin(&self) -> Result<Secret, CredentialError> {
        let mut state = self.stdin.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            Stdin::Credential(secret) => return Ok(secret.clone()),
            Stdin::Task => return Err(CredentialError::Stdin { why: "the task is read from it" }),
            Stdin::Free if std::io::stdin().is_terminal() => {
                return Err(CredentialError::Stdin { why: "it is a terminal, where the key would be shown" });
            }
            Stdin::Free => {}
        }
        let mut bytes = zeroize::Zeroizing::new(Vec::new());
        let read = std::io::stdin().take(STDIN_BYTES + 1).read_to_end(&mut bytes);
        let why = match read {
            Err(_) => "it cannot be read",
            Ok(_) if bytes.len() as u64 > STDIN_BYTES => "it holds more than 64 KiB",
            Ok(_) => match one_line(&bytes) {
                Some(secret) => {
                    *state = Stdin::Credential(secret.clone());
                    return Ok(secret);
                }
                None => "it holds no single line of text",
            },
        };
        Err(CredentialError::Stdin { why })
    }
}

impl fmt::Debug for Vault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Vault").field("held", &self.held.keys()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_credentials() {
        for name in [
            "ANTHROPIC_API_KEY",
            "OPENAI_API_KEY",
            "GEMINI_API_KEY",
            "GOOGLE_API_KEY",
            "OPENROUTER_API_KEY",
            "AZURE_OPENAI_API_KEY",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_URL",
            "GITHUB_TOKEN",
            "GH_TOKEN",
            "my_api_key",
            "DB_PASSWORD",
            "CLIENT_SECRET",
        ] {
            assert!(is_credential(OsStr::new(name)), "{name}");
        }
        for name in ["PATH", "HOME", "TOKENIZERS_PARALLELISM", "X_TOKEN_FILE", "API_KEY_NAME", "CI"] {
            assert!(!is_credential(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn git_gets_tokens_of_forges_only() {
        let pairs = [
            ("GH_TOKEN", "forge-token-0001"),
            ("ANTHROPIC_API_KEY", "model-key-000001"),
            ("OPENAI_API_KEY", " "),
        ];
        let vault = Vault::of(pairs.map(|(n, v)| (n.into(), v.into())), Surroundings::default());
        assert_eq!(vault.for_git().map(|(name, _)| name).collect::<Vec<_>>(), ["GH_TOKEN"]);
        assert_eq!(vault.names().collect::<Vec<_>>(), ["ANTHROPIC_API_KEY", "GH_TOKEN"]);
        assert_eq!(redact::redact("got model-key-000001"), "got [redacted:credential]");
        assert!(!format!("{vault:?}").contains("0001"));
    }
}
