//! A command as written becomes its words; what only a shell could do is refused, never passed on as text.
//!
//! Must never guess: a text that means something else to a shell is an error that says how to write it.

use super::raw::RawCommand;
use super::valid::Command;

const AS_LIST: &str = "Write them as separate entries, or as `[sh, -c, \"...\"]` where a shell is meant.";

/// Splits a command into its words; the error is the reason and what to do instead.
pub(super) fn words(raw: &RawCommand) -> Result<Command, (String, String)> {
    let words = match raw {
        RawCommand::Text(text) => split(text)?,
        RawCommand::Words(words) => words.clone(),
    };
    if words.first().is_none_or(|w| w.trim().is_empty()) {
        return Err((
            "is an empty command".into(),
            "Write a program and its arguments, or remove it.".into(),
        ));
    }
    if words.iter().any(|w| w.contains('\0')) {
        return Err(("holds a NUL character".into(), "Remove it.".into()));
    }
    Ok(Command(words))
}

fn split(text: &str) -> Result<Vec<String>, (String, String)> {
    let text = text.trim_matches([' ', '\t', '\r', '\n']);
    if text.contains(['\n', '\r']) {
        return Err(("has several lines".into(), AS_LIST.into()));
    }
    if let Some(found) = shell_only(text) {
        return Err((format!("holds `{found}`, which only a shell understands"), AS_LIST.into()));
    }
    let words = shell_words::split(text).map_err(|_| {
        ("has a quote that is not closed".to_owned(), "Close it, or write a list of words.".to_owned())
    })?;
    let first = words.first().map(String::as_str).unwrap_or_default();
    if matches!(first, "cd" | "export" | "source" | "." | "set" | "alias" | "ulimit") {
        return Err((
            format!("starts with `{first}`, which is part of a shell, not a program"),
            AS_LIST.into(),
        ));
    }
    if let Some((name, _)) = first.split_once('=')
        && !name.is_empty()
        && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
    {
        return Err((
            format!("starts with the assignment of `{name}`"),
            format!("Set the variable with `env {text}`."),
        ));
    }
    Ok(words)
}

/// Returns the first thing in a command that a shell would act on and we do not.
fn shell_only(text: &str) -> Option<String> {
    let mut quote = None;
    let mut before = ' ';
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let next = chars.peek().copied();
        match (quote, c) {
            (None | Some('"'), '\\') => {
                chars.next();
            }
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), _) if c == open => quote = None,
            (None | Some('"'), '$')
                if next.is_some_and(|n| n.is_ascii_alphanumeric() || "_{(*@?".contains(n)) =>
            {
                return Some(format!("${}", next.unwrap_or_default()));
            }
            (None, '&' | '|') if next == Some(c) => return Some(format!("{c}{c}")),
            (None, '&' | '|' | ';' | '<' | '>' | '*' | '(' | ')' | '`') | (Some('"'), '`') => {
                return Some(c.into());
            }
            (None, '~' | '#') if before.is_whitespace() => return Some(c.into()),
            _ => {}
        }
        before = c;
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn of(text: &str) -> Result<Vec<String>, String> {
        words(&RawCommand::Text(text.into())).map(|c| c.0).map_err(|e| e.0)
    }

    #[test]
    fn texts_are_split_as_a_shell_would() {
        for (text, expected) in [
            ("cargo test", vec!["cargo", "test"]),
            ("  python -m pytest -k 'a or b' ", vec!["python", "-m", "pytest", "-k", "a or b"]),
            ("go test ./...", vec!["go", "test", "./..."]),
            (r#"echo "a > b" 'c|d' e\ f"#, vec!["echo", "a > b", "c|d", "e f"]),
            ("pip install 'x[y]' a~b c#d", vec!["pip", "install", "x[y]", "a~b", "c#d"]),
        ] {
            assert_eq!(of(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused() {
        for (text, named) in [
            ("a && b", "`&&`"),
            ("a | b", "`|`"),
            ("a || b", "`||`"),
            ("a > f", "`>`"),
            ("a; b", "`;`"),
            ("a &", "`&`"),
            ("a $HOME", "`$H`"),
            ("a \"${X}\"", "`${`"),
            ("a `b`", "```"),
            ("pytest tests/*.py", "`*`"),
            ("ls ~/x", "`~`"),
            ("a # b", "`#`"),
            ("cd x", "`cd`"),
            ("A=1 b", "`A`"),
            ("a\nb", "several lines"),
            ("a 'b", "quote"),
            ("", "empty"),
            ("''", "empty"),
        ] {
            let why = of(text).unwrap_err();
            assert!(why.contains(named), "{text}: {why}");
        }
    }

    #[test]
    fn a_list_of_words_is_taken_as_it_is() {
        let list = RawCommand::Words(["sh", "-c", "a && b > c"].map(String::from).to_vec());
        assert_eq!(words(&list).unwrap().0[2], "a && b > c");
        assert!(words(&RawCommand::Words(vec![])).is_err());
        assert!(words(&RawCommand::Words(vec!["a\0".into()])).is_err());
    }

    proptest! {
        #[test]
        fn quoted_words_come_back(list in proptest::collection::vec("[^\\r\\n\\x00]{1,12}", 1..6)) {
            let list: Vec<String> = std::iter::once("run".to_owned()).chain(list).collect();
            prop_assert_eq!(of(&shell_words::join(&list)).unwrap(), list);
        }

        #[test]
        fn any_text_is_split_or_refused(text in ".{0,200}") {
            let _ = of(&text);
        }
    }
}
