//! orch.yml.
