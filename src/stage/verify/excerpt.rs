//! What commands printed, made the same in every run: temporary paths, times, ids and addresses are replaced.
//!
//! Must never let the name of a temporary folder, a duration or a process id into a report.

use std::path::Path;

use super::pattern::patterns;

/// What stands for the folder of the clean copy.
pub(super) const COPY: &str = "<copy>";

/// The longest excerpt of a command, bytes.
pub(super) const COMMAND_BYTES: usize = 4000;

/// The longest message of a test, bytes.
pub(super) const TEST_BYTES: usize = 1500;

/// The longest line, bytes.
const LINE_BYTES: usize = 400;

patterns! {
    TEMPORARY = r"(?:/private)?/(?:tmp|var/tmp|var/folders/\w+/\w+/T|dev/shm)/[^\s/'\x22:)>\]]+";
    STAMP = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?";
    CLOCK = r"\b\d\d:\d\d:\d\d(?:[.,]\d+)?\b";
    DURATION = r"(?i)\b\d+(?:\.\d+)?\s?(?:ns|µs|us|ms|s|secs?|seconds?|minutes?|mins?)\b";
    DURATION_FIELD = r"\b(duration_ms|time|elapsed)([:=] ?)\x22?\d+(?:\.\d+)?\x22?";
    ADDRESS = r"\b0x[0-9a-fA-F]{6,}\b";
    THREAD = r"(thread '[^']*') \(\d+\)";
    PROCESS = r"(?i)\b(pid|process|tid)([ =:]+)\d+";
    PORT = r"\b(localhost|127\.0\.0\.1|0\.0\.0\.0|\[::1?\]):\d{2,5}\b";
    BINARY_HASH = r"(target/\S*?-)[0-9a-f]{16}\b";
    // Printed once, by whichever thread panics first.
    BACKTRACE_HINT = r"(?m)^note: run with `RUST_BACKTRACE=1` environment variable[^\n]*\n?";
    BACKTRACE = r"(?m)^ *stack backtrace:\n(?: +(?:\d+:|at ) ?.*\n?)*";
}

/// Puts a fixed name in place of the copy's folder; done before anything else reads the text.
pub(in crate::stage) fn portable(text: &str, root: &Path) -> String {
    named(text, root, COPY)
}

/// Does the same in an XML document, which it leaves well-formed.
pub(super) fn portable_xml(text: &str, root: &Path) -> String {
    named(text, root, "&lt;copy&gt;")
}

fn named(text: &str, root: &Path, stand_in: &str) -> String {
    let mut names = vec![root.to_string_lossy().into_owned()];
    names.extend(root.canonicalize().ok().map(|path| path.to_string_lossy().into_owned()));
    // The longer first: on some systems one is the end of the other.
    names.sort_by_key(|name| std::cmp::Reverse(name.len()));
    let mut text = text.to_owned();
    for name in names.iter().filter(|name| name.len() > 1) {
        text = text.replace(name.as_str(), stand_in);
    }
    text
}

/// Takes out what differs from run to run.
pub(super) fn stable(text: &str) -> String {
    let text = BACKTRACE.replace_all(text, "");
    let mut text = BACKTRACE_HINT.replace_all(&text, "").into_owned();
    for (pattern, with) in [
        (&TEMPORARY, "<tmp>"),
        (&STAMP, "<time>"),
        (&CLOCK, "<time>"),
        (&DURATION_FIELD, "$1$2<duration>"),
        (&DURATION, "<duration>"),
        (&ADDRESS, "<address>"),
        (&THREAD, "$1"),
        (&PROCESS, "$1$2<id>"),
        (&PORT, "$1:<port>"),
        (&BINARY_HASH, "$1<hash>"),
    ] {
        if let std::borrow::Cow::Owned(replaced) = pattern.replace_all(&text, with) {
            text = replaced;
        }
    }
    text
}

/// Returns the first lines of a text, stable and not longer than `limit` bytes.
pub(super) fn head(text: &str, limit: usize) -> String {
    let mut kept = String::new();
    for line in stable(bounded(text.trim(), limit * 8, false)).lines() {
        if kept.len() + line.len().min(LINE_BYTES) > limit {
            kept.push_str("[...]");
            break;
        }
        kept.push_str(bounded(line.trim_end(), LINE_BYTES, false));
        kept.push('\n');
    }
    kept.trim().to_owned()
}

/// Returns the last lines of a text, stable and not longer than `limit` bytes.
pub(super) fn tail(text: &str, limit: usize) -> String {
    let text = stable(bounded(text.trim(), limit * 8, true));
    let mut kept: Vec<&str> = Vec::new();
    let mut size = 0;
    for line in text.lines().rev() {
        let line = bounded(line.trim_end(), LINE_BYTES, false);
        size += line.len() + 1;
        if size > limit {
            kept.push("[...]");
            break;
        }
        kept.push(line);
    }
    kept.reverse();
    kept.join("\n").trim().to_owned()
}

/// Returns the start or the end of a text, cut between characters.
fn bounded(text: &str, limit: usize, end: bool) -> &str {
    if text.len() <= limit {
        return text;
    }
    if end {
        &text[text.ceil_char_boundary(text.len() - limit)..]
    } else {
        &text[..text.floor_char_boundary(limit)]
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn what_differs_between_runs_is_replaced() {
        for (given, wanted) in [
            ("thread 'health' (16210) panicked", "thread 'health' panicked"),
            ("finished in 0.10s", "finished in <duration>"),
            ("1 failed, 1 passed in 0.02s", "1 failed, 1 passed in <duration>"),
            ("at 2026-11-21T12:58:35.435720+00:00 it", "at <time> it"),
            ("/tmp/abc123/x/y.py:3: in f", "<tmp>/x/y.py:3: in f"),
            ("<X object at 0x7fc55ad08fd0>", "<X object at <address>>"),
            ("http://127.0.0.1:43121/health", "http://127.0.0.1:<port>/health"),
            ("Running (target/debug/deps/demo-8348ca7a80742723)", "Running (target/debug/deps/demo-<hash>)"),
            ("duration_ms: 1.877899", "duration_ms: <duration>"),
            ("pid 4312 died", "pid <id> died"),
            ("left: 200, right: 404", "left: 200, right: 404"),
        ] {
            assert_eq!(stable(given), wanted);
        }
        assert_eq!(portable("in /x/copy-1/src", Path::new("/x/copy-1")), "in <copy>/src");
    }

    #[test]
    fn backtraces_go_and_the_rest_stays() {
        let text = "boom\nstack backtrace:\n   0: a\n             at /rustc/x\n   1: b\nnote: more\n";
        assert_eq!(stable(text), "boom\nnote: more\n");
    }

    proptest! {
        #[test]
        fn excerpts_are_bounded_and_never_panic(text in ".{0,800}", limit in 1_usize..500) {
            prop_assert!(head(&text, limit).len() <= limit + 6);
            prop_assert!(tail(&text, limit).len() <= limit + 6);
        }
    }
}
