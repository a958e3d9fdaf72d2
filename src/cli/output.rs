//! Where text goes: results to standard output, progress and errors to standard error.
//!
//! Must never fail a run because nobody reads the output any more, and must never let a secret through.

use std::io::{self, IsTerminal as _, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::args::{Format, Global};
use super::error::CommandError;
use crate::config::env::Environment;
use crate::diagnostic::redact::{redact, redact_bytes};
use crate::diagnostic::text::plain;
use crate::telemetry::subscriber::{JsonLines, PlainLines, Terminal};
use crate::telemetry::{Events, Masked, Silent};

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

    /// Tells whether no more than the result is to be printed.
    pub fn is_quiet(&self) -> bool {
        self.quiet
    }

    /// Returns the columns to fit lines into: those of the terminal, where there is one.
    #[expect(
        clippy::unused_self,
        reason = "the width belongs to the output, whatever it needs to know for it"
    )]
    pub fn width(&self) -> usize {
        terminal_size::terminal_size_of(io::stdout()).map_or(100, |(columns, _)| usize::from(columns.0))
    }

    /// Returns who listens to the events of a run.
    pub fn events(&self) -> Box<dyn Events> {
        let listener: Box<dyn Events> = match self.format {
            Format::Json => Box::new(JsonLines::new(Box::new(io::stdout()))),
            Format::Human if self.quiet => Box::new(Silent),
            Format::Human if io::stderr().is_terminal() && !self.ci => {
                Box::new(Terminal::new(self.colours()))
            }
            Format::Human => Box::new(PlainLines::new(Box::new(io::stderr()))),
        };
        Box::new(Masked::new(listener))
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

    /// Prints text that `render` writes; a reader that has gone away is no error.
    #[expect(
        clippy::unused_self,
        reason = "printing belongs to the output, whatever it needs to know for it"
    )]
    pub fn print(&self, render: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> Result<(), CommandError> {
        // Masked as a whole: a secret may come in pieces.
        let mut text = Vec::new();
        let mut out = anstream::stdout();
        let told = render(&mut text).and_then(|()| out.write_all(&redact_bytes(&text)));
        match told.and_then(|()| out.flush()) {
            Err(source) if source.kind() != io::ErrorKind::BrokenPipe => {
                Err(super::error::IoError { what: "write to standard output".into(), source }.into())
            }
            _ => Ok(()),
        }
    }

    /// Prints the content of a file that was asked for, byte for byte: masking would make it another file.
    #[expect(
        clippy::unused_self,
        reason = "printing belongs to the output, whatever it needs to know for it"
    )]
    pub fn print_exact(&self, bytes: &[u8]) -> Result<(), CommandError> {
        let mut out = io::stdout().lock();
        match out.write_all(bytes).and_then(|()| out.flush()) {
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

    /// Tells people something on standard error.
    #[expect(clippy::unused_self, reason = "telling belongs to the output, whatever it needs to know for it")]
    pub fn note(&self, text: &str) {
        let style = Style::new().bold();
        let _ = writeln!(anstream::stderr(), "{style}note{style:#}: {}", plain(&redact(text)));
    }

    /// Prints an error: for people on standard error, for programs also as JSON on standard output.
    pub fn error(&self, error: &CommandError) {
        let document = error.document();
        if self.format == Format::Json
            && let Ok(text) = serde_json::to_string(&document)
        {
            let _ = writeln!(io::stdout(), "{}", redact(&text));
        }
        let mut err = anstream::stderr();
        for (label, text) in document.lines() {
            let text = redact(text).into_owned();
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

/// Prints what the parser has to say to people: help on standard output, errors on standard error.
pub fn parser_says(error: &clap::Error) {
    let text = error.render().ansi().to_string();
    let text = redact(&text);
    // A reader that has gone away is no error.
    let _ = if error.use_stderr() {
        anstream::stderr().write_all(text.as_bytes())
    } else {
        anstream::stdout().write_all(text.as_bytes())
    };
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
        let _ = writeln!(io::stdout(), "{}", redact(&document.to_string()));
    }
}
