//! The syntax tree of a module as regorus serialises it: kinds, spans and references.
//!
//! Must never evaluate anything, and never trust a span to lie inside the text.

use std::ops::Range;

use serde_json::Value;

/// Returns the kind of a node and what is in it: `{"Var": {..}}` is `("Var", {..})`.
pub fn kind(node: &Value) -> Option<(&str, &Value)> {
    let map = node.as_object()?;
    let (name, inner) = map.iter().next()?;
    (map.len() == 1 && name.starts_with(char::is_uppercase)).then_some((name.as_str(), inner))
}

/// Returns where a node stands in the text.
pub fn span(inner: &Value) -> Option<Range<usize>> {
    let span = &inner["span"];
    let at = |key: &str| span[key].as_u64().and_then(|n| usize::try_from(n).ok());
    let (start, end) = (at("start")?, at("end")?);
    (start <= end).then_some(start..end)
}

/// Returns where an expression stands.
pub fn extent(expr: &Value) -> Option<Range<usize>> {
    span(kind(expr)?.1)
}

/// Returns where an expression stands, from bracket to bracket: the span of an object can start inside it.
pub fn exact(expr: &Value, text: &str) -> Option<Range<usize>> {
    let (name, inner) = kind(expr)?;
    let place = span(inner)?;
    let open = match name {
        "Object" | "Set" | "ObjectCompr" | "SetCompr" => '{',
        "Array" | "ArrayCompr" => '[',
        _ => return Some(closed(place, text)),
    };
    if text.get(place.clone())?.starts_with(open) {
        return Some(place);
    }
    let mut first = place.start;
    visit(inner, &mut |node| {
        if let Some(at) = kind(node).and_then(|(_, inner)| span(inner)) {
            first = first.min(at.start);
        }
        true
    });
    Some(text.get(..first)?.rfind(open)?..place.end)
}

/// Returns a place with the quotes that belong to it: the span of a string, and of what starts or ends with one, leaves
/// them out.
pub fn closed(place: Range<usize>, text: &str) -> Range<usize> {
    let Range { mut start, mut end } = place;
    let bytes = text.as_bytes();
    let open_at = |start: usize, end: usize| {
        let mut open: Option<u8> = None;
        let mut at = start;
        while at < end {
            match (bytes[at], open) {
                (b'\\', Some(b'"')) => at += 1,
                (b'"' | b'`', None) => open = Some(bytes[at]),
                (quote, Some(other)) if quote == other => open = None,
                _ => {}
            }
            at += 1;
        }
        open
    };
    if end > bytes.len() || start == 0 {
        return start..end;
    }
    let before = bytes[start - 1];
    // A quote before that, taken in, leaves nothing open that was not open: it is where the string starts.
    if matches!(before, b'"' | b'`')
        && (open_at(start, end).is_some() || bytes.get(end) == Some(&before))
        && (open_at(start - 1, end).is_none() || bytes.get(end) == Some(&before))
    {
        start -= 1;
    }
    if let Some(quote) = open_at(start, end)
        && bytes.get(end) == Some(&quote)
    {
        end += 1;
    }
    start..end
}

/// Returns the line an inner node starts on.
pub fn line(inner: &Value) -> u64 {
    inner["span"]["line"].as_u64().unwrap_or_default()
}

/// Returns the dotted text of a reference whose parts are all known, as `data.lib.f`.
pub fn dotted(expr: &Value) -> Option<String> {
    let (name, inner) = kind(expr)?;
    match name {
        "Var" => inner["value"].as_str().map(str::to_owned),
        "RefDot" => Some(format!("{}.{}", dotted(&inner["refr"])?, inner["field"][1].as_str()?)),
        "RefBrack" => {
            let (index, index_inner) = kind(&inner["index"])?;
            let name = index_inner["value"].as_str().filter(|_| matches!(index, "String" | "RawString"))?;
            Some(format!("{}.{name}", dotted(&inner["refr"])?))
        }
        _ => None,
    }
}

/// Returns the nodes straight below a node; spans hold none.
pub fn children(node: &Value) -> Box<dyn Iterator<Item = &Value> + '_> {
    match node {
        Value::Array(items) => Box::new(items.iter()),
        Value::Object(map) => Box::new(map.iter().filter(|(key, _)| *key != "span").map(|(_, value)| value)),
        _ => Box::new(std::iter::empty()),
    }
}

/// Visits every node from the top down; a visitor that returns false keeps out what is below.
pub fn visit<'t>(node: &'t Value, visitor: &mut impl FnMut(&'t Value) -> bool) {
    if visitor(node) {
        for child in children(node) {
            visit(child, visitor);
        }
    }
}

/// Tells whether any node from here down is what is looked for.
pub fn any(node: &Value, wanted: &impl Fn(&str, &Value) -> bool) -> bool {
    kind(node).is_some_and(|(name, inner)| wanted(name, inner)) || children(node).any(|c| any(c, wanted))
}

/// A rule as the tree has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Its name with all parts, as `deny` or `labels.app`.
    pub name: String,
    /// `Set`, `Compr` (a value), `Func` or `Default`.
    pub shape: &'static str,
    /// The line it starts on.
    pub line: u64,
    /// Where the whole of it stands.
    pub span: Range<usize>,
    /// Where its name stands.
    pub name_span: Range<usize>,
    /// Whether it gives `true` without saying a value, as `deny if ...` does.
    pub bare: bool,
}

/// Returns the rules of a module, in order.
pub fn definitions(tree: &Value) -> Vec<Definition> {
    tree["rules"].as_array().into_iter().flatten().filter_map(definition).collect()
}

fn definition(rule: &Value) -> Option<Definition> {
    let (kind_name, inner) = kind(rule)?;
    let (shape, refr, bare) = if kind_name == "Default" {
        ("Default", &inner["refr"], false)
    } else {
        let (head, head_inner) = kind(&inner["head"])?;
        let shape = ["Set", "Compr", "Func"].into_iter().find(|s| *s == head)?;
        (shape, &head_inner["refr"], shape == "Compr" && head_inner["assign"].is_null())
    };
    let name = root_and_fields(refr)?;
    Some(Definition { name, shape, line: line(inner), span: span(inner)?, name_span: extent(refr)?, bare })
}

/// Returns the name a head defines; what stands in brackets is a key, not a part of the name.
fn root_and_fields(refr: &Value) -> Option<String> {
    if let Some(text) = dotted(refr) {
        return Some(text);
    }
    let (_, inner) = kind(refr)?;
    root_and_fields(&inner["refr"])
}

/// Returns the package, as `main.gke`.
pub fn package(tree: &Value) -> String {
    dotted(&tree["package"]["refr"]).unwrap_or_default()
}
