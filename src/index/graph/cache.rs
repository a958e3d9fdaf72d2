//! What files say of themselves, kept by blob and language: versioned, with a digest over all of it.
//!
//! Must never be needed: a file that is spoiled, cut or of another version is as none.

use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;

use sha2::{Digest as _, Sha256};

use crate::artifact::id::TreeId;
use crate::artifact::types::graph::RepositoryGraph;
use crate::ports::vcs::past::Id;

use super::Outline;

/// Changes whenever what is read of a file does.
pub const VERSION: u32 = 1;
const MAGIC: &[u8; 8] = b"ORCHGRF\n";
/// The largest file that is read.
const MAX_CACHE: u64 = 1 << 30;

/// A blob read as a language.
pub(super) type Key = (Id, u8);

/// What is kept.
#[derive(Debug, Default)]
pub(super) struct Cache {
    bytes: Vec<u8>,
    places: HashMap<Key, (usize, usize)>,
}

impl Cache {
    /// Reads a file.
    pub fn read(path: &Path) -> Self {
        let mut bytes = Vec::new();
        let read = fs::File::open(path).and_then(|file| file.take(MAX_CACHE).read_to_end(&mut bytes));
        match read {
            Ok(_) => Self::of(bytes).unwrap_or_default(),
            Err(_) => Self::default(),
        }
    }

    fn of(bytes: Vec<u8>) -> Option<Self> {
        let body = bytes.len().checked_sub(32)?;
        let (head, digest) = bytes.split_at_checked(body)?;
        let rest = head.strip_prefix(MAGIC)?.strip_prefix(&VERSION.to_le_bytes())?;
        if Sha256::digest(head).as_slice() != digest {
            return None;
        }
        let mut places = HashMap::with_capacity(rest.len() / 300);
        let mut at = body - rest.len();
        while at < body {
            let id: Id = bytes.get(at..at + 20)?.try_into().ok()?;
            let language = *bytes.get(at + 20)?;
            let length = u32::from_le_bytes(bytes.get(at + 21..at + 25)?.try_into().ok()?) as usize;
            let end = at.checked_add(25)?.checked_add(length).filter(|end| *end <= body)?;
            places.insert((id, language), (at + 25, end));
            at = end;
        }
        Some(Self { bytes, places })
    }

    /// Returns what a blob says of itself.
    pub fn get(&self, key: &Key, defined: bool) -> Option<Outline> {
        let (start, end) = *self.places.get(key)?;
        Outline::decode(std::str::from_utf8(self.bytes.get(start..end)?).ok()?, defined)
    }

    /// Tells whether a blob is known.
    pub fn holds(&self, key: &Key) -> bool {
        self.places.contains_key(key)
    }

    /// Returns how many are kept.
    pub fn len(&self) -> usize {
        self.places.len()
    }

    /// Writes a file, beside and then renamed: what was read now, and of what was kept all that `alive` says is needed.
    pub fn write(
        &self,
        path: &Path,
        fresh: &[(Key, Outline)],
        alive: impl Fn(&Key) -> bool,
    ) -> std::io::Result<()> {
        let mut out = Vec::with_capacity(self.bytes.len() + 1024);
        out.extend_from_slice(MAGIC);
        out.extend_from_slice(&VERSION.to_le_bytes());
        let mut add = |key: &Key, text: &[u8]| {
            out.extend_from_slice(&key.0);
            out.push(key.1);
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text);
        };
        let mut kept: Vec<(&Key, &(usize, usize))> =
            self.places.iter().filter(|(key, _)| alive(key)).collect();
        kept.sort_unstable();
        for (key, (start, end)) in kept {
            add(key, self.bytes.get(*start..*end).unwrap_or_default());
        }
        for (key, outline) in fresh.iter().filter(|(key, _)| !self.places.contains_key(key)) {
            add(key, outline.encode().as_bytes());
        }
        let digest = Sha256::digest(&out);
        out.extend_from_slice(&digest);
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&out)?;
        file.persist(path)?;
        Ok(())
    }
}

/// Returns the last graph that was kept, where it is of a tree; nothing where it is spoiled.
pub(super) fn last(path: &Path, tree: &TreeId) -> Option<RepositoryGraph> {
    let bytes = fs::read(path).ok()?;
    let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(&VERSION.to_le_bytes())?;
    let (digest, body) = rest.split_at_checked(32)?;
    // The tree comes first: that it is another one is known before anything is read.
    let json = body.strip_prefix(tree.as_str().as_bytes())?;
    if Sha256::digest(body).as_slice() != digest {
        return None;
    }
    serde_json::from_slice(json).ok()
}

/// Keeps a graph as the last one, beside and then renamed.
pub(super) fn keep_last(path: &Path, graph: &RepositoryGraph) -> std::io::Result<()> {
    let mut body = graph.tree.as_str().as_bytes().to_vec();
    serde_json::to_writer(&mut body, graph)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    fs::create_dir_all(folder)?;
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    for part in [MAGIC.as_slice(), &VERSION.to_le_bytes(), Sha256::digest(&body).as_slice(), &body] {
        file.write_all(part)?;
    }
    file.persist(path)?;
    Ok(())
}
