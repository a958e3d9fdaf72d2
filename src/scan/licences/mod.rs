//! Licences: which ones a repository is under, which ones come into it, and whether the two go together.
//!
//! Must never call a text or a name permissive that it does not know: what is not known is for a person.

mod expression;
mod matrix;
mod names;

pub use expression::{Expression, Term};
pub use matrix::{Conflict, Linkage, Severity, class, conflict, judge};

#[cfg(test)]
mod matrix_tests;
