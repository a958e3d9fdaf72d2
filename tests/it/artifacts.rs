//! The artifact protocol through the command line.
