//! The folders of clean copies under names that are the same in every run.
//!
//! Must never let the name of a temporary folder through to a stage, nor a made-up one to a command.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::artifact::types::verification::Ended;
use crate::ports::process::{Command, Outcome};

/// Returns the name a stage knows its n-th clean copy by.
pub(super) fn stand_in(copy: usize) -> PathBuf {
    PathBuf::from(format!("/.orch/copy-{copy}"))
}

/// The real folders of the clean copies of a stage, the first one first.
#[derive(Debug, Default)]
pub(super) struct Places(Vec<PathBuf>);

impl Places {
    /// Adds a folder and returns its number, from 1.
    pub(super) fn add(&mut self, root: &Path) -> usize {
        self.0.push(root.to_owned());
        self.0.len()
    }

    /// Returns pairs of stand-in and real name; later copies first, since `copy-1` is the start of `copy-10`.
    fn names(&self) -> impl Iterator<Item = (String, &Path)> {
        let numbered = self.0.iter().enumerate().rev();
        numbered.map(|(n, root)| (stand_in(n + 1).display().to_string(), root.as_path()))
    }

    /// Puts the real folders into a command.
    pub(super) fn real(&self, command: &Command) -> Command {
        let text = |text: &str| {
            self.names().fold(text.to_owned(), |text, (name, root)| {
                if text.contains(&name) { text.replace(&name, &root.to_string_lossy()) } else { text }
            })
        };
        let folder = self.names().find_map(|(name, root)| {
            let below = command.cwd.strip_prefix(&name).ok()?;
            Some(if below.as_os_str().is_empty() { root.to_owned() } else { root.join(below) })
        });
        Command {
            argv: command.argv.iter().map(|word| text(word)).collect(),
            cwd: folder.unwrap_or_else(|| command.cwd.clone()),
            env: command.env.iter().map(|(k, v)| (k.clone(), text(v))).collect::<BTreeMap<_, _>>(),
            sandbox: command.sandbox.clone(),
        }
    }

    /// Puts the stand-ins into what a command did.
    pub(super) fn portable(&self, mut outcome: Outcome) -> Outcome {
        outcome.stdout.text = self.named(outcome.stdout.text);
        outcome.stderr.text = self.named(outcome.stderr.text);
        if let Ended::NotStarted { why } = &mut outcome.ended {
            *why = self.named(std::mem::take(why));
        }
        outcome.violations = outcome.violations.into_iter().map(|text| self.named(text)).collect();
        outcome
    }

    /// Puts the stand-ins into the bytes of a file, where it is text.
    pub(super) fn in_file(&self, bytes: Vec<u8>) -> Vec<u8> {
        match String::from_utf8(bytes) {
            Ok(text) => self.named(text).into_bytes(),
            Err(error) => error.into_bytes(),
        }
    }

    /// The one place that what commands printed or left passes on its way to tape and stage, which get the same text:
    /// whatever else has to be taken out of it, as secrets, has to be taken out here.
    fn named(&self, mut text: String) -> String {
        for (name, root) in self.names() {
            let mut real = vec![root.to_string_lossy().into_owned()];
            real.extend(root.canonicalize().ok().map(|path| path.to_string_lossy().into_owned()));
            // The longer first: on some systems one is the end of the other.
            real.sort_by_key(|name| std::cmp::Reverse(name.len()));
            for real in real.iter().filter(|real| real.len() > 1 && **real != name) {
                if text.contains(real.as_str()) {
                    text = text.replace(real.as_str(), &name);
                }
            }
        }
        text
    }
}
