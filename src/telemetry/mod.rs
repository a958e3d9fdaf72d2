//! Events of a run: they go out once, listeners differ.
//!
//! Must never change what a stage does: a listener that fails is left out.

mod event;
pub mod subscriber;

pub use event::{Event, Events, Masked, Silent};
