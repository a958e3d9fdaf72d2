//! Dockerfiles: one array of commands, each with its flags, values and stage.
//!
//! Must never take an unknown instruction for a known one.

use serde_json::{Value, json};

/// The instructions there are.
const INSTRUCTIONS: [&str; 18] = [
    "add",
    "arg",
    "cmd",
    "copy",
    "entrypoint",
    "env",
    "expose",
    "from",
    "healthcheck",
    "label",
    "maintainer",
    "onbuild",
    "run",
    "shell",
    "stopsignal",
    "user",
    "volume",
    "workdir",
];

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let mut commands = Vec::new();
    let (mut stage, mut stages) = (0_usize, 0_usize);
    let escape = if directive(text) == Some('`') { '`' } else { '\\' };
    let mut comments: Vec<String> = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let trimmed = line.trim();
        if trimmed.is_empty() {
            continue;
        }
        if let Some(comment) = trimmed.strip_prefix('#') {
            comments.push(comment.trim().to_owned());
            continue;
        }
        let mut whole = line.trim_start().to_owned();
        while let Some(cut) = whole.trim_end().strip_suffix(escape) {
            whole = cut.to_owned();
            let Some((_, next)) =
                lines.by_ref().find(|(_, l)| !l.trim_start().starts_with('#') && !l.trim().is_empty())
            else {
                break;
            };
            whole += next;
        }
        for mark in heredocs(&whole) {
            if !lines.by_ref().any(|(_, line)| line.trim() == mark) {
                return Err(format!("line {} has a heredoc `{mark}` that does not end", at + 1));
            }
        }
        let (word, rest) = split_word(whole.trim());
        let command = word.to_lowercase();
        if !INSTRUCTIONS.contains(&command.as_str()) {
            return Err(format!("line {} has the unknown instruction `{word}`", at + 1));
        }
        if command == "from" {
            stages += 1;
            stage = stages - 1;
        }
        for comment in comments.drain(..) {
            commands.push(json!({
                "Cmd": "comment", "SubCmd": "", "JSON": false, "Flags": null, "Value": [comment], "Stage": stage,
            }));
        }
        let (sub, flags, (is_json, values)) = if command == "onbuild" {
            let (word, rest) = split_word(rest);
            let sub = word.to_lowercase();
            let (flags, rest) = flags(rest);
            let found = values(&sub, rest);
            (sub, flags, found)
        } else {
            let (flags, rest) = flags(rest);
            (String::new(), flags, values(&command, rest))
        };
        let list = |items: Vec<String>| if items.is_empty() { Value::Null } else { items.into() };
        commands.push(json!({
            "Cmd": command, "SubCmd": sub, "JSON": is_json, "Flags": flags, "Value": list(values), "Stage": stage,
        }));
    }
    if commands.is_empty() {
        return Err("it has no instruction".into());
    }
    Ok(json!([commands]))
}

/// Returns the character that `# escape=` names.
fn directive(text: &str) -> Option<char> {
    let comments = text.lines().take_while(|l| l.starts_with('#'));
    comments.filter_map(|l| l[1..].trim().strip_prefix("escape=")).find_map(|v| v.chars().next())
}

fn split_word(text: &str) -> (&str, &str) {
    let end = text.find(char::is_whitespace).unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

fn flags(mut rest: &str) -> (Vec<String>, &str) {
    let mut flags = Vec::new();
    while rest.starts_with("--") {
        let (flag, more) = split_word(rest);
        flags.push(flag.to_owned());
        rest = more;
    }
    (flags, rest)
}

fn values(command: &str, rest: &str) -> (bool, Vec<String>) {
    let as_json = || serde_json::from_str::<Vec<String>>(rest).ok();
    let words = || rest.split_whitespace().map(str::to_owned).collect();
    let whole = || if rest.is_empty() { Vec::new() } else { vec![rest.to_owned()] };
    match command {
        "add" | "copy" | "volume" => as_json().map_or_else(|| (false, words()), |items| (true, items)),
        "cmd" | "entrypoint" | "run" | "shell" => {
            as_json().map_or_else(|| (false, whole()), |items| (true, items))
        }
        "env" | "label" => (false, pairs(rest)),
        "arg" => (false, quoted_words(rest)),
        "expose" | "from" => (false, words()),
        "healthcheck" => {
            let (kind, rest) = split_word(rest);
            let items = serde_json::from_str::<Vec<String>>(rest).ok();
            let is_json = items.is_some();
            let rest =
                items.unwrap_or_else(|| if rest.is_empty() { Vec::new() } else { vec![rest.to_owned()] });
            (is_json, std::iter::once(kind.to_uppercase()).chain(rest).collect())
        }
        _ => (false, whole()),
    }
}

/// Reads `k=v k2=v2`, or the old `k v`: key, value and what stands between them.
fn pairs(rest: &str) -> Vec<String> {
    let words = quoted_words(rest);
    if words.first().is_some_and(|w| !w.contains('=')) {
        let (key, value) = split_word(rest);
        return vec![key.to_owned(), value.to_owned(), String::new()];
    }
    words
        .iter()
        .flat_map(|word| {
            let (key, value) = word.split_once('=').unwrap_or((word, ""));
            [key.to_owned(), value.to_owned(), "=".to_owned()]
        })
        .collect()
}

/// Splits at spaces that stand in no quotes; the quotes stay.
fn quoted_words(rest: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), String::new(), None);
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\\', _) => {
                word.push(c);
                word.extend(chars.next());
            }
            (c, None) if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(std::mem::take(&mut word));
                }
            }
            ('"' | '\'', None) => {
                quote = Some(c);
                word.push(c);
            }
            (c, open) => {
                if open == Some(c) {
                    quote = None;
                }
                word.push(c);
            }
        }
    }
    words.extend((!word.is_empty()).then_some(word));
    words
}

/// Returns the end marks of the heredocs a line opens.
fn heredocs(line: &str) -> Vec<String> {
    let command = split_word(line.trim()).0.to_lowercase();
    if !matches!(command.as_str(), "run" | "copy" | "add") {
        return Vec::new();
    }
    let opens = line.split_whitespace().filter_map(|w| w.strip_prefix("<<"));
    let marks = opens.map(|w| w.trim_start_matches('-').trim_matches(['"', '\'']));
    marks
        .filter(|m| m.starts_with(char::is_alphabetic) && m.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .map(str::to_owned)
        .collect()
}
