//! JavaScript, tags included.

use std::sync::OnceLock;

use super::language::Language;

/// What JavaScript and TypeScript share.
macro_rules! shared {
    () => {
        r"
        (function_declaration name: (identifier) @name body: (_) @body) @function
        (generator_function_declaration name: (identifier) @name body: (_) @body) @function
        (class_declaration name: (_) @name body: (_) @body) @type
        (method_definition name: (_) @name body: (_) @body) @method
        (lexical_declaration (variable_declarator name: (identifier) @name value: (arrow_function body: (_) @body))) @function
        (lexical_declaration (variable_declarator name: (identifier) @name value: (function_expression body: (_) @body))) @function
        (program (lexical_declaration (variable_declarator name: (identifier) @name)) @value)
        (program (variable_declaration (variable_declarator name: (identifier) @name)) @value)
        (program (export_statement (lexical_declaration (variable_declarator name: (identifier) @name)) @value))
        (call_expression function: [(identifier) @call (member_expression property: (property_identifier) @call)])
        (new_expression constructor: (identifier) @call)
        (identifier) @reference
        (property_identifier) @reference
        (import_statement) @import
        "
    };
}
/// What files with tags have besides.
macro_rules! tags {
    () => {
        r"
        (jsx_opening_element name: (identifier) @call)
        (jsx_self_closing_element name: (identifier) @call)
        "
    };
}
pub(super) use {shared, tags};

/// The language.
pub(super) static LANGUAGE: Language = Language {
    name: "javascript",
    endings: &["js", "jsx", "mjs", "cjs"],
    grammar: || tree_sitter_javascript::LANGUAGE.into(),
    query: concat!(shared!(), tags!()),
    wraps: &["export_statement"],
    before: &["comment", "decorator"],
    ready: OnceLock::new(),
};
