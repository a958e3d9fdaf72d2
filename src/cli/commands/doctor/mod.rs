//! `orch doctor`: what is present, what is missing, what that means and what to do.
//!
//! Must never change anything, and must never call a protection present that was not tried.

mod check;
mod look;
mod programs;
mod render;

use std::io::{self, Write};
use std::path::Path;

use clap::{Args, ValueEnum};

pub use check::{Check, Report, State};
pub use look::look;

use crate::config::env::Environment;
use crate::config::{ConfigError, Loaded};
use crate::engine::Engine;
use crate::ports::process::Processes;
use crate::ports::vcs::{VcsError, VcsRead};

/// Tells what is present, what is missing, and what that means
#[derive(Args, Clone, Debug, Default)]
pub struct DoctorArgs {
    /// How to print the result
    #[arg(long, value_enum, default_value_t)]
    pub format: Format,
}

/// How to print the result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// A table for people.
    #[default]
    Human,
    /// One JSON document.
    Json,
}

/// What the doctor looks at; all of it is made by the caller, so that a test can make it too.
#[derive(Clone, Copy)]
pub struct Patient<'a> {
    /// The root of the repository, or the folder where one was looked for.
    pub root: &'a Path,
    /// The environment.
    pub environment: &'a Environment,
    /// The config, or why there is none.
    pub config: Result<&'a Loaded, &'a ConfigError>,
    /// The repository, or why there is none.
    pub vcs: Result<&'a dyn VcsRead, &'a VcsError>,
    /// Who runs repository code.
    pub processes: &'a dyn Processes,
    /// Who writes changes.
    pub engine: &'a dyn Engine,
}

/// Looks, prints, and returns the report; where `Report::can_run` is false the exit code is 2.
pub fn run(args: &DoctorArgs, patient: &Patient<'_>, out: &mut dyn Write) -> io::Result<Report> {
    let report = look(patient);
    match args.format {
        Format::Human => render::human(&report, out)?,
        Format::Json => render::json(&report, out)?,
    }
    Ok(report)
}
