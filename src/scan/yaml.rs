//! YAML as a tree in which every node knows where it is written.
//!
//! Must never hold more than a bounded tree, aliases written out: a few anchors can stand for millions of nodes.

use std::borrow::Cow;
use std::ops::Range;
use std::rc::Rc;

use saphyr_parser::{Event, Parser, ScalarStyle};

/// Nodes of a document, aliases written out.
const MOST: usize = 100_000;
/// Nodes within each other.
const DEEPEST: usize = 100;
/// Brackets open within each other: a parser's work can grow with their number squared.
const BRACKETS: usize = 200;
/// GitHub takes no larger workflow.
const LARGEST: usize = 1 << 20;

/// A node.
#[derive(Clone, Debug)]
pub struct Node {
    /// Where it is written, in bytes; an alias is where its anchor is.
    pub range: Range<usize>,
    /// What it holds.
    pub value: Value,
    size: usize,
}

/// What a node holds.
#[derive(Clone, Debug)]
pub enum Value {
    /// A text, number, boolean or nothing, as it is written; and whether it is a block (`|`, `>`).
    Scalar(Rc<str>, bool),
    /// A sequence.
    Sequence(Vec<Rc<Node>>),
    /// A mapping, in the order it is written.
    Mapping(Vec<(Rc<Node>, Rc<Node>)>),
}

impl Node {
    /// Returns the text of a scalar.
    pub fn text(&self) -> Option<&str> {
        if let Value::Scalar(text, _) = &self.value { Some(text) } else { None }
    }

    /// Returns the entries of a mapping; none for anything else.
    pub fn entries(&self) -> &[(Rc<Node>, Rc<Node>)] {
        if let Value::Mapping(entries) = &self.value { entries } else { &[] }
    }

    /// Returns the items of a sequence; none for anything else.
    pub fn items(&self) -> &[Rc<Node>] {
        if let Value::Sequence(items) = &self.value { items } else { &[] }
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|(_, value)| value)
    }

    /// Returns a key and its value.
    pub fn entry(&self, key: &str) -> Option<(&Node, &Node)> {
        self.entries().iter().find(|(k, _)| k.text() == Some(key)).map(|(k, v)| (&**k, &**v))
    }

    /// Returns the value at a path of keys.
    pub fn at(&self, path: &[&str]) -> Option<&Node> {
        path.iter().try_fold(self, |node, key| node.get(key))
    }

    /// Calls back with every scalar that is no key, in order.
    pub fn each_text<'a>(&'a self, each: &mut dyn FnMut(&'a Node, &'a str)) {
        match &self.value {
            Value::Scalar(text, _) => each(self, text),
            Value::Sequence(items) => items.iter().for_each(|item| item.each_text(each)),
            Value::Mapping(entries) => entries.iter().for_each(|(_, value)| value.each_text(each)),
        }
    }

    /// Returns the names a node stands for: a scalar, the items of a sequence, or the keys of a mapping.
    pub fn names(&self) -> Vec<(&Node, &str)> {
        match &self.value {
            Value::Scalar(text, _) => vec![(self, &**text)],
            Value::Sequence(items) => items.iter().filter_map(|i| Some((&**i, i.text()?))).collect(),
            Value::Mapping(entries) => entries.iter().filter_map(|(k, _)| Some((&**k, k.text()?))).collect(),
        }
    }
}

/// Reads the first document of a text; `None` where it is no YAML, or more than a bounded tree holds.
pub fn read(text: &[u8]) -> Option<Rc<Node>> {
    if text.len() > LARGEST || too_deep(text) {
        return None;
    }
    let text = std::str::from_utf8(text).ok()?;
    let text = text.strip_prefix('\u{feff}').map_or((text, 0), |rest| (rest, '\u{feff}'.len_utf8()));
    Builder::new(text.0, text.1).build()
}

fn too_deep(text: &[u8]) -> bool {
    let mut open = 0_usize;
    text.iter().any(|byte| {
        match byte {
            b'[' | b'{' => open += 1,
            b']' | b'}' => open = open.saturating_sub(1),
            _ => {}
        }
        open > BRACKETS
    })
}

struct Builder<'t> {
    text: &'t str,
    skipped: usize,
    /// Byte offset of each character; empty where the text is ASCII.
    offsets: Vec<u32>,
    open: Vec<Open>,
    anchors: Vec<(usize, Rc<Node>)>,
    total: usize,
}

struct Open {
    start: usize,
    anchor: usize,
    mapping: bool,
    children: Vec<Rc<Node>>,
}

impl<'t> Builder<'t> {
    fn new(text: &'t str, skipped: usize) -> Self {
        let offsets = if text.is_ascii() {
            Vec::new()
        } else {
            text.char_indices().filter_map(|(at, _)| u32::try_from(at).ok()).collect()
        };
        Self { text, skipped, offsets, open: Vec::new(), anchors: Vec::new(), total: 0 }
    }

    fn byte(&self, char: usize) -> usize {
        let at = match self.offsets.get(char) {
            Some(at) => *at as usize,
            None if self.offsets.is_empty() => char.min(self.text.len()),
            None => self.text.len(),
        };
        at + self.skipped
    }

    fn build(mut self) -> Option<Rc<Node>> {
        for event in Parser::new_from_str(self.text) {
            let (event, span) = event.ok()?;
            let (start, end) = (self.byte(span.start.index()), self.byte(span.end.index()));
            let (node, anchor) = match event {
                Event::Scalar(text, style, anchor, _) => {
                    let block = matches!(style, ScalarStyle::Literal | ScalarStyle::Folded);
                    let text: Rc<str> = match text {
                        Cow::Borrowed(text) => text.into(),
                        Cow::Owned(text) => text.into(),
                    };
                    (
                        Node { range: start..end.max(start), value: Value::Scalar(text, block), size: 1 },
                        anchor,
                    )
                }
                Event::Alias(anchor) => {
                    // An anchor that is not closed yet is not there: no node holds itself.
                    let node = self.anchors.iter().rev().find(|(id, _)| *id == anchor)?.1.clone();
                    if let Some(root) = self.add(node)? {
                        return Some(root);
                    }
                    continue;
                }
                Event::SequenceStart(anchor, _) | Event::MappingStart(anchor, _) => {
                    let mapping = matches!(event, Event::MappingStart(..));
                    self.open.push(Open { start, anchor, mapping, children: Vec::new() });
                    if self.open.len() > DEEPEST {
                        return None;
                    }
                    continue;
                }
                Event::SequenceEnd | Event::MappingEnd => {
                    let open = self.open.pop()?;
                    let size =
                        open.children.iter().fold(1_usize, |sum, child| sum.saturating_add(child.size));
                    let value = if open.mapping {
                        let mut children = open.children.into_iter();
                        let mut entries = Vec::new();
                        while let (Some(key), Some(value)) = (children.next(), children.next()) {
                            entries.push((key, value));
                        }
                        Value::Mapping(entries)
                    } else {
                        Value::Sequence(open.children)
                    };
                    (Node { range: open.start..end.max(open.start), value, size }, open.anchor)
                }
                Event::DocumentEnd | Event::StreamEnd => return None,
                Event::Nothing | Event::StreamStart | Event::DocumentStart(_) => continue,
            };
            let node = Rc::new(node);
            if anchor > 0 {
                self.anchors.push((anchor, node.clone()));
            }
            if let Some(root) = self.add(node)? {
                return Some(root);
            }
        }
        None
    }

    /// Hangs a node in; returns it where it is the root, and `None` where there are too many.
    #[expect(clippy::option_option, reason = "the outer one is for `?`")]
    fn add(&mut self, node: Rc<Node>) -> Option<Option<Rc<Node>>> {
        if !matches!(node.value, Value::Scalar(..)) && node.size > MOST {
            return None;
        }
        let Some(parent) = self.open.last_mut() else { return Some(Some(node)) };
        parent.children.push(node.clone());
        // What is hung in for the second time was counted once already: count leaves only, and aliases in full.
        self.total = self.total.saturating_add(if Rc::strong_count(&node) > 2 { node.size } else { 1 });
        (self.total <= MOST).then_some(None)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn nodes_know_their_place() {
        for (head, newline) in
            [("", "\n"), ("\u{feff}", "\n"), ("# ä 日本\n", "\n"), ("", "\r\n"), ("# é\r\n", "\r\n")]
        {
            let text = format!(
                "{head}on:\n  push: {{branches: [main, 'é']}}\njobs:\n  a:\n    run: |\n      echo 1\n      echo 2\n    x: &q \"z\"\n    y: *q\n"
            )
            .replace("\r\n", "\n")
            .replace('\n', newline);
            let root = read(text.as_bytes()).unwrap();
            let of = |path: &[&str]| &text[root.at(path).unwrap().range.clone()];
            assert_eq!(of(&["on", "push", "branches"]).trim(), "[main, 'é']");
            assert_eq!(of(&["jobs", "a", "x"]).trim(), "&q \"z\"");
            assert_eq!(of(&["jobs", "a", "y"]).trim(), "&q \"z\"");
            assert!(of(&["jobs", "a", "run"]).contains("echo 2"), "{text:?} {:?}", of(&["jobs", "a", "run"]));
            let (key, _) = root.at(&["jobs", "a"]).unwrap().entry("run").unwrap();
            assert_eq!(&text[key.range.clone()], "run");
            assert!(root.at(&["jobs", "a", "run"]).unwrap().text().unwrap().starts_with("echo 1\necho 2"));
        }
    }

    #[test]
    fn what_is_too_much_is_not_read() {
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for (from, to) in ["a", "b", "c", "d", "e", "f"].iter().zip(["b", "c", "d", "e", "f", "g"]) {
            bomb = format!("{bomb}{to}: &{to} [{}]\n", vec![format!("*{from}"); 10].join(", "));
        }
        assert!(read(bomb.as_bytes()).is_none());
        assert!(read("[".repeat(5_000).as_bytes()).is_none());
        assert!(read("- ".repeat(5_000).as_bytes()).is_none());
        assert!(read(b"a: &a [*a]").is_none());
        assert!(read(b"a: *b").is_none());
        assert!(read(b"\xff").is_none());
        assert!(read(b"").is_none());
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in r#"([-?:,\[\]{}#&*!|>'"%@` \n\ta-c0]|: |- |\r\n|é|<<: |---\n|\.\.\.\n|  |&a |\*a ){0,60}"#) {
            if let Some(root) = read(text.as_bytes()) {
                root.each_text(&mut |node, _| assert!(node.range.end <= text.len() && text.is_char_boundary(node.range.start)));
            }
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
