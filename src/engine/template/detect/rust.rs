//! Rust facts: the std-only service whose router a route can be added to.
//!
//! A router is recognised by its form: `pub fn respond(method: &str, path: &str) -> Response` in `src/lib.rs`, one
//! `match` over both, and a one-line arm for a GET route. Must never guess beyond it.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde::Serialize;

use crate::ports::vcs::VcsError;

use super::super::tree::Tree;
use super::Problem;
use super::is_foreign;
use super::rust_text::{closing, mask};

/// Rust facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rust {
    /// Whether there is a `Cargo.toml` at the root.
    pub cargo: bool,
    /// A web framework among the dependencies, as `axum`.
    pub web: Option<String>,
    /// The one service that can be extended.
    pub service: Option<Service>,
    /// Why a service that is there cannot be extended.
    pub problem: Option<Problem>,
}

/// A std-only service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Service {
    /// The file with the router.
    pub file: String,
    /// The folder of the package with a final slash; empty at the root.
    pub folder: String,
    /// The library's name in `use`.
    pub library: String,
    /// The line before which an arm can be put.
    pub line: usize,
    /// The white space before an arm.
    pub indent: String,
    /// How an arm that answers 200 with a text starts, after the pattern.
    pub before_text: String,
    /// How it ends, after the text.
    pub after_text: String,
    /// The paths the router names.
    pub routes: BTreeSet<String>,
}

fn pattern(text: &'static str) -> Option<Regex> {
    Regex::new(text).ok()
}

static RESPOND: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r"\bpub\s+fn\s+respond\s*\(\s*(?P<m>\w+)\s*:\s*&str\s*,\s*(?P<p>\w+)\s*:\s*&str\s*,?\s*\)\s*->\s*Response\s*\{",
    )
});
static STRUCT: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\bpub\s+struct\s+Response\s*\{"));
static STATUS: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\bpub\s+status\s*:\s*u16\b"));
static BODY: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r"\bpub\s+body\s*:\s*(?:String|&'static\s+str|Cow<'static,\s*str>)"));
static ARM: LazyLock<Option<Regex>> = LazyLock::new(|| {
    pattern(
        r#"(?m)^(?P<indent>[ \t]*)\(\s*"GET"\s*,\s*"(?P<path>/[^"\\]*)"\s*\)\s*=>\s*(?P<body>[^\r\n]*),[ \t]*\r?$"#,
    )
});
static ANY_ARM: LazyLock<Option<Regex>> =
    LazyLock::new(|| pattern(r#"\(\s*(?:"[A-Z]*"(?:\s*\|\s*"[A-Z]*")*|_)\s*,\s*"(/[^"\\]*)""#));
static LITERAL: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r#""[^"\\]*(?:\\.[^"\\]*)*""#));

const WEB: &[&str] =
    &["axum", "actix-web", "rocket", "warp", "hyper", "poem", "salvo", "tide", "tiny_http", "ntex"];

/// Detects Rust facts.
pub fn detect(tree: &Tree<'_>) -> Result<Rust, VcsError> {
    let mut found = Rust { cargo: tree.has("Cargo.toml"), web: None, service: None, problem: None };
    let mut services = Vec::new();
    for path in tree.files().filter(|p| (*p == "Cargo.toml" || p.ends_with("/Cargo.toml")) && !is_foreign(p))
    {
        let Some(package) = tree.text(path)?.and_then(|text| text.parse::<toml::Table>().ok()) else {
            continue;
        };
        found.web = found.web.or_else(|| web(&package));
        let folder = path.trim_end_matches("Cargo.toml");
        let file = format!("{folder}src/lib.rs");
        let (Some(library), Some(source)) = (library(&package), tree.text(&file)?) else { continue };
        match service(&source) {
            Some(Ok(form)) => services.push(Service { file, folder: folder.to_owned(), library, ..form }),
            Some(Err(why)) => {
                found.problem.get_or_insert(Problem { path: file, why: why.to_owned() });
            }
            None => {}
        }
    }
    if let [first, second, ..] = services.as_slice() {
        let why = format!("is not the only service: there is one in `{}` too", second.file);
        found.problem = Some(Problem { path: first.file.clone(), why });
    } else if found.problem.is_none() {
        found.service = services.pop();
    }
    Ok(found)
}

fn web(package: &toml::Table) -> Option<String> {
    let tables = [package.get("dependencies"), package.get("workspace").and_then(|w| w.get("dependencies"))];
    let named = tables.into_iter().flatten().filter_map(toml::Value::as_table).flat_map(toml::Table::keys);
    named.map(String::as_str).find(|name| WEB.contains(name)).map(str::to_owned)
}

/// Returns the name of the library, where it has the usual path.
fn library(package: &toml::Table) -> Option<String> {
    let lib = package.get("lib");
    if lib.and_then(|l| l.get("path")).is_some() {
        return None;
    }
    let name = lib.and_then(|l| l.get("name")).or_else(|| package.get("package")?.get("name"))?.as_str()?;
    let name = name.replace('-', "_");
    let safe = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
    safe.then_some(name)
}

/// Reads a library: `None` where it has no `respond`, an error where its form is another.
fn service(source: &str) -> Option<Result<Service, &'static str>> {
    let masked = mask(source);
    let found = RESPOND.as_ref()?.captures(&masked);
    let Some(found) = found else {
        let other = masked.contains("fn respond");
        return other.then_some(Err(
            "has a `respond` that is not `pub fn respond(method: &str, path: &str) -> Response`",
        ));
    };
    if !has_response(&masked) {
        return Some(Err("has no `pub struct Response` with `pub status: u16` and a text `pub body`"));
    }
    let open = found.get(0)?.end() - 1;
    let end = closing(&masked, open)?;
    let head =
        Regex::new(&format!(r"\bmatch\s*\(\s*{}\s*,\s*{}\s*\)\s*\{{", &found["m"], &found["p"])).ok()?;
    let Some(router) = head.find(&masked[open..end]) else {
        return Some(Err("has a `respond` without a `match` over method and path"));
    };
    let from = open + router.end();
    let to = closing(&masked, from - 1)?;
    Some(arm(source, &masked, from, to))
}

fn has_response(masked: &str) -> bool {
    let fields = || {
        let open = STRUCT.as_ref()?.find(masked)?.end() - 1;
        Some(&masked[open..closing(masked, open)?])
    };
    let all = [&STATUS, &BODY];
    fields().is_some_and(|text| all.iter().all(|p| p.as_ref().is_some_and(|p| p.is_match(text))))
}

/// Finds the first one-line GET arm that makes its response from one text, and takes it as the pattern for another.
fn arm(source: &str, masked: &str, from: usize, to: usize) -> Result<Service, &'static str> {
    const NONE: &str = "has no one-line arm as in `(\"GET\", \"/\") => Response::ok(\"text\"),` that another can be made like";
    let (Some(arm), Some(literal), Some(any)) = (ARM.as_ref(), LITERAL.as_ref(), ANY_ARM.as_ref()) else {
        return Err(NONE);
    };
    let inside = &source[from..to];
    let routes = any.captures_iter(inside).map(|c| c[1].to_owned()).collect();
    for found in arm.captures_iter(inside) {
        let Some(body) = found.name("body") else { continue };
        let whole = found.get(0).map_or(0..0, |m| m.range());
        let texts: Vec<_> = literal.find_iter(body.as_str()).collect();
        let [text] = texts.as_slice() else { continue };
        let (before, after) = (&body.as_str()[..text.start()], &body.as_str()[text.end()..]);
        if !answers_ok(before) || after.contains("//") || before.contains("//") {
            continue;
        }
        if !only_literals(&masked[from..from + whole.start], &inside[..whole.start]) {
            return Err("has arms before its first GET route that could answer in its place");
        }
        let line = source[..from + whole.end].matches('\n').count() + 1;
        return Ok(Service {
            file: String::new(),
            folder: String::new(),
            library: String::new(),
            line,
            indent: found["indent"].to_owned(),
            before_text: before.to_owned(),
            after_text: format!("{after},"),
            routes,
        });
    }
    Err(NONE)
}

/// Tells whether what stands before the text makes a response with status 200.
fn answers_ok(before: &str) -> bool {
    static OK: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(
            r"^(?:Response::ok\(\s*|Response::\w+\(\s*200\s*,\s*|Response\s*\{\s*status:\s*200\s*,\s*body:\s*)(?:String::from\()?$",
        )
    });
    OK.as_ref().is_some_and(|p| p.is_match(before))
}

/// Tells whether the arms of a text all have two literals as their pattern.
fn only_literals(masked: &str, text: &str) -> bool {
    static LITERALS: LazyLock<Option<Regex>> =
        LazyLock::new(|| pattern(r#"(?m)^\s*\(\s*"[A-Z]+"\s*,\s*"/[^"\\]*"\s*\)\s*=>"#));
    let arms = masked.matches("=>").count();
    LITERALS.as_ref().is_some_and(|p| p.find_iter(text).count() == arms)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIB: &str = "pub struct Response {\n    pub status: u16,\n    pub body: String,\n}\n\n\
        pub fn respond(method: &str, path: &str) -> Response {\n    match (method, path) {\n        // (\"GET\", \"/no\") => x(\"\"),\n        \
        (\"GET\", \"/\") => Response::ok(\"hello\"),\n        (_, \"/about\") => Response::text(405, \"no\"),\n        _ => Response::text(404, \"not found\"),\n    }\n}\n";

    fn rust(lib: &str) -> Rust {
        detect(&Tree::of_texts(&[("Cargo.toml", "[package]\nname = \"my-svc\"\n"), ("src/lib.rs", lib)]))
            .unwrap()
    }

    #[test]
    fn a_router_of_the_known_form_is_found() {
        let service = rust(LIB).service.unwrap();
        assert_eq!((service.library.as_str(), service.line, service.indent.len()), ("my_svc", 9, 8));
        assert_eq!((service.before_text.as_str(), service.after_text.as_str()), ("Response::ok(", "),"));
        assert!(service.routes.contains("/") && service.routes.contains("/about"));
        let text = LIB.replace("Response::ok(\"hello\")", "Response { status: 200, body: \"x\".to_owned() }");
        assert_eq!(rust(&text).service.unwrap().after_text, ".to_owned() },");
    }

    #[test]
    fn other_forms_are_refused_with_the_reason() {
        for (from, to, why) in [
            ("path: &str", "path: String", "is not `pub fn respond"),
            ("pub status", "status", "pub status: u16"),
            ("match (method, path)", "match path", "without a `match`"),
            ("Response::ok(\"hello\")", "home()", "no one-line arm"),
            ("Response::ok(\"hello\")", "Response::text(301, \"x\")", "no one-line arm"),
            (
                "        // (\"GET\", \"/no\") => x(\"\"),",
                "        (\"GET\", p) if p.len() > 1 => Response::ok(p),",
                "could answer in its place",
            ),
        ] {
            let found = rust(&LIB.replacen(from, to, 1));
            assert!(found.service.is_none(), "{from}");
            assert!(
                found.problem.as_ref().is_some_and(|p| p.why.contains(why)),
                "{from}: {:?}",
                found.problem
            );
        }
        assert_eq!(rust("fn main() {}").problem, None);
        let tree = Tree::of_texts(&[("Cargo.toml", "[dependencies]\naxum = \"1\"\n")]);
        assert_eq!(detect(&tree).unwrap().web.as_deref(), Some("axum"));
    }
}
