//! A waiver added to the text of a file: its comments and its other entries stay as they are.
//!
//! Must never guess: a text whose form it does not know is refused, and what it made is read again before it is given back.

use crate::config::check::is_code;

use super::Codes;
use super::waivers::{Waiver, Waivers};

const FRESH: &str = "\
# Findings this team lives with for now. `orch policy waive` adds one; each ends by itself, at most a year ahead.
waivers:
";

/// Returns the text with a waiver added, in the order of code, path and fingerprint; the error is for people.
pub fn add(text: &str, waiver: &Waiver, codes: &Codes) -> Result<String, String> {
    waiver.check().map_err(|why| format!("the waiver {why}"))?;
    debug_assert!(is_code(&waiver.code));
    let before = Waivers::read(text.as_bytes()).map_err(|why| format!("the file cannot be read: {why}"))?;
    if before.entries.contains(waiver) {
        return Err("the same waiver is there already".into());
    }
    let text = if text.trim().is_empty() { FRESH } else { text };
    let form = "the file has a form that only a person should edit; add the entry by hand";
    let made = insert(text, waiver, &before).ok_or(form)?;
    let mut want = before.entries;
    let after = Waivers::parse(made.as_bytes(), codes)?;
    let at = after.entries.iter().position(|entry| entry == waiver).ok_or(form)?;
    want.insert(at.min(want.len()), waiver.clone());
    if after.entries == want { Ok(made) } else { Err(form.into()) }
}

/// Puts the entry in as text; `None` where the lines are not in the form this writes.
fn insert(text: &str, waiver: &Waiver, before: &Waivers) -> Option<String> {
    let mut lines: Vec<&str> = text.lines().collect();
    let mut head = lines
        .iter()
        .position(|line| line.trim_end().split('#').next().map(str::trim_end) == Some("waivers:"));
    if head.is_none() && before.entries.is_empty() {
        // `waivers: []`, or nothing but comments.
        match lines.iter().position(|line| line.trim_end() == "waivers: []") {
            Some(at) => *lines.get_mut(at)? = "waivers:",
            None => lines.push("waivers:"),
        }
        head = lines.iter().position(|line| *line == "waivers:");
    }
    let head = head?;
    let starts: Vec<usize> = (head + 1..lines.len())
        .filter(|at| lines.get(*at).is_some_and(|line| line.trim_start().starts_with("- ")))
        .collect();
    if starts.len() != before.entries.len() {
        return None;
    }
    let dent = starts
        .first()
        .and_then(|at| lines.get(*at))
        .map_or("  ", |line| line.split('-').next().unwrap_or_default());
    let key = |waiver: &Waiver| (waiver.code.clone(), waiver.path.clone(), waiver.fingerprint.clone());
    let next = before.entries.iter().position(|entry| key(entry) > key(waiver));
    let at = match next {
        None => {
            let mut end = lines.len();
            while end > head + 1 && lines.get(end - 1).is_some_and(|line| line.trim().is_empty()) {
                end -= 1;
            }
            end
        }
        Some(next) => {
            // Comments right above an entry belong to it.
            let mut at = *starts.get(next)?;
            while at > head + 1 && lines.get(at - 1).is_some_and(|line| line.trim_start().starts_with('#')) {
                at -= 1;
            }
            at
        }
    };
    let entry = entry(waiver, dent);
    let mut made: Vec<&str> = lines.get(..at)?.to_vec();
    made.extend(entry.iter().map(String::as_str));
    made.extend(lines.get(at..)?);
    Some(made.join("\n") + "\n")
}

fn entry(waiver: &Waiver, dent: &str) -> Vec<String> {
    let until = waiver.until.to_string();
    let approved = waiver.approved.as_ref().map(ToString::to_string);
    let rows = [
        ("code", Some(&waiver.code)),
        ("path", waiver.path.as_ref()),
        ("fingerprint", waiver.fingerprint.as_ref()),
        ("lines", waiver.lines.as_ref()),
        ("until", Some(&until)),
        ("reason", Some(&waiver.reason)),
        ("owner", waiver.owner.as_ref()),
        ("by", Some(&waiver.by)),
        ("ticket", waiver.ticket.as_ref()),
        ("approved", approved.as_ref()),
    ];
    let rows = rows.into_iter().filter_map(|(key, value)| Some((key, value?)));
    rows.enumerate()
        .map(|(at, (key, value))| {
            format!("{dent}{} {key}: {}", if at == 0 { "-" } else { " " }, scalar(key, value))
        })
        .collect()
}

/// A day stays bare; everything else is quoted as JSON, which YAML reads too, unless it is plainly a word.
fn scalar(key: &str, value: &str) -> String {
    let word = |text: &str| {
        text.starts_with(|c: char| c.is_ascii_alphabetic())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_/.".contains(&b))
            && !["true", "false", "null", "yes", "no", "on", "off", "y", "n"]
                .contains(&text.to_ascii_lowercase().as_str())
    };
    if key == "until" || word(value) { value.to_owned() } else { serde_json::Value::from(value).to_string() }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::stage::policy::aside::Codes;

    fn waiver(code: &str, path: &str, reason: &str) -> Waiver {
        Waiver {
            code: code.into(),
            path: Some(path.into()),
            fingerprint: None,
            lines: Some("12-40".into()),
            until: "2027-01-31".parse().unwrap(),
            reason: reason.into(),
            owner: Some("Ann: Other".into()),
            by: "Jo Doe".into(),
            ticket: None,
            approved: None,
        }
    }

    #[test]
    fn an_entry_goes_to_its_place_and_comments_stay() {
        let codes = Codes::default();
        let first = add("", &waiver("b/b", "src/**", "made up"), &codes).unwrap();
        assert!(first.starts_with("# Findings"), "{first}");
        let with = first.replace("  - code: b/b", "  # about b\n  - code: b/b");
        let second = add(&with, &waiver("a/a", "x", "yes"), &codes).unwrap();
        let third = add(&second, &waiver("c/c", "x", "a: b # c"), &codes).unwrap();
        let order: Vec<_> =
            Waivers::read(third.as_bytes()).unwrap().entries.into_iter().map(|w| w.code).collect();
        assert_eq!(order, ["a/a", "b/b", "c/c"]);
        let (a, comment) = (third.find("code: a/a").unwrap(), third.find("# about b").unwrap());
        assert!(a < comment && comment < third.find("code: b/b").unwrap(), "{third}");
        assert!(add(&third, &waiver("c/c", "x", "a: b # c"), &codes).unwrap_err().contains("already"));
        for odd in [
            "waivers: [{code: a/b, path: x, until: 2027-01-31, reason: r, by: j}]\n",
            "waivers:\n  -\n    code: a/b\n    path: x\n    until: 2027-01-31\n    reason: r\n    by: j\n",
        ] {
            assert!(add(odd, &waiver("c/c", "x", "r"), &codes).unwrap_err().contains("by hand"), "{odd}");
        }
        assert!(add("waivers: []\n", &waiver("c/c", "x", "r"), &codes).is_ok());
        assert!(add("# only this\n", &waiver("c/c", "x", "r"), &codes).unwrap().starts_with("# only this\n"));
    }

    proptest! {
        #[test]
        fn what_is_added_reads_back(reason in "\\PC{1,60}", by in "\\PC{1,20}", text in "\\PC{0,80}") {
            let waiver = Waiver { by, ..waiver("a/b", "src/**", &reason) };
            let waiver = Waiver { approved: waiver.digest(), ..waiver };
            if let Ok(made) = add("", &waiver, &Codes::default()) {
                prop_assert_eq!(&Waivers::read(made.as_bytes()).unwrap().entries, &vec![waiver.clone()]);
            } else {
                prop_assert!(waiver.check().is_err());
            }
            let _ = add(&text, &waiver, &Codes::default());
        }
    }
}
