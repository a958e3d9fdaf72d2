//! Licences: which ones a repository is under, which ones come into it, and whether the two go together.
//!
//! Must never call a text or a name permissive that it does not know: what is not known is for a person.

mod cache;
mod declared;
mod expression;
mod files;
mod header;
mod matrix;
mod names;
mod own;
mod scanner;
mod text;

pub use declared::declared;
pub use expression::{Expression, Term};
pub use matrix::{Conflict, Linkage, Severity, class, conflict, judge};
pub use own::published;
pub use scanner::{CHANGED, CONFLICT, FOUND, Licences, UNKNOWN};
pub use text::{Part, Reading, read};

#[cfg(test)]
mod matrix_tests;
#[cfg(test)]
mod tests;
