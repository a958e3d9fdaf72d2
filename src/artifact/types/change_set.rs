//! `tests.json` and `edits.json`: file changes with digests before and after.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::envelope::Artifact;
use crate::artifact::id::TreeId;
use crate::artifact::kind::ArtifactKind;
use crate::artifact::path::RepoPath;

/// The edits of a change, against the base plus the tests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeSet {
    /// The tree the digests `before` were taken from.
    pub base_tree: TreeId,
    /// The changed files, sorted by path, each once.
    pub files: Vec<FileChange>,
}

/// The acceptance tests of a change: their own change set, written first and then frozen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestSet {
    /// The tree the digests `before` were taken from.
    pub base_tree: TreeId,
    /// The test files, sorted by path, each once; no later stage may change them.
    pub files: Vec<FileChange>,
    /// The tests that must be red before and green after the change.
    pub expected: Vec<ExpectedTest>,
    /// Criteria no test covers, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub uncovered: BTreeMap<String, String>,
    /// Set when the change has nothing a test could run against (docs, licence): why red-then-green is waived.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exempt: Option<String>,
}

/// A test that must be red before and green after the change.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ExpectedTest {
    /// The file the test is in.
    pub path: RepoPath,
    /// The test's own name, as a function or a title.
    pub name: String,
    /// The criteria it covers, by id.
    pub criteria: Vec<String>,
}

/// The change of one file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileChange {
    /// The file.
    pub path: RepoPath,
    /// What happens to it.
    pub op: FileOp,
    /// Its mode afterwards.
    pub mode: FileMode,
    /// The digest of its bytes before; absent when it is created.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<Digest>,
    /// The digest of its bytes afterwards; absent when it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<Digest>,
    /// Its whole content afterwards; absent when it is deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileOp {
    /// It is new.
    Create,
    /// It changes.
    Modify,
    /// It goes.
    Delete,
}

/// The mode of a file; links are never written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum FileMode {
    /// 100644.
    Regular,
    /// 100755.
    Executable,
}

/// The content of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Content {
    /// UTF-8 text, byte for byte.
    Text(String),
    /// Anything else, base64.
    Base64(String),
}

impl Content {
    /// Wraps bytes: text where they are UTF-8.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        String::from_utf8(bytes).map_or_else(|e| Self::Base64(STANDARD.encode(e.as_bytes())), Self::Text)
    }

    /// Returns the bytes, or `None` when the base64 is broken.
    pub fn to_bytes(&self) -> Option<Vec<u8>> {
        match self {
            Self::Text(text) => Some(text.clone().into_bytes()),
            Self::Base64(text) => STANDARD.decode(text).ok(),
        }
    }
}

/// A change set that contradicts itself.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("the change of `{path}` {why}")]
pub struct ChangeError {
    /// The file.
    pub path: RepoPath,
    /// The reason, to be read after the path.
    pub why: &'static str,
}

impl FileChange {
    /// Returns a change that makes `path` hold `bytes`; `before` is its content in the base, if it has one.
    pub fn write(path: RepoPath, before: Option<&[u8]>, bytes: Vec<u8>, mode: FileMode) -> Self {
        Self {
            path,
            op: if before.is_some() { FileOp::Modify } else { FileOp::Create },
            mode,
            before: before.map(Digest::of),
            after: Some(Digest::of(&bytes)),
            content: Some(Content::from_bytes(bytes)),
        }
    }

    /// Returns the bytes afterwards, checked against `after`; `None` for a deletion.
    pub fn bytes(&self) -> Result<Option<Vec<u8>>, ChangeError> {
        let fail = |why| ChangeError { path: self.path.clone(), why };
        match (self.op, &self.content, &self.before, &self.after) {
            (FileOp::Delete, None, Some(_), None) => Ok(None),
            (FileOp::Create, Some(content), None, Some(after))
            | (FileOp::Modify, Some(content), Some(_), Some(after)) => {
                let bytes = content.to_bytes().ok_or_else(|| fail("has content that is not base64"))?;
                if &Digest::of(&bytes) == after {
                    Ok(Some(bytes))
                } else {
                    Err(fail("has content that does not match its digest"))
                }
            }
            _ => Err(fail("has fields that do not fit its operation")),
        }
    }
}

impl Artifact for ChangeSet {
    const KIND: ArtifactKind = ArtifactKind::ChangeSet;
}

impl Artifact for TestSet {
    const KIND: ArtifactKind = ArtifactKind::TestSet;
}
