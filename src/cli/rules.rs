//! Rules named on the command line: a folder, a folder at a commit, or a tarball by its digest.
//!
//! Must never take a tarball whose digest was not given, and must never follow a link out of a folder.

use std::fs;
use std::path::Path;

use super::CommandError;
use super::error::{IoError, UsageError};
use crate::artifact::digest::Digest;
use crate::config::{FilePack, Pack};
use crate::ports::vcs::{GitRepository, VcsChanges as _};
use crate::stage::policy::bundle::{SourceFile, Sources};
use crate::stage::policy::data::{DataFile, LARGEST_DOCUMENT, is_data};
use crate::stage::policy::pack::{self, Opened};

/// The most files of rules that are read.
const MOST: usize = 1000;
/// The largest file of rules that is read.
const LARGEST: u64 = 1 << 20;

/// Returns the pack in this binary with the rules that are named.
pub fn named(values: &[String], folder: &Path, vcs: &GitRepository) -> Result<Sources, CommandError> {
    let mut sources = Sources::embedded()?;
    for value in values {
        sources = sources.with_pack(one(value, folder, vcs)?)?;
    }
    Ok(sources)
}

fn one(value: &str, folder: &Path, vcs: &GitRepository) -> Result<Opened, CommandError> {
    let path = folder.join(value);
    if path.is_dir() {
        return of_folder(value, &path, vcs);
    }
    if let Some((file, digest)) = value.rsplit_once("@sha256:") {
        return of_tarball(file, digest, folder);
    }
    if path.is_file() {
        let bytes = read(&path, pack::LARGEST as u64)?;
        return Err(UsageError {
            what: format!("the tarball `{value}` is named without its digest"),
            help: format!("Give it as {value}@{}, if that is the one you mean.", Digest::of(&bytes)),
        }
        .into());
    }
    if let Some((name, inside)) = value.split_once(':')
        && let Ok(commit) = vcs.commit_named(name)
    {
        let at = Sources::gather(vcs, &commit.tree, &[Pack::Folder(inside.to_owned())])?;
        return Ok(at.into_packs());
    }
    Err(UsageError {
        what: format!("`{value}` is no folder, no commit with a folder, and no tarball with its digest"),
        help: "Name a folder, `REV:FOLDER`, or `FILE@sha256:DIGEST`.".into(),
    }
    .into())
}

fn of_tarball(file: &str, digest: &str, folder: &Path) -> Result<Opened, CommandError> {
    let bytes = read(&folder.join(file), pack::LARGEST as u64)?;
    let pin = FilePack { file: file.to_owned(), sha256: digest.to_owned() };
    Ok(pack::open(&Pack::File(pin), &bytes)?)
}

/// Reads the rules of a folder as it lies there, by the names a pack of that folder has.
fn of_folder(value: &str, path: &Path, vcs: &GitRepository) -> Result<Opened, CommandError> {
    let io = |what: String| move |source| IoError { what, source };
    let whole = fs::canonicalize(path).map_err(io(format!("open {value}")))?;
    let root = fs::canonicalize(vcs.root()).map_err(io("open the repository".into()))?;
    let label = match whole.strip_prefix(&root) {
        Ok(below) if below != Path::new("") => below.to_string_lossy().into_owned(),
        _ => {
            let name = whole.file_name().map(|name| name.to_string_lossy().into_owned());
            format!("bundle:{}", name.unwrap_or_else(|| "rules".into()))
        }
    };
    let (mut opened, mut folders) = (Opened::default(), vec![whole.clone()]);
    while let Some(next) = folders.pop() {
        let entries = fs::read_dir(&next).map_err(io(format!("list {}", next.display())))?;
        for entry in entries {
            let entry = entry.map_err(io(format!("list {}", next.display())))?;
            let (path, kind) =
                (entry.path(), entry.file_type().map_err(io(format!("look at {}", next.display())))?);
            if kind.is_dir() {
                folders.push(path);
                continue;
            }
            let below = path.strip_prefix(&whole).unwrap_or(&path).to_string_lossy().into_owned();
            // A link stays in as a file that cannot be used: it denies, and is not passed over.
            let bytes = |most| if kind.is_file() { read(&path, most).map(Some) } else { Ok(None) };
            let name = format!("{label}/{below}");
            if is_data(&below) {
                opened.data.push(DataFile::new(name, &below, bytes(LARGEST_DOCUMENT as u64)?));
            } else if path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("rego")) {
                opened.rules.push(SourceFile { name, bytes: bytes(LARGEST)? });
            }
        }
        if opened.rules.len() > MOST {
            return Err(UsageError {
                what: format!("`{value}` has more than {MOST} files of rules"),
                help: "Name the folder of the pack.".into(),
            }
            .into());
        }
    }
    if opened.rules.is_empty() {
        return Err(UsageError {
            what: format!("`{value}` has no `.rego` file"),
            help: "Name the folder of the pack.".into(),
        }
        .into());
    }
    Ok(opened)
}

fn read(path: &Path, most: u64) -> Result<Vec<u8>, CommandError> {
    use std::io::Read as _;
    let mut bytes = Vec::new();
    fs::File::open(path)
        .and_then(|file| file.take(most + 1).read_to_end(&mut bytes))
        .map_err(|source| IoError { what: format!("read {}", path.display()), source })?;
    if bytes.len() as u64 > most {
        return Err(UsageError {
            what: format!("{} is larger than {most} bytes", path.display()),
            help: "Name the bundle of rules.".into(),
        }
        .into());
    }
    Ok(bytes)
}
