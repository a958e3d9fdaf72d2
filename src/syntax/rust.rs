//! Rust.

use std::sync::OnceLock;

use super::language::Language;

/// The language.
pub(super) static LANGUAGE: Language = Language {
    name: "rust",
    endings: &["rs"],
    grammar: || tree_sitter_rust::LANGUAGE.into(),
    query: r"
        (function_item name: (identifier) @name body: (block) @body) @function
        (function_signature_item name: (identifier) @name) @function
        (struct_item name: (type_identifier) @name) @type
        (enum_item name: (type_identifier) @name body: (_) @body) @type
        (union_item name: (type_identifier) @name body: (_) @body) @type
        (trait_item name: (type_identifier) @name body: (_) @body) @type
        (type_item name: (type_identifier) @name) @type
        (impl_item type: (_) @name body: (_) @body) @type
        (mod_item name: (identifier) @name body: (_) @body) @group
        (const_item name: (identifier) @name) @value
        (static_item name: (identifier) @name) @value
        (macro_definition name: (identifier) @name) @function
        (call_expression function: [
            (identifier) @call
            (scoped_identifier name: (identifier) @call)
            (field_expression field: (field_identifier) @call)
        ])
        (macro_invocation macro: (identifier) @call)
        (struct_expression name: (type_identifier) @call)
        (identifier) @reference
        (type_identifier) @reference
        (field_identifier) @reference
        (use_declaration) @import
    ",
    wraps: &[],
    before: &["line_comment", "block_comment", "attribute_item"],
    ready: OnceLock::new(),
};
