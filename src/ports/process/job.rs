//! One run of a command, as whoever starts it sees it: what it needs, and how it ended.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::{Limits, Network};
use crate::artifact::types::verification::Ended;

/// Everything one run needs.
#[derive(Debug)]
pub(super) struct Plan {
    pub argv: Vec<String>,
    pub cwd: PathBuf,
    pub env: BTreeMap<String, String>,
    pub read: Vec<PathBuf>,
    pub write: Vec<PathBuf>,
    pub network: Network,
    pub limits: Limits,
}

/// How a command ended, and what was seen of it.
#[derive(Debug)]
pub(super) struct Finished {
    pub ended: Ended,
    pub unroutable: bool,
    pub left_behind: bool,
}
