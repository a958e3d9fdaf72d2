//! Which files a request concerns: signals, weighed together.
//!
//! Must never rank by what is newer than the tree.

pub mod fit;
pub mod signals;
pub mod weigh;

pub use signals::{Query, Row, SIGNALS, Signal, Table};
pub use weigh::WEIGHTS;
