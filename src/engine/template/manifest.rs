//! `template.yml`: what a template says of itself.
//!
//! Must never accept a key it does not know, and must never hold behaviour: conditions and values are expressions that
//! `render` evaluates.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::id::Slug;
use crate::artifact::types::plan::{Criterion, RiskLevel};

/// What a template says of itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// The template's name; also the name of its folder.
    pub name: Slug,
    /// One line that tells what it does.
    pub summary: String,
    /// Requests it serves; the first one is shown to people, and every one is tried by the tests.
    pub examples: Vec<String>,
    /// The words it knows.
    pub request: Words,
    /// What it looks at in the repository.
    #[serde(default)]
    pub repository: Needs,
    /// The values it takes.
    #[serde(default)]
    pub parameters: Vec<Parameter>,
    /// Reasons not to go on, tried in order before a variant is chosen.
    #[serde(default)]
    pub stops: Vec<Stop>,
    /// Ways to do it; the first whose condition holds is taken.
    pub variants: Vec<Variant>,
}

/// The words a template knows; a phrase is words in a row, any case.
///
/// Every word of a request must be known to the template, be filler (`please`, `the`, ...), or belong to a parameter:
/// what a template would not do, it must not accept.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// Groups of synonyms; a request must hold one phrase of each.
    pub all: Vec<Vec<String>>,
    /// Phrases that belong to the subject and may be there.
    #[serde(default)]
    pub any: Vec<String>,
    /// Phrases that must not be there: another subject, or the opposite.
    #[serde(default)]
    pub none: Vec<String>,
}

/// What a template looks at in the repository.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// The detectors whose facts its expressions use, as `repo.<detector>`.
    #[serde(default)]
    pub detect: Vec<Detector>,
    /// Languages, one of which a repository with any source must hold; empty: all.
    #[serde(default)]
    pub languages: Vec<Language>,
}

/// A detector of facts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Detector {
    /// Python projects and FastAPI apps.
    Python,
    /// Cargo packages and std-only services.
    Rust,
    /// `package.json` and its tools.
    Node,
    /// README and licence files, workflows.
    Documents,
}

/// A language, told by the endings of file names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Language {
    /// `.py`
    Python,
    /// `.rs`
    Rust,
    /// `.ts`, `.tsx`, `.mts`, `.cts`
    Typescript,
    /// `.js`, `.jsx`, `.mjs`, `.cjs`
    Javascript,
    /// `.go`
    Go,
    /// `.java`, `.kt`
    Jvm,
    /// `.rb`
    Ruby,
    /// `.cs`
    Csharp,
    /// `.php`
    Php,
}

/// A value a template takes.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Parameter {
    /// The name expressions use.
    pub name: String,
    /// One line that tells what it is.
    pub description: String,
    /// Where it stands in a request, tried in order.
    #[serde(default)]
    pub request: Vec<Capture>,
    /// The value where the request has none; a template over `repo`, `task` and the parameters above.
    #[serde(default)]
    pub default: Option<String>,
    /// What every value must match, as a whole.
    pub pattern: String,
    /// Whether a value may have more than one line.
    #[serde(default)]
    pub multiline: bool,
    /// Whether it is needed, as an expression; where it is not, it is empty.
    #[serde(default)]
    pub needed: Option<String>,
    /// What to tell a person when a needed value is missing.
    #[serde(default)]
    pub missing: Option<String>,
}

/// Where a parameter stands in a request.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Capture {
    /// A regular expression; its group `value` is the value, and the whole match is accounted for, or the group `taken`
    /// where there is one.
    pub pattern: String,
    /// The value, where it is not what the group matched.
    #[serde(default)]
    pub value: Option<String>,
}

/// A reason not to go on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Stop {
    /// An expression.
    pub when: String,
    /// How it ends.
    pub outcome: StopOutcome,
    /// The file a conflict is about, a template.
    #[serde(default)]
    pub path: Option<String>,
    /// Why; for a conflict to be read after `it`; a template.
    pub why: String,
    /// What to do next, a template.
    #[serde(default)]
    pub help: String,
}

/// How a stop ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum StopOutcome {
    /// The template is not for this repository.
    NoFit,
    /// The base has it.
    AlreadyDone,
    /// Something is in the way.
    Conflict,
}

/// One way to do it.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Variant {
    /// Its name, as `create`.
    pub name: String,
    /// An expression; absent: always.
    #[serde(default)]
    pub when: Option<String>,
    /// True: it extends what is there, and so wins over templates that would start afresh.
    #[serde(default)]
    pub extends: bool,
    /// One paragraph for the pull request.
    pub summary: String,
    /// The Conventional Commits type.
    pub change_type: String,
    /// The scope.
    pub scope: String,
    /// The commit subject after `type(scope): `.
    pub subject: String,
    /// The steps.
    pub steps: Vec<String>,
    /// What must hold afterwards.
    pub criteria: Vec<Criterion>,
    /// The test files and what they need to run.
    #[serde(default)]
    pub tests: Vec<FileRule>,
    /// The files of the change.
    pub files: Vec<FileRule>,
    /// Criteria no test covers, with the reason.
    #[serde(default)]
    pub uncovered: BTreeMap<String, String>,
    /// Why red-then-green is waived.
    #[serde(default)]
    pub exempt: Option<String>,
    /// What may go wrong.
    #[serde(default)]
    pub risks: Vec<RiskRule>,
    /// How to undo it.
    pub rollback: String,
}

/// A file of a variant.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileRule {
    /// The path in the repository, a template.
    pub path: String,
    /// An expression; absent: always.
    #[serde(default)]
    pub when: Option<String>,
    /// The file of the template that is rendered.
    pub source: String,
    /// What happens to the path.
    #[serde(default)]
    pub edit: Edit,
    /// The tests in it that must be red before and green after; test files only.
    #[serde(default)]
    pub expected: Vec<Expected>,
}

/// A test that must be red before and green after.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The test's name, a template.
    pub name: String,
    /// The criteria it covers.
    pub criteria: Vec<String>,
}

/// What happens to a path.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", tag = "op", deny_unknown_fields)]
pub enum Edit {
    /// It is new; the same content already there is no change, other content is a conflict.
    #[default]
    Create,
    /// The text goes to a place in it.
    Insert {
        /// Where.
        at: Place,
        /// A regular expression, a template; where it matches, the file stays as it is.
        #[serde(default)]
        unless: Option<String>,
    },
    /// The text goes to its end, after one empty line; a missing file is made.
    Append {
        /// A regular expression, a template; where it matches, the file stays as it is.
        #[serde(default)]
        unless: Option<String>,
    },
    /// Lines it lacks go to its end; a missing file is made.
    MergeLines {
        /// When two lines are the same.
        style: LineStyle,
    },
    /// Members its objects lack are put in; everything else keeps its bytes. The file must exist.
    MergeJson,
}

/// A place in a file.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Place {
    /// Before the line with this number, counted from 0; an expression.
    Line(String),
    /// Before the first line that matches this regular expression, a template.
    Before(String),
    /// After the last line that matches this regular expression, a template.
    After(String),
}

/// When two lines are the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LineStyle {
    /// When they are equal but for white space around them.
    Plain,
    /// When they name the same Python package, whatever the version.
    Requirements,
}

/// A risk that holds under a condition.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RiskRule {
    /// An expression; absent: always.
    #[serde(default)]
    pub when: Option<String>,
    /// How bad.
    pub level: RiskLevel,
    /// What may happen, a template.
    pub text: String,
    /// What is done or should be done about it, a template.
    pub mitigation: String,
}

/// Returns the JSON Schema of `template.yml`.
pub fn schema() -> schemars::Schema {
    let mut schema = schemars::generate::SchemaSettings::draft2020_12()
        .into_generator()
        .into_root_schema_for::<Manifest>();
    schema.insert("$id".into(), "urn:orch:template".into());
    schema.insert("title".into(), "template.yml".into());
    schema
}
