//! What templates write.
