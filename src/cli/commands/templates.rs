//! `orch templates`: what the built-in engine can do.
