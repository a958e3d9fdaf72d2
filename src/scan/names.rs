//! Files whose name says that they hold secrets: environment files, private keys, key stores.
//!
//! Must never look into a file: what is in it is for other scanners.

#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "what is compared has been lowered, or the tool itself knows but this case"
)]

use super::{Confidence, Found, Scanner, Sink, View};

/// An environment file; the attribute `name` is its name.
pub const ENV_FILE: &str = "secrets/env-file";
/// A file named like a private key, or a key store; the attribute `kind` is `named` or `store`.
pub const KEY_FILE: &str = super::secrets::PRIVATE_KEY;

const KEYS: [&str; 4] = ["id_rsa", "id_dsa", "id_ecdsa", "id_ed25519"];

const STORES: [&str; 6] = ["p12", "pfx", "jks", "keystore", "ppk", "kdbx"];

/// Finds files by their names.
#[derive(Clone, Copy, Debug)]
pub struct Names;

impl Scanner for Names {
    fn name(&self) -> &'static str {
        "names"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[ENV_FILE, KEY_FILE]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        let path = view.source.path;
        let name = view.lower().rsplit('/').next().unwrap_or_default();
        let mut add = |code, message: String, attribute, value: &str| {
            sink.add(Found::file(code, message, path, Confidence::High).with(attribute, value));
        };
        if name == ".env" || name.starts_with(".env.") || (name.len() > 4 && name.ends_with(".env")) {
            add(ENV_FILE, format!("`{path}` is an environment file"), "name", view.file_name());
        } else if KEYS.contains(&name) {
            add(KEY_FILE, format!("`{path}` is named like a private key"), "kind", "named");
        } else if name.rsplit_once('.').is_some_and(|(_, ending)| STORES.contains(&ending)) {
            add(KEY_FILE, format!("`{path}` is a key store"), "kind", "store");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scan::{Source, Worker};

    fn found(path: &str) -> Vec<&'static str> {
        // The changed line is not the first one: the name counts all the same.
        let source = Source { changed: Some(&[7..=7]), ..Source::new(path, b"") };
        let mut worker = Worker::new(&[&Names], None);
        worker.scan(&source);
        worker.into_facts().iter().map(|fact| fact.code).collect()
    }

    #[test]
    fn names_are_compared_without_case() {
        for path in [".env", "a/.ENV", ".env.production", "deploy/prod.env"] {
            assert_eq!(found(path), [ENV_FILE], "{path}");
        }
        for path in ["id_ed25519", "release.P12", "x/store.kdbx"] {
            assert_eq!(found(path), [KEY_FILE], "{path}");
        }
        for path in ["environment.py", "id_rsa.pub", "env", "a.envrc", "p12"] {
            assert_eq!(found(path), [] as [&str; 0], "{path}");
        }
    }
}
