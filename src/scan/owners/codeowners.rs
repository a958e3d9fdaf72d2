//! `CODEOWNERS` as GitHub reads it: the last pattern that matches a path names its owners.
//!
//! Must never take what GitHub leaves out (`!`, `[a-z]`, sections) for something it does.

use std::ops::Range;

/// GitHub does not read a larger file.
pub const LARGEST: usize = 3 * 1024 * 1024;

/// A line that names owners, or that there are none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    pattern: Pattern,
    /// The owners: `@user`, `@org/team`, an e-mail address; none takes the owners away.
    pub owners: Vec<String>,
}

/// A line that GitHub skips.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// Where it is.
    pub range: Range<usize>,
    /// Why, to be read after "the line".
    pub why: &'static str,
}

/// The rules of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CodeOwners {
    /// The rules in the file's order.
    pub rules: Vec<Rule>,
    /// What GitHub skips.
    pub invalid: Vec<Invalid>,
}

impl CodeOwners {
    /// Reads a file; one that is too large has no rules.
    pub fn parse(text: &[u8]) -> Self {
        let mut read = Self::default();
        if text.len() > LARGEST {
            read.invalid.push(Invalid {
                range: 0..0,
                why: "and all others are not read: the file is larger than 3 MB",
            });
            return read;
        }
        let mut at = 0;
        for line in text.split(|b| *b == b'\n') {
            let range = at..at + line.len();
            at += line.len() + 1;
            let line = String::from_utf8_lossy(line);
            match rule(&line) {
                Ok(Some(rule)) => read.rules.push(rule),
                Ok(None) => {}
                Err(why) => read.invalid.push(Invalid { range, why }),
            }
        }
        read
    }

    /// Returns the owners of a path; `None` where no pattern matches.
    pub fn owners(&self, path: &str) -> Option<&[String]> {
        let parts: Vec<&str> = path.split('/').collect();
        self.rules.iter().rev().find(|rule| rule.pattern.matches(&parts)).map(|rule| rule.owners.as_slice())
    }
}

fn rule(line: &str) -> Result<Option<Rule>, &'static str> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let mut words = words(line);
    let pattern = if words.is_empty() { String::new() } else { words.remove(0) };
    match () {
        () if pattern.starts_with('!') => return Err("begins with `!`, which takes nothing back"),
        () if pattern.starts_with('[') || pattern.starts_with("^[") => {
            return Err("is a section, which only GitLab knows");
        }
        () if pattern.contains(['[', ']']) => {
            return Err("has `[` and `]`, which stand for no characters here");
        }
        () if pattern.starts_with("\\#") => return Err("begins with `\\#`, which does not stand for `#`"),
        () => {}
    }
    let owners: Vec<String> = words.into_iter().take_while(|word| !word.starts_with('#')).collect();
    if owners.iter().any(|owner| !is_owner(owner)) {
        return Err("has an owner that is no `@user`, `@org/team` or e-mail address");
    }
    Ok(Some(Rule { pattern: Pattern::new(&pattern), owners }))
}

/// Splits a line at spaces; `\ ` is one within a path.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let mut chars = line.chars().peekable();
    while let Some(c) = chars.next() {
        if c == '\\' && chars.peek() == Some(&' ') {
            word.push(' ');
            chars.next();
        } else if c.is_whitespace() {
            if !word.is_empty() {
                words.push(std::mem::take(&mut word));
            }
        } else {
            word.push(c);
        }
    }
    if !word.is_empty() {
        words.push(word);
    }
    words
}

fn is_owner(word: &str) -> bool {
    let name = |part: &str| {
        !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
    };
    if let Some(handle) = word.strip_prefix('@') {
        return match handle.split_once('/') {
            Some((org, team)) => name(org) && name(team),
            None => name(handle),
        };
    }
    word.split_once('@')
        .is_some_and(|(user, host)| !user.is_empty() && host.contains('.') && !host.contains('@'))
}

/// A pattern as in `.gitignore`, as far as GitHub takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Pattern {
    parts: Vec<String>,
    /// Whether what is below a match matches as well.
    below: bool,
    /// Whether only what is below a match matches: the pattern ends with `/`.
    only_below: bool,
}

impl Pattern {
    fn new(pattern: &str) -> Self {
        let only_below = pattern.ends_with('/');
        let body = pattern.trim_matches('/');
        let rooted = pattern.trim_end_matches('/').contains('/');
        let mut parts: Vec<String> = body.split('/').map(str::to_owned).collect();
        if !rooted {
            parts.insert(0, "**".into());
        }
        // `docs/*` is for the files right in `docs`; `*` alone is for all.
        let shallow = rooted && parts.last().is_some_and(|last| last == "*");
        Self { parts, below: !shallow, only_below }
    }

    /// Walks the path once and keeps which parts of the pattern may come next.
    fn matches(&self, path: &[&str]) -> bool {
        // Most patterns begin with a folder, and most paths are in another.
        if let (Some(first), Some(own)) = (self.parts.first(), path.first())
            && !first.contains(['*', '?', '\\'])
            && first != own
        {
            return false;
        }
        let len = self.parts.len();
        let mut next = vec![false; len + 1];
        if let Some(first) = next.first_mut() {
            *first = true;
        }
        self.skip(&mut next);
        for (nth, part) in path.iter().enumerate() {
            let mut then = vec![false; len + 1];
            for (at, pattern) in self.parts.iter().enumerate() {
                if !next.get(at).copied().unwrap_or(false) {
                    continue;
                }
                let any = pattern == "**";
                if (any || wild(pattern.as_bytes(), part.as_bytes()))
                    && let Some(to) = then.get_mut(if any { at } else { at + 1 })
                {
                    *to = true;
                }
                // `a/**` is all below `a`.
                if any
                    && at + 1 == len
                    && let Some(end) = then.last_mut()
                {
                    *end = true;
                }
            }
            self.skip(&mut then);
            let last = nth + 1 == path.len();
            if then.last() == Some(&true) && (if last { !self.only_below } else { self.below }) {
                return true;
            }
            next = then;
        }
        false
    }

    /// `**` may stand for no folder at all, but not at the end.
    fn skip(&self, next: &mut [bool]) {
        for (at, pattern) in self.parts.iter().enumerate() {
            if pattern == "**"
                && at + 1 < self.parts.len()
                && next.get(at) == Some(&true)
                && let Some(to) = next.get_mut(at + 1)
            {
                *to = true;
            }
        }
    }
}

/// Matches one part of a path: `*` is any characters, `?` is one.
fn wild(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(b'\\') if pattern.get(p + 1) == text.get(t) => {
                p += 2;
                t += 1;
            }
            Some(c) if *c == b'?' || Some(c) == text.get(t) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                Some((from, to)) => {
                    p = from + 1;
                    t = to + 1;
                    star = Some((from, to + 1));
                }
                None => return false,
            },
        }
    }
    pattern.get(p..).unwrap_or_default().iter().all(|b| *b == b'*')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn owned(pattern: &str, path: &str) -> bool {
        CodeOwners::parse(format!("{pattern} @a\n").as_bytes()).owners(path).is_some()
    }

    #[test]
    fn patterns_match_as_on_github() {
        let cases = [
            ("*", "a/b/c.rs", true),
            ("*.js", "a.js", true),
            ("*.js", "lib/a.js", true),
            ("*.js", "lib/a.jsx", false),
            ("/build/logs/", "build/logs/a.txt", true),
            ("/build/logs/", "build/logs/deep/a.txt", true),
            ("/build/logs/", "x/build/logs/a.txt", false),
            ("/build/logs/", "build/logs", false),
            ("docs/*", "docs/getting-started.md", true),
            ("docs/*", "docs/build-app/troubleshooting.md", false),
            ("docs/*", "x/docs/a.md", false),
            ("apps/", "a/apps/b.rs", true),
            ("apps/", "apps/x/b.rs", true),
            ("apps/", "apps", false),
            ("/docs/", "docs/a.md", true),
            ("/apps/github", "apps/github", true),
            ("/apps/github", "apps/github/a/b.rs", true),
            ("**/logs", "build/logs/a.txt", true),
            ("**/logs", "logs", true),
            ("/src/**", "src/a/b.rs", true),
            ("/src/**", "src", false),
            ("/a/**/z", "a/z", true),
            ("/a/**/z", "a/b/c/z", true),
            ("/a/**/z", "a/b/zz", false),
            ("Makefile", "sub/Makefile", true),
            ("makefile", "Makefile", false),
            ("my\\ file.md", "my file.md", true),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
        ];
        for (pattern, path, want) in cases {
            assert_eq!(owned(pattern, path), want, "{pattern} {path}");
        }
    }

    #[test]
    fn the_last_match_wins_and_may_name_nobody() {
        let read =
            CodeOwners::parse(b"# all\n* @org/all\n/apps/ @octocat dev@example.com # why\n/apps/github\n");
        assert_eq!(read.owners("a.rs"), Some(&["@org/all".to_owned()][..]));
        assert_eq!(read.owners("apps/a.rs").map(<[String]>::len), Some(2));
        assert_eq!(read.owners("apps/github/a.rs"), Some(&[][..]));
        assert_eq!(read.invalid, []);
    }

    #[test]
    fn what_github_skips_is_invalid() {
        for line in [
            "!docs/ @a",
            "[Docs] @a",
            "^[Docs]",
            "*.[ch] @a",
            "\\#a @b",
            "src/ someone",
            "src/ @a/b/c",
            "src/ @",
        ] {
            let read = CodeOwners::parse(line.as_bytes());
            assert_eq!((read.rules.len(), read.invalid.len()), (0, 1), "{line}");
        }
        let large = CodeOwners::parse(&[b"* @a\n".as_slice(), &vec![b'#'; LARGEST]].concat());
        assert!(large.rules.is_empty() && large.invalid.len() == 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(text in proptest::collection::vec(any::<u8>(), 0..300), path in "[a-z/*]{0,30}") {
            let _ = CodeOwners::parse(&text).owners(&path);
        }

        #[test]
        fn any_pattern_is_matched(pattern in "[ab*?/\\\\]{1,24}", path in "[ab/]{1,24}") {
            let _ = owned(&pattern, &path);
        }
    }
}
