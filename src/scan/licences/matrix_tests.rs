//! What may come into what.
//!
//! Must never test what only one licence says.

use proptest::prelude::*;

use super::{Expression, Linkage, Severity, conflict};

use Linkage::{Copied, Linked, Tool};

fn severity(outbound: &str, inbound: &str, linkage: Linkage) -> &'static str {
    conflict(outbound, inbound, linkage).map_or("fine", |c| c.severity.as_str())
}

#[test]
fn what_may_come_into_what() {
    for (outbound, inbound, linkage, want) in [
        // Permissive into anything.
        ("MIT", "MIT", Copied, "fine"),
        ("MIT", "Apache-2.0", Copied, "fine"),
        ("UNLICENSED", "BSD-3-Clause", Copied, "fine"),
        ("GPL-3.0-only", "MIT", Copied, "fine"),
        ("", "MIT", Copied, "fine"),
        ("MIT OR Apache-2.0", "Unicode-3.0 AND (MIT OR Apache-2.0)", Linked, "fine"),
        // Copyleft into permissive and closed.
        ("MIT", "GPL-3.0-or-later", Copied, "conflict"),
        ("MIT", "GPL-3.0-only", Linked, "conflict"),
        ("MIT OR Apache-2.0", "GPL-2.0", Linked, "conflict"),
        ("LicenseRef-Ours", "GPLv3", Copied, "conflict"),
        ("SEE LICENSE IN TERMS.txt", "GPLv3", Copied, "conflict"),
        ("MIT", "GPL-3.0-only", Tool, "fine"),
        ("MIT", "AGPL-3.0-only", Linked, "conflict"),
        ("MIT", "LGPL-2.1-or-later", Linked, "fine"),
        ("MIT", "LGPL-2.1-or-later", Copied, "conflict"),
        ("MIT", "MPL-2.0", Linked, "fine"),
        ("MIT", "MPL-2.0", Copied, "note"),
        ("", "GPL-3.0-only", Copied, "person"),
        // Alternatives and conjunctions.
        ("MIT", "GPL-3.0-only OR MIT", Copied, "fine"),
        ("MIT", "GPL-3.0-only AND MIT", Copied, "conflict"),
        ("MIT", "MIT/GPL-2.0", Copied, "fine"),
        ("MIT AND GPL-3.0-or-later", "GPL-3.0-or-later", Copied, "fine"),
        ("MIT OR GPL-3.0-or-later", "GPL-3.0-or-later", Copied, "person"),
        // Within the GPL family.
        ("GPL-2.0-only", "Apache-2.0", Copied, "conflict"),
        ("GPL-2.0-only", "Apache-2.0 WITH LLVM-exception", Copied, "fine"),
        ("GPL-3.0-only", "Apache-2.0", Copied, "fine"),
        ("GPL-2.0-only", "GPL-3.0-or-later", Linked, "conflict"),
        ("GPL-2.0-or-later", "GPL-3.0-or-later", Linked, "person"),
        ("GPL-3.0-or-later", "GPL-2.0-only", Linked, "conflict"),
        ("GPL-3.0-or-later", "GPL-2.0-or-later", Linked, "fine"),
        ("GPL-3.0-only", "AGPL-3.0-only", Linked, "person"),
        ("AGPL-3.0-only", "GPL-3.0-only", Linked, "fine"),
        ("LGPL-3.0-only", "GPL-3.0-only", Linked, "conflict"),
        ("GPL-3.0-only", "BSD-4-Clause", Copied, "conflict"),
        ("GPL-3.0-only", "MPL-2.0", Copied, "fine"),
        ("GPL-3.0-only", "EPL-1.0", Copied, "conflict"),
        // Exceptions.
        ("MIT", "GPL-2.0-only WITH Classpath-exception-2.0", Linked, "fine"),
        ("MIT", "GPL-2.0-only WITH Classpath-exception-2.0", Copied, "conflict"),
        ("MIT", "GPL-3.0-or-later WITH Autoconf-exception-3.0", Copied, "fine"),
        ("MIT", "GPL-3.0-or-later WITH something-else", Copied, "person"),
        // What forbids uses, and what nobody knows.
        ("MIT", "SSPL-1.0", Linked, "conflict"),
        ("MIT", "BUSL-1.1", Copied, "conflict"),
        ("MIT", "JSON", Copied, "conflict"),
        ("MIT", "CC-BY-NC-4.0", Copied, "conflict"),
        ("MIT", "LicenseRef-whatever", Linked, "person"),
        ("MIT", "my own terms", Linked, "person"),
        ("MIT", "", Linked, "person"),
        ("MIT", "my own terms", Tool, "person"),
    ] {
        assert_eq!(severity(outbound, inbound, linkage), want, "{inbound} into {outbound}, {linkage:?}");
    }
}

#[test]
fn a_conflict_says_why_and_what_to_do() {
    let found = conflict("MIT", "MIT AND GPL-3.0-or-later", Linkage::Copied).unwrap();
    assert_eq!((found.inbound.as_str(), found.outbound.as_str()), ("GPL-3.0-or-later", "MIT"));
    assert_eq!(found.severity, Severity::Conflict);
    assert!(!found.why.is_empty() && found.help.ends_with('.'), "{found:?}");
}

fn expressions() -> impl Strategy<Value = String> {
    let leaf = prop::sample::select(vec![
        "MIT",
        "Apache-2.0",
        "GPL-2.0-only",
        "GPL-3.0-or-later",
        "LGPL-2.1-only",
        "MPL-2.0",
        "SSPL-1.0",
        "LicenseRef-x",
        "GPL-2.0-only WITH Classpath-exception-2.0",
    ]);
    leaf.prop_map(str::to_owned).prop_recursive(4, 16, 2, |inner| {
        (inner.clone(), prop::bool::ANY, inner)
            .prop_map(|(a, and, b)| format!("({a} {} {b})", if and { "AND" } else { "OR" }))
    })
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in any::<String>(), other in ".{0,40}") {
        let _ = Expression::parse(&text);
        let _ = conflict(&text, &other, Linkage::Copied);
    }

    #[test]
    fn what_is_shown_is_read_the_same(text in expressions()) {
        let read = Expression::parse(&text).unwrap();
        prop_assert_eq!(Expression::parse(&read.to_string()).unwrap(), read);
    }

    #[test]
    fn an_alternative_never_weighs_more_and_a_conjunct_never_less(
        outbound in expressions(), a in expressions(), b in expressions(),
    ) {
        let weigh = |inbound: &str| conflict(&outbound, inbound, Linkage::Copied).map(|c| c.severity);
        let (either, both) = (format!("({a}) OR ({b})"), format!("({a}) AND ({b})"));
        prop_assert!(weigh(&either) <= weigh(&a).min(weigh(&b)));
        prop_assert!(weigh(&both) >= weigh(&a).max(weigh(&b)));
    }

    #[test]
    fn linking_never_weighs_more_than_copying(outbound in expressions(), inbound in expressions()) {
        let weigh = |linkage| conflict(&outbound, &inbound, linkage).map(|c| c.severity);
        prop_assert!(weigh(Linkage::Linked) <= weigh(Linkage::Copied));
    }
}

#[test]
fn brackets_without_end_are_refused() {
    assert_eq!(Expression::parse(&"(".repeat(3_000)), None);
    assert_eq!(Expression::parse(&format!("{}MIT{}", "(".repeat(1_000), ")".repeat(1_000))), None);
    assert!(Expression::parse("((MIT))").is_some());
}
