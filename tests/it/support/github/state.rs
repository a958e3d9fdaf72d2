//! What the fake knows: objects, branches, pull requests, checks.
#![expect(clippy::format_collect, reason = "texts are short")]

use std::collections::BTreeMap;
use std::path::PathBuf;

use orch::artifact::types::task::Base;
use orch::ports::vcs::{EntryKind, VcsRead};
use serde_json::{Value, json};

use super::objects::{Entry, Flat, id, tree_id};

/// A commit.
#[derive(Clone, Debug)]
pub struct CommitRecord {
    pub tree: String,
    pub parents: Vec<String>,
    pub message: String,
    pub name: String,
    pub email: String,
    pub login: Option<String>,
    pub verified: bool,
}

/// A pull request.
#[derive(Clone, Debug)]
pub struct PullRecord {
    pub number: u64,
    pub title: String,
    pub body: String,
    pub draft: bool,
    pub state: &'static str,
    pub merged: bool,
    pub head: String,
    pub base: String,
    pub labels: Vec<String>,
    pub assignees: Vec<String>,
    pub reviewers: Vec<String>,
    pub auto_merge: Option<String>,
}

impl PullRecord {
    pub fn node(&self) -> String {
        format!("PR_{}", self.number)
    }
}

/// An open pull request of a branch.
pub fn pull_record(number: u64, head: &str, base: &str) -> PullRecord {
    PullRecord {
        number,
        title: "feat: x".into(),
        body: String::new(),
        draft: false,
        state: "open",
        merged: false,
        head: head.into(),
        base: base.into(),
        labels: Vec::new(),
        assignees: Vec::new(),
        reviewers: Vec::new(),
        auto_merge: None,
    }
}

/// Reviews and discussions of a commit, for whoever asks.
pub type Reviewer = fn(&State, &str) -> (Vec<Value>, Vec<Value>);

/// Everything.
#[derive(Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a way of the service that a test may want")]
pub struct State {
    pub slug: String,
    /// The account of the token.
    pub login: String,
    /// Whether the token is an App's, which alone may make check runs.
    pub app: bool,
    pub archived: bool,
    pub graphql: bool,
    /// Whether everything that is required is there, so that nothing can be armed.
    pub clean: bool,
    pub blobs: BTreeMap<String, Vec<u8>>,
    pub trees: BTreeMap<String, Flat>,
    pub commits: BTreeMap<String, CommitRecord>,
    pub branches: BTreeMap<String, String>,
    pub pulls: Vec<PullRecord>,
    pub checks: Vec<Value>,
    pub statuses: Vec<Value>,
    pub comments: Vec<Value>,
    pub reviews: Vec<Value>,
    pub threads: Vec<Value>,
    pub rules: Vec<Value>,
    pub sarifs: Vec<Value>,
    /// The pull request that brought a commit.
    pub brought: BTreeMap<String, u64>,
    pub tags: BTreeMap<String, String>,
    /// Tag objects, by their id.
    pub annotated: BTreeMap<String, String>,
    pub deployments: Vec<Value>,
    /// Statuses with the deployment they are of, oldest first.
    pub deployment_statuses: Vec<(u64, Value)>,
    pub releases: Vec<Value>,
    /// How many items a page has at most; 0: as many as are asked for.
    pub page: usize,
    /// Whether trees are told cut, as those with too many entries are.
    pub truncate_trees: bool,
    /// How many checks are said to be there besides those that are told.
    pub hidden_checks: usize,
    pub artifacts: Vec<Value>,
    /// Who may be assigned and asked.
    pub people: Vec<String>,
    /// What accounts may do, where it is not what `people` says.
    pub roles: BTreeMap<String, String>,
    /// Issues as they are, by number; any other one is some issue.
    pub issues: BTreeMap<u64, Value>,
    /// What is said of the head of a pull request, reviews and discussions, whenever it is asked for.
    pub reviewer: Option<Reviewer>,
    /// A bare repository in which every commit and branch is, too, so that it can be cloned.
    pub backed: Option<PathBuf>,
    clock: u64,
}

fn base(tree: String, parents: &[&str]) -> CommitRecord {
    CommitRecord {
        tree,
        parents: parents.iter().map(|parent| (*parent).to_owned()).collect(),
        message: "base".into(),
        name: "t".into(),
        email: "t@example.invalid".into(),
        login: None,
        verified: false,
    }
}

impl State {
    /// The same repository as a local one, with its `main`.
    pub fn of(vcs: &impl VcsRead, slug: &str) -> Self {
        let base = vcs.head().unwrap();
        let mut state = Self {
            slug: slug.into(),
            login: "orch-app[bot]".into(),
            app: true,
            graphql: true,
            people: vec!["octocat".into(), "reviewer".into()],
            ..Self::default()
        };
        assert_eq!(base, state.take(vcs, &[]));
        state
    }

    /// A repository of these files that nobody has a clone of.
    pub fn with(files: &[(&str, &str)], slug: &str) -> Self {
        let mut state = Self {
            slug: slug.into(),
            login: "orch-app[bot]".into(),
            app: true,
            graphql: true,
            people: vec!["octocat".into(), "reviewer".into()],
            ..Self::default()
        };
        let mut flat = Flat::new();
        for (path, text) in files {
            let blob = state.add_blob(text.as_bytes().to_vec());
            flat.insert((*path).to_owned(), Entry { mode: "100644".into(), blob });
        }
        let tree = state.add_tree(flat);
        let commit = id("commit", tree.as_bytes());
        state.commits.insert(commit.clone(), base(tree, &[]));
        state.branches.insert("main".into(), commit);
        state
    }

    /// Lets `main` be at a commit of which nothing is known but its tree.
    pub fn point(&mut self, commit: &str, tree: &str, parents: &[&str]) {
        self.commits.insert(commit.to_owned(), base(tree.to_owned(), parents));
        self.branches.insert("main".into(), commit.to_owned());
    }

    /// Takes the commit a local repository is at, as `main`.
    pub fn take(&mut self, vcs: &impl VcsRead, parents: &[&str]) -> Base {
        let head = vcs.head().unwrap();
        let mut files = Flat::new();
        for entry in vcs.entries(&head.tree).unwrap().iter() {
            let path = entry.utf8_path().unwrap().to_owned();
            let mode = if entry.kind == EntryKind::Executable { "100755" } else { "100644" };
            let bytes = vcs.file(&head.tree, &path).unwrap().unwrap();
            let blob = self.add_blob(bytes);
            files.insert(path, Entry { mode: mode.into(), blob });
        }
        let tree = self.add_tree(files);
        assert_eq!(tree, head.tree.as_str(), "the fake makes the trees that git makes");
        self.commits.insert(head.commit.to_string(), base(tree, parents));
        self.branches.insert("main".into(), head.commit.to_string());
        head
    }

    /// Takes the branches of a bare repository, with their commits, as its git server does after a push.
    pub fn take_refs(&mut self, repository: &std::path::Path) {
        let git = |words: &[&str]| {
            #[expect(clippy::disallowed_methods, reason = "it is asked of git itself")]
            let mut command = std::process::Command::new("git");
            let done = command.arg("-C").arg(repository).args(words).output().unwrap();
            assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
            done.stdout
        };
        let text = |words: &[&str]| String::from_utf8(git(words)).unwrap();
        for line in
            text(&["for-each-ref", "--format=%(objectname) %(refname:lstrip=2)", "refs/heads"]).lines()
        {
            let (tip, name) = line.split_once(' ').unwrap();
            for commit in text(&["rev-list", "--reverse", tip]).lines() {
                if self.commits.contains_key(commit) {
                    continue;
                }
                let mut files = Flat::new();
                for entry in text(&["ls-tree", "-r", "-z", commit]).split_terminator('\0') {
                    let (about, path) = entry.split_once('\t').unwrap();
                    let about: Vec<&str> = about.split(' ').collect();
                    if !self.blobs.contains_key(about[2]) {
                        self.add_blob(git(&["cat-file", "blob", about[2]]));
                    }
                    files.insert(path.into(), Entry { mode: about[0].into(), blob: about[2].into() });
                }
                let tree = self.add_tree(files);
                let of =
                    |form: &str| text(&["log", "-1", &format!("--format={form}"), commit]).trim().to_owned();
                assert_eq!(tree, of("%T"));
                let record = CommitRecord {
                    tree,
                    parents: of("%P").split(' ').map(str::to_owned).collect(),
                    message: of("%B"),
                    name: of("%cn"),
                    email: of("%ce"),
                    login: None,
                    verified: false,
                };
                self.commits.insert(commit.into(), record);
            }
            self.branches.insert(name.into(), tip.into());
        }
    }

    pub fn tick(&mut self) -> String {
        self.clock += 1;
        format!("2026-11-21T10:{:02}:{:02}Z", self.clock / 60 % 60, self.clock % 60)
    }

    pub fn add_blob(&mut self, bytes: Vec<u8>) -> String {
        let blob = id("blob", &bytes);
        self.blobs.insert(blob.clone(), bytes);
        blob
    }

    pub fn add_tree(&mut self, files: Flat) -> String {
        let tree = tree_id(&files);
        self.trees.insert(tree.clone(), files);
        tree
    }

    pub fn add_commit(&mut self, record: CommitRecord) -> String {
        let time = self.tick();
        let parents: String = record.parents.iter().map(|p| format!("parent {p}\n")).collect();
        let text =
            format!("tree {}\n{parents}author {time}\ncommitter {time}\n\n{}", record.tree, record.message);
        let commit = match &self.backed {
            Some(bare) => super::backed::commit(bare, self, &record, self.clock),
            None => id("commit", text.as_bytes()),
        };
        self.commits.insert(commit.clone(), record);
        commit
    }

    /// Lets a branch be at a commit, or be no more.
    pub fn set_branch(&mut self, name: &str, commit: Option<&str>) {
        if let Some(bare) = &self.backed {
            super::backed::point(bare, name, commit);
        }
        match commit {
            Some(commit) => drop(self.branches.insert(name.to_owned(), commit.to_owned())),
            None => drop(self.branches.remove(name)),
        }
    }

    /// A commit that a person pushes onto a branch.
    pub fn push_by_person(&mut self, branch: &str, path: &str, text: &str, message: &str) -> String {
        let parent = self.branches[branch].clone();
        let mut files = self.trees[&self.commits[&parent].tree].clone();
        let blob = self.add_blob(text.as_bytes().to_vec());
        files.insert(path.into(), Entry { mode: "100644".into(), blob });
        let tree = self.add_tree(files);
        let commit = self.add_commit(CommitRecord {
            tree,
            parents: vec![parent],
            message: message.into(),
            name: "Octo Cat".into(),
            email: "octocat@example.com".into(),
            login: Some("octocat".into()),
            verified: false,
        });
        self.set_branch(branch, Some(&commit));
        commit
    }

    /// Every commit that can be reached, the given one first.
    pub fn history(&self, from: &str) -> Vec<String> {
        let (mut all, mut todo) = (Vec::new(), vec![from.to_owned()]);
        while let Some(next) = todo.pop() {
            if !all.contains(&next) {
                todo.extend(self.commits[&next].parents.clone());
                all.push(next);
            }
        }
        all
    }

    pub fn files_of(&self, commit: &str) -> &Flat {
        &self.trees[&self.commits[commit].tree]
    }

    pub fn text(&self, commit: &str, path: &str) -> Option<String> {
        let entry = self.files_of(commit).get(path)?;
        Some(String::from_utf8_lossy(&self.blobs[&entry.blob]).into_owned())
    }

    /// What differs, as GitHub lists it.
    pub fn changed(&self, base: &str, head: &str) -> Vec<Value> {
        let (before, after) = (self.files_of(base), self.files_of(head));
        let mut paths: Vec<_> = before.keys().chain(after.keys()).collect();
        paths.sort();
        paths.dedup();
        let mut all = Vec::new();
        for path in paths {
            let status = match (before.get(path), after.get(path)) {
                (None, Some(_)) => "added",
                (Some(_), None) => "removed",
                (a, b) if a == b => continue,
                _ => "modified",
            };
            let blob = after.get(path).or(before.get(path)).map(|entry| entry.blob.clone());
            all.push(json!({ "filename": path, "status": status, "sha": blob }));
        }
        all
    }

    /// The statuses of a deployment, newest first.
    pub fn statuses_of(&self, deployment: u64) -> Vec<&Value> {
        self.deployment_statuses
            .iter()
            .rev()
            .filter(|(of, _)| *of == deployment)
            .map(|(_, one)| one)
            .collect()
    }

    /// The word of the newest status of a deployment.
    pub fn newest_status(&self, deployment: u64) -> Option<String> {
        self.statuses_of(deployment).first()?["state"].as_str().map(str::to_owned)
    }

    pub fn pull(&mut self, number: u64) -> Option<&mut PullRecord> {
        self.pulls.iter_mut().find(|pull| pull.number == number)
    }
}
