//! The statements there are, one line each.
//!
//! Must never hold two statements of one name or one predicate type.

use schemars::Schema;
use schemars::generate::SchemaSettings;
use serde_json::Value;

use super::opened::OpenRun;
use super::{AttestError, Statement, catalogue, change, release};
use crate::artifact::chain::STATEMENTS;

/// Makes the predicate of a statement; `None` where the run has nothing to say in it.
type Make = fn(&OpenRun<'_>) -> Result<Option<Value>, String>;

/// A kind of statement.
pub struct StatementKind {
    /// Its name, also of its file in `attest/`.
    pub name: &'static str,
    /// The type of its predicate.
    pub predicate: &'static str,
    /// What it says, one sentence.
    pub about: &'static str,
    make: Make,
}

/// What a run that makes a change says of the whole of it.
pub const CHANGE: StatementKind = StatementKind {
    name: "change",
    predicate: change::TYPE,
    about: "The whole run: stages, files, rules, tests, cost.",
    make: own,
};

/// What a run of a release says of the whole of it.
pub const RELEASE: StatementKind = StatementKind {
    name: "release",
    predicate: release::TYPE,
    about: "A release: what was judged, decided and done, for which digests and environment.",
    make: release::release,
};

/// Every kind; of one with nothing to say about a run there is no statement.
pub const KINDS: &[StatementKind] = &[
    CHANGE,
    StatementKind {
        name: "provenance",
        predicate: catalogue::PROVENANCE,
        about: "SLSA provenance v1 of the change.",
        make: catalogue::provenance,
    },
    StatementKind {
        name: "test-result",
        predicate: catalogue::TEST_RESULT,
        about: "What the tests said with the change.",
        make: catalogue::test_result,
    },
    StatementKind {
        name: "svr",
        predicate: catalogue::SVR,
        about: "The rules an allowed change passed.",
        make: catalogue::svr,
    },
    StatementKind {
        name: "vsa",
        predicate: catalogue::VSA,
        about: "What policy or the release gate decided, as a SLSA verification summary.",
        make: catalogue::vsa,
    },
    RELEASE,
];

/// Returns the kind that a run must have to count as signed: the one that speaks of the whole of it.
pub fn main_kind(run: &OpenRun<'_>) -> &'static StatementKind {
    if run.is_release() { &RELEASE } else { &CHANGE }
}

/// The names of the predicates of this program among the schemas.
pub const SCHEMAS: &[&str] = &["orch-change", "orch-release"];

/// Returns the JSON Schema (draft 2020-12) of a predicate of this program.
pub fn schema(name: &str) -> Option<Schema> {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let (mut schema, id) = match name {
        "orch-change" => (generator.into_root_schema_for::<change::Change>(), change::TYPE),
        "orch-release" => (generator.into_root_schema_for::<release::Release>(), release::TYPE),
        _ => return None,
    };
    schema.insert("$id".into(), id.into());
    schema.insert("title".into(), name.into());
    Some(schema)
}

fn own(run: &OpenRun<'_>) -> Result<Option<Value>, String> {
    if run.is_release() {
        return Ok(None);
    }
    serde_json::to_value(change::change(run)?).map(Some).map_err(|error| error.to_string())
}

impl StatementKind {
    /// Returns the kind of a name.
    pub fn named(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// Returns the kind of a predicate type.
    pub fn of(predicate: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.predicate == predicate)
    }

    /// Returns where the signed statement lies in the run folder.
    pub fn path(&self) -> String {
        format!("{STATEMENTS}{}.json", self.name)
    }

    /// Makes the statement of a run; `None` where the run has nothing to say in it.
    pub fn make(&self, run: &OpenRun<'_>) -> Result<Option<Statement>, AttestError> {
        let refused = |why: String| AttestError::Run {
            why,
            help: "`orch artifacts verify` names what is wrong; a run that is not finished goes on with `orch run`.",
        };
        let Some(predicate) = (self.make)(run).map_err(refused)? else { return Ok(None) };
        let mut subjects = change::subjects(run).map_err(refused)?;
        if self.name == RELEASE.name {
            subjects.extend(release::files(run));
        }
        Ok(Some(Statement::new(subjects, self.predicate, predicate)))
    }
}
