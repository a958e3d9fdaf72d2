//! Task runners: the targets of a Makefile or justfile, where no language is known.

use super::{Language, Listing, Part};
use crate::artifact::types::verification::CommandRole as Role;

const RUNNERS: &[(&str, &str)] = &[
    ("Makefile", "make"),
    ("makefile", "make"),
    ("GNUmakefile", "make"),
    ("justfile", "just"),
    ("Justfile", "just"),
    (".justfile", "just"),
];

pub(super) fn detect(listing: &dyn Listing) -> Vec<Part> {
    let Some((file, runner)) = RUNNERS.iter().find(|(file, _)| listing.has(file)) else { return Vec::new() };
    let text = listing.text(file).unwrap_or_default();
    let mut part = Part::new(Language::Other, "");
    part.manager = Some(runner);
    for (role, names) in [
        (Role::Build, &["build"][..]),
        (Role::Lint, &["lint"][..]),
        (Role::Test, &["test", "tests", "check"][..]),
    ] {
        if let Some(name) = names.iter().find(|name| has_target(&text, name)) {
            part.propose(role, [*runner, *name], format!("{file} has the target `{name}`"));
        }
    }
    if part.proposals.is_empty() { Vec::new() } else { vec![part] }
}

fn has_target(text: &str, name: &str) -> bool {
    text.lines().any(|line| {
        let rest = line.strip_prefix(name).unwrap_or_default();
        rest.trim_start().starts_with(':') && !rest.trim_start().starts_with(":=")
    })
}
