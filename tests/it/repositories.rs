//! Unusual repositories.
