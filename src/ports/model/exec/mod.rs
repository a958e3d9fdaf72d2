//! A program as a provider: one JSON request on standard input, one JSON reply on standard output.
//!
//! The program is started anew for each call, by its words and never through a shell, in a fresh empty folder, with an
//! environment made from nothing: `PATH`, `HOME` where it is asked for, and the variables that are named. It has until the
//! deadline; then it and all it started are ended. Must never give a credential to a program that lies in the checkout, for
//! whoever may change the repository could read it.

pub mod protocol;
mod run;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::wire::{check_request, safe};
use super::{
    CallError, EmbeddingReading, EmbeddingRequest, ModelRequest, Prepared, Provider, RawReply, Reading,
    WireFormat, embedding,
};
use crate::diagnostic::{Class, Failure};
use crate::ports::secret::Secret;

/// How to start a program.
#[derive(Clone, Debug)]
pub struct ExecSpec {
    /// The provider's name in `models.toml`.
    pub name: String,
    /// The words: the program first. A program with a slash is found from `base`, one without on `path`. It runs in another
    /// folder, so a word with a slash that names a file from `base` is handed on as its absolute path; others as they are.
    pub words: Vec<String>,
    /// The folder a relative program is found from.
    pub base: PathBuf,
    /// The repository: no program in it gets a secret.
    pub repository: Option<PathBuf>,
    /// The value of `PATH`.
    pub path: OsString,
    /// The value of `HOME`, where the program is to have one.
    pub home: Option<PathBuf>,
    /// More variables.
    pub variables: Vec<(String, ExecValue)>,
}

/// The value of a variable.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ExecValue {
    /// A plain text.
    Plain(String),
    /// A credential.
    Secret(Secret),
}

impl ExecValue {
    fn expose(&self) -> &str {
        match self {
            Self::Plain(text) => text,
            Self::Secret(secret) => secret.expose(),
        }
    }
}

/// A program that cannot be a provider.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExecError {
    /// There are no words.
    #[error("the provider {name} names no program")]
    Empty {
        /// The provider.
        name: String,
    },
    /// The program is not there.
    #[error("the program `{program}` of the provider {name} is not found")]
    Missing {
        /// The provider.
        name: String,
        /// The program.
        program: String,
    },
    /// The program lies in the checkout and would get a credential.
    #[error("the provider {name} would give a credential to `{file}`, which lies in the repository")]
    Inside {
        /// The provider.
        name: String,
        /// The file.
        file: String,
    },
    /// A variable cannot be set.
    #[error("the provider {name} sets the variable `{variable}`, which {why}")]
    Variable {
        /// The provider.
        name: String,
        /// The variable.
        variable: String,
        /// Why not.
        why: &'static str,
    },
}

impl Failure for ExecError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some(match self {
            Self::Empty { .. } => "Give the program's words in models.toml.".into(),
            Self::Missing { .. } => "Install it, or name it by its path.".into(),
            Self::Inside { .. } => {
                "Install the program outside the repository: whoever may change a file in it could read the credential."
                    .into()
            }
            Self::Variable { .. } => "Take the variable out of the provider in models.toml.".into(),
        })
    }
}

/// Returns a program as a provider.
pub fn exec_provider(spec: ExecSpec) -> Result<Arc<dyn Provider>, ExecError> {
    let name = spec.name.clone();
    let Some(word) = spec.words.first().filter(|word| !word.is_empty()) else {
        return Err(ExecError::Empty { name });
    };
    let Some(program) = find(word, &spec) else {
        return Err(ExecError::Missing { name, program: safe::word(word) });
    };
    check_variables(&spec)?;
    let has_secret = spec.variables.iter().any(|(_, value)| matches!(value, ExecValue::Secret(_)));
    if has_secret && let Some(file) = inside(&program, &spec) {
        return Err(ExecError::Inside { name, file: safe::word(&file.display().to_string()) });
    }
    Ok(Arc::new(ExecProvider { spec, program }))
}

/// Returns the program's file.
fn find(word: &str, spec: &ExecSpec) -> Option<PathBuf> {
    if word.contains('/') {
        let path = spec.base.join(word);
        return path.is_file().then_some(path);
    }
    // A relative folder on PATH would be another one from the program's working folder.
    std::env::split_paths(&spec.path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(word))
        .find(|path| is_executable(path))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

fn check_variables(spec: &ExecSpec) -> Result<(), ExecError> {
    let fail = |variable: &str, why| {
        Err(ExecError::Variable { name: spec.name.clone(), variable: safe::word(variable), why })
    };
    for (variable, value) in &spec.variables {
        if variable.is_empty() || variable.contains(['=', '\0']) || value.expose().contains('\0') {
            return fail(variable, "no variable can be");
        }
        let loads_code = ["LD_", "DYLD_"].iter().any(|start| variable.starts_with(start));
        if loads_code || ["PATH", "HOME", "BASH_ENV", "ENV"].contains(&variable.as_str()) {
            return fail(variable, "decides what code runs");
        }
    }
    Ok(())
}

/// Returns the first of the program's files that lies in the repository: itself, or a script among its words.
fn inside(program: &Path, spec: &ExecSpec) -> Option<PathBuf> {
    let root = spec.repository.as_ref()?.canonicalize().ok()?;
    let words = spec.words.iter().skip(1).flat_map(|word| {
        // `--script=/a/b` names a file, too.
        let value = word.split_once('=').map(|(_, value)| value);
        std::iter::once(word.as_str()).chain(value).map(|text| spec.base.join(text)).collect::<Vec<_>>()
    });
    let links = [program.to_owned()];
    links
        .into_iter()
        .chain(words)
        // Where a link lies counts as much as what it leads to.
        .find(|path| {
            let real = path.canonicalize().ok();
            let here =
                path.parent().and_then(|p| p.canonicalize().ok()).filter(|_| path.symlink_metadata().is_ok());
            [real, here].into_iter().flatten().any(|path| path.starts_with(&root))
        })
}

struct ExecProvider {
    spec: ExecSpec,
    program: PathBuf,
}

impl ExecProvider {
    /// Returns the words after the program, files among them by absolute paths. The record keeps the words as written.
    fn handed_on(&self) -> Vec<String> {
        let absolute = |word: &String| {
            let path = self.spec.base.join(word);
            if word.contains('/') && path.is_file() { path.display().to_string() } else { word.clone() }
        };
        self.spec.words.iter().skip(1).map(absolute).collect()
    }

    fn prepared(&self, body: serde_json::Value) -> Prepared {
        let target = format!("exec:{}", shell_words::join(&self.spec.words));
        Prepared { format: WireFormat::Exec, target, headers: BTreeMap::new(), body }
    }

    fn environment(&self) -> BTreeMap<OsString, OsString> {
        let mut environment = BTreeMap::from([("PATH".into(), self.spec.path.clone())]);
        if let Some(home) = &self.spec.home {
            environment.insert("HOME".into(), home.clone().into());
        }
        for (name, value) in &self.spec.variables {
            environment.insert(name.into(), value.expose().into());
        }
        environment
    }

    fn secrets(&self) -> Vec<&str> {
        let is_secret = |value: &ExecValue| matches!(value, ExecValue::Secret(_));
        self.spec
            .variables
            .iter()
            .filter(|(_, value)| is_secret(value))
            .map(|(_, value)| value.expose())
            .collect()
    }
}

impl Provider for ExecProvider {
    fn name(&self) -> &str {
        &self.spec.name
    }

    fn format(&self) -> WireFormat {
        WireFormat::Exec
    }

    fn prepare(&self, request: &ModelRequest) -> Result<Prepared, CallError> {
        check_request(request)?;
        if let Some(name) = request.extra.keys().next() {
            let what = format!("the setting `{}` cannot be said to a program", safe::word(name));
            return Err(CallError::Unsupported { what });
        }
        Ok(self.prepared(protocol::encode(request)))
    }

    fn send(&self, prepared: &Prepared, timeout: Duration) -> Result<RawReply, CallError> {
        let mut input = serde_json::to_vec(&prepared.body)
            .map_err(|e| CallError::Unsupported { what: format!("the request cannot be written: {e}") })?;
        input.push(b'\n');
        run::run(&run::Job {
            program: &self.program,
            words: &self.handed_on(),
            environment: self.environment(),
            secrets: self.secrets(),
            input,
            timeout,
        })
    }

    fn read(&self, reply: &RawReply) -> Reading {
        protocol::read(reply)
    }

    fn count(&self, _request: &ModelRequest, _timeout: Duration) -> Result<Option<u64>, CallError> {
        Ok(None)
    }

    fn prepare_embedding(&self, request: &EmbeddingRequest) -> Result<Prepared, CallError> {
        embedding::check(request)?;
        Ok(self.prepared(protocol::encode_embedding(request)))
    }

    fn read_embedding(&self, reply: &RawReply, texts: usize) -> EmbeddingReading {
        protocol::read_embedding(reply, texts)
    }
}

#[cfg(test)]
mod tests;
