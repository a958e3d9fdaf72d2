//! Edits that try to leave the repository.
