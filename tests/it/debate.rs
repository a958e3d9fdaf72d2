//! Debates over a repository in memory, with models that answer from a table.

mod bounds;
mod change;
mod plans;
mod support;
