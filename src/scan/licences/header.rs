//! What the first lines of a source file say about its licence.
//!
//! Must never read a file that has no word of licences in its first lines.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::cache;
use super::expression::Expression;

/// What a file says of itself.
#[derive(Clone, Debug, PartialEq)]
pub struct Header {
    /// The licence.
    pub licence: Expression,
    /// Where it says so.
    pub range: Range<usize>,
    /// Whether it was recognised and not only guessed from a name.
    pub certain: bool,
}

/// How far into a file a header may be, in bytes.
const HEAD: usize = 4_096;
/// The longest notice.
const NOTICE: usize = 2_400;
/// The words without which there is no notice.
static WORD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"icense"));
static LOUD: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new(b"ICENSE"));
const TAG: &[u8] = b"SPDX-License-Identifier:";

/// Names by which notices that ask for something are found. Permissive ones bring no conflict and are not looked for.
const NAMES: &[&str] = &[
    "eneral Public License",
    "GENERAL PUBLIC LICENSE",
    "ozilla Public",
    "Eclipse Public",
    "CDDL",
    "Server Side Public",
    "Business Source License",
    "Elastic License",
    "Commons Clause",
    "European Union Public",
    "Affero",
    "GNU GPL",
    "GPL",
];

const CODE: &[&str] = &[
    "rs", "py", "js", "mjs", "cjs", "jsx", "ts", "tsx", "mts", "cts", "go", "java", "kt", "kts", "scala",
    "rb", "php", "c", "h", "cc", "cpp", "cxx", "hh", "hpp", "hxx", "cs", "swift", "m", "mm", "ex", "exs",
    "erl", "hrl", "hs", "lua", "pl", "pm", "sh", "bash", "zsh", "ps1", "sql", "vue", "svelte", "dart", "zig",
    "s", "S", "asm", "f", "f90", "ml", "mli", "clj", "el", "lisp", "r", "R", "jl", "nim", "d", "pas", "v",
    "sv", "vhd", "css", "scss", "less", "m4", "ac", "am", "cmake", "mk", "proto", "groovy", "gradle", "tcl",
    "vim", "awk", "cu", "glsl", "pyx", "pxd",
];

/// Looks at the first lines of a file; `ending` is the end of its name, `patents` says that Apache's notice matters too.
pub fn header(text: &[u8], ending: &str, patents: bool) -> Option<Header> {
    if !CODE.contains(&ending) {
        return None;
    }
    let head = text.get(..HEAD.min(text.len()))?;
    WORD.find(head).or_else(|| LOUD.find(head))?;
    tagged(head).or_else(|| noticed(text, head, patents))
}

/// Reads SPDX tags; several hold together.
fn tagged(head: &[u8]) -> Option<Header> {
    let mut range: Option<Range<usize>> = None;
    let mut found = Vec::new();
    for at in memchr::memmem::find_iter(head, TAG) {
        let start = memchr::memrchr(b'\n', head.get(..at)?).map_or(0, |end| end + 1);
        let end =
            head.get(at..).and_then(|rest| memchr::memchr(b'\n', rest)).map_or(head.len(), |end| at + end);
        // In a comment, not in a string of a program that writes such tags.
        let before = head.get(start..at)?;
        if before
            .iter()
            .any(|b| b.is_ascii_alphanumeric() && !matches!(b, b'd' | b'n' | b'l' | b'R' | b'E' | b'M'))
        {
            continue;
        }
        if before.iter().any(|b| matches!(b, b'"' | b'\'' | b'`' | b'(')) {
            continue;
        }
        let value = String::from_utf8_lossy(head.get(at + TAG.len()..end)?);
        let value = value.trim().trim_end_matches("*/").trim_end_matches("-->").trim_end_matches("*)").trim();
        found.extend(Expression::parse(value));
        range = Some(range.map_or(start..end, |old| old.start..end));
    }
    Some(Header { licence: Expression::all(found)?, range: range?, certain: true })
}

/// Reads the usual notices.
fn noticed(text: &[u8], head: &[u8], patents: bool) -> Option<Header> {
    let names = NAMES.iter().chain(patents.then_some(&"Apache License"));
    let at = names.filter_map(|name| memchr::memmem::find(head, name.as_bytes())).min()?;
    let notice = stretch(text, at);
    let read = String::from_utf8_lossy(text.get(notice.clone())?).into_owned();
    let reading = cache::read(&read);
    if let Some(licence) = reading.expression() {
        let licence = excepted(licence, &read);
        return Some(Header { licence, range: notice, certain: reading.parts.len() == 1 });
    }
    let (guess, certain) = guess(&read)?;
    Some(Header { licence: excepted(Expression::parse(&guess)?, &read), range: notice, certain })
}

/// Returns the comment around a name: from the paragraph before it to where the comment ends.
fn stretch(text: &[u8], at: usize) -> Range<usize> {
    let from = at.saturating_sub(NOTICE / 3);
    let before = text.get(from..at).unwrap_or_default();
    // From where the notice usually starts, so that equal notices are equal texts in the cache.
    let marks: [&[u8]; 5] = [b"is free software", b"/*", b"\"\"\"", b"\n\n", b"opyright"];
    let start =
        marks.iter().find_map(|mark| memchr::memmem::rfind(before, mark)).map_or(from, |found| from + found);
    let start = text.get(..start).and_then(|t| memchr::memrchr(b'\n', t)).map_or(0, |end| end + 1);
    let least = at + 24;
    let rest = text.get(least..text.len().min(start + NOTICE)).unwrap_or_default();
    let ends: [&[u8]; 5] = [b"*/", b"\n\n", b"-->", b"\"\"\"", b"\r\n\r\n"];
    let mut end = ends.iter().filter_map(|mark| memchr::memmem::find(rest, mark)).min().unwrap_or(rest.len());
    // A notice has paragraphs: without comment marks, empty lines are within it.
    let block = memchr::memmem::find(rest, b"*/").or_else(|| memchr::memmem::find(rest, b"\"\"\""));
    if let Some(block) = block.filter(|block| *block > end && *block - end < 1_400) {
        end = block;
    }
    start..(least + end).min(text.len()).max(start)
}

/// Reads a name where the notice is not one of the usual; certain where it names a version of the GPL and nothing beside it.
fn guess(text: &str) -> Option<(String, bool)> {
    let plain: String = text
        .split(|c: char| !c.is_ascii_alphanumeric() && c != '.')
        .map(|w| w.trim_matches('.'))
        .filter(|w| !w.is_empty())
        .collect::<Vec<_>>()
        .join(" ");
    let plain = format!("{} ", plain.to_ascii_lowercase());
    let has = |what: &str| plain.contains(what);
    let under = [
        "free software",
        "under the terms",
        "licensed under",
        "distributed under",
        "released under",
        "covered by",
        "subject to",
    ];
    if !under.iter().any(|what| has(what)) {
        return None;
    }
    let named = [
        ("affero", "AGPL-3.0-or-later"),
        ("lesser general public", "LGPL-2.0-or-later"),
        ("library general public", "LGPL-2.0-or-later"),
        ("general public license", "GPL-1.0-or-later"),
        ("gnu gpl", "GPL-1.0-or-later"),
        ("under the gpl", "GPL-1.0-or-later"),
        ("server side public", "SSPL-1.0"),
        ("business source license", "BUSL-1.1"),
        ("elastic license", "Elastic-2.0"),
        ("commons clause", "LicenseRef-Commons-Clause"),
    ];
    let (_, id) = named.iter().find(|(name, _)| has(name))?;
    let beside = [" mit ", "bsd", "apache", "alternativ", "dual", "exception", "commercial", "proprietary"];
    match versioned(id, &plain) {
        Some(id) => Some((id, !beside.iter().any(|what| has(what)))),
        None => Some(((*id).to_owned(), false)),
    }
}

/// Returns the version of the GPL that a notice names, and whether later ones will do.
fn versioned(id: &str, plain: &str) -> Option<String> {
    let (family, versions): (&str, &[&str]) = match id.split_once('-')?.0 {
        "AGPL" => ("AGPL", &["3"]),
        "LGPL" => ("LGPL", &["3", "2.1", "2"]),
        "GPL" => ("GPL", &["3", "2"]),
        _ => return None,
    };
    let named = |version: &&&str| {
        ["version ", " v", "gplv", "gpl ", "license "].iter().any(|before| {
            plain.contains(&format!("{before}{version} ")) || plain.contains(&format!("{before}{version}.0"))
        })
    };
    let version = versions.iter().find(named)?;
    let point = if version.contains('.') { "" } else { ".0" };
    let later = ["later version", "or later", "or newer"].iter().any(|what| plain.contains(what));
    Some(format!("{family}-{version}{point}-{}", if later { "or-later" } else { "only" }))
}

/// Gives a licence the exception that its notice speaks of.
fn excepted(licence: Expression, text: &str) -> Expression {
    let lower = text.to_ascii_lowercase();
    if !lower.contains("exception") {
        return licence;
    }
    let named = [
        ("autoconf", "Autoconf-exception-generic"),
        ("configure script", "Autoconf-exception-generic"),
        ("bison", "Bison-exception-2.2"),
        ("libtool", "Libtool-exception"),
        ("runtime library exception", "GCC-exception-3.1"),
        ("classpath", "Classpath-exception-2.0"),
        ("linking this library", "Classpath-exception-2.0"),
    ];
    let exception =
        named.iter().find(|(word, _)| lower.contains(word)).map_or("unread-exception", |(_, id)| *id);
    match licence {
        Expression::Licence(mut term) if term.exception.is_none() => {
            term.exception = Some(exception.to_owned());
            Expression::Licence(term)
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GPL: &str = "/* frob.c - frobs.\n * Copyright (C) 2020 Someone\n *\n * This program is free software: you can redistribute it and/or modify\n * it under the terms of the GNU General Public License as published by\n * the Free Software Foundation, either version 3 of the License, or\n * (at your option) any later version.\n *\n * This program is distributed in the hope that it will be useful,\n * but WITHOUT ANY WARRANTY; without even the implied warranty of\n * MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.  See the\n * GNU General Public License for more details.\n *\n * You should have received a copy of the GNU General Public License\n * along with this program.  If not, see <https://www.gnu.org/licenses/>.\n */\nint main(void) { return 0; }\n";

    fn read(text: &str) -> Option<(String, bool)> {
        header(text.as_bytes(), "c", false).map(|found| (found.licence.to_string(), found.certain))
    }

    #[test]
    fn headers_are_read() {
        let certain = |id: &str| Some((id.to_owned(), true));
        let unsure = |id: &str| Some((id.to_owned(), false));
        assert_eq!(read(GPL), certain("GPL-3.0-or-later"));
        let hash = GPL.replace("/*", "#").replace("\n *", "\n#").replace("# /", "#\n\n");
        assert_eq!(read(&hash), certain("GPL-3.0-or-later"));
        let two = GPL.replace("version 3", "version 2");
        assert_eq!(read(&two), certain("GPL-2.0-or-later"));
        let lesser = GPL
            .replace("General", "Lesser General")
            .replace("version 3", "version 2.1")
            .replace("program", "library");
        assert_eq!(read(&lesser), certain("LGPL-2.1-or-later"));
        assert_eq!(read("// SPDX-License-Identifier: GPL-2.0\n"), certain("GPL-2.0-only"));
        assert_eq!(
            read("# SPDX-License-Identifier: (MIT OR GPL-2.0+)\n"),
            certain("MIT OR GPL-2.0-or-later")
        );
        assert_eq!(read("/* SPDX-License-Identifier: MPL-2.0 */\n"), certain("MPL-2.0"));
        assert_eq!(read("// Licensed under the GPL; see the file LICENSE.\n"), unsure("GPL-1.0-or-later"));
        // The first paragraph alone, and what people write instead.
        let short = format!("{} */\n", GPL.split(" *\n * This program is distributed").next().unwrap());
        assert_eq!(read(&short), certain("GPL-3.0-or-later"));
        assert_eq!(read("// Licensed under the GNU General Public License v2.0.\n"), certain("GPL-2.0-only"));
        assert_eq!(
            read("# Released under the GNU Affero General Public License, version 3 or later.\n"),
            certain("AGPL-3.0-or-later")
        );
        assert_eq!(
            read("// Licensed under the MIT license or the GNU General Public License v3.\n"),
            unsure("GPL-3.0-only")
        );
        assert_eq!(read("// The GPL is a license that lawyers know.\n"), None);
        assert_eq!(read("x = \"SPDX-License-Identifier: GPL-2.0\"\n"), None);
        assert_eq!(read("// Copyright 2020\nint main(void) { return 0; }\n"), None);
        let autoconf = "# This program is free software under the GNU General Public License.\n# As a special exception, what autoconf makes is not under it.\n";
        assert_eq!(read(autoconf), unsure("GPL-1.0-or-later WITH Autoconf-exception-generic"));
    }
}
