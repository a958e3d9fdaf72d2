//! Looks at a repository and proposes its commands, each with the reason for it.
//!
//! Must never run anything, and must never propose a command without evidence: what is unknown stays empty.

mod go;
mod javascript;
mod listing;
mod python;
mod rust;
mod tasks;

use std::fmt;

pub use listing::{FolderListing, Listing, TreeListing};

use super::valid::{Command, Commands};
use crate::artifact::types::verification::CommandRole;

/// One line per detector, in the order their commands run.
static DETECTORS: &[fn(&dyn Listing) -> Vec<Part>] =
    &[rust::detect, go::detect, python::detect, javascript::detect, tasks::detect];

/// What was found in a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Detected {
    /// The parts of the repository, one per language and folder.
    pub parts: Vec<Part>,
}

/// A part of a repository: one language in one folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The language, or the task runner that stands in for an unknown one.
    pub language: Language,
    /// The folder, empty for the root.
    pub folder: String,
    /// The framework, as `FastAPI`.
    pub framework: Option<&'static str>,
    /// The package manager, as `poetry`.
    pub manager: Option<&'static str>,
    /// The commands.
    pub proposals: Vec<Proposal>,
    /// What a person should know, one sentence each.
    pub notes: Vec<String>,
}

/// A language.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Language {
    /// Rust.
    Rust,
    /// Go.
    Go,
    /// Python.
    Python,
    /// TypeScript.
    TypeScript,
    /// JavaScript.
    JavaScript,
    /// Not known; a task runner has the commands.
    Other,
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Rust => "Rust",
            Self::Go => "Go",
            Self::Python => "Python",
            Self::TypeScript => "TypeScript",
            Self::JavaScript => "JavaScript",
            Self::Other => "other",
        })
    }
}

/// A command and why it is proposed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proposal {
    /// What it is for.
    pub role: CommandRole,
    /// The words.
    pub command: Command,
    /// The reason, to be read after `because`.
    pub why: String,
    /// Whether it has to reach the network.
    pub network: bool,
}

impl Detected {
    /// Returns the commands of all parts, in order.
    pub fn commands(&self) -> Commands {
        let of = |role| {
            let mut commands: Vec<Command> = Vec::new();
            for proposal in self.proposals().filter(|p| p.role == role) {
                if !commands.contains(&proposal.command) {
                    commands.push(proposal.command.clone());
                }
            }
            commands
        };
        Commands {
            setup: of(CommandRole::Setup),
            build: of(CommandRole::Build),
            lint: of(CommandRole::Lint),
            test: of(CommandRole::Test),
        }
    }

    /// Tells whether a setup command has to reach the network.
    pub fn needs_setup_network(&self) -> bool {
        self.proposals().any(|p| p.network)
    }

    /// Returns every proposal, part by part.
    pub fn proposals(&self) -> impl Iterator<Item = &Proposal> {
        self.parts.iter().flat_map(|p| &p.proposals)
    }
}

/// Looks at a repository and proposes its commands.
pub fn detect_commands(listing: &dyn Listing) -> Detected {
    let mut detected = Detected::default();
    for detect in DETECTORS {
        // A task runner only stands in where nothing else is known.
        let parts = detect(listing).into_iter();
        let known = !detected.parts.is_empty();
        detected.parts.extend(parts.filter(|p| !known || p.language != Language::Other));
    }
    detected
}

impl Part {
    fn new(language: Language, folder: &str) -> Self {
        Self {
            language,
            folder: folder.to_owned(),
            framework: None,
            manager: None,
            proposals: Vec::new(),
            notes: Vec::new(),
        }
    }

    fn propose<S: Into<String>>(
        &mut self,
        role: CommandRole,
        words: impl IntoIterator<Item = S>,
        why: impl Into<String>,
    ) {
        let command = Command(words.into_iter().map(Into::into).collect());
        self.proposals.push(Proposal { role, command, why: why.into(), network: false });
    }

    /// Returns the path of a file of this part.
    fn path(&self, name: &str) -> String {
        join(&self.folder, name)
    }
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() { name.to_owned() } else { format!("{folder}/{name}") }
}

/// Folders whose manifests are not the repository's own.
const FOREIGN: &[&str] = &[
    "node_modules",
    "vendor",
    "third_party",
    "target",
    "dist",
    "build",
    "fixtures",
    "testdata",
    "examples",
    "example",
    "site-packages",
    "venv",
    "env",
    "docs",
    "templates",
];

/// Returns the folders that hold one of the manifests: the root alone if it does, else the nearest ones up to two below.
fn folders_with(listing: &dyn Listing, manifests: &[&str]) -> Vec<String> {
    if manifests.iter().any(|m| listing.has(m)) {
        return vec![String::new()];
    }
    let mut folders: Vec<String> = Vec::new();
    for path in listing.paths() {
        let Some((folder, name)) = path.rsplit_once('/') else { continue };
        if !manifests.contains(&name) || folders.iter().any(|f| f == folder) {
            continue;
        }
        let own = |part: &str| !part.starts_with('.') && !FOREIGN.contains(&part);
        if folder.split('/').count() <= 2 && folder.split('/').all(own) {
            folders.push(folder.to_owned());
        }
    }
    folders.sort();
    let outer = folders.clone();
    folders.retain(|f| {
        !outer.iter().any(|o| f.strip_prefix(o.as_str()).is_some_and(|rest| rest.starts_with('/')))
    });
    folders.truncate(8);
    folders
}

/// Returns the first name of a table that a text holds as a whole word, case folded.
fn framework(text: &str, known: &[(&str, &'static str)]) -> Option<&'static str> {
    let text = text.to_lowercase();
    let is_word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let holds = |name: &str| {
        text.match_indices(name)
            .any(|(at, _)| !text[..at].ends_with(is_word) && !text[at + name.len()..].starts_with(is_word))
    };
    known.iter().find(|(name, _)| holds(name)).map(|(_, shown)| *shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framework_name_is_a_whole_word() {
        let known = &[("fastapi", "FastAPI")];
        assert_eq!(framework("FastAPI==0.1", known), Some("FastAPI"));
        assert_eq!(framework("my-fastapi-x fastapi_y", known), None);
    }
}
