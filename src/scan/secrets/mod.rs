//! Secrets: tokens of known issuers, private keys, passwords and what wraps them.
//!
//! Must never ask an issuer whether a secret works, and must never let one leave this module unmasked.

mod assign;
mod check;
mod files;
mod letters;
mod pass;
mod pem;
mod rules;
mod value;

pub(in crate::scan) use check::{STANDARD, URL_SAFE};

use super::{Scanner, Sink, View};

/// Finds secrets.
#[derive(Clone, Copy, Debug)]
pub struct Secrets;

/// A token whose format its issuer publishes.
pub const TOKEN: &str = "secrets/token";
/// A private key.
pub const PRIVATE_KEY: &str = "secrets/private-key";
/// A password, key or token of no known format.
pub const PASSWORD: &str = "secrets/password";
/// A secret in a file that is made to hold one.
pub const CREDENTIAL_FILE: &str = "secrets/credential-file";

impl Scanner for Secrets {
    fn name(&self) -> &'static str {
        "secrets"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[TOKEN, PRIVATE_KEY, PASSWORD, CREDENTIAL_FILE]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        if view.binary || view.text.is_empty() {
            return;
        }
        files::scan(view, sink);
        pass::scan(view, sink);
    }
}

#[cfg(test)]
mod tests;
