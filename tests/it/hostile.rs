//! Hostile commands, templates, repositories and inputs through the command line.
