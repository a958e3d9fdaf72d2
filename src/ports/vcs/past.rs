//! The past of a repository, read in bulk: files of a tree with their blobs, contents, commits with what they touched.
//!
//! Must never write, and must never run a filter or a program: contents are as git stores them.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::bstr::ByteSlice as _;
use gix::objs::{Find as _, TreeRefIter};
use gix::odb::pack::index;
use gix::revision::walk::Sorting;
use gix::traverse::commit::simple::CommitTimeOrder;
use gix::{ObjectId, Repository, ThreadSafeRepository};

use crate::artifact::id::{CommitId, TreeId};

use super::deltas::Deltas;
use super::git::{commit_oid, git, lookup, opened, tree_oid};
use super::{GitRepository, VcsError, tree};

/// The id of a blob or a commit, as bytes.
pub type Id = [u8; 20];

/// A commit with what it touched, against its first parent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastCommit {
    /// Its id.
    pub id: Id,
    /// When it was committed, in seconds.
    pub time: i64,
    /// True for one of several parents; what it touched is not looked up then.
    pub merge: bool,
    /// Its message.
    pub message: String,
    /// The paths it touched; bytes that are no UTF-8 are shown as such.
    pub paths: Vec<String>,
    /// Files it moved: from, to. The same content elsewhere, or the same name where the old one went.
    pub moved: Vec<(String, String)>,
}

/// More changes than this in one commit say nothing about any of them.
const MAX_CHANGES: usize = 3000;
const OBJECT_CACHE: usize = 32 << 20;
/// So many blobs are read before the packs are opened anew.
const ROUND: usize = 12_000;
/// In more packs than this places are not looked up.
const MAX_SORTED: usize = 50;

/// Reads the past.
#[derive(Clone)]
pub struct PastReader {
    repo: ThreadSafeRepository,
}

impl std::fmt::Debug for PastReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PastReader").finish_non_exhaustive()
    }
}

impl GitRepository {
    /// Returns the reader of its past.
    pub fn past(&self) -> PastReader {
        PastReader { repo: self.shared() }
    }
}

impl PastReader {
    /// Opens a git folder that may have no checkout.
    pub fn bare(folder: &Path) -> Result<Self, VcsError> {
        Ok(Self { repo: opened(folder)? })
    }

    fn local(&self) -> Repository {
        let mut repo = self.repo.to_thread_local();
        repo.object_cache_size_if_unset(OBJECT_CACHE);
        repo
    }

    /// Returns the regular files of a commit's tree with their blobs, sorted by path.
    pub fn files(&self, commit: &CommitId) -> Result<Vec<(String, Id)>, VcsError> {
        // Each tree is read once: a cache of objects would only take room.
        let repo = self.repo.to_thread_local();
        let absent = || format!("the commit {commit}");
        let root = repo.find_commit(commit_oid(commit)?).map_err(lookup(absent()))?;
        let root = root.tree_id().map_err(git(format!("read the commit {commit}")))?.detach();
        listed(&repo, root)
    }

    /// Returns the regular files of a tree with their blobs, sorted by path.
    pub fn tree_files(&self, tree: &TreeId) -> Result<Vec<(String, Id)>, VcsError> {
        listed(&self.repo.to_thread_local(), tree_oid(tree)?)
    }

    /// Reads blobs on all cores; what `read` makes of each comes back in order, nothing for one that is not there.
    pub fn blobs<R: Send>(
        &self,
        ids: &[Id],
        read: impl Fn(&Id, &mut dyn FnMut() -> Option<Vec<u8>>) -> R + Sync,
    ) -> Vec<R> {
        // Each is read once: a cache of objects would only hold them.
        self.spread(ids, 0, |repo, id| {
            read(id, &mut || repo.find_object(ObjectId::from(*id)).ok().map(|found| found.detach().data))
        })
    }

    /// Shares blobs out among workers, one on each core, and returns what each made in the end, in no order.
    ///
    /// Of many the places are looked up first, so that each part of a pack is read once and let go again. A blob that is not
    /// there is left out.
    pub fn share<W: Default, R: Send>(
        &self,
        ids: &[Id],
        add: impl Fn(&mut W, &Id, &[u8]) + Sync,
        end: impl Fn(W) -> R + Sync,
    ) -> Vec<R> {
        const STEP: usize = 32;
        const FEW: usize = 128;
        if ids.is_empty() {
            return Vec::new();
        }
        let many = ids.len() > ROUND;
        let ids = if many { Cow::Owned(self.by_place(ids)) } else { Cow::Borrowed(ids) };
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = threads.min(ids.len().div_ceil(FEW));
        let next = AtomicUsize::new(0);
        let work = || {
            let (mut worker, mut bytes) = (W::default(), Vec::new());
            let mut repo = self.repo.to_thread_local();
            let mut open = ROUND / threads;
            loop {
                let at = next.fetch_add(STEP, Ordering::Relaxed);
                let Some(part) = ids.get(at..(at + STEP).min(ids.len())) else { break };
                if many && open >= ROUND / threads {
                    // What a mapped pack was read for stays in memory as long as it is open.
                    repo = opened(self.repo.git_dir()).map_or(repo, |anew| anew.to_thread_local());
                    open = 0;
                }
                open += part.len();
                for id in part {
                    bytes.clear();
                    if let Ok(Some(_)) = repo.objects.try_find(&ObjectId::from(*id), &mut bytes) {
                        add(&mut worker, id, &bytes);
                    }
                }
            }
            end(worker)
        };
        if threads == 1 {
            return vec![work()];
        }
        let all = Mutex::new(Vec::with_capacity(threads));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let made = work();
                    all.lock().unwrap_or_else(PoisonError::into_inner).push(made);
                });
            }
        });
        all.into_inner().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sorts ids as they lie in the packs, so that each part of a pack is read once; what is in no pack here comes last.
    fn by_place(&self, ids: &[Id]) -> Vec<Id> {
        let folder = self.repo.to_thread_local().objects.store_ref().path().join("pack");
        let names = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
        let mut names: Vec<_> =
            names.filter(|path| path.extension().is_some_and(|end| end == "idx")).collect();
        names.sort_unstable();
        let packs: Vec<index::File> = names
            .into_iter()
            .take(MAX_SORTED)
            .filter_map(|path| index::File::at(path, gix::hash::Kind::Sha1).ok())
            .collect();
        let place = |id: &Id| {
            packs.iter().enumerate().find_map(|(pack, index)| {
                let at = index.lookup(ObjectId::from(*id))?;
                Some((pack, index.pack_offset_at_index(at)))
            })
        };
        let mut placed: Vec<((usize, u64), Id)> =
            ids.iter().map(|id| (place(id).unwrap_or((usize::MAX, 0)), *id)).collect();
        placed.sort_unstable();
        placed.into_iter().map(|(_, id)| id).collect()
    }

    /// Returns the id of a commit as bytes.
    pub fn id(commit: &CommitId) -> Result<Id, VcsError> {
        commit_oid(commit).map(bytes)
    }

    /// Returns the bytes of a blob; nothing where it is not there.
    pub fn blob(&self, id: &Id) -> Option<Vec<u8>> {
        self.repo.to_thread_local().find_object(ObjectId::from(*id)).ok().map(|found| found.detach().data)
    }

    /// Returns a commit and those before it, newest first by time, at most `most`; what a shallow clone lacks is left out.
    pub fn log(&self, from: &CommitId, most: usize) -> Result<Vec<Id>, VcsError> {
        let repo = self.local();
        let from = commit_oid(from)?;
        let order = Sorting::ByCommitTime(CommitTimeOrder::NewestFirst);
        let walk = repo.rev_walk([from]).sorting(order).all().map_err(git("walk the history"))?;
        Ok(walk.map_while(Result::ok).take(most).map(|info| bytes(info.id)).collect())
    }

    /// Returns the commits that lead to one and are not known, where `tip`, up to which all are known, is among its ancestors.
    ///
    /// None where it is not, or where there are more than `most`: then the log has to be walked.
    pub fn since(
        &self,
        from: &CommitId,
        tip: &Id,
        known: impl Fn(&Id) -> bool,
        most: usize,
    ) -> Option<Vec<Id>> {
        let repo = self.local();
        let from = bytes(commit_oid(from).ok()?);
        let (mut found, mut next, mut met) = (Vec::new(), vec![from], false);
        let mut seen = HashSet::from([from]);
        while let Some(id) = next.pop() {
            met |= id == *tip;
            if known(&id) {
                continue;
            }
            found.push(id);
            if found.len() > most {
                return None;
            }
            for parent in repo.find_commit(ObjectId::from(id)).ok()?.parent_ids() {
                let parent = bytes(parent.detach());
                if seen.insert(parent) {
                    next.push(parent);
                }
            }
        }
        met.then_some(found)
    }

    /// Reads commits on all cores; one that is not there is left out.
    pub fn commits(&self, ids: &[Id]) -> Vec<PastCommit> {
        self.spread(ids, OBJECT_CACHE, |repo, id| commit(repo, ObjectId::from(*id)))
            .into_iter()
            .flatten()
            .collect()
    }

    fn spread<T: Sync, R: Send>(
        &self,
        items: &[T],
        cache: usize,
        work: impl Fn(&Repository, &T) -> R + Sync,
    ) -> Vec<R> {
        const STEP: usize = 32;
        let local = || {
            let mut repo = self.repo.to_thread_local();
            repo.object_cache_size(Some(cache).filter(|cache| *cache > 0));
            if cache > 0 {
                repo.objects.set_pack_cache(|| Box::<Deltas>::default());
            }
            repo
        };
        let threads = std::thread::available_parallelism()
            .map_or(1, usize::from)
            .min(items.len().div_ceil(STEP).max(1));
        if threads == 1 {
            let repo = local();
            return items.iter().map(|item| work(&repo, item)).collect();
        }
        let (next, all) = (AtomicUsize::new(0), Mutex::new(Vec::with_capacity(items.len())));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    let repo = local();
                    let mut own = Vec::new();
                    loop {
                        let at = next.fetch_add(STEP, Ordering::Relaxed);
                        let Some(part) = items.get(at..(at + STEP).min(items.len())) else { break };
                        own.extend(part.iter().enumerate().map(|(off, item)| (at + off, work(&repo, item))));
                    }
                    all.lock().unwrap_or_else(PoisonError::into_inner).extend(own);
                });
            }
        });
        let mut all = all.into_inner().unwrap_or_else(PoisonError::into_inner);
        all.sort_by_key(|(at, _)| *at);
        all.into_iter().map(|(_, made)| made).collect()
    }
}

fn listed(repo: &Repository, root: ObjectId) -> Result<Vec<(String, Id)>, VcsError> {
    let mut files = Vec::new();
    tree::walk(repo, root, &mut |path, kind, id| {
        if matches!(kind, gix::objs::tree::EntryKind::Blob | gix::objs::tree::EntryKind::BlobExecutable) {
            files.push((path.to_str_lossy().into_owned(), bytes(id)));
        }
        Ok(())
    })?;
    files.sort();
    Ok(files)
}

fn bytes(id: ObjectId) -> Id {
    let mut out = [0; 20];
    out.copy_from_slice(id.as_bytes());
    out
}

fn commit(repo: &Repository, id: ObjectId) -> Option<PastCommit> {
    let found = repo.find_commit(id).ok()?;
    let parents: Vec<ObjectId> = found.parent_ids().map(gix::Id::detach).collect();
    let merge = parents.len() > 1;
    let mut changes = Vec::new();
    if !merge {
        let before = match parents.first() {
            // Of a shallow clone's last commit all files would seem new.
            Some(parent) => Some(repo.find_commit(*parent).ok()?.tree_id().ok()?.detach()),
            None => None,
        };
        diff(repo, before, Some(found.tree_id().ok()?.detach()), &mut Vec::new(), &mut changes);
    }
    let message = found.message_raw().ok()?.to_str_lossy().into_owned();
    let moved = if changes.len() < MAX_CHANGES { moved(&changes) } else { Vec::new() };
    Some(PastCommit {
        id: bytes(id),
        time: found.time().ok()?.seconds,
        merge,
        message,
        paths: changes.iter().map(|change| change.path.to_str_lossy().into_owned()).collect(),
        moved,
    })
}

/// A file that differs between two trees.
struct Change {
    path: Vec<u8>,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
}

/// Compares two trees; it is as deep as the trees are, which `MAX_DEPTH` bounds.
fn diff(
    repo: &Repository,
    before: Option<ObjectId>,
    after: Option<ObjectId>,
    path: &mut Vec<u8>,
    out: &mut Vec<Change>,
) {
    const MAX_DEPTH: usize = 128;
    if before == after || out.len() >= MAX_CHANGES || memchr::memchr_iter(b'/', path).count() > MAX_DEPTH {
        return;
    }
    let read = |id: Option<ObjectId>| {
        id.and_then(|id| repo.find_object(id).ok()).map(|tree| tree.detach().data).unwrap_or_default()
    };
    let (before, after) = (read(before), read(after));
    let entries =
        |data| TreeRefIter::from_bytes(data, gix::hash::Kind::Sha1).map_while(Result::ok).peekable();
    let (mut left, mut right) = (entries(&before), entries(&after));
    let key = |entry: &gix::objs::tree::EntryRef<'_>| {
        let mut name = entry.filename.to_vec();
        name.extend(entry.mode.is_tree().then_some(b'/'));
        name
    };
    loop {
        let (l, r) = (left.peek().copied(), right.peek().copied());
        let order = match (&l, &r) {
            (None, None) => return,
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(l), Some(r)) if l.filename == r.filename && l.mode.is_tree() == r.mode.is_tree() => {
                std::cmp::Ordering::Equal
            }
            (Some(l), Some(r)) => key(l).cmp(&key(r)),
        };
        let l = l.filter(|_| order.is_le());
        let r = r.filter(|_| order.is_ge());
        if l.is_some() {
            left.next();
        }
        if r.is_some() {
            right.next();
        }
        let (old, new) = (l.map(|e| e.oid.to_owned()), r.map(|e| e.oid.to_owned()));
        let Some(entry) = l.or(r).filter(|_| old != new) else { continue };
        let length = path.len();
        path.extend_from_slice(entry.filename);
        if entry.mode.is_tree() {
            path.push(b'/');
            diff(repo, old, new, path, out);
        } else if entry.mode.is_blob() {
            out.push(Change { path: path.clone(), before: old, after: new });
        }
        path.truncate(length);
    }
}

/// Finds files that went and came under another path.
fn moved(changes: &[Change]) -> Vec<(String, String)> {
    let name = |path: &[u8]| path.rsplit(|b| *b == b'/').next().unwrap_or_default().to_vec();
    let mut same: HashMap<ObjectId, Vec<usize>> = HashMap::new();
    let mut named: HashMap<Vec<u8>, (usize, Vec<usize>)> = HashMap::new();
    for (at, change) in changes.iter().enumerate() {
        match (change.before, change.after) {
            (None, Some(id)) => {
                same.entry(id).or_default().push(at);
                named.entry(name(&change.path)).or_default().1.push(at);
            }
            (Some(_), None) => named.entry(name(&change.path)).or_default().0 += 1,
            _ => {}
        }
    }
    let mut used = vec![false; changes.len()];
    let mut pairs = Vec::new();
    for gone in changes.iter().filter(|change| change.after.is_none()) {
        let exact = gone
            .before
            .and_then(|id| same.get(&id))
            .and_then(|list| list.iter().find(|at| !used[**at]))
            .copied();
        let by_name = || {
            let (went, came) = named.get(&name(&gone.path))?;
            (*went == 1 && came.len() == 1 && !used[came[0]]).then(|| came[0])
        };
        // `a/x.rs` that became `a/x/mod.rs`.
        let folder = || {
            let dot = gone.path.iter().rposition(|b| *b == b'.')?;
            let (stem, end) = gone.path.split_at(dot);
            let inner = ["/mod", "/index", "/__init__"].map(|name| [stem, name.as_bytes(), end].concat());
            changes.iter().position(|c| c.before.is_none() && inner.contains(&c.path)).filter(|at| !used[*at])
        };
        if let Some(at) = exact.or_else(by_name).or_else(folder) {
            used[at] = true;
            pairs.push((gone.path.to_str_lossy().into_owned(), changes[at].path.to_str_lossy().into_owned()));
        }
    }
    pairs
}
