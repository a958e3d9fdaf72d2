//! A repository in memory, and what the engine makes of it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::LazyLock;

use orch::artifact::id::TreeId;
use orch::artifact::types::change_set::{ChangeSet, FileChange, TestSet};
use orch::artifact::types::plan::Plan;
use orch::artifact::types::task::{Assignment, Base, Channel, Requester, Task};
use orch::engine::template::TemplateEngine;
use orch::engine::{Engine, EngineError, View};
use orch::ports::vcs::{EntryKind, ExportReport, TreeEntry, VcsError, VcsRead};

/// A repository in memory; every commit of it has the same tree.
#[derive(Clone, Debug, Default)]
pub struct Memory {
    pub files: BTreeMap<String, Vec<u8>>,
    pub links: Vec<String>,
}

pub fn id() -> TreeId {
    "b".repeat(40).parse().unwrap()
}

impl Memory {
    pub fn of(files: &[(&str, &str)]) -> Self {
        let files = files.iter().map(|(p, t)| ((*p).to_owned(), t.as_bytes().to_vec())).collect();
        Self { files, links: Vec::new() }
    }

    /// Reads a folder of this repository; files that end in `.in` lose the ending.
    pub fn of_folder(folder: &str) -> Self {
        let mut files = BTreeMap::new();
        read(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), "", &mut files);
        Self { files, links: Vec::new() }
    }

    /// Returns the repository with changes on top.
    #[must_use]
    pub fn with(&self, changes: &[FileChange]) -> Self {
        let mut next = self.clone();
        for change in changes {
            let found = next.files.get(change.path.as_str()).map(orch::artifact::digest::Digest::of);
            assert_eq!(found, change.before, "{}", change.path);
            match change.bytes().unwrap() {
                Some(bytes) => next.files.insert(change.path.to_string(), bytes),
                None => next.files.remove(change.path.as_str()),
            };
        }
        next
    }

    pub fn text(&self, path: &str) -> &str {
        std::str::from_utf8(
            self.files.get(path).unwrap_or_else(|| panic!("no {path} in {:?}", self.files.keys())),
        )
        .unwrap()
    }

    /// Writes every file below a folder.
    pub fn write(&self, folder: &Path) {
        for (path, bytes) in &self.files {
            let path = folder.join(path);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, bytes).unwrap();
        }
    }
}

fn read(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        if entry.path().is_dir() {
            if name != "target" {
                read(&entry.path(), &format!("{prefix}{name}/"), files);
            }
        } else {
            files.insert(
                format!("{prefix}{}", name.trim_end_matches(".in")),
                std::fs::read(entry.path()).unwrap(),
            );
        }
    }
}

impl VcsRead for Memory {
    fn head(&self) -> Result<Base, VcsError> {
        Ok(base())
    }

    fn entries(&self, _tree: &TreeId) -> Result<std::sync::Arc<[TreeEntry]>, VcsError> {
        let entry = |path: &String, kind| TreeEntry { path: path.clone().into_bytes(), kind };
        let mut all: Vec<_> = self.files.keys().map(|p| entry(p, EntryKind::File)).collect();
        all.extend(self.links.iter().map(|p| entry(p, EntryKind::Link)));
        all.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(all.into())
    }

    fn file(&self, _tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        Ok(self.files.get(path).cloned())
    }

    fn export(&self, _tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError> {
        self.write(folder);
        Ok(ExportReport { files: self.files.len() as u64, ..ExportReport::default() })
    }
}

pub fn base() -> Base {
    Base { commit: "a".repeat(40).parse().unwrap(), tree: id(), branch: Some("main".into()) }
}

pub fn task(request: &str) -> Task {
    Task {
        request: request.to_owned(),
        title: request.lines().next().unwrap_or_default().to_owned(),
        requester: Requester::at_hand(Channel::CommandLine),
        base: base(),
        service: "shop".parse().unwrap(),
        assignment: Assignment::to_engine("template"),
        created_at: "2026-11-21T12:00:00Z".into(),
        source: None,
        review_round: None,
        follows: None,
        hidden: Vec::new(),
    }
}

/// What the engine proposes for a request.
#[derive(Debug)]
pub struct Proposal {
    pub plan: Plan,
    pub tests: TestSet,
    pub edits: ChangeSet,
}

/// Asks the engine, and checks what the stages check.
pub fn propose(repo: &Memory, request: &str) -> Result<Proposal, EngineError> {
    static ENGINE: LazyLock<TemplateEngine> = LazyLock::new(|| TemplateEngine::new(Vec::new()));
    let engine = &*ENGINE;
    let (tree, task) = (id(), task(request));
    let view = View::of(repo, &tree);
    let plan = engine.plan(&view, &task)?.value.unwrap();
    orch::stage::plan::check(&plan, |path| repo.files.contains_key(path)).unwrap();
    let tests = engine.tests(&view, &task, &plan)?;
    let base = |path: &str| repo.file(&tree, path);
    orch::stage::test_write::check(&tests, &plan, &tree, &base).unwrap();
    let edits = engine.edits(&view, &task, &plan, &tests, None)?.value.unwrap();
    orch::stage::generate::check(&edits, &plan, &tests, &tree, &base).unwrap();
    Ok(Proposal { plan, tests, edits })
}

/// Returns the repository after a request was served; asking again must find nothing to do or a conflict.
pub fn serve(repo: &Memory, request: &str) -> (Memory, Proposal) {
    let proposal = propose(repo, request).unwrap_or_else(|e| panic!("{request}: {e:?}"));
    let after = repo.with(&proposal.tests.files).with(&proposal.edits.files);
    match propose(&after, request) {
        Err(EngineError::AlreadyDone { .. } | EngineError::Conflict { .. }) => {}
        other => panic!("{request} again: {other:?}"),
    }
    (after, proposal)
}

/// Returns why a request is not served.
pub fn refusal(repo: &Memory, request: &str) -> EngineError {
    propose(repo, request).map(|p| p.plan).expect_err(request)
}
