//! Scanners: bytes of files in, facts out; what a fact means for a change is judged elsewhere.
//!
//! Must never read a file, a clock or the environment, and must never put a secret into a fact.

pub mod agents;
pub mod allow;
pub mod binary;
pub mod dependencies;
pub mod destructive;
mod driver;
mod fact;
mod keywords;
mod layers;
pub mod licences;
mod lines;
pub mod manifest;
pub mod names;
pub mod owners;
pub mod pii;
mod places;
pub mod secrets;
mod source;
mod surroundings;
pub mod tampering;
pub mod unicode;
pub mod workflows;
pub(crate) mod yaml;

pub use driver::{Worker, merge, scan_all};
pub use fact::{Confidence, Fact, Found, Sink};
pub use lines::Lines;
pub use places::Place;
pub use source::{Source, View};
pub use surroundings::Surroundings;

/// Finds facts of one kind.
///
/// Most look at one file at a time; one that compares what was with what is looks at the whole change instead.
pub trait Scanner: Sync {
    /// Returns the scanner's name, as settings and facts name it.
    fn name(&self) -> &'static str;

    /// Returns the codes its facts may have.
    fn codes(&self) -> &'static [&'static str];

    /// Looks at one file as it is after the change.
    fn scan(&self, _view: &View<'_>, _sink: &mut Sink<'_>) {}

    /// Looks at a change as a whole; `sink` takes facts for any file of it.
    fn change(&self, _change: &Change<'_>, _sink: &mut dyn FnMut(&str, Found)) {}
}

/// A change as a whole: every file before and after.
#[derive(Clone, Copy)]
pub struct Change<'a> {
    /// The files, in the order of their paths.
    pub files: &'a [FileChange<'a>],
    /// The repository as it is after the change.
    pub tree: &'a dyn Tree,
}

/// The files of a repository, asked for by name: a scanner that needs one beside those of the change asks for it here.
pub trait Tree: Sync {
    /// Returns the paths of all files, sorted, with `/`.
    fn paths(&self) -> &[String];

    /// Returns the content of a file; `None` where there is no regular file, or it cannot be read.
    fn file(&self, path: &str) -> Option<Vec<u8>>;
}

/// A tree in memory.
#[derive(Clone, Debug, Default)]
pub struct MemoryTree {
    paths: Vec<String>,
    files: std::collections::BTreeMap<String, Vec<u8>>,
}

impl<P: Into<String>, B: Into<Vec<u8>>> FromIterator<(P, B)> for MemoryTree {
    fn from_iter<I: IntoIterator<Item = (P, B)>>(files: I) -> Self {
        let files: std::collections::BTreeMap<String, Vec<u8>> =
            files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())).collect();
        Self { paths: files.keys().cloned().collect(), files }
    }
}

impl Tree for MemoryTree {
    fn paths(&self) -> &[String] {
        &self.paths
    }

    fn file(&self, path: &str) -> Option<Vec<u8>> {
        self.files.get(path).cloned()
    }
}

/// One file of a change.
#[derive(Clone, Copy, Debug)]
pub struct FileChange<'a> {
    /// The path from the root of the repository, with `/`.
    pub path: &'a str,
    /// The content before; absent when the file is new.
    pub before: Option<&'a [u8]>,
    /// The content after; absent when the file is gone.
    pub after: Option<&'a [u8]>,
}

/// Every scanner, one line each.
pub static SCANNERS: &[&dyn Scanner] = &[
    &secrets::Secrets,
    &pii::Pii,
    &names::Names,
    &dependencies::Dependencies,
    &licences::Licences,
    &tampering::Tampering,
    &owners::Owners,
    &workflows::Workflows,
    &unicode::Unicode,
    &binary::Binary,
    &destructive::Destructive,
    &agents::Agents,
];

/// Looks at a change as a whole with every scanner that does.
///
/// `today` is the day allow comments are judged on, as for [`Worker::new`].
pub fn scan_change(scanners: &[&dyn Scanner], change: &Change<'_>, today: Option<&str>) -> Vec<Fact> {
    let mut facts = Vec::new();
    for scanner in scanners {
        let mut found: Vec<(String, Found)> = Vec::new();
        scanner.change(change, &mut |path, fact| found.push((path.to_owned(), fact)));
        found.sort_by(|a, b| a.0.cmp(&b.0));
        for chunk in found.chunk_by(|a, b| a.0 == b.0) {
            let Some(file) = change.files.iter().find(|file| file.path == chunk[0].0) else { continue };
            let source = Source::new(file.path, file.after.or(file.before).unwrap_or_default());
            let view = View::new(&source);
            let mut sink = Sink::new(*scanner, &view);
            for (_, fact) in chunk {
                sink.add(fact.clone());
            }
            let comments = allow::Comments::new(&view, today);
            facts.extend(sink.finish().into_iter().filter(|fact| !comments.allow(fact)));
        }
    }
    facts.sort();
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Shrunk;

    impl Scanner for Shrunk {
        fn name(&self) -> &'static str {
            "shrunk"
        }

        fn codes(&self) -> &'static [&'static str] {
            &["tests/shrunk"]
        }

        fn change(&self, change: &Change<'_>, sink: &mut dyn FnMut(&str, Found)) {
            for file in change.files {
                let len = |text: Option<&[u8]>| text.map_or(0, <[u8]>::len);
                if len(file.after) < len(file.before) {
                    let message = "the file is shorter".into();
                    sink(file.path, Found::file("tests/shrunk", message, file.path, Confidence::High));
                }
            }
        }
    }

    #[test]
    fn a_scanner_can_look_at_before_and_after() {
        let files = [
            FileChange { path: "a", before: Some(b"long"), after: Some(b"s") },
            FileChange { path: "b", before: None, after: Some(b"new") },
            FileChange { path: "c", before: Some(b"gone"), after: None },
        ];
        let facts = scan_change(&[&Shrunk], &Change { files: &files, tree: &MemoryTree::default() }, None);
        assert_eq!(facts.iter().map(|f| f.path.as_str()).collect::<Vec<_>>(), ["a", "c"]);
    }

    #[test]
    fn names_are_taken_once_and_codes_are_codes() {
        let names: std::collections::BTreeSet<_> = SCANNERS.iter().map(|s| s.name()).collect();
        assert_eq!(names.len(), SCANNERS.len());
        for code in SCANNERS.iter().flat_map(|s| s.codes()) {
            assert!(code.parse::<crate::diagnostic::Code>().is_ok(), "{code}");
        }
    }
}
