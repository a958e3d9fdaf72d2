//! Recorded, then played: the same answers, and no other.
