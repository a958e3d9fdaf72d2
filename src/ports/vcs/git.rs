//! The real repository, read and written through gix.
//!
//! Must never run a hook, a filter or a program, nor let a `GIT_*` variable choose another repository.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use gix::bstr::ByteSlice as _;
use gix::discover::upwards;
use gix::objs::tree::EntryKind as GitKind;
use gix::open::{Options, Permissions, permissions};
use gix::sec::Permission;
use gix::{ObjectId, Repository, ThreadSafeRepository};

use crate::artifact::id::{CommitId, TreeId};
use crate::artifact::types::task::Base;

use super::{EntryKind, ExportReport, TreeEntry, VcsError, VcsRead, export, tree};

/// A git repository with a checkout.
#[derive(Clone)]
pub struct GitRepository {
    repo: ThreadSafeRepository,
    root: PathBuf,
    common: PathBuf,
    listed: Arc<Mutex<Option<Listed>>>,
}

/// The tree listed last: within a run it is nearly always the base's. A tree never changes, so neither does its list.
struct Listed {
    tree: ObjectId,
    entries: Arc<[TreeEntry]>,
}

impl std::fmt::Debug for GitRepository {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GitRepository").field("root", &self.root).finish_non_exhaustive()
    }
}

impl GitRepository {
    /// Opens the repository a folder lies in.
    pub fn open(folder: impl AsRef<Path>) -> Result<Self, VcsError> {
        let folder = folder.as_ref();
        let shown = folder.display().to_string();
        let nothing = || VcsError::NotARepository { folder: shown.clone() };
        let folder = folder.canonicalize().map_err(|_| nothing())?;
        let search = upwards::Options { cross_fs: true, ..upwards::Options::default() };
        let (path, trust) = gix::discover::upwards_opts(&folder, search).map_err(|_| nothing())?;
        let (git_dir, work_dir) = path.into_repository_and_work_tree_directories();
        let unusable = |error: gix::Error| refusal(&shown, &error);
        let options = options().with(trust);
        let repo = options.open(work_dir.unwrap_or(git_dir)).map_err(unusable)?;
        let local = repo.to_thread_local();
        if local.object_hash() != gix::hash::Kind::Sha1 {
            return Err(other_format(&shown));
        }
        check_ref_storage(&local, &shown)?;
        let root = local.workdir().and_then(|root| root.canonicalize().ok());
        let Some(root) = root else { return Err(VcsError::Bare { folder: shown }) };
        let common = local.common_dir().canonicalize().unwrap_or_else(|_| local.common_dir().to_owned());
        Ok(Self { repo, root, common, listed: Arc::default() })
    }

    /// Returns the top folder of the checkout.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the folder all worktrees of the repository share.
    pub fn common_dir(&self) -> &Path {
        &self.common
    }

    pub(super) fn shared(&self) -> ThreadSafeRepository {
        self.repo.clone()
    }

    pub(super) fn local(&self) -> Repository {
        self.repo.to_thread_local()
    }
}

/// Opens a git folder that may have no checkout.
pub(super) fn opened(folder: &Path) -> Result<ThreadSafeRepository, VcsError> {
    let shown = folder.display().to_string();
    options().open(folder).map_err(|error| refusal(&shown, &error))
}

/// The person's git config counts (`safe.directory`, `url.*.insteadOf`), no `GIT_*` variable does.
fn options() -> Options {
    let (allow, deny) = (Permission::Allow, Permission::Deny);
    let env = permissions::Environment {
        xdg_config_home: allow,
        home: allow,
        http_transport: deny,
        identity: deny,
        objects: deny,
        git_prefix: deny,
        ssh_prefix: deny,
        other: deny,
    };
    let config = permissions::Config { env: false, ..permissions::Config::all() };
    let permissions = Permissions { env, config, attributes: permissions::Attributes::isolated() };
    // Replaced objects are not what would be pushed.
    Options::default()
        .permissions(permissions)
        .bail_if_untrusted(true)
        .config_overrides(["core.useReplaceRefs=false"])
}

fn refusal(folder: &str, error: &gix::Error) -> VcsError {
    let why = one_line(error);
    let folder = folder.to_owned();
    if why.contains("considered unsafe") || why.contains("not owned") {
        let help = "Change its owner, or trust it with `git config --global --add safe.directory FOLDER`.";
        return VcsError::Unusable { folder, why: "it belongs to another user".into(), help };
    }
    if why.contains("sha256") || why.contains("objectFormat") || why.contains("object format") {
        return other_format(&folder);
    }
    VcsError::Unusable {
        folder,
        why,
        help: "Run `git fsck` and `git config --list` there to see what is wrong.",
    }
}

/// Gix reads and writes refs as files only, and does not say so of other storages.
fn check_ref_storage(repo: &Repository, folder: &str) -> Result<(), VcsError> {
    match repo.config_snapshot().string("extensions.refStorage") {
        Some(storage) if storage != "files" => Err(VcsError::Unusable {
            folder: folder.to_owned(),
            why: format!("it keeps its refs as {storage}"),
            help: "Turn it into one with refs as files: `git refs migrate --ref-format=files`.",
        }),
        _ => Ok(()),
    }
}

fn other_format(folder: &str) -> VcsError {
    VcsError::Unusable {
        folder: folder.to_owned(),
        why: "it uses the object format SHA-256".into(),
        help: "Use a repository with SHA-1 objects, git's default.",
    }
}

/// An error with its sources, as one line.
pub(super) fn one_line(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(error) = source {
        text.push_str(": ");
        text.push_str(&error.to_string());
        source = error.source();
    }
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Turns an error of gix into ours: an object that is not there is told from everything else.
pub(super) fn git(what: impl Into<String>) -> impl FnOnce(gix::Error) -> VcsError {
    let what = what.into();
    move |error| VcsError::Git { what, source: Box::new(error) }
}

/// Like [`git`], for looking up an object.
pub(super) fn lookup(object: impl Into<String>) -> impl FnOnce(gix::Error) -> VcsError {
    let object = object.into();
    move |error| {
        if error.is_not_found() {
            VcsError::MissingObject { what: object }
        } else {
            VcsError::Git { what: format!("read {object}"), source: Box::new(error) }
        }
    }
}

/// Returns the object id of a tree.
pub(super) fn tree_oid(tree: &TreeId) -> Result<ObjectId, VcsError> {
    ObjectId::from_hex(tree.as_str().as_bytes()).map_err(git(format!("use the tree id {tree}")))
}

/// Returns the object id of a commit.
pub(super) fn commit_oid(commit: &CommitId) -> Result<ObjectId, VcsError> {
    ObjectId::from_hex(commit.as_str().as_bytes()).map_err(git(format!("use the commit id {commit}")))
}

pub(super) fn commit_id(id: &gix::oid) -> Result<CommitId, VcsError> {
    id.to_string()
        .parse()
        .map_err(|error| VcsError::Git { what: "name a commit".into(), source: Box::new(error) })
}

pub(super) fn tree_id(id: &gix::oid) -> Result<TreeId, VcsError> {
    id.to_string()
        .parse()
        .map_err(|error| VcsError::Git { what: "name a tree".into(), source: Box::new(error) })
}

impl VcsRead for GitRepository {
    fn head(&self) -> Result<Base, VcsError> {
        let repo = self.local();
        let mut head = repo.head().map_err(git("read HEAD"))?;
        let branch = head.referent_name().and_then(|name| {
            let name = name.as_bstr().strip_prefix(b"refs/heads/")?;
            name.to_str().ok().map(str::to_owned)
        });
        if head.is_unborn() {
            let branch = branch.map_or_else(|| "its branch".into(), |branch| format!("`{branch}`"));
            return Err(VcsError::NoCommit { folder: self.root.display().to_string(), branch });
        }
        let commit = head.peel_to_commit().map_err(lookup("the commit HEAD points to"))?;
        let tree = commit.tree_id().map_err(lookup("the tree of HEAD"))?;
        Ok(Base { commit: commit_id(&commit.id)?, tree: tree_id(&tree)?, branch })
    }

    fn entries(&self, tree: &TreeId) -> Result<Arc<[TreeEntry]>, VcsError> {
        let tree = tree_oid(tree)?;
        let mut listed = self.listed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = listed.as_ref().filter(|last| last.tree == tree) {
            return Ok(Arc::clone(&last.entries));
        }
        let mut entries = Vec::new();
        tree::walk(&self.local(), tree, &mut |path, kind, _| {
            entries.push(TreeEntry { path: path.to_vec(), kind: entry_kind(kind) });
            Ok(())
        })?;
        // Git keeps trees in this order; one that was made by hand may not be.
        entries.sort_by(|a, b| a.path.cmp(&b.path));
        let entries: Arc<[TreeEntry]> = entries.into();
        *listed = Some(Listed { tree, entries: Arc::clone(&entries) });
        Ok(entries)
    }

    fn file(&self, tree: &TreeId, path: &str) -> Result<Option<Vec<u8>>, VcsError> {
        tree::file(&self.local(), tree_oid(tree)?, path)
    }

    fn kept(&self, name: &str) -> Result<Option<Vec<u8>>, VcsError> {
        super::keep::read(&self.root, name)
    }

    fn export(&self, tree: &TreeId, folder: &Path) -> Result<ExportReport, VcsError> {
        export::export(&self.repo, tree_oid(tree)?, folder)
    }
}

fn entry_kind(kind: GitKind) -> EntryKind {
    match kind {
        GitKind::BlobExecutable => EntryKind::Executable,
        GitKind::Link => EntryKind::Link,
        GitKind::Commit => EntryKind::Submodule,
        GitKind::Blob | GitKind::Tree => EntryKind::File,
    }
}
