//! The fixtures of the red team: one file for each incident.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use serde::Deserialize;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fixture {
    #[serde(skip)]
    pub file: String,
    /// Its number in the list of threats.
    pub incident: u32,
    /// What happened, in one line.
    pub title: String,
    /// Where it was told.
    pub source: String,
    pub cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
pub struct Case {
    /// What has to hold.
    pub name: String,
    #[serde(flatten)]
    pub kind: Kind,
}

/// What is done, and what must not come of it.
#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum Kind {
    Lint(Lint),
    Judge(Judge),
    Event(Event),
    Run(Run),
    Probe(Probe),
    Tamper(Tamper),
    Remote(Remote),
    Nothing(Nothing),
    Hosted(Hosted),
    Flap(Flap),
}

/// A workflow of `tests/golden/lint/bad`, the codes that have to be told, and one of `.../good` that is quiet.
#[derive(Debug, Deserialize)]
pub struct Lint {
    pub attack: String,
    pub codes: Vec<String>,
    pub twin: String,
}

/// Files that a change brings, judged by the policy stage.
#[derive(Debug, Deserialize)]
pub struct Judge {
    pub before: BTreeMap<String, String>,
    pub attack: BTreeMap<String, String>,
    pub codes: Vec<String>,
    pub twin: BTreeMap<String, String>,
}

/// An event of `tests/fixtures/events`, and how intake ends.
#[derive(Debug, Deserialize)]
pub struct Event {
    #[serde(rename = "event")]
    pub payload: String,
    #[serde(default)]
    pub since: Option<Since>,
    pub exit: i32,
    /// Whether the task it makes is marked as of somebody nobody vouches for.
    #[serde(default)]
    pub untrusted: bool,
    /// Texts that are in no file of the run.
    #[serde(default)]
    pub gone: Vec<String>,
    pub twin: Twin,
}

/// What a part of an event is, when it is looked at again.
#[derive(Debug, Deserialize)]
pub struct Since {
    pub ask: String,
    pub part: String,
    pub body: String,
}

#[derive(Debug, Deserialize)]
pub struct Twin {
    pub event: String,
    pub exit: i32,
}

/// What models say in a whole run, and what must be nowhere afterwards.
#[derive(Debug, Deserialize)]
pub struct Run {
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// The summary of the plan.
    #[serde(default)]
    pub summary: Option<String>,
    /// What is written into the file.
    #[serde(default)]
    pub content: Option<String>,
    /// The file.
    #[serde(default = "readme")]
    pub path: String,
    #[serde(default)]
    pub exit: Exit,
    /// Texts that are in no file, commit or text.
    #[serde(default)]
    pub forbidden: Vec<String>,
    /// Texts that are not in the text of the pull request.
    #[serde(default)]
    pub forbidden_text: Vec<String>,
    /// A file that must not come to be.
    #[serde(default)]
    pub untouched: Option<String>,
    /// The file of the twin, where another one is what lets it through.
    #[serde(default)]
    pub twin_path: Option<String>,
}

fn readme() -> String {
    "README.md".into()
}

/// How a run has to end.
#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(untagged)]
pub enum Exit {
    /// With this.
    Code(i32),
    /// As it likes.
    Any(#[serde(deserialize_with = "any")] ()),
    /// With 0.
    #[default]
    #[serde(skip)]
    Done,
}

fn any<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    match String::deserialize(deserializer)?.as_str() {
        "any" => Ok(()),
        other => Err(serde::de::Error::custom(format!("`{other}` is no exit"))),
    }
}

/// A command of the repository that looks around.
#[derive(Debug, Deserialize)]
pub struct Probe {
    #[serde(default)]
    pub env: BTreeMap<String, String>,
    /// Variables that name files of the runner, which have to stay empty.
    #[serde(default)]
    pub files: Vec<String>,
    pub script: String,
    pub forbidden: Vec<String>,
}

/// A file of a good run, changed before `pr`.
#[derive(Debug, Deserialize)]
pub struct Tamper {
    pub file: String,
    #[serde(default)]
    pub from: String,
    #[serde(default)]
    pub to: String,
    #[serde(default)]
    pub cut: Option<usize>,
    #[serde(default)]
    pub delete: bool,
}

/// A remote that is no place.
#[derive(Debug, Deserialize)]
pub struct Remote {
    pub url: String,
    pub untouched: String,
}

/// A request nobody can do anything for, and one somebody can.
#[derive(Debug, Deserialize)]
pub struct Nothing {
    pub request: String,
    pub exit: i32,
    pub twin: String,
}

/// A change that becomes a pull request by the forge's API, of which one call is refused.
#[derive(Debug, Deserialize)]
pub struct Hosted {
    #[serde(default)]
    pub refuse: Option<Refuse>,
    /// Whether there is no GraphQL, so that commits are made from objects.
    #[serde(default)]
    pub objects: bool,
    /// Whether the change brings a program.
    #[serde(default)]
    pub executable: bool,
    /// Whether it has to go on all the same.
    #[serde(default)]
    pub goes: bool,
    /// The end of a path that is never asked.
    #[serde(default)]
    pub never: Option<String>,
}

/// A call by the end of its path or the name of its operation, and what it is answered.
#[derive(Debug, Deserialize)]
pub struct Refuse {
    pub call: String,
    pub status: u16,
    pub message: String,
}

/// What a builder writes in two turns: one that is judged, and what becomes of it; the twin's second turn goes on.
#[derive(Debug, Deserialize)]
pub struct Flap {
    pub turns: [String; 2],
    pub twin: [String; 2],
}

/// Reads every fixture, by name.
pub fn fixtures() -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/red_team");
    let mut files: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
        .iter()
        .map(|path| {
            let file = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = fs::read_to_string(path).unwrap();
            let read: Result<Fixture, _> = serde_yaml::from_str(&text);
            Fixture { file: file.clone(), ..read.unwrap_or_else(|error| panic!("{file}: {error}")) }
        })
        .collect()
}
