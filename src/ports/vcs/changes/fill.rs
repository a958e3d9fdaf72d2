//! The contents of paths that differ, read on several threads within a bound on all of them together.
//!
//! Must never let the number of threads decide what is read.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use gix::{ObjectId, Repository};

use super::super::{EntryKind, GitRepository, VcsError};
use super::pairs::{At, Entry, Pair, Pairs};
use super::{Delta, LARGEST, MOST, Side, Unread, disk};
use crate::artifact::digest::Digest;

/// Does `work` on every item, on a few threads, and returns the results in the order of the items.
pub(super) fn each<T: Sync, R: Send>(items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    let cores = std::thread::available_parallelism().map_or(1, NonZero::get);
    let threads = cores.min(4).min(items.len().div_ceil(4)).max(1);
    if threads == 1 {
        return items.iter().map(work).collect();
    }
    let next = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, R)>> = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        let mut mine = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { break };
            mine.push((at, work(item)));
        }
        done.lock().unwrap_or_else(PoisonError::into_inner).append(&mut mine);
    };
    // The scope hands on a panic of a thread: a lost result must not look like an unchanged file.
    std::thread::scope(|scope| {
        for _ in 1..threads {
            scope.spawn(run);
        }
        run();
    });
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// How contents of the working tree become what would be committed.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Ends {
    /// Line ends of text become line feeds.
    pub(super) to_lf: bool,
}

/// Reads both sides of every path, and leaves out what turns out to be the same.
pub(super) fn fill(git: &GitRepository, pairs: Pairs, ends: Ends) -> Result<Vec<Delta>, VcsError> {
    let pairs: Vec<(Vec<u8>, Pair)> = pairs.into_iter().collect();
    let shared = git.local().into_sync();
    let sizes = each(&pairs, |(path, pair)| {
        let repo = shared.to_thread_local();
        let size = |entry: Option<Entry>| entry.map_or(0, |entry| size(git, &repo, path, entry));
        size(pair.before).saturating_add(size(pair.after))
    });
    let mut total = 0_u64;
    let within: Vec<bool> = sizes
        .into_iter()
        .map(|size| {
            // What is too large by itself is not read and takes no room.
            let size = if size > 2 * LARGEST { 0 } else { size };
            let fits = total.saturating_add(size) <= MOST;
            total = if fits { total + size } else { total };
            fits
        })
        .collect();
    let items: Vec<_> = pairs.iter().zip(within).collect();
    let deltas = each(&items, |((path, pair), within)| {
        delta(git, &shared.to_thread_local(), path, *pair, *within, ends)
    });
    deltas.into_iter().filter_map(Result::transpose).collect()
}

fn size(git: &GitRepository, repo: &Repository, path: &[u8], entry: Entry) -> u64 {
    match entry.at {
        At::Object(id) if entry.kind != EntryKind::Submodule => {
            repo.try_find_header(id).ok().flatten().map_or(0, |header| header.size())
        }
        At::Disk => disk::size(git.root(), path),
        _ => 0,
    }
}

fn delta(
    git: &GitRepository,
    repo: &Repository,
    path: &[u8],
    pair: Pair,
    within: bool,
    ends: Ends,
) -> Result<Option<Delta>, VcsError> {
    let side = |entry: Entry| {
        let content = if within { content(git, repo, path, entry)? } else { Err(Unread::Much) };
        Ok::<_, VcsError>(Side { kind: entry.kind, content })
    };
    let mut after = pair.after.map(side).transpose()?;
    let known = pair.before.and_then(|before| match before.at {
        At::Object(id) if before.kind != EntryKind::Submodule => Some(id),
        _ => None,
    });
    let same_kind = pair.before.map(|e| e.kind) == pair.after.map(|e| e.kind);
    let from_disk = pair.after.is_some_and(|entry| entry.at == At::Disk && entry.kind != EntryKind::Link);
    if let (Some(id), true, Some(Side { content: Ok(bytes), .. })) = (known, from_disk, &mut after) {
        if same_kind && is_blob(bytes, id) {
            return Ok(None);
        }
        if let Some(plain) = without_returns(bytes)
            && is_blob(&plain, id)
        {
            if same_kind {
                return Ok(None);
            }
            *bytes = plain;
        }
    }
    let before = pair.before.map(side).transpose()?;
    if let (Some(Side { content: Ok(old), .. }), true, Some(Side { content: Ok(new), .. })) =
        (&before, from_disk, &mut after)
    {
        if same_kind && is_lfs_of(old, new) {
            return Ok(None);
        }
        if ends.to_lf
            && memchr::memmem::find(old, b"\r\n").is_none()
            && let Some(plain) = without_returns(new)
        {
            *new = plain;
        }
    }
    let delta = Delta { path: path.to_vec(), before, after };
    Ok((!delta.is_none()).then_some(delta))
}

pub(super) fn content(
    git: &GitRepository,
    repo: &Repository,
    path: &[u8],
    entry: Entry,
) -> Result<Result<Vec<u8>, Unread>, VcsError> {
    Ok(match entry.at {
        At::Conflict => Err(Unread::Conflict),
        At::Nested => Err(Unread::Submodule { commit: None }),
        At::Object(id) if entry.kind == EntryKind::Submodule => {
            Err(Unread::Submodule { commit: Some(id.to_string()) })
        }
        At::Object(id) => blob(repo, path, id)?,
        At::Disk => {
            let mut bytes = Vec::new();
            disk::read(git.root(), path, entry.kind, &mut bytes).map(|()| bytes)
        }
    })
}

/// Reads a content of the object database; one that is not in a partial clone is not an error yet.
fn blob(repo: &Repository, path: &[u8], id: ObjectId) -> Result<Result<Vec<u8>, Unread>, VcsError> {
    match repo.try_find_header(id) {
        Ok(Some(header)) if header.size() > LARGEST => Ok(Err(Unread::Large { bytes: header.size() })),
        Ok(Some(_)) => super::super::tree::blob(repo, id, path).map(Ok),
        Ok(None) => Ok(Err(Unread::Absent(id.to_string()))),
        Err(error) => Err(super::super::git::lookup(format!("the content {id}"))(error)),
    }
}

fn is_blob(bytes: &[u8], id: ObjectId) -> bool {
    gix::objs::compute_hash(id.kind(), gix::objs::Kind::Blob, bytes).is_ok_and(|found| found == id)
}

/// Returns a text with plain line feeds; `None` when there is nothing to change, or it is no text.
fn without_returns(bytes: &[u8]) -> Option<Vec<u8>> {
    if memchr::memmem::find(bytes, b"\r\n").is_none() || memchr::memchr(0, bytes).is_some() {
        return None;
    }
    let mut plain = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some(at) = memchr::memchr(b'\r', rest) {
        let (head, tail) = rest.split_at(at);
        plain.extend_from_slice(head);
        if tail.get(1) != Some(&b'\n') {
            plain.push(b'\r');
        }
        rest = tail.get(1..).unwrap_or_default();
    }
    plain.extend_from_slice(rest);
    Some(plain)
}

/// Tells whether what is stored stands for this content in a large-file store, which no program is asked about.
fn is_lfs_of(stored: &[u8], bytes: &[u8]) -> bool {
    const HEAD: &[u8] = b"version https://git-lfs.github.com/spec/v1\n";
    if stored.len() > 1024 || !stored.starts_with(HEAD) {
        return false;
    }
    let Ok(text) = std::str::from_utf8(stored) else { return false };
    let id = text.lines().find_map(|line| line.strip_prefix("oid sha256:"));
    id.is_some_and(|id| id == Digest::of(bytes).hex())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_pairs_of_return_and_feed_are_line_ends() {
        for (text, plain) in [
            ("a\r\nb\r\n", Some("a\nb\n")),
            ("a\rb\r\n\r", Some("a\rb\n\r")),
            ("\r\r\n", Some("\r\n")),
            ("a\n", None),
            ("a\0\r\n", None),
        ] {
            let plain = plain.map(|text| text.as_bytes().to_vec());
            assert_eq!(without_returns(text.as_bytes()), plain, "{text:?}");
        }
    }

    #[test]
    fn results_stand_in_the_order_of_the_items() {
        let items: Vec<usize> = (0..1000).collect();
        assert_eq!(each(&items, |n| n * 2), items.iter().map(|n| n * 2).collect::<Vec<_>>());
    }
}
