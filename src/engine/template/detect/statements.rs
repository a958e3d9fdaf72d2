//! Python source cut into logical lines: enough to find top-level statements without a parser.
//!
//! Must never take text inside a string, a comment or brackets for a statement of its own.

/// A logical line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Statement<'a> {
    /// Its first line, from 0.
    pub start: usize,
    /// The line after its last one.
    pub end: usize,
    /// The white space before it.
    pub indent: &'a str,
    /// Its text, with the lines it spans.
    pub text: &'a str,
}

#[derive(Default)]
struct Scanner {
    depth: usize,
    quote: Option<(u8, bool)>,
}

impl Scanner {
    /// Reads one line and tells whether the next one goes on with the same statement.
    fn line(&mut self, line: &[u8]) -> bool {
        let mut at = 0;
        while at < line.len() {
            let byte = line[at];
            match self.quote {
                Some(_) if byte == b'\\' => at += 1,
                Some((q, true)) if line[at..].starts_with(&[q, q, q]) => {
                    self.quote = None;
                    at += 2;
                }
                Some((q, false)) if byte == q => self.quote = None,
                Some(_) => {}
                None => match byte {
                    b'#' => break,
                    b'"' | b'\'' => {
                        let triple = line[at..].starts_with(&[byte, byte, byte]);
                        self.quote = Some((byte, triple));
                        at += if triple { 2 } else { 0 };
                    }
                    b'(' | b'[' | b'{' => self.depth += 1,
                    b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                    _ => {}
                },
            }
            at += 1;
        }
        let continued = line.ends_with(b"\\");
        if matches!(self.quote, Some((_, false))) && !continued {
            self.quote = None;
        }
        self.depth > 0 || self.quote.is_some() || continued
    }
}

/// Returns the logical lines of a Python source; blank lines and comments belong to none.
pub fn statements(source: &str) -> Vec<Statement<'_>> {
    let mut found = Vec::new();
    let mut scanner = Scanner::default();
    let (mut offset, mut open): (usize, Option<(usize, usize)>) = (0, None);
    for (number, raw) in source.split_inclusive('\n').enumerate() {
        let line = raw.trim_end_matches(['\n', '\r']);
        let bare = line.trim_start_matches('\u{feff}').trim_start();
        if open.is_none() && !bare.is_empty() && !bare.starts_with('#') {
            open = Some((number, offset + (line.len() - bare.len())));
        }
        if let Some((start, from)) = open
            && !scanner.line(line.as_bytes())
        {
            let before = &source[..from];
            let indent = before[before.rfind('\n').map_or(0, |n| n + 1)..].trim_start_matches('\u{feff}');
            found.push(Statement {
                start,
                end: number + 1,
                indent,
                text: &source[from..offset + line.len()],
            });
            open = None;
            scanner = Scanner::default();
        }
        offset += raw.len();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_brackets_and_continuations_hold_a_statement_together() {
        let source = "\"\"\"doc\napp = FastAPI()\n\"\"\"\nx = 'it''s # no'  # yes (\napp = FastAPI(\n    title='(',\n)\n\nif x \\\n   and y:\n\tz = 1\n";
        let found: Vec<_> = statements(source)
            .into_iter()
            .map(|s| (s.start, s.end, s.indent.to_owned(), s.text.lines().count()))
            .collect();
        let top = String::new();
        assert_eq!(
            found,
            [
                (0, 3, top.clone(), 3),
                (3, 4, top.clone(), 1),
                (4, 7, top.clone(), 3),
                (8, 10, top, 2),
                (10, 11, "\t".into(), 1)
            ]
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_cut_without_panic(source in "[a-z\"'\\\\#()\\[\\]{} \t\r\nü\u{feff}]{0,80}") {
            for s in statements(&source) {
                proptest::prop_assert!(s.start < s.end);
            }
        }
    }
}
