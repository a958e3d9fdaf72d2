//! A credential on standard input, read once.
//!
//! Must never read from a terminal, nor what the task is read from.

use super::{CredentialError, Vault};
use crate::ports::secret::Secret;

/// Returns the credential on standard input.
pub(super) fn read(vault: &Vault) -> Result<Secret, CredentialError> {
    vault.stdin()
}
