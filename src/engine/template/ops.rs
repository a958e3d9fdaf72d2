//! Edits of texts: insert, append, merge lines.
//!
//! Must never change a byte that was there: line ends and the final line's end stay as the file has them.

use std::collections::BTreeSet;

use super::manifest::LineStyle;

/// Returns the line end most lines of a text have.
pub fn line_end(text: &str) -> &'static str {
    let crlf = text.matches("\r\n").count();
    if crlf * 2 > text.matches('\n').count() { "\r\n" } else { "\n" }
}

/// Returns a rendered text (`\n`) with the line ends of a file.
fn like(block: &str, end: &str) -> String {
    let block = block.replace("\r\n", "\n");
    if end == "\n" { block } else { block.replace('\n', end) }
}

/// Returns the text with `block` before line `line` (from 0); at or after the end it is appended.
pub fn insert(text: &str, line: usize, block: &str) -> String {
    let end = line_end(text);
    let block = like(block, end);
    let at = text.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
    let (before, after) = text.split_at(at);
    if after.is_empty() && !before.is_empty() && !before.ends_with('\n') {
        return format!("{before}{end}{}", block.trim_end_matches(['\r', '\n']));
    }
    format!("{before}{block}{after}")
}

/// Returns the text with `block` at its end, after one empty line.
pub fn append(text: &str, block: &str) -> String {
    let end = line_end(text);
    let block = like(block, end);
    if text.is_empty() {
        return block;
    }
    if text.ends_with("\n\n") || text.ends_with("\n\r\n") {
        format!("{text}{block}")
    } else if text.ends_with('\n') {
        format!("{text}{end}{block}")
    } else {
        // The file ends without a line end, and goes on doing so.
        format!("{text}{end}{end}{}", block.trim_end_matches(['\r', '\n']))
    }
}

/// Returns the text with those lines of `block` at its end that it lacks.
pub fn merge_lines(text: &str, block: &str, style: LineStyle) -> String {
    let key = |line: &str| match style {
        LineStyle::Plain => Some(line.trim().to_owned()).filter(|l| !l.is_empty()),
        LineStyle::Requirements => package(line),
    };
    let mut have: BTreeSet<String> = text.lines().filter_map(key).collect();
    let lacking: Vec<&str> = block.lines().filter(|line| key(line).is_some_and(|k| have.insert(k))).collect();
    if lacking.is_empty() {
        return text.to_owned();
    }
    let end = line_end(text);
    let lines = lacking.join(end);
    match text {
        "" => format!("{lines}{end}"),
        _ if text.ends_with('\n') => format!("{text}{lines}{end}"),
        _ => format!("{text}{end}{lines}"),
    }
}

/// Returns the normalised name of the package a line of `requirements.txt` asks for.
pub fn package(line: &str) -> Option<String> {
    let line = line.trim_start_matches('\u{feff}').trim();
    if line.starts_with(['#', '-']) {
        return None;
    }
    let name: String =
        line.chars().take_while(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')).collect();
    let name = name.to_ascii_lowercase().replace(['_', '.'], "-");
    Some(name).filter(|n| !n.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn inserts_keep_every_other_byte() {
        assert_eq!(insert("a\nb\n", 1, "x\n"), "a\nx\nb\n");
        assert_eq!(insert("a\r\nb\r\n", 1, "x\ny\n"), "a\r\nx\r\ny\r\nb\r\n");
        assert_eq!(insert("a\nb", 1, "x\n"), "a\nx\nb");
        assert_eq!(insert("a\nb", 9, "x\n"), "a\nb\nx");
        assert_eq!(insert("", 0, "x\n"), "x\n");
    }

    #[test]
    fn appends_leave_one_empty_line() {
        assert_eq!(append("", "x\n"), "x\n");
        assert_eq!(append("a\n", "x\n"), "a\n\nx\n");
        assert_eq!(append("a\n\n", "x\n"), "a\n\nx\n");
        assert_eq!(append("a", "x\n"), "a\n\nx");
        assert_eq!(append("a\r\nb\r\n", "x\ny\n"), "a\r\nb\r\n\r\nx\r\ny\r\n");
    }

    #[test]
    fn lines_are_merged_once() {
        let style = LineStyle::Requirements;
        assert_eq!(
            merge_lines("FastAPI==0.1\n# httpx\n", "fastapi>=1\nhttpx\n", style),
            "FastAPI==0.1\n# httpx\nhttpx\n"
        );
        assert_eq!(
            merge_lines("fastapi[all]>=1; python_version>'3'", "fastapi\n", style),
            "fastapi[all]>=1; python_version>'3'"
        );
        assert_eq!(merge_lines("a\r\nb", "c\n", LineStyle::Plain), "a\r\nb\r\nc");
        assert_eq!(merge_lines("", "/target\n", LineStyle::Plain), "/target\n");
    }

    proptest::proptest! {
        #[test]
        fn what_was_there_stays(text in "[ab\r\n]{0,30}", line in 0_usize..9, block in "[xy]{1,4}\n") {
            let inserted = insert(&text, line, &block);
            let without: String = inserted.chars().filter(|c| !matches!(c, 'x' | 'y' | '\r' | '\n')).collect();
            let before: String = text.chars().filter(|c| matches!(c, 'a' | 'b')).collect();
            proptest::prop_assert_eq!(without, before);
            proptest::prop_assert!(append(&text, &block).starts_with(&text));
            let merged = merge_lines(&text, &block, LineStyle::Plain);
            proptest::prop_assert!(merged.starts_with(&text));
            proptest::prop_assert_eq!(&merge_lines(&merged, &block, LineStyle::Plain), &merged);
        }
    }
}
