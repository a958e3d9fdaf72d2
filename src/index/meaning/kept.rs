//! Vectors that were paid for once: one file for each model, one record for each text.
//!
//! A record is the digest of the text (32 bytes), the vector (32-bit floats, little-endian) and the first four bytes of the
//! digest of both; a head says how many numbers a vector has. New records are added at the end. Must never hold a text,
//! and must never trust a record: what is spoiled is left out, with all that comes after it.

use std::collections::HashMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use crate::artifact::digest::Digest;
use crate::diagnostic::{Class, Failure};

/// How a file begins; the number of numbers follows, 32 bits, little-endian.
const MAGIC: &[u8; 8] = b"orchvec1";
const HEAD: usize = MAGIC.len() + 4;
const KEY: usize = 32;
const CHECK: usize = 4;
/// The largest file; one that would grow past it begins anew with what is new.
const MAX_BYTES: usize = 64 << 20;

/// The file cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot keep vectors in {path}")]
pub struct KeptError {
    path: PathBuf,
    #[source]
    source: std::io::Error,
}

impl Failure for KeptError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        Some("Name a folder that can be written with --cache, or use --no-cache.".into())
    }
}

/// The vectors of a model that are known.
#[derive(Debug, Default)]
pub struct Kept {
    path: Option<PathBuf>,
    /// How many numbers a vector has; 0: none is known.
    length: usize,
    /// How many bytes of the file are sound.
    sound: usize,
    known: HashMap<[u8; KEY], Vec<f32>>,
    fresh: Vec<[u8; KEY]>,
}

impl Kept {
    /// Reads what is kept of a model in a folder; nothing where there is none.
    pub fn open(folder: Option<&Path>, model: &str) -> Self {
        let name = |folder: &Path| folder.join(format!("vectors-{}.bin", &Digest::of(model).hex()[..16]));
        let path = folder.map(name);
        let bytes = path.as_deref().map(read).unwrap_or_default();
        let mut kept = Self { path, ..Self::default() };
        kept.take(&bytes);
        kept
    }

    fn take(&mut self, bytes: &[u8]) {
        let Some((head, mut rest)) = bytes.split_at_checked(HEAD) else { return };
        let (magic, count) = head.split_at(MAGIC.len());
        let count = count.try_into().map_or(0, u32::from_le_bytes) as usize;
        if magic != MAGIC || count == 0 || count > MAX_BYTES / 4 {
            return;
        }
        (self.length, self.sound) = (count, HEAD);
        let size = KEY + 4 * count + CHECK;
        while let Some((record, after)) = rest.split_at_checked(size) {
            let (sealed, check) = record.split_at(size - CHECK);
            if check != seal(sealed) {
                return;
            }
            let (key, numbers) = sealed.split_at(KEY);
            let vector: Vec<f32> = numbers
                .chunks_exact(4)
                .map(|n| f32::from_le_bytes(n.try_into().unwrap_or_default()))
                .collect();
            if let Ok(key) = key.try_into()
                && vector.iter().all(|x| x.is_finite())
            {
                self.known.insert(key, vector);
            }
            self.sound += size;
            rest = after;
        }
    }

    /// Returns the vector of a text, if it is known.
    pub fn of(&self, text: &str) -> Option<&[f32]> {
        self.known.get(&key(text)).map(Vec::as_slice)
    }

    /// Learns the vector of a text. A model that begins to answer with other lengths is another model: what was known goes.
    pub fn learn(&mut self, text: &str, vector: Vec<f32>) {
        if vector.len() != self.length {
            self.known.clear();
            self.fresh.clear();
            (self.length, self.sound) = (vector.len(), 0);
        }
        let key = key(text);
        if self.known.insert(key, vector).is_none() {
            self.fresh.push(key);
        }
    }

    /// Adds what is new to the file.
    pub fn save(&self) -> Result<(), KeptError> {
        let Some(path) = self.path.as_deref().filter(|_| !self.fresh.is_empty()) else { return Ok(()) };
        let mut records = Vec::new();
        for key in &self.fresh {
            let start = records.len();
            records.extend_from_slice(key);
            for number in self.known.get(key).into_iter().flatten() {
                records.extend_from_slice(&number.to_le_bytes());
            }
            let check = seal(records.get(start..).unwrap_or_default());
            records.extend_from_slice(&check);
        }
        self.write(path, &records).map_err(|source| KeptError { path: path.to_owned(), source })
    }

    fn write(&self, path: &Path, records: &[u8]) -> std::io::Result<()> {
        let now = fs::metadata(path).map_or(0, |file| usize::try_from(file.len()).unwrap_or(usize::MAX));
        if self.sound > 0 && self.sound == now && self.sound + records.len() <= MAX_BYTES {
            // One call, so that another process's records stand before or after these.
            return fs::OpenOptions::new().append(true).open(path)?.write_all(records);
        }
        // There is none, it is spoiled or full, or somebody else has written meanwhile: what is new alone is never wrong.
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(MAGIC)?;
        file.write_all(&u32::try_from(self.length).unwrap_or_default().to_le_bytes())?;
        file.write_all(records)?;
        file.persist(path)?;
        Ok(())
    }
}

fn read(path: &Path) -> Vec<u8> {
    let mut bytes = Vec::new();
    // What cannot be read is asked for again.
    if let Ok(file) = fs::File::open(path) {
        drop(file.take(MAX_BYTES as u64).read_to_end(&mut bytes));
    }
    bytes
}

fn key(text: &str) -> [u8; KEY] {
    raw(text.as_bytes())
}

fn seal(sealed: &[u8]) -> [u8; CHECK] {
    let all = raw(sealed);
    [all[0], all[1], all[2], all[3]]
}

fn raw(bytes: &[u8]) -> [u8; KEY] {
    use sha2::Digest as _;
    sha2::Sha256::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(folder: &Path) -> PathBuf {
        fs::read_dir(folder).unwrap().next().unwrap().unwrap().path()
    }

    fn kept(folder: &Path, texts: &[(&str, f32)]) -> Kept {
        let mut kept = Kept::open(Some(folder), "p/m");
        for (text, number) in texts {
            kept.learn(text, vec![*number, 1.0]);
        }
        kept.save().unwrap();
        Kept::open(Some(folder), "p/m")
    }

    #[test]
    fn vectors_are_known_again_and_added_to() {
        let folder = tempfile::tempdir().unwrap();
        kept(folder.path(), &[("a", 0.1), ("b", 0.2)]);
        let before = fs::read(file(folder.path())).unwrap();
        let again = kept(folder.path(), &[("c", 0.3), ("a", 0.9)]);
        assert_eq!(again.of("a"), Some(&[0.1, 1.0][..]), "what is known is not written twice");
        assert_eq!((again.of("b"), again.of("c")), (Some(&[0.2, 1.0][..]), Some(&[0.3, 1.0][..])));
        assert_eq!(again.of("d"), None);
        assert!(fs::read(file(folder.path())).unwrap().starts_with(&before));
        assert!(Kept::open(Some(folder.path()), "p/other").of("a").is_none());
        assert!(Kept::open(None, "p/m").of("a").is_none());
    }

    #[test]
    fn whatever_is_spoiled_is_left_out_and_written_anew() {
        let folder = tempfile::tempdir().unwrap();
        kept(folder.path(), &[("a", 0.1), ("b", 0.2), ("c", 0.3)]);
        let path = file(folder.path());
        let whole = fs::read(&path).unwrap();
        for at in 0..whole.len() {
            for spoiled in
                [whole[..at].to_vec(), [&whole[..at], &[whole[at] ^ 0x41], &whole[at + 1..]].concat()]
            {
                fs::write(&path, spoiled).unwrap();
                let known = Kept::open(Some(folder.path()), "p/m");
                for (text, number) in [("a", 0.1), ("b", 0.2), ("c", 0.3)] {
                    assert!(known.of(text).is_none_or(|vector| vector == [number, 1.0]), "{at} {text}");
                }
            }
        }
        fs::write(&path, &whole[..whole.len() - 1]).unwrap();
        let again = kept(folder.path(), &[("c", 0.3)]);
        assert_eq!((again.of("a"), again.of("c")), (None, Some(&[0.3, 1.0][..])));
    }

    #[test]
    fn other_lengths_are_another_model() {
        let folder = tempfile::tempdir().unwrap();
        kept(folder.path(), &[("a", 0.1)]);
        let mut other = Kept::open(Some(folder.path()), "p/m");
        other.learn("b", vec![1.0, 2.0, 3.0]);
        other.save().unwrap();
        let again = Kept::open(Some(folder.path()), "p/m");
        assert_eq!((again.of("a"), again.of("b")), (None, Some(&[1.0, 2.0, 3.0][..])));
    }
}
