//! The gateway over providers that do what they are told.

mod faults;
mod flow;
mod parallel;
mod replay;
mod world;
