//! The template engine and its templates.

mod render;
mod requests;
mod run;
mod support;
