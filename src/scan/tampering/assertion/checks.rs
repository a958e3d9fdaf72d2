//! What checks do, told by their names, and how far off a value may be.
//!
//! Must never know a library: names that mean the same are the same.

use std::ops::Range;

use crate::scan::tampering::lex::{Kind, Tokens};

/// What a check does, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Check {
    Condition(bool),
    Equal,
    Unequal,
    Near,
    Null,
    There,
    Other,
}

/// Returns what a check of this name does.
pub(super) fn check(name: &str) -> Check {
    let low: String = name.chars().filter(|c| *c != '_' && *c != '!').flat_map(char::to_lowercase).collect();
    let bare = [
        "assert",
        "expect",
        "should",
        "tobe",
        "tohave",
        "to",
        "is",
        "be",
        "must",
        "debugassert",
        "propassert",
        "refute",
    ]
    .iter()
    .find_map(|lead| low.strip_prefix(lead))
    .unwrap_or(&low);
    let negative = low.starts_with("refute");
    match bare {
        "" | "true" | "istrue" | "truthy" | "ok" | "that" | "betruthy" | "betrue" => {
            if low == "tobe" || low == "is" || low == "be" {
                Check::Equal
            } else {
                Check::Condition(negative)
            }
        }
        "false" | "isfalse" | "falsy" | "befalsy" | "notok" | "befalse" => Check::Condition(!negative),
        "null" | "isnull" | "nil" | "isnil" | "none" | "isnone" | "undefined" | "benil" | "benull" => {
            if negative {
                Check::There
            } else {
                Check::Null
            }
        }
        "isnotnone" | "notnull" | "isnotnull" | "notnil" | "isnotnil" | "defined" | "exist" | "exists"
        | "error" | "bedefined" | "doesnotthrow" | "notthrow" | "donotthrow" | "beok" => Check::There,
        "noerror" => Check::Null,
        _ if bare.contains("almost")
            || bare.contains("close")
            || bare.contains("approx")
            || bare.contains("indelta")
            || bare.contains("within") =>
        {
            Check::Near
        }
        _ if bare.contains("not") && (bare.contains("equal") || bare.contains("same")) || bare == "ne" => {
            Check::Unequal
        }
        _ if bare.contains("equal")
            || bare.contains("same")
            || matches!(bare, "eq" | "eql" | "deep" | "eqnice" | "be" | "jsoneq" | "yamleq") =>
        {
            if negative {
                Check::Unequal
            } else {
                Check::Equal
            }
        }
        _ => Check::Other,
    }
}

/// Tells whether a check that is none of those sees all of what it looks at.
pub(super) fn is_exact(name: &str) -> bool {
    let low: String = name.chars().filter(|c| *c != '_').flat_map(char::to_lowercase).collect();
    [
        "length",
        "len",
        "empty",
        "calledwith",
        "snapshot",
        "calledtimes",
        "containsexactly",
        "hassize",
        "count",
        "called",
        "havebeencalledonce",
    ]
    .iter()
    .any(|w| low.contains(w))
}

const TOLERANCES: [(&str, bool); 9] = [
    ("delta", true),
    ("rel", true),
    ("abs", true),
    ("rtol", true),
    ("atol", true),
    ("epsilon", true),
    ("tolerance", true),
    ("places", false),
    ("decimal", false),
];

/// Reads a number.
pub(super) fn number(tokens: &Tokens<'_>, range: &Range<usize>) -> Option<f64> {
    let [at] = [range.start];
    (range.len() == 1 && tokens.kind(at) == Some(Kind::Number)).then(|| {
        std::str::from_utf8(tokens.word(at))
            .ok()?
            .replace('_', "")
            .trim_end_matches(['f', 'd', 'F', 'D'])
            .parse()
            .ok()
    })?
}

/// Reads `rel=0.1` and its like, and whether more is looser.
pub(super) fn named_tolerance(tokens: &Tokens<'_>, range: Range<usize>) -> Option<(f64, bool)> {
    range.clone().find_map(|at| {
        let (_, looser) = TOLERANCES.iter().find(|(name, _)| tokens.is(at, name))?;
        tokens.any(at + 1, &["=", ":"]).then(|| number(tokens, &(at + 2..at + 3)).map(|n| (n, *looser)))?
    })
}
