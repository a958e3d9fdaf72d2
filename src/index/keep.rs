//! The files the index is kept in: a head, and beside it a folder of parts; read on all cores, written part by part.
//!
//! Must never change a part, and must never take one away that the head before still names: somebody may be reading it.

use std::fs;
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use super::past::Commit;
use super::segment::Segment;
use super::store::{Head, Part, Spoiled, Stored, read_commits, read_head, read_segment, write_head};

/// The largest head that is read, and the largest part.
const MAX_HEAD: u64 = 1 << 20;
const MAX_PART: u64 = 2 << 30;

/// Returns the folder of the parts of a head.
fn folder(head: &Path) -> PathBuf {
    let mut name = head.file_name().unwrap_or_default().to_owned();
    name.push(".d");
    head.with_file_name(name)
}

fn bytes(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    let file = fs::File::open(path)?;
    let length = file.metadata()?.len().min(most);
    let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
    file.take(most).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads what is kept; nothing where there is nothing, the reason where it cannot be used.
pub(super) fn read(path: &Path) -> Result<Option<(Stored, Head)>, String> {
    let head = match bytes(path, MAX_HEAD) {
        Ok(bytes) => read_head(&bytes).map_err(|error| error.to_string())?,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.to_string()),
    };
    let folder = folder(path);
    let (segments, commits) = std::thread::scope(|scope| {
        let past = scope.spawn(|| {
            let read = head.past.iter().map(|part| one(&folder, part, read_commits));
            read.collect::<Result<Vec<Vec<Commit>>, String>>()
        });
        let segments: Result<Vec<Segment>, String> =
            head.segments.iter().map(|part| one(&folder, part, read_segment)).collect();
        (segments, past.join().unwrap_or_else(|_| Err(Spoiled::Content.to_string())))
    });
    let commits = commits?.into_iter().flatten().collect();
    let stored = Stored { segments: segments?, commits, tip: head.tip, weights: head.weights };
    Ok(Some((stored, head)))
}

fn one<T>(
    folder: &Path,
    part: &Part,
    read: impl Fn(&Part, &[u8]) -> Result<T, Spoiled>,
) -> Result<T, String> {
    let bytes = bytes(&folder.join(part.name()), MAX_PART).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "a part of it is not there".to_owned(),
        _ => error.to_string(),
    })?;
    read(part, &bytes).map_err(|error| error.to_string())
}

/// Writes parts as they are made, then the head that names them.
///
/// Each is written beside and then renamed, and none is held: together they are as large as the index.
pub(super) struct Writer<'a> {
    head: &'a Path,
    folder: PathBuf,
}

impl<'a> Writer<'a> {
    /// Prepares to write to a head and its parts.
    pub(super) fn to(head: &'a Path) -> std::io::Result<Self> {
        let folder = folder(head);
        fs::create_dir_all(&folder)?;
        Ok(Self { head, folder })
    }

    /// Writes a part.
    pub(super) fn part(&self, bytes: &[u8]) -> std::io::Result<Part> {
        let part = Part::of(bytes);
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        file.write_all(bytes)?;
        file.persist(self.folder.join(part.name()))?;
        Ok(part)
    }

    /// Writes the head, then takes away what neither it nor the one before names.
    pub(super) fn end(self, head: &Head, before: &Head) -> std::io::Result<()> {
        let parent =
            self.head.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let mut file = tempfile::NamedTempFile::new_in(parent)?;
        file.write_all(&write_head(head))?;
        file.persist(self.head)?;
        let named: Vec<String> = [head, before]
            .into_iter()
            .flat_map(|head| head.segments.iter().chain(&head.past))
            .map(Part::name)
            .collect();
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_part = name.len() == 24 && name.bytes().all(|b| b.is_ascii_hexdigit());
            if is_part && !named.contains(&name) {
                // One that stays takes room and does no harm.
                let _ = fs::remove_file(entry.path());
            }
        }
        Ok(())
    }
}
