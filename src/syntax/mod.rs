//! What a source file defines, uses and imports: whole functions and classes with their comments, by lines.
//!
//! Read with a grammar where there is one, by blocks and indentation where there is none. The answer depends on the bytes
//! and the name of the file alone. Must never fail or run long on any bytes: what a grammar cannot read within its bounds
//! is read by lines.

mod go;
mod java;
mod javascript;
mod language;
mod lexical;
mod python;
mod rust;
#[cfg(test)]
mod tests;
mod typescript;

use language::Language;

/// Files above this are read by lines only.
pub const MAX_PARSED: usize = 512 * 1024;

/// Every grammar, one line each; the first that knows a file's ending reads it.
static LANGUAGES: &[&Language] = &[
    &go::LANGUAGE,
    &java::LANGUAGE,
    &javascript::LANGUAGE,
    &python::LANGUAGE,
    &rust::LANGUAGE,
    &typescript::LANGUAGE,
    &typescript::WITH_TAGS,
];

/// What kind of thing is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DefinitionKind {
    /// A function that belongs to no type.
    Function,
    /// A function of a type.
    Method,
    /// A class, a struct, an enum, an interface, a trait, an alias.
    Type,
    /// A namespace, a module, an implementation block, a section of a text.
    Group,
    /// A constant or a variable of the whole file.
    Value,
}

impl DefinitionKind {
    /// Returns its name as shown.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Function => "function",
            Self::Method => "method",
            Self::Type => "type",
            Self::Group => "group",
            Self::Value => "value",
        }
    }
}

/// Something a file defines.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Definition {
    /// What it is.
    pub kind: DefinitionKind,
    /// Its name, without what it is in.
    pub name: String,
    /// Its first line, from 1: of its comment or decorator where it has one.
    pub first: u32,
    /// The line where it begins itself.
    pub head: u32,
    /// The last line of its signature.
    pub head_last: u32,
    /// Its last line.
    pub last: u32,
    /// How many definitions it is in.
    pub depth: u32,
}

impl Definition {
    /// Tells whether it shares a line with a range.
    pub const fn meets(&self, first: u32, last: u32) -> bool {
        self.first <= last && self.last >= first
    }
}

/// A name that is used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Reference {
    /// The name.
    pub name: String,
    /// The line, from 1.
    pub line: u32,
    /// True where it is called or made.
    pub call: bool,
}

/// A statement that brings something in.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Import {
    /// Its words, in one line.
    pub text: String,
    /// Its line, from 1.
    pub line: u32,
}

/// What was read of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Syntax {
    /// The grammar that read it; none where it was read by lines.
    pub grammar: Option<&'static str>,
    /// How many lines it has.
    pub lines: u32,
    /// What it defines, in order; what is in another comes after that.
    pub definitions: Vec<Definition>,
    /// The names it uses, sorted, each once a line.
    pub references: Vec<Reference>,
    /// What it brings in, in order.
    pub imports: Vec<Import>,
}

impl Syntax {
    /// Returns the definitions that are in no other.
    pub fn outer(&self) -> impl Iterator<Item = &Definition> {
        self.definitions.iter().filter(|definition| definition.depth == 0)
    }

    /// Returns the smallest definition around a line.
    pub fn around(&self, line: u32) -> Option<&Definition> {
        self.definitions.iter().filter(|definition| definition.meets(line, line)).min_by_key(|definition| {
            (definition.last - definition.first, std::cmp::Reverse(definition.depth))
        })
    }

    /// Tells whether a name is used, called ones only where asked for.
    pub fn uses(&self, name: &str, calls: bool) -> Option<u32> {
        let from = self.references.partition_point(|reference| reference.name.as_str() < name);
        let of = self.references[from..].iter().take_while(|reference| reference.name == name);
        of.filter(|reference| reference.call || !calls).map(|reference| reference.line).min()
    }
}

/// Reads a file.
pub fn read(path: &str, bytes: &[u8]) -> Syntax {
    let text = String::from_utf8_lossy(bytes);
    let lines = u32::try_from(text.split_inclusive('\n').count()).unwrap_or(u32::MAX);
    let name = path.rsplit('/').next().unwrap_or(path);
    let ending = name.rsplit_once('.').map(|(_, ending)| ending.to_ascii_lowercase()).unwrap_or_default();
    let known = LANGUAGES.iter().find(|language| language.endings.contains(&ending.as_str()));
    let parsed = known.filter(|_| text.len() <= MAX_PARSED).and_then(|language| language.read(&text));
    let mut syntax = parsed.unwrap_or_else(|| lexical::read(&ending, &text));
    syntax.lines = lines;
    tidy(&mut syntax);
    syntax
}

/// Orders what was found, drops doubles, counts depths.
fn tidy(syntax: &mut Syntax) {
    let lines = syntax.lines.max(1);
    for definition in &mut syntax.definitions {
        definition.last = definition.last.clamp(1, lines);
        definition.head = definition.head.clamp(1, definition.last);
        definition.first = definition.first.clamp(1, definition.head);
        definition.head_last = definition.head_last.clamp(definition.head, definition.last);
    }
    syntax.definitions.retain(|definition| !definition.name.is_empty());
    let order = |d: &Definition| (d.first, std::cmp::Reverse(d.last), d.head, d.kind);
    syntax.definitions.sort_by(|a, b| order(a).cmp(&order(b)).then_with(|| a.name.cmp(&b.name)));
    syntax.definitions.dedup_by(|b, a| a.name == b.name && a.head == b.head && a.last == b.last);
    let mut open: Vec<(u32, DefinitionKind)> = Vec::new();
    for definition in &mut syntax.definitions {
        while open.last().is_some_and(|(last, _)| *last < definition.first) {
            open.pop();
        }
        definition.depth = u32::try_from(open.len()).unwrap_or(u32::MAX);
        let inside = open.last().map(|(_, kind)| *kind);
        if definition.kind == DefinitionKind::Function
            && matches!(inside, Some(DefinitionKind::Type | DefinitionKind::Group))
            && syntax.grammar.is_some_and(|grammar| grammar != "rust" || inside == Some(DefinitionKind::Type))
        {
            definition.kind = DefinitionKind::Method;
        }
        open.push((definition.last, definition.kind));
    }
    syntax.references.sort();
    syntax.references.dedup_by(|b, a| {
        let same = a.name == b.name && a.line == b.line;
        a.call |= same && b.call;
        same
    });
}
