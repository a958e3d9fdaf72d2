//! A folder of a commit as git's own objects, so that the commit id proves every byte.
//!
//! Must never hand on an object whose id is not the hash of its bytes.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use gix::hash::{Kind as Hash, ObjectId};
use gix::objs::Kind;

use super::inside;

const MAGIC: &[u8] = b"orch-objects-1\n";

/// The most objects.
const MOST: usize = 20_000;

/// The deepest folder.
const DEEPEST: usize = 64;

/// Objects by id, each checked.
#[derive(Clone, Debug, Default)]
pub struct Objects(BTreeMap<String, (Kind, Vec<u8>)>);

/// Why a walk ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// An object is not there or is not what its id says.
    Object(String),
    /// The folder cannot be used.
    Form(String),
}

/// A file of the folder; without bytes when it is a link.
pub type File = (String, Option<Vec<u8>>);

impl Objects {
    /// Reads what [`Objects::to_bytes`] wrote, and checks every object.
    pub fn read(bytes: &[u8]) -> Result<Self, String> {
        let wrong = || "it is not well-formed".to_owned();
        let mut rest = bytes.strip_prefix(MAGIC).ok_or_else(wrong)?;
        let mut objects = Self::default();
        while !rest.is_empty() {
            let end = rest.iter().take(80).position(|byte| *byte == b'\n').ok_or_else(wrong)?;
            let line = std::str::from_utf8(rest.get(..end).unwrap_or_default()).map_err(|_| wrong())?;
            let (kind, length) = line.split_once(' ').ok_or_else(wrong)?;
            let kind = Kind::from_bytes(kind.as_bytes()).map_err(|_| wrong())?;
            let length: usize = length.parse().map_err(|_| wrong())?;
            let body = rest.get(end + 1..).ok_or_else(wrong)?;
            let (data, more) = body.split_at_checked(length).ok_or_else(wrong)?;
            objects.add(kind, data.to_vec())?;
            rest = more;
        }
        Ok(objects)
    }

    /// Writes the objects, in the order of their ids.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        for (kind, data) in self.0.values() {
            bytes.extend_from_slice(kind.as_bytes());
            bytes.extend_from_slice(format!(" {}\n", data.len()).as_bytes());
            bytes.extend_from_slice(data);
        }
        bytes
    }

    /// Adds an object under the hash of its bytes.
    pub fn add(&mut self, kind: Kind, data: Vec<u8>) -> Result<String, String> {
        if self.0.len() >= MOST {
            return Err(format!("it has more than {MOST} objects"));
        }
        let id = hash(kind, &data)?;
        self.0.insert(id.clone(), (kind, data));
        Ok(id)
    }

    /// Returns an object.
    pub fn get(&self, id: &str) -> Result<(Kind, Vec<u8>), String> {
        self.0.get(id).cloned().ok_or_else(|| format!("the object {id} is not in it"))
    }
}

/// Returns the id of an object.
pub fn hash(kind: Kind, data: &[u8]) -> Result<String, String> {
    let id: ObjectId = gix::objs::compute_hash(Hash::Sha1, kind, data)
        .map_err(|_| "an object is made to collide with another".to_owned())?;
    Ok(id.to_string())
}

/// Returns the files of a folder of a commit, sorted by path; the objects come from `get`.
pub fn walk(
    commit: &str,
    folder: &str,
    mut get: impl FnMut(&str) -> Result<(Kind, Vec<u8>), String>,
) -> Result<Vec<File>, Fault> {
    let mut object = |id: &str, want: Kind| match get(id) {
        Ok((kind, data)) if kind == want => Ok(data),
        Ok(_) => Err(Fault::Object(format!("the object {id} is no {want}"))),
        Err(why) => Err(Fault::Object(why)),
    };
    let data = object(commit, Kind::Commit)?;
    let tree = data
        .strip_prefix(b"tree ")
        .and_then(|rest| rest.get(..40))
        .and_then(|id| std::str::from_utf8(id).ok());
    let mut tree = tree.ok_or_else(|| Fault::Form("the commit has no tree".into()))?.to_owned();
    for part in folder.split('/').filter(|part| !part.is_empty()) {
        let entries = tree_entries(&object(&tree, Kind::Tree)?).map_err(Fault::Form)?;
        let found = entries.into_iter().find(|(mode, name, _)| name == part && mode == "40000");
        tree = found.ok_or_else(|| Fault::Form(format!("the commit has no folder `{folder}`")))?.2;
    }
    let mut files = Vec::new();
    let mut open = vec![(String::new(), tree, 0)];
    let mut count = 0;
    while let Some((prefix, tree, depth)) = open.pop() {
        if depth > DEEPEST {
            return Err(Fault::Form("its folders are too deep".into()));
        }
        for (mode, name, id) in tree_entries(&object(&tree, Kind::Tree)?).map_err(Fault::Form)? {
            count += 1;
            if count > MOST {
                return Err(Fault::Form(format!("it has more than {MOST} files")));
            }
            let path = inside(&format!("{prefix}{name}")).map_err(Fault::Form)?;
            match mode.as_str() {
                "40000" => open.push((format!("{path}/"), id, depth + 1)),
                "100644" | "100755" if wanted(&name) => files.push((path, Some(object(&id, Kind::Blob)?))),
                "120000" if wanted(&name) => files.push((path, None)),
                _ => {}
            }
        }
    }
    files.sort();
    Ok(files)
}

/// Tells whether a file can matter: rules and data.
fn wanted(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase());
    ending.as_deref() == Some("rego") || name.starts_with("data.")
}

/// Mode, name and id of each entry.
fn tree_entries(mut data: &[u8]) -> Result<Vec<(String, String, String)>, String> {
    let wrong = || "one of its trees is not well-formed".to_owned();
    let mut entries = Vec::new();
    while !data.is_empty() {
        let end = data.iter().position(|byte| *byte == 0).ok_or_else(wrong)?;
        let (head, rest) = data.split_at_checked(end).ok_or_else(wrong)?;
        let head = std::str::from_utf8(head).map_err(|_| "the name of a file is not UTF-8".to_owned())?;
        let (mode, name) = head.split_once(' ').ok_or_else(wrong)?;
        let id = rest.get(1..21).ok_or_else(wrong)?;
        let mut hex = String::with_capacity(40);
        for byte in id {
            let _ = write!(hex, "{byte:02x}");
        }
        entries.push((mode.to_owned(), name.to_owned(), hex));
        data = rest.get(21..).unwrap_or_default();
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tree(entries: &[(&str, &str, &str)]) -> Vec<u8> {
        let mut data = Vec::new();
        for (mode, name, id) in entries {
            data.extend_from_slice(format!("{mode} {name}\0").as_bytes());
            let bytes = (0..20).map(|at| u8::from_str_radix(&id[at * 2..at * 2 + 2], 16).unwrap());
            data.extend(bytes);
        }
        data
    }

    fn sample() -> (Objects, String) {
        let mut objects = Objects::default();
        let blob = objects.add(Kind::Blob, b"package a\n".to_vec()).unwrap();
        let inner = objects
            .add(Kind::Tree, tree(&[("100644", "a.rego", &blob), ("120000", "b.rego", &blob)]))
            .unwrap();
        let root = objects.add(Kind::Tree, tree(&[("40000", "rules", &inner)])).unwrap();
        let commit =
            objects.add(Kind::Commit, format!("tree {root}\nauthor x\n\nhi\n").into_bytes()).unwrap();
        (objects, commit)
    }

    #[test]
    fn the_commit_proves_every_byte() {
        let (objects, commit) = sample();
        let bytes = objects.to_bytes();
        let read = Objects::read(&bytes).unwrap();
        let files = walk(&commit, "rules", |id| read.get(id)).unwrap();
        assert_eq!(files, [("a.rego".into(), Some(b"package a\n".to_vec())), ("b.rego".into(), None)]);
        assert_eq!(walk(&commit, "", |id| read.get(id)).unwrap()[0].0, "rules/a.rego");
        assert!(matches!(walk(&commit, "other", |id| read.get(id)), Err(Fault::Form(_))));
        // Another byte has another id, so what the commit names is not there.
        let at = bytes.windows(9).position(|window| window == b"package a").unwrap();
        let mut forged = bytes.clone();
        forged[at] = b'P';
        let forged = Objects::read(&forged).unwrap();
        assert!(matches!(walk(&commit, "rules", |id| forged.get(id)), Err(Fault::Object(_))));
        assert!(Objects::read(&bytes[..bytes.len() - 1]).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_break_the_reader(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            let _ = Objects::read(&bytes);
            let _ = Objects::read(&[MAGIC, &bytes].concat());
            let _ = tree_entries(&bytes);
        }
    }
}
