//! Who listens to the events of a run.

mod json;
mod plain;
mod terminal;

pub use json::JsonLines;
pub use plain::PlainLines;
pub use terminal::Terminal;
