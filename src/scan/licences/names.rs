//! Names of licences: SPDX's list, its old ids, and what people write instead.
//!
//! Must never guess: a name that is not in the tables is not known.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde::Deserialize;

const IDS: &str = include_str!("../../../rules/licences/ids.txt");
const EXCEPTIONS: &str = include_str!("../../../rules/licences/exceptions.txt");
const NAMES: &str = include_str!("../../../rules/licences/names.toml");

/// What stands for a licence that is nobody else's to use.
pub const PROPRIETARY: &str = "LicenseRef-Proprietary";

/// No name in the table is longer.
const LONGEST: usize = 120;

#[derive(Deserialize)]
struct Raw {
    deprecated: BTreeMap<String, String>,
    loose: BTreeMap<String, Vec<String>>,
}

struct Names {
    /// By the id in lower case.
    ids: BTreeMap<String, &'static str>,
    exceptions: BTreeMap<String, &'static str>,
    /// By the old id in lower case.
    deprecated: BTreeMap<String, String>,
    loose: BTreeMap<String, String>,
}

static TABLES: LazyLock<Names> = LazyLock::new(|| {
    let table = |list: &'static str| list.lines().map(|id| (id.to_ascii_lowercase(), id)).collect();
    // The files are part of the binary and read by a test; without them nothing is known.
    let raw: Raw =
        toml::from_str(NAMES).unwrap_or(Raw { deprecated: BTreeMap::new(), loose: BTreeMap::new() });
    Names {
        ids: table(IDS),
        exceptions: table(EXCEPTIONS),
        deprecated: raw.deprecated.into_iter().map(|(old, new)| (old.to_ascii_lowercase(), new)).collect(),
        loose: raw
            .loose
            .into_iter()
            .flat_map(|(id, names)| names.into_iter().map(move |name| (name, id.clone())))
            .collect(),
    }
});

/// Returns a name as SPDX's list writes it; an old id as what replaces it, which may hold a `WITH`.
pub fn id(name: &str) -> Option<String> {
    let lower = name.to_ascii_lowercase();
    if let Some(new) = TABLES.deprecated.get(&lower) {
        return Some(new.clone());
    }
    if let Some(id) = TABLES.ids.get(&lower) {
        return Some((*id).to_owned());
    }
    // `MPL-1.1+`; what "or later" would allow is left aside but for the GPL, whose ids say it.
    let bare = lower.strip_suffix('+').or_else(|| lower.strip_suffix("-or-later"))?;
    TABLES.ids.get(bare).map(|id| (*id).to_owned())
}

/// Returns an exception as SPDX's list writes it.
pub fn exception(name: &str) -> Option<String> {
    TABLES.exceptions.get(&name.to_ascii_lowercase()).map(|id| (*id).to_owned())
}

/// Returns the id for a name as people write it, a trove classifier among them.
pub fn loose(name: &str) -> Option<String> {
    let name = name.rsplit(" :: ").next().unwrap_or(name);
    if name.len() > LONGEST {
        return None;
    }
    TABLES.loose.get(&plain(name)).cloned()
}

fn plain(name: &str) -> String {
    let spaced: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() || c == '.' || c == '+' { c.to_ascii_lowercase() } else { ' ' })
        .collect();
    let words = spaced.split_whitespace().map(|word| word.trim_end_matches('.'));
    let drop = ["", "the", "license", "licence", "licenses", "version"];
    words.filter(|word| !drop.contains(word)).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_whole() {
        let raw: Raw = toml::from_str(NAMES).unwrap();
        let listed = |id: &str| TABLES.ids.contains_key(&id.to_ascii_lowercase());
        for new in raw.deprecated.values() {
            let (id, with) = new.split_once(" WITH ").map_or((new.as_str(), None), |(i, e)| (i, Some(e)));
            assert!(listed(id), "{id}");
            assert!(with.is_none_or(|e| exception(e).as_deref() == Some(e)), "{new}");
        }
        let mut seen = BTreeMap::new();
        for (id, names) in &raw.loose {
            assert!(id.starts_with("LicenseRef-") || listed(id), "{id}");
            for name in names {
                assert_eq!(&plain(name), name, "not in the normal form");
                assert_eq!(seen.insert(name.clone(), id), None, "{name} twice");
            }
        }
    }

    #[test]
    fn names_are_read_as_people_write_them() {
        for (name, want) in [
            ("GPLv3", "GPL-3.0-only"),
            ("GNU GPLv3+", "GPL-3.0-or-later"),
            ("The MIT License", "MIT"),
            ("Apache License, Version 2.0", "Apache-2.0"),
            (
                "License :: OSI Approved :: GNU General Public License v3 or later (GPLv3+)",
                "GPL-3.0-or-later",
            ),
            ("License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)", "MPL-2.0"),
            ("UNLICENSED", PROPRIETARY),
            ("The Unlicense", "Unlicense"),
        ] {
            assert_eq!(loose(name).as_deref(), Some(want), "{name}");
        }
        assert_eq!(loose("MIT with clauses"), None);
        assert_eq!(id("gpl-2.0").as_deref(), Some("GPL-2.0-only"));
        assert_eq!(id("apache-2.0+").as_deref(), Some("Apache-2.0"));
        assert_eq!(id("MITish"), None);
    }
}
