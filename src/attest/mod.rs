//! Statements about a run, in the forms other tools read: in-toto statements, signed as DSSE, in Sigstore bundles.
//!
//! Everything a statement says is made from the files of the run, so anybody who has them can make it again and compare.
//! Must never say what no file of the run says, and must never show a private key.
//!
//! # Layout
//!
//! - `opened`: a run, read once
//! - `statement`: in-toto Statement v1 and its subjects
//! - `change`, `release`: the predicates of this program; `catalogue`: those of others that fit (SLSA provenance, test result, SVR)
//! - `key`: Ed25519 and P-256 keys; `dsse`: envelopes; `bundle`: Sigstore bundles v0.3
//! - `kinds`: one line for each statement there is

pub mod bundle;
pub mod catalogue;
pub mod change;
pub mod dsse;
pub mod key;
pub mod kinds;
pub mod opened;
pub mod release;
pub mod statement;

mod error;

pub use bundle::Bundle;
pub use error::AttestError;
pub use key::{Algorithm, PublicKey, SigningKey};
pub use kinds::{CHANGE, KINDS, RELEASE, StatementKind, main_kind};
pub use opened::OpenRun;
pub use statement::Statement;
