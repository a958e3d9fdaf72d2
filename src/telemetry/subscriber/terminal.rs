//! Live progress on a terminal: one line per finished stage, a spinner for the one at work.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use anstyle::{AnsiColor, Style};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::artifact::id::{Round, StageId};
use crate::diagnostic::text::{plain, wall_time};
use crate::telemetry::{Event, Events};

/// Shows progress on standard error.
pub struct Terminal {
    colour: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    bar: Option<ProgressBar>,
    /// The stage at work.
    at: String,
    /// The last note of the stage at work, shown on its line when it is done.
    note: String,
}

impl Terminal {
    /// Shows progress, with or without colour.
    pub fn new(colour: bool) -> Self {
        Self { colour, state: Mutex::default() }
    }

    fn paint(&self, style: Style, text: &str) -> String {
        if self.colour { format!("{style}{text}{style:#}") } else { text.to_owned() }
    }
}

impl State {
    fn finish(&mut self, line: &str) {
        match self.bar.take() {
            Some(bar) => {
                bar.println(line);
                bar.finish_and_clear();
            }
            None => anstream::eprintln!("{line}"),
        }
        self.note.clear();
    }
}

fn name(stage: StageId, round: Round) -> String {
    if round.get() > 1 { format!("{stage} #{round}") } else { stage.to_string() }
}

fn spinner(text: String) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
    if let Ok(style) = ProgressStyle::with_template("  {spinner} {msg} {elapsed:>6}") {
        bar.set_style(style);
    }
    bar.set_message(text);
    bar.enable_steady_tick(Duration::from_millis(120));
    bar
}

impl Events for Terminal {
    fn emit(&self, event: &Event) {
        let state = &mut *self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let (green, red, dim) =
            (AnsiColor::Green.on_default(), AnsiColor::Red.on_default(), Style::new().dimmed());
        match event {
            Event::RunStarted { run, .. } => {
                anstream::eprintln!("run {}", self.paint(Style::new().bold(), run.as_str()));
            }
            Event::StageStarted { stage, round } => {
                state.at = name(*stage, *round);
                state.bar = Some(spinner(format!("{:<16}", state.at)));
            }
            Event::StageReused { stage, round } => {
                let line = format!(
                    "  {} {:<16} {}",
                    self.paint(green, "ok"),
                    name(*stage, *round),
                    self.paint(dim, "reused")
                );
                state.finish(&line);
            }
            Event::StageSkipped { stage, why } => {
                let line =
                    format!("  {} {stage:<16} {}", self.paint(dim, "--"), self.paint(dim, &plain(why)));
                state.finish(&line);
            }
            Event::StageNote { stage, round, message } => {
                state.note = plain(message);
                if let Some(bar) = &state.bar {
                    bar.set_message(format!("{:<16} {}", name(*stage, *round), state.note));
                }
            }
            Event::CommandStarted { argv, .. } => {
                if let Some(bar) = &state.bar {
                    bar.set_message(format!("{:<16} $ {}", state.at, plain(&shell_words::join(argv))));
                }
            }
            Event::CommandFinished { .. } => {}
            Event::StageFinished { stage, round, exit, why, duration_ms } => {
                let mark = if *exit == 0 { self.paint(green, "ok") } else { self.paint(red, "!!") };
                let told = why.as_deref().map_or_else(|| state.note.clone(), plain);
                let time = format!("{:>10}", wall_time(*duration_ms));
                let line = format!("  {mark} {:<16} {} {told}", name(*stage, *round), self.paint(dim, &time));
                state.finish(&line);
            }
        }
    }
}
