//! TypeScript, with and without tags.

use std::sync::OnceLock;

use super::javascript::{shared, tags};
use super::language::Language;

macro_rules! types {
    () => {
        r"
        (abstract_class_declaration name: (_) @name body: (_) @body) @type
        (interface_declaration name: (_) @name body: (_) @body) @type
        (type_alias_declaration name: (_) @name) @type
        (enum_declaration name: (_) @name body: (_) @body) @type
        (internal_module name: (_) @name body: (_) @body) @group
        (function_signature name: (identifier) @name) @function
        (type_identifier) @reference
        "
    };
}

/// Files without tags.
pub(super) static LANGUAGE: Language = Language {
    name: "typescript",
    endings: &["ts", "mts", "cts"],
    grammar: || tree_sitter_typescript::LANGUAGE_TYPESCRIPT.into(),
    query: concat!(shared!(), types!()),
    wraps: &["export_statement"],
    before: &["comment", "decorator"],
    ready: OnceLock::new(),
};

/// Files with tags.
pub(super) static WITH_TAGS: Language = Language {
    name: "tsx",
    endings: &["tsx"],
    grammar: || tree_sitter_typescript::LANGUAGE_TSX.into(),
    query: concat!(shared!(), types!(), tags!()),
    wraps: &["export_statement"],
    before: &["comment", "decorator"],
    ready: OnceLock::new(),
};
