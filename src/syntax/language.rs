//! One language: its grammar, and the query that finds what a file defines and uses.
//!
//! Must never keep a parser across files, nor let one file take more steps than its size allows.

use std::ops::ControlFlow;
use std::sync::OnceLock;

use tree_sitter::{
    Node, ParseOptions, Parser, Query, QueryCursor, QueryCursorOptions, StreamingIterator as _,
};

use super::{Definition, DefinitionKind, Import, Reference, Syntax};

/// The most references that are kept of a file.
const MAX_REFERENCES: usize = 50_000;
/// The longest name.
const MAX_NAME: usize = 200;
/// The longest import.
const MAX_IMPORT: usize = 400;
/// Steps of a parser or a cursor that any file may take; a step is about a hundred operations.
const STEPS: usize = 4000;
/// One more step for each so many bytes.
const BYTES_A_STEP: usize = 8;

/// A language.
pub(super) struct Language {
    /// Its name.
    pub name: &'static str,
    /// The endings of its files, in lower case, without the dot.
    pub endings: &'static [&'static str],
    /// Its grammar.
    pub grammar: fn() -> tree_sitter::Language,
    /// Its query. Captures: `function`, `method`, `type`, `group`, `value` around a whole definition with `name` and `body`
    /// in it; `call`, `reference`, `import`.
    pub query: &'static str,
    /// Nodes that belong to the one definition they hold, as a list of decorators with what is decorated.
    pub wraps: &'static [&'static str],
    /// Nodes that belong to a definition they stand before, as comments.
    pub before: &'static [&'static str],
    /// The query once it was read.
    pub ready: OnceLock<Option<Query>>,
}

impl Language {
    fn query(&self) -> Option<&Query> {
        self.ready.get_or_init(|| Query::new(&(self.grammar)(), self.query).ok()).as_ref()
    }

    /// Reads a text; nothing where it takes too long.
    pub fn read(&self, text: &str) -> Option<Syntax> {
        let query = self.query()?;
        let mut parser = Parser::new();
        parser.set_language(&(self.grammar)()).ok()?;
        let bound = STEPS + text.len() / BYTES_A_STEP;
        let mut steps = 0;
        let mut step = |_: &tree_sitter::ParseState| counted(&mut steps, bound);
        let options = ParseOptions::new().progress_callback(&mut step);
        let bytes = text.as_bytes();
        let mut piece = |at: usize, _| bytes.get(at..).unwrap_or_default();
        let tree = parser.parse_with_options(&mut piece, None, Some(options))?;
        let mut syntax = Syntax { grammar: Some(self.name), ..Syntax::default() };
        let mut cursor = QueryCursor::new();
        cursor.set_match_limit(4096);
        let mut steps = 0;
        let mut step = |_: &tree_sitter::QueryCursorState| counted(&mut steps, bound);
        let options = QueryCursorOptions::new().progress_callback(&mut step);
        let mut matches = cursor.matches_with_options(query, tree.root_node(), bytes, options);
        let names = query.capture_names();
        while let Some(found) = matches.next() {
            let (mut whole, mut name, mut body) = (None, None, None);
            for capture in found.captures {
                let node = capture.node;
                match names.get(capture.index as usize).copied().unwrap_or_default() {
                    "name" => name = Some(node),
                    "body" => body = Some(node),
                    "function" => whole = Some((DefinitionKind::Function, node)),
                    "method" => whole = Some((DefinitionKind::Method, node)),
                    "type" => whole = Some((DefinitionKind::Type, node)),
                    "group" => whole = Some((DefinitionKind::Group, node)),
                    "value" => whole = Some((DefinitionKind::Value, node)),
                    "import" => {
                        syntax.imports.push(Import { text: one_line(cut(text, node)), line: line(node) });
                    }
                    kind if syntax.references.len() < MAX_REFERENCES => {
                        let name = cut(text, node);
                        if name.len() <= MAX_NAME {
                            syntax.references.push(Reference {
                                name: name.into(),
                                line: line(node),
                                call: kind == "call",
                            });
                        }
                    }
                    _ => {}
                }
            }
            if let (Some((kind, node)), Some(name)) = (whole, name) {
                syntax.definitions.push(self.definition(text, kind, node, name, body));
            }
        }
        Some(syntax)
    }

    fn definition(
        &self,
        text: &str,
        kind: DefinitionKind,
        node: Node<'_>,
        name: Node<'_>,
        body: Option<Node<'_>>,
    ) -> Definition {
        let mut whole = node;
        while let Some(parent) = whole.parent().filter(|parent| self.wraps.contains(&parent.kind())) {
            let alike = (0..parent.named_child_count())
                .filter_map(|at| parent.named_child(u32::try_from(at).unwrap_or(u32::MAX)))
                .filter(|child| child.kind() == whole.kind());
            if alike.take(2).count() > 1 {
                break;
            }
            whole = parent;
        }
        let mut first = line(whole);
        let mut before = whole.prev_sibling();
        while let Some(node) = before.filter(|node| self.before.contains(&node.kind())) {
            let alone = node.prev_sibling().is_none_or(|earlier| last_line(earlier) < line(node));
            if last_line(node) + 1 < first || !alone || line(node) > first {
                break;
            }
            first = line(node);
            before = node.prev_sibling();
        }
        let last = last_line(whole);
        let head = line(name);
        let head_last = match body {
            // A body on its own line ends the signature before it, as in Python.
            Some(body) if line(body) > head && starts_line(text, body) => line(body) - 1,
            Some(body) => line(body),
            None => last.min(head + 7),
        };
        let name: String = cut(text, name)
            .split(['<', '\n'])
            .next()
            .unwrap_or_default()
            .trim()
            .chars()
            .take(MAX_NAME)
            .collect();
        Definition { kind, name, first, head: line(node), head_last, last, depth: 0 }
    }
}

fn counted(steps: &mut usize, bound: usize) -> ControlFlow<()> {
    *steps += 1;
    if *steps > bound { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

fn number(row: usize) -> u32 {
    u32::try_from(row + 1).unwrap_or(u32::MAX)
}

fn line(node: Node<'_>) -> u32 {
    number(node.start_position().row)
}

/// Returns the last line of a node; one that ends with a line feed does not reach into the next line.
fn last_line(node: Node<'_>) -> u32 {
    let end = node.end_position();
    if end.column == 0 && end.row > node.start_position().row { number(end.row - 1) } else { number(end.row) }
}

fn starts_line(text: &str, node: Node<'_>) -> bool {
    let before = text.get(..node.start_byte()).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    line.trim().is_empty() && !text.get(node.start_byte()..).unwrap_or_default().starts_with('{')
}

fn cut<'t>(text: &'t str, node: Node<'_>) -> &'t str {
    text.get(node.byte_range()).unwrap_or_default()
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").chars().take(MAX_IMPORT).collect()
}
