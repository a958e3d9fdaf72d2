//! The template engine and its templates.
