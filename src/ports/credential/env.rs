//! A credential in a variable, taken out of the environment at the start.
//!
//! Must never look at the environment itself: what it held is in the vault.

use std::ffi::OsStr;

use super::{CredentialError, Vault, is_credential};
use crate::ports::secret::Secret;

/// Returns the credential a variable held.
pub(super) fn read(name: &str, vault: &Vault) -> Result<Secret, CredentialError> {
    if !is_credential(OsStr::new(name)) {
        return Err(CredentialError::Name { name: name.to_owned() });
    }
    let secret = vault.get(name).ok_or_else(|| CredentialError::NotSet { name: name.to_owned() })?;
    Ok(Secret::new(secret.expose().trim().to_owned()))
}
