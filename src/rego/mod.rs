//! Rego as platform teams already use it: a module is read, mended where regorus and OPA differ, checked, and evaluated
//! rule by rule.
//!
//! Must never lose a result: a module that cannot be used, a builtin that is not there, an error while a rule runs, a
//! limit that is met are a [`Fault`] with the file and the line, and whoever asked has to deny.

pub mod annotation;
pub mod builtin;
pub mod document;
pub mod fault;
pub mod graph;
pub mod inspect;
pub mod limit;
pub mod mend;
pub mod module;
pub mod policies;
pub mod schema;
pub mod spread;
pub mod tree;

#[cfg(test)]
mod divergence;

pub use fault::Fault;
pub use module::{Module, Version};
pub use policies::{Policies, Session};
