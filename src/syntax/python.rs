//! Python.

use std::sync::OnceLock;

use super::language::Language;

/// The language.
pub(super) static LANGUAGE: Language = Language {
    name: "python",
    endings: &["py", "pyi"],
    grammar: || tree_sitter_python::LANGUAGE.into(),
    query: r"
        (function_definition name: (identifier) @name body: (block) @body) @function
        (class_definition name: (identifier) @name body: (block) @body) @type
        (module (expression_statement (assignment left: (identifier) @name)) @value)
        (call function: [(identifier) @call (attribute attribute: (identifier) @call)])
        (identifier) @reference
        (import_statement) @import
        (import_from_statement) @import
        (future_import_statement) @import
    ",
    wraps: &["decorated_definition"],
    before: &["comment"],
    ready: OnceLock::new(),
};
