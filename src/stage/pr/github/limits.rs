//! How a commit is made on GitHub: by which of its ways a change of this size, number and kind gets there. The one place that says so.
//!
//! Must never choose a way that GitHub does not sign where one that it signs would do.

/// More bytes than this are not put into one call of GraphQL: the call would outlast its time.
const CALL_BYTES: usize = 16 * MIB;
/// Nor more files.
const CALL_FILES: usize = 1_000;
/// A blob of more bytes is refused by the API: 40 MiB as base64 in JSON, of which a quarter is the encoding.
const BLOB_BYTES: usize = 30 * MIB;
/// A blob is a request; GitHub takes 80 writes a minute and 500 an hour, and other writes have to fit in too.
const BLOBS: usize = 200;
/// A file of more bytes is refused by every way but Git LFS.
const FILE_BYTES: usize = 100 * MIB;
const MIB: usize = 1024 * 1024;

/// A way a commit gets to GitHub.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Way {
    /// `createCommitOnBranch`: one call, signed for every token; knows no modes.
    Call,
    /// Blobs, a tree and a commit: signed for tokens of Apps.
    Objects,
    /// git: takes all, signed by nobody.
    Push,
}

/// What a commit brings.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    /// How many files it writes or deletes.
    pub(super) files: usize,
    /// How many of them it writes.
    pub(super) written: usize,
    /// The bytes of all together.
    pub(super) bytes: usize,
    /// The bytes of the largest.
    pub(super) largest: usize,
    /// Whether one of them is executable.
    pub(super) modes: bool,
}

impl Size {
    /// Adds a file; `None`: it is deleted.
    pub(super) fn add(&mut self, content: Option<(usize, bool)>) {
        self.files += 1;
        let Some((bytes, executable)) = content else { return };
        self.written += 1;
        self.bytes = self.bytes.saturating_add(bytes);
        self.largest = self.largest.max(bytes);
        self.modes |= executable;
    }

    /// Returns the way a commit of this size takes; `call`: whether the first of them is there and fits what it is made of.
    pub(super) fn way(&self, call: bool) -> Way {
        if call && !self.modes && self.bytes <= CALL_BYTES && self.files <= CALL_FILES {
            Way::Call
        } else if self.largest <= BLOB_BYTES && self.written <= BLOBS {
            Way::Objects
        } else {
            Way::Push
        }
    }

    /// Tells whether there is a way at all.
    pub(super) const fn fits(&self) -> bool {
        self.largest <= FILE_BYTES
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn size(files: usize, each: usize, executable: bool) -> Size {
        let mut size = Size::default();
        (0..files).for_each(|_| size.add(Some((each, executable))));
        size
    }

    #[test]
    fn the_way_that_is_signed_comes_first() {
        for (files, each, executable, way) in [
            (2, 10, false, Way::Call),
            (1_000, 10, false, Way::Call),
            (1_001, 10, false, Way::Push),
            (1, 16 * MIB, false, Way::Call),
            (1, 16 * MIB + 1, false, Way::Objects),
            (1, 30 * MIB, false, Way::Objects),
            (1, 30 * MIB + 1, false, Way::Push),
            (1, 10, true, Way::Objects),
            (200, 10, true, Way::Objects),
            (201, 10, true, Way::Push),
        ] {
            assert_eq!(size(files, each, executable).way(true), way, "{files} {each} {executable}");
        }
        assert_eq!(size(2, 10, false).way(false), Way::Objects);
        assert_eq!(size(201, 10, false).way(false), Way::Push);
        let mut gone = size(1, 1, true);
        (0..500).for_each(|_| gone.add(None));
        assert_eq!(gone.way(true), Way::Objects, "what is deleted needs no blob");
        assert!(size(1, 100 * MIB, false).fits() && !size(1, 100 * MIB + 1, false).fits());
    }
}
