//! Versions of artifact schemas: `major.minor`.
//!
//! A reader reads its own major version with any minor; a newer major is refused with both versions named.
//! Must never guess at a format it does not know.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The version of one artifact kind's schema, written `major.minor`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9]+\\.[0-9]+$"))]
pub struct SchemaVersion {
    /// Changes when an old reader would misread the file.
    pub major: u16,
    /// Changes when fields are added that an old reader may pass over.
    pub minor: u16,
}

/// A version that cannot be read by this program.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum VersionError {
    /// The text is not `major.minor`.
    #[error("`{0}` is not a schema version; a version is `major.minor`")]
    Malformed(String),
    /// The file is of another major version.
    #[error("the file has schema {found}, this orch reads {readable}")]
    Unreadable {
        /// What the file says.
        found: SchemaVersion,
        /// What this program writes and reads.
        readable: SchemaVersion,
    },
}

impl SchemaVersion {
    /// Returns a version.
    pub const fn new(major: u16, minor: u16) -> Self {
        Self { major, minor }
    }

    /// Checks that a reader of version `self` may read a file of version `found`.
    pub fn check_reads(self, found: Self) -> Result<(), VersionError> {
        if found.major == self.major {
            Ok(())
        } else {
            Err(VersionError::Unreadable { found, readable: self })
        }
    }
}

impl fmt::Display for SchemaVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl FromStr for SchemaVersion {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || VersionError::Malformed(text.to_owned());
        let (major, minor) = text.split_once('.').ok_or_else(bad)?;
        let number = |t: &str| t.bytes().all(|b| b.is_ascii_digit()).then(|| t.parse().ok()).flatten();
        Ok(Self { major: number(major).ok_or_else(bad)?, minor: number(minor).ok_or_else(bad)? })
    }
}

impl TryFrom<String> for SchemaVersion {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<SchemaVersion> for String {
    fn from(version: SchemaVersion) -> Self {
        version.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_major_is_read_and_newer_major_names_both() {
        let own = SchemaVersion::new(1, 2);
        assert!(own.check_reads(SchemaVersion::new(1, 9)).is_ok());
        let error = own.check_reads(SchemaVersion::new(2, 0)).unwrap_err().to_string();
        assert!(error.contains("2.0") && error.contains("1.2"), "{error}");
        for bad in ["", "1", "1.", ".1", "1.x", "-1.0", "1.0.0", "99999.0"] {
            assert!(bad.parse::<SchemaVersion>().is_err(), "{bad}");
        }
    }
}
