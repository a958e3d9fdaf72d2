//! `verify-red` and `verify-green`: what commands and tests say in clean copies.
