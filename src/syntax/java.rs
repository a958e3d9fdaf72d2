//! Java.

use std::sync::OnceLock;

use super::language::Language;

/// The language.
pub(super) static LANGUAGE: Language = Language {
    name: "java",
    endings: &["java"],
    grammar: || tree_sitter_java::LANGUAGE.into(),
    query: r"
        (class_declaration name: (identifier) @name body: (_) @body) @type
        (interface_declaration name: (identifier) @name body: (_) @body) @type
        (enum_declaration name: (identifier) @name body: (_) @body) @type
        (record_declaration name: (identifier) @name body: (_) @body) @type
        (annotation_type_declaration name: (identifier) @name body: (_) @body) @type
        (method_declaration name: (identifier) @name body: (block) @body) @method
        (method_declaration name: (identifier) @name !body) @method
        (constructor_declaration name: (identifier) @name body: (_) @body) @method
        (field_declaration declarator: (variable_declarator name: (identifier) @name)) @value
        (method_invocation name: (identifier) @call)
        (object_creation_expression type: (type_identifier) @call)
        (identifier) @reference
        (type_identifier) @reference
        (import_declaration) @import
    ",
    wraps: &[],
    before: &["line_comment", "block_comment"],
    ready: OnceLock::new(),
};
