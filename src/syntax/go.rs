//! Go.

use std::sync::OnceLock;

use super::language::Language;

/// The language.
pub(super) static LANGUAGE: Language = Language {
    name: "go",
    endings: &["go"],
    grammar: || tree_sitter_go::LANGUAGE.into(),
    query: r"
        (function_declaration name: (identifier) @name body: (block) @body) @function
        (method_declaration name: (field_identifier) @name body: (block) @body) @method
        (type_spec name: (type_identifier) @name type: (_) @body) @type
        (type_alias name: (type_identifier) @name) @type
        (source_file (const_declaration (const_spec name: (identifier) @name) @value))
        (source_file (var_declaration (var_spec name: (identifier) @name) @value))
        (call_expression function: [(identifier) @call (selector_expression field: (field_identifier) @call)])
        (composite_literal type: (type_identifier) @call)
        (identifier) @reference
        (field_identifier) @reference
        (type_identifier) @reference
        (import_spec) @import
    ",
    wraps: &["type_declaration", "const_declaration", "var_declaration"],
    before: &["comment"],
    ready: OnceLock::new(),
};
