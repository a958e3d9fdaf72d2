//! Where the files of a run are kept.
