//! Whether a provider can be used on this machine now, and what it lacks.
//!
//! Must never read a credential: it looks whether there is one.

use std::path::{Path, PathBuf};

use crate::agent::catalogue::{CredentialRef, Oidc, ProviderRow, address_variable};
use crate::config::env::Environment;
use crate::ports::model::WireFormat;

/// The variables a GitHub job with `id-token: write` has.
const ID_TOKEN: [&str; 2] = ["ACTIONS_ID_TOKEN_REQUEST_URL", "ACTIONS_ID_TOKEN_REQUEST_TOKEN"];

/// Whether a provider can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Readiness {
    /// It can be asked.
    Usable {
        /// Where its credential comes from; absent: it needs none.
        credential: Option<CredentialRef>,
    },
    /// It cannot.
    Lacking {
        /// What is missing.
        why: String,
        /// What to do.
        help: String,
    },
}

impl Readiness {
    /// Looks at a provider; `root` is where relative names start.
    pub fn of(row: &ProviderRow, root: &Path, environment: &Environment) -> Self {
        let lacking = |why: String, help: String| Self::Lacking { why, help };
        match row.format {
            WireFormat::Exec => {
                let program = row.command.first().cloned().unwrap_or_default();
                if let Some(name) = row.env.iter().find(|name| !is_set(name, environment)) {
                    return lacking(
                        format!("the variable {name}, which it hands on, is not set"),
                        format!("Set {name} in the environment."),
                    );
                }
                match find(&program, root, environment) {
                    Some(_) => Self::Usable { credential: None },
                    None => lacking(
                        format!("the program `{program}` is not found"),
                        "Install it, or name it by its path in models.toml.".into(),
                    ),
                }
            }
            WireFormat::Scripted => {
                let script = row.script.clone().unwrap_or_default();
                if root.join(&script).is_file() {
                    return Self::Usable { credential: None };
                }
                lacking(format!("the script `{script}` is not there"), "Write it, or name another.".into())
            }
            _ if row.base_url.is_none() => lacking(
                "its address is not known".into(),
                format!("Set {}, or `base_url` in models.toml.", address_variable(&row.name)),
            ),
            _ => Self::of_credentials(row, root, environment),
        }
    }

    fn of_credentials(row: &ProviderRow, root: &Path, environment: &Environment) -> Self {
        if row.credentials.is_empty() {
            return Self::Usable { credential: None };
        }
        let found = row.credentials.iter().find(|source| is_there(source, root, environment));
        match found {
            Some(CredentialRef::Nothing) => Self::Usable { credential: None },
            Some(source) => Self::Usable { credential: Some(source.clone()) },
            None => {
                let (whys, helps): (Vec<_>, Vec<_>) = row.credentials.iter().map(missing).unzip();
                let mut help = helps.join(", or ");
                if let Some(first) = help.get_mut(..1) {
                    first.make_ascii_uppercase();
                }
                Self::Lacking { why: whys.join(", and "), help: help + "." }
            }
        }
    }

    /// Tells whether it can be asked.
    pub const fn is_usable(&self) -> bool {
        matches!(self, Self::Usable { .. })
    }
}

/// Returns what a provider needs, in words.
pub fn needs(row: &ProviderRow) -> Vec<String> {
    match row.format {
        WireFormat::Exec => std::iter::once(format!("the program `{}`", row.command.join(" ")))
            .chain(row.env.iter().map(|name| format!("the variable {name}")))
            .collect(),
        WireFormat::Scripted => vec![format!("the script `{}`", row.script.as_deref().unwrap_or_default())],
        _ => row.credentials.iter().map(describe).collect(),
    }
}

/// Says where a credential comes from.
pub fn describe(source: &CredentialRef) -> String {
    match source {
        CredentialRef::Env(name) => format!("the variable {name}"),
        CredentialRef::File(path) => format!("the file {path}"),
        CredentialRef::Stdin => "standard input".into(),
        CredentialRef::Oidc(Oidc::Anthropic { .. }) => "an identity token, exchanged at Anthropic".into(),
        CredentialRef::Oidc(Oidc::OpenAi { .. }) => "an identity token, exchanged at OpenAI".into(),
        CredentialRef::Nothing => "nothing".into(),
    }
}

fn is_there(source: &CredentialRef, root: &Path, environment: &Environment) -> bool {
    match source {
        CredentialRef::Env(name) => is_set(name, environment),
        CredentialRef::File(path) => {
            root.join(path).metadata().is_ok_and(|found| found.is_file() && found.len() > 0)
        }
        CredentialRef::Oidc(_) => ID_TOKEN.iter().all(|name| is_set(name, environment)),
        CredentialRef::Stdin | CredentialRef::Nothing => true,
    }
}

/// Says what is missing and what to do about it, the latter without its first capital and full stop.
fn missing(source: &CredentialRef) -> (String, String) {
    match source {
        CredentialRef::Env(name) => (format!("{name} is not set"), format!("set {name} in the environment")),
        CredentialRef::File(path) => (
            format!("the file {path} is not there or is empty"),
            format!("write the key into {path}, readable by you alone"),
        ),
        CredentialRef::Oidc(_) => (
            "this job has no identity token".into(),
            "give the job `permissions: id-token: write` in its workflow".into(),
        ),
        CredentialRef::Stdin | CredentialRef::Nothing => (String::new(), String::new()),
    }
}

/// Tells whether a variable is set, or was when this program started: credentials are taken out of the environment then.
fn is_set(name: &str, environment: &Environment) -> bool {
    environment.has(name) || super::credential::held(name).is_some()
}

/// Finds a program: by its path from `root`, or by its name in the folders of `PATH`.
fn find(program: &str, root: &Path, environment: &Environment) -> Option<PathBuf> {
    let is_program = |path: &PathBuf| {
        use std::os::unix::fs::PermissionsExt as _;
        path.metadata().is_ok_and(|found| found.is_file() && found.permissions().mode() & 0o111 != 0)
    };
    if program.contains('/') {
        return Some(root.join(program)).filter(is_program);
    }
    environment.path().into_iter().map(|folder| folder.join(program)).find(is_program)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::agent::catalogue::{Catalogue, Overlay};

    const FILE: &str = "
[[provider]]
name = \"both\"
format = \"openai-chat\"
base_url = \"https://a.example\"
credential = [{ env = \"FIRST\" }, { file = \"key\" }, { oidc = { identity_provider_id = \"i\", service_account_id = \"s\" } }]

[[provider]]
name = \"open\"
format = \"openai-chat\"
base_url = \"https://a.example\"
credential = [{ env = \"FIRST\" }, \"none\"]

[[provider]]
name = \"program\"
format = \"exec\"
command = [\"./tool\", \"-p\"]
env = [\"TOKEN\"]

[[provider]]
name = \"script\"
format = \"scripted\"
script = \"replies.yml\"
";

    fn of(name: &str, root: &Path, variables: &[(&str, &str)]) -> Readiness {
        let overlay = Overlay { name: "models.toml", bytes: FILE.as_bytes() };
        let catalogue = Catalogue::load(&[overlay], &BTreeMap::new()).unwrap();
        let environment = Environment::of(variables.iter().copied());
        Readiness::of(catalogue.provider(name).unwrap(), root, &environment)
    }

    #[test]
    fn the_first_credential_that_is_there_is_taken_and_what_lacks_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        let Readiness::Lacking { why, help } = of("both", root, &[]) else { panic!("usable") };
        assert_eq!(
            why,
            "FIRST is not set, and the file key is not there or is empty, and this job has no identity token"
        );
        assert!(help.starts_with("Set FIRST in the environment, or write the key into key"), "{help}");
        assert!(help.ends_with("`permissions: id-token: write` in its workflow."), "{help}");
        let token = [("ACTIONS_ID_TOKEN_REQUEST_URL", "u"), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "t")];
        let credential = |variables: &[(&str, &str)]| match of("both", root, variables) {
            Readiness::Usable { credential } => credential,
            Readiness::Lacking { why, .. } => panic!("{why}"),
        };
        assert!(matches!(credential(&token), Some(CredentialRef::Oidc(_))));
        std::fs::write(root.join("key"), "k").unwrap();
        assert_eq!(credential(&token), Some(CredentialRef::File("key".into())));
        assert_eq!(credential(&[("FIRST", "k")]), Some(CredentialRef::Env("FIRST".into())));
        assert_eq!(of("open", root, &[]), Readiness::Usable { credential: None });
    }

    #[test]
    fn programs_and_scripts_have_to_be_there() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        assert!(!of("program", root, &[]).is_usable() && !of("program", root, &[("TOKEN", "t")]).is_usable());
        std::fs::write(root.join("tool"), "#!/bin/sh\n").unwrap();
        assert!(!of("program", root, &[("TOKEN", "t")]).is_usable(), "not executable");
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        std::fs::set_permissions(root.join("tool"), mode).unwrap();
        assert!(of("program", root, &[("TOKEN", "t")]).is_usable());
        assert!(!of("script", root, &[]).is_usable());
        std::fs::write(root.join("replies.yml"), "version: 1\nreplies: []\n").unwrap();
        assert!(of("script", root, &[]).is_usable());
    }

    #[test]
    fn an_address_that_is_not_known_is_asked_for() {
        let catalogue = Catalogue::load(&[], &BTreeMap::new()).unwrap();
        let azure = catalogue.provider("azure").unwrap();
        let Readiness::Lacking { help, .. } = Readiness::of(azure, Path::new("/"), &Environment::default())
        else {
            panic!("usable")
        };
        assert!(help.contains("ORCH_AZURE_BASE_URL"), "{help}");
    }
}
