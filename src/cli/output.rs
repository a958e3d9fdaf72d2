//! Where text goes: results to standard output, progress and errors to standard error.
//!
//! Must never fail a run because nobody reads the output any more.

use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::args::{Format, Global};
use super::error::CommandError;
use crate::config::env::Environment;
use crate::diagnostic::text::plain;
use crate::telemetry::subscriber::{JsonLines, PlainLines, Terminal};
use crate::telemetry::{Events, Silent};

/// Where text goes, and in which form.
pub struct Output {
    /// What is printed.
    pub format: Format,
    quiet: bool,
    colour: clap::ColorChoice,
    ci: bool,
}

impl Output {
    /// Returns the output of the global flags.
    pub fn new(global: &Global) -> Self {
        let colour = match global.color {
            clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
            clap::ColorChoice::Always => anstream::ColorChoice::Always,
            clap::ColorChoice::Never => anstream::ColorChoice::Never,
        };
        colour.write_global();
        let ci = Environment::of_process().is_ci();
        Self { format: global.format, quiet: global.quiet, colour: global.color, ci }
    }

    /// Returns who listens to the events of a run.
    pub fn events(&self) -> Box<dyn Events> {
        match self.format {
            Format::Json => Box::new(JsonLines::new(Box::new(io::stdout()))),
            Format::Human if self.quiet => Box::new(Silent),
            Format::Human if io::stderr().is_terminal() && !self.ci => {
                Box::new(Terminal::new(self.colours()))
            }
            Format::Human => Box::new(PlainLines::new(Box::new(io::stderr()))),
        }
    }

    fn colours(&self) -> bool {
        match self.colour {
            clap::ColorChoice::Always => true,
            clap::ColorChoice::Never => false,
            clap::ColorChoice::Auto => {
                anstream::AutoStream::choice(&io::stderr()) != anstream::ColorChoice::Never
            }
        }
    }

    /// Tells whether only what has to be said is to be said.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Tells people something beside the result, on standard error.
    pub fn note(&self, text: &str) {
        if !self.quiet {
            let _ = writeln!(anstream::stderr(), "note: {}", plain(text));
        }
    }

    /// Prints text that `render` writes; a reader that has gone away is no error.
    #[expect(
        clippy::unused_self,
        reason = "printing belongs to the output, whatever it needs to know for it"
    )]
    pub fn print(&self, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CommandError> {
        let mut out = io::BufWriter::new(anstream::stdout());
        match render(&mut out).and_then(|()| out.flush()) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
                Err(super::error::IoError { what: "write to standard output".into(), source }.into())
            }
            _ => Ok(()),
        }
    }

    /// Prints a value as pretty JSON.
    pub fn print_json<T: Serialize>(&self, value: &T) -> Result<(), CommandError> {
        self.print(|out| {
            serde_json::to_writer_pretty(&mut *out, value)?;
            writeln!(out)
        })
    }

    /// Prints a value as one line of JSON, like an event.
    pub fn print_json_line<T: Serialize>(&self, value: &T) -> Result<(), CommandError> {
        self.print(|out| {
            serde_json::to_writer(&mut *out, value)?;
            writeln!(out)
        })
    }

    /// Prints text for people, or a value for programs.
    pub fn show<T: Serialize>(
        &self,
        value: &T,
        render: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), CommandError> {
        match self.format {
            Format::Human => self.print(render),
            Format::Json => self.print_json(value),
        }
    }

    /// Prints an error: for people on standard error, for programs also as JSON on standard output.
    pub fn error(&self, error: &CommandError) {
        let document = error.document();
        if self.format == Format::Json
            && let Ok(text) = serde_json::to_string(&document)
        {
            let _ = writeln!(io::stdout(), "{text}");
        }
        let mut err = anstream::stderr();
        for (label, text) in document.lines() {
            let style = match label {
                "error" => AnsiColor::Red.on_default().bold(),
                "help" => AnsiColor::Cyan.on_default(),
                _ => Style::new().bold(),
            };
            let mut lines = text.lines();
            let _ = writeln!(err, "{style}{label}{style:#}: {}", plain(lines.next().unwrap_or_default()));
            for line in lines {
                let _ = writeln!(err, "{:width$}  {}", "", plain(line), width = label.len());
            }
        }
    }
}

/// Prints an error of parsing for programs too, when the words ask for JSON; people get it from the parser.
pub fn usage_error(error: &clap::Error) {
    let words: Vec<_> = std::env::args_os().skip(1).take_while(|word| word != "--").collect();
    let json = words.iter().any(|word| word == "--format=json")
        || words.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json");
    if json {
        let text = error.to_string();
        let what = text.lines().next().unwrap_or_default();
        let what = what.strip_prefix("error: ").unwrap_or(what);
        let document = serde_json::json!({ "error": what, "causes": [], "exit": 2 });
        let _ = writeln!(io::stdout(), "{document}");
    }
}
