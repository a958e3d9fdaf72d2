//! Texts in every form, changed texts, and the files of a registry.
//!
//! Must never need a network; the one test that needs files of others is run by hand.

use std::fmt::Write as _;

use proptest::prelude::*;

use super::template::{COMMON_SHELF, Kind, is_no_name};
use super::words::{Words, digest, plain};
use super::{Reading, read};
use crate::scan::licences::files::{Role, role};
use crate::scan::licences::{class, expression::Expression};

const COMMON: &str = include_str!("../../../../rules/licences/common.txt");
const OWN: &str = include_str!("../../../../rules/licences/own.txt");
const RARE: &str = include_str!("../../../../rules/licences/rare.txt");

/// The text of a template with the words of the list in its gaps.
fn rendered(template: &str) -> String {
    let (mut shown, mut other) = (Vec::new(), false);
    for word in template.split(' ') {
        match word {
            "[" | "]" | "<" | "<*" => {}
            "|" => other = true,
            ">" => other = false,
            word if !other => shown.push(word),
            _ => {}
        }
    }
    shown.join(" ")
}

fn lines(file: &'static str) -> Vec<(&'static str, &'static str, &'static str)> {
    let fields = file.lines().map(|line| {
        let mut fields = line.split('\t');
        (fields.next().unwrap(), fields.next().unwrap(), fields.next().unwrap())
    });
    fields.collect()
}

fn known(reading: &Reading) -> Option<String> {
    reading.is_known().then(|| reading.expression().unwrap().to_string())
}

#[test]
fn the_data_is_in_the_form_in_which_texts_are_compared() {
    for (id, kind, text) in [COMMON, OWN, RARE].into_iter().flat_map(lines) {
        assert!(["text", "header", "exception", "aside"].contains(&kind), "{id}");
        assert_eq!(text.matches('<').count(), text.matches('>').count(), "{id}");
        assert_eq!(text.matches('[').count(), text.matches(']').count(), "{id}");
        for word in text.split(' ').filter(|word| !["[", "]", "<", "<*", "|", ">"].contains(word)) {
            let read = Words::of(word).all;
            // Texts without spaces are one word each, which is cut.
            assert!(!word.is_ascii() || read.is_empty() || read == [plain(word)], "{id}: `{word}`");
        }
    }
}

#[test]
fn the_texts_of_the_list_are_what_they_are() {
    for (id, kind, text) in lines(COMMON).into_iter().filter(|(_, kind, _)| *kind == "text") {
        assert_eq!(known(&read(&rendered(text))).as_deref(), Some(id), "{kind}");
    }
}

#[test]
fn look_alikes_are_told_apart() {
    let mit = include_str!("../../../../LICENSE-MIT");
    let apache = include_str!("../../../../LICENSE-APACHE");
    let id = |text: &str| known(&read(text));
    assert_eq!(id(mit).as_deref(), Some("MIT"));
    assert_eq!(id(apache).as_deref(), Some("Apache-2.0"));
    assert_eq!(id(&format!("{mit}\n\n---\n\n{apache}")).as_deref(), Some("MIT AND Apache-2.0"));
    let either = format!(
        "Licensed under either of Apache License, Version 2.0 or MIT license at your option.\n\n{mit}\n{apache}"
    );
    assert_eq!(id(&either).as_deref(), Some("Apache-2.0 OR MIT"));
    assert_eq!(id("MIT OR Apache-2.0\n").as_deref(), Some("MIT OR Apache-2.0"));
    assert_eq!(id("Copyright (c) 2020 Somebody. All rights reserved."), None);
    assert_eq!(id(""), None);
}

/// Sentences that ask for something.
const RIDERS: &[&str] = &[
    "The Software may not be used by competitors of the authors.",
    "This software is for non-commercial use only.",
    "The Software shall be used for Good, not Evil.",
    "You must send all your changes to the authors.",
    "Use in production is prohibited.",
    "The license does not grant to you the right to sell the software and you may not provide it to third parties.",
    "This license is granted to everyone except for the following entities: Example Inc.",
    "This software may only be redistributed and used in connection with our product, and only if you have bought one.",
];

fn rank(reading: &Reading) -> Option<u8> {
    let read: Expression = reading.is_known().then(|| reading.expression())??;
    let ranks = read.terms().into_iter().map(|term| match class(term) {
        "public" | "permissive" | "patent" | "advertising" | "font" => 0,
        "file" | "file-gpl" => 1,
        "library" => 2,
        "strong" => 3,
        "network" => 4,
        _ => 5,
    });
    ranks.max()
}

/// Common texts by their place in the data, as lists of words.
fn texts() -> impl Strategy<Value = (&'static str, Vec<&'static str>)> {
    let all: Vec<_> = lines(COMMON).into_iter().filter(|(_, kind, _)| *kind == "text").collect();
    prop::sample::select(all).prop_map(|(id, _, text)| {
        let mut other = false;
        let words = text.split(' ').filter(|word| {
            other = (other || *word == "|") && *word != ">";
            !other && !["[", "]", "<", "<*", "|", ">"].contains(word)
        });
        (id, words.collect())
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn any_text_is_read(text in any::<String>(), bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = read(&text).expression();
        let _ = read(&String::from_utf8_lossy(&bytes)).expression();
    }

    #[test]
    fn pieces_of_licences_in_any_order_are_read(pieces in prop::collection::vec((texts(), 0usize..2_000, 0usize..90), 0..8)) {
        let mut text = String::new();
        for ((_, words), from, len) in &pieces {
            let from = from % words.len();
            let _ = write!(text, "{}\n\n", words[from..(from + len).min(words.len())].join(" "));
        }
        let _ = read(&text).expression();
    }

    #[test]
    fn wrapping_comments_case_and_notices_change_nothing(
        (id, words) in texts(), width in 1usize..20, mark in prop::sample::select(vec!["", " * ", "# ", "// ", ";; ", "    ", "> "]),
        upper in any::<bool>(), notice in "Copyright \\(c\\) (19|20)[0-9]{2} [A-Z][a-z]{2,9} [A-Z][a-z]{2,9}",
    ) {
        // Somebody called Pay or Must reads as a condition beside the name: unknown, which is the safe side.
        prop_assume!(notice.split(' ').skip(1).all(|word| !is_no_name(digest(&word.to_lowercase()))));
        let mut text = format!("{mark}{notice}\n{mark}All rights reserved.\n");
        for line in words.chunks(width) {
            let line = line.join(" ");
            let _ = writeln!(text, "{mark}{}", if upper { line.to_uppercase() } else { line });
        }
        prop_assert_eq!(known(&read(&text)).unwrap_or_default(), id);
    }

    #[test]
    fn a_part_less_never_asks_for_less((id, words) in texts(), at in any::<prop::sample::Index>(), len in 6usize..80) {
        let from = at.index(words.len());
        let less: Vec<&str> =
            words.iter().enumerate().filter(|(n, _)| *n < from || *n >= from + len).map(|(_, word)| *word).collect();
        let (whole, part) = (read(&words.join(" ")), read(&less.join(" ")));
        prop_assert!(part.parts.is_empty() || rank(&part).is_none_or(|rank| Some(rank) >= self::rank(&whole)), "{} {:?}", id, part);
    }

    #[test]
    fn a_rider_is_never_overlooked((id, words) in texts(), at in any::<prop::sample::Index>(), rider in prop::sample::select(RIDERS)) {
        let from = at.index(words.len() + 1);
        let text = format!("{}\n{rider}\n{}", words[..from].join(" "), words[from..].join(" "));
        let reading = read(&text);
        prop_assert!(rank(&reading).is_none_or(|rank| rank > 0), "{} {:?}", id, reading);
    }
}

#[test]
fn a_notice_alone_is_a_licence_file() {
    let apache = "Copyright 2014-2019 Ada Example\n\nLicensed under the Apache License, Version 2.0 (the \"License\");\n\
        you may not use this file except in compliance with the License.\nYou may obtain a copy of the License at\n\n    \
        http://www.apache.org/licenses/LICENSE-2.0\n\nUnless required by applicable law or agreed to in writing, software\n\
        distributed under the License is distributed on an \"AS IS\" BASIS,\nWITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, \
        either express or implied.\nSee the License for the specific language governing permissions and\nlimitations under \
        the License.\n";
    let either = "This software is made available under the terms of *either* of the\nlicenses found in LICENSE.APACHE2 or \
        LICENSE.MIT. Contributions to\nShed are made under the terms of *both* these licenses.\n";
    assert_eq!(known(&read(apache)).as_deref(), Some("Apache-2.0"));
    assert_eq!(known(&read(either)).as_deref(), Some("Apache-2.0 OR MIT"));
    let ridden = format!("{apache}\nCommercial use requires a paid licence.\n");
    assert_eq!(known(&read(&ridden)), None);
}

#[test]
fn the_common_shelf_has_no_text_twice() {
    let texts: Vec<_> =
        COMMON_SHELF.templates.iter().filter(|t| t.kind == Kind::Text).map(|t| t.id).collect();
    let once: std::collections::BTreeSet<_> = texts.iter().collect();
    assert_eq!(once.len(), texts.len());
}

/// What a licence file of a crate is, by its name and by what the crate says of itself.
fn label(name: &str, declared: &str) -> Vec<String> {
    let name = name.to_ascii_lowercase();
    let by_name = [
        ("mit0", "MIT-0"),
        ("mit-0", "MIT-0"),
        ("llvm", "Apache-2.0 WITH LLVM-exception"),
        ("apache", "Apache-2.0"),
        ("unlicense", "Unlicense"),
        ("zlib", "Zlib"),
        ("isc", "ISC"),
        ("boost", "BSL-1.0"),
        ("cc0", "CC0-1.0"),
        ("mpl", "MPL-2.0"),
        ("mit", "MIT"),
        ("lgpl", "LGPL"),
        ("gpl", "GPL"),
        ("unicode", "Unicode"),
        ("whatwg", "BSD-3-Clause"),
        ("bsd", "BSD"),
    ];
    if let Some((_, id)) = by_name.iter().find(|(part, _)| name.contains(part)) {
        return vec![(*id).to_owned()];
    }
    Expression::parse(declared)
        .map_or_else(Vec::new, |read| read.terms().iter().map(ToString::to_string).collect())
}

/// `ORCH_LICENCES_OF=~/.cargo/registry/src cargo test --lib licences_of_a_registry -- --ignored --nocapture`
#[test]
#[ignore = "needs the folder of a cargo registry"]
#[expect(clippy::disallowed_methods, reason = "run by hand, over files of others")]
fn licences_of_a_registry() {
    let root = std::env::var("ORCH_LICENCES_OF").expect("ORCH_LICENCES_OF names the folder of a registry");
    let (mut files, mut right, mut unknown, mut differ) = (0, 0, 0, 0);
    let walk = ignore::WalkBuilder::new(&root)
        .standard_filters(false)
        .sort_by_file_path(std::path::Path::cmp)
        .build();
    for entry in walk.filter_map(Result::ok).filter(|entry| entry.path().is_file()) {
        let path = entry.path().strip_prefix(&root).unwrap().to_string_lossy().into_owned();
        // Crates that carry the list itself have it in `text`.
        if !matches!(role(&path), Role::Text | Role::Notice) || path.contains("/src/text/") {
            continue;
        }
        files += 1;
        let bytes = std::fs::read(entry.path()).unwrap();
        let reading = read(&String::from_utf8_lossy(&bytes));
        let manifest =
            entry.path().ancestors().skip(1).find_map(|folder| std::fs::read(folder.join("Cargo.toml")).ok());
        let declared =
            manifest.and_then(|m| crate::scan::licences::declared("Cargo.toml", &m)).unwrap_or_default();
        let want = label(path.rsplit('/').next().unwrap(), &declared);
        let got = reading.expression();
        let terms: Vec<String> =
            got.iter().flat_map(Expression::terms).map(std::string::ToString::to_string).collect();
        let fits = |term: &String| {
            want.iter().any(|want| {
                want == term
                    || (["BSD", "GPL", "LGPL", "Unicode"].contains(&want.as_str())
                        && term.starts_with(want.as_str()))
            })
        };
        let shown = got.map(|got| got.to_string()).unwrap_or_default();
        if reading.is_known() && terms.iter().all(fits) {
            right += 1;
        } else if reading.is_known() {
            differ += 1;
            println!("differs: {path}: {shown}, label {want:?}");
        } else {
            unknown += 1;
            println!("unknown: {path}: [{shown}], label {want:?}");
        }
    }
    println!("{files} files: {right} as labelled, {differ} differ, {unknown} unknown");
    assert!(files > 0);
}
