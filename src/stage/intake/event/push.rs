//! `push`: starts no change.
//!
//! Must never read a message of a commit.

use super::Said;

pub(super) fn read() -> Said {
    Said::nothing("a push starts no change")
}
