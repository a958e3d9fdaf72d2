//! Which files a check reads: policies below folders, inputs by name or below folders, standard input.
//!
//! Must never go round in a circle of links, and never leave out a named file without saying so.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::input::Parser;
use crate::diagnostic::{Class, Failure};

/// Why a check could not be made.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// A file or folder that cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// Which.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// A file that is not what its parser reads.
    #[error("cannot read {path} as {parser}: {why}")]
    Parse {
        /// Which.
        path: String,
        /// As what.
        parser: &'static str,
        /// Why.
        why: String,
    },
    /// A wrong word.
    #[error("{what}")]
    Wrong {
        /// What is wrong.
        what: String,
        /// What to do.
        help: String,
    },
}

impl Failure for CheckError {
    fn class(&self) -> Class {
        Class::Usage
    }

    fn help(&self) -> Option<String> {
        match self {
            Self::Read { .. } => None,
            Self::Parse { .. } => Some(
                "Mend the file, name another parser with --parser, or leave it out with --ignore.".into(),
            ),
            Self::Wrong { help, .. } => Some(help.clone()),
        }
    }
}

/// Returns every `.rego` file below the paths, with its text, sorted by path.
pub fn policies(paths: &[PathBuf]) -> Result<Vec<(String, String)>, CheckError> {
    let mut files = BTreeSet::new();
    for path in paths {
        let metadata = fs::metadata(path).map_err(|source| read_error(path, source))?;
        if metadata.is_dir() {
            walk(path, &mut BTreeSet::new(), &mut |file| {
                if file.extension().is_some_and(|e| e == "rego") {
                    files.insert(file.to_owned());
                }
            })?;
        } else {
            files.insert(path.clone());
        }
    }
    if files.is_empty() {
        let names: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
        return Err(CheckError::Wrong {
            what: format!("there is no `.rego` file in {}", names.join(", ")),
            help: "Name the folder of the policies with -p.".into(),
        });
    }
    let text = |file: PathBuf| {
        let text = fs::read_to_string(&file).map_err(|source| read_error(&file, source))?;
        Ok((file.display().to_string().replace('\\', "/"), text))
    };
    files.into_iter().map(text).collect()
}

/// Returns the files a check is about, in the order they were named.
pub fn inputs(
    named: &[String],
    ignore: Option<&Regex>,
    parser: Option<Parser>,
) -> Result<Vec<String>, CheckError> {
    let mut files = Vec::new();
    for name in named.iter().filter(|n| !n.is_empty()) {
        let path = Path::new(name);
        if name == "-" || !fs::metadata(path).map_err(|source| read_error(path, source))?.is_dir() {
            files.push(name.clone());
            continue;
        }
        let mut below = Vec::new();
        walk(path, &mut BTreeSet::new(), &mut |file| {
            let text = file.display().to_string();
            let known = parser.is_some() || Parser::of(&text).is_ok();
            if known && !ignore.is_some_and(|i| i.is_match(&text)) {
                below.push(text);
            }
        })?;
        files.extend(below);
    }
    if files.is_empty() {
        return Err(CheckError::Wrong {
            what: "there is no file to check".into(),
            help: "Name files, folders that hold files of a known kind, or `-` for standard input.".into(),
        });
    }
    Ok(files)
}

/// Reads one input; refuses one that is over the limit before it is read.
pub fn read(path: &str, limit: usize) -> Result<Vec<u8>, CheckError> {
    let too_large = || CheckError::Wrong {
        what: format!("{path} is larger than {} MB", limit >> 20),
        help: "Split it, or raise --max-input.".into(),
    };
    let most = u64::try_from(limit).unwrap_or(u64::MAX);
    let mut bytes = Vec::new();
    let done = if path == "-" {
        std::io::stdin().lock().take(most.saturating_add(1)).read_to_end(&mut bytes)
    } else {
        let file = fs::File::open(path).map_err(|source| read_error(Path::new(path), source))?;
        if file.metadata().is_ok_and(|m| m.len() > most) {
            return Err(too_large());
        }
        file.take(most.saturating_add(1)).read_to_end(&mut bytes)
    };
    done.map_err(|source| read_error(Path::new(path), source))?;
    if bytes.len() > limit { Err(too_large()) } else { Ok(bytes) }
}

/// Calls back for each file below a folder, in order of their names; a folder is entered once.
pub fn walk(
    folder: &Path,
    seen: &mut BTreeSet<PathBuf>,
    found: &mut impl FnMut(&Path),
) -> Result<(), CheckError> {
    let real = fs::canonicalize(folder).map_err(|source| read_error(folder, source))?;
    if !seen.insert(real) {
        return Ok(());
    }
    let entries = fs::read_dir(folder).map_err(|source| read_error(folder, source))?;
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.map(|e| e.path()).map_err(|source| read_error(folder, source)))
        .collect::<Result<_, _>>()?;
    paths.sort();
    for path in paths {
        match fs::metadata(&path) {
            Ok(metadata) if metadata.is_dir() => walk(&path, seen, found)?,
            Ok(metadata) if metadata.is_file() => found(&path),
            // A link into nothing, a socket: not a file to check.
            _ => {}
        }
    }
    Ok(())
}

/// Makes the error of a path that cannot be read.
pub fn read_error(path: &Path, source: std::io::Error) -> CheckError {
    CheckError::Read { path: path.display().to_string(), source }
}
