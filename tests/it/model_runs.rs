//! Whole runs with models, through the program: scripts answer, and everything around them is real.

mod debates;
mod doors;
mod formats;
mod money;
mod records;
pub mod world;
