//! The artifact protocol: kinds, envelopes, digests, schemas, manifests and the store. The bottom layer.
//!
//! Must never know a stage, a port, the config or the command line.

pub mod chain;
mod checked;
pub mod day;
pub mod digest;
pub mod envelope;
pub mod id;
pub mod kind;
pub mod money;
pub mod path;
pub mod schema;
pub mod store;
pub mod types;
pub mod version;
