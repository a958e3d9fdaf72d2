//! The repository port: bases, branches, pushes.
