//! Instructions in prose: those that are hidden, those that undo others, those that send secrets away.
//!
//! Must never report what a page shows to its readers as an example: only hidden text is sure.

use std::ops::Range;
use std::sync::LazyLock;

use regex::bytes::Regex;

use super::{Confidence, INSTRUCTIONS, Note, TOOLS};

macro_rules! regex {
    ($name:ident, $pattern:expr) => {
        static $name: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new($pattern).ok());
    };
}

// Somebody else's instructions are to be dropped, or people are not to be told.
regex!(
    OVERRIDE,
    r"(?ix-u)\b(?:ignore|disregard|forget|override|bypass)\s+(?:all\s+|any\s+|of\s+|the\s+|your\s+|these\s+|my\s+){0,3}(?:previous|prior|above|earlier|preceding|system|existing|safety|security|other)\s+(?:\w+\s+)?(?:instructions?|prompts?|rules?|messages?|guidelines?|directions?|restrictions?|polic(?:y|ies)|checks?)
    | \bdo\s*n[o']t\s+(?:ever\s+)?(?:tell|mention|inform|reveal|show|alert|notify|disclose)\b[^.\n]{0,40}\b(?:users?|developers?|humans?|reviewers?|anyone|anybody|maintainers?)\b
    | \bwithout\s+(?:asking|telling|informing|notifying|alerting)\b[^.\n]{0,20}\b(?:users?|developers?|humans?|anyone|reviewers?)\b
    | \byou\s+are\s+now\s+(?:in\s+)?(?:dan|developer\s+mode|unrestricted|jailbroken)\b
    | \b(?:silently|secretly|covertly)\s+(?:\w+\s+){0,2}(?:run|execute|send|upload|add|insert|include|post|fetch|download|install|append|commit|push)\b"
);
// A secret and a place to send it to.
regex!(
    SENDS,
    r"(?ix-u)\b(?:curl|wget|nc|ncat|invoke-webrequest|iwr|fetch)\b[^\n]{0,300}(?:\$\(?\{?(?:env\b|printenv|cat\b|\w*(?:token|secret|key|passw)\w*)|@?(?:~/|\./|/)?\.(?:env|ssh|aws|netrc|npmrc)\b|id_rsa|/etc/passwd|process\.env|os\.environ)
    | \b(?:send|post|upload|exfiltrate|forward|transmit|submit|leak)\b[^\n]{0,160}\b(?:secrets?|tokens?|api[\s_-]?keys?|credentials?|passwords?|\.env|environment\s+variables?|ssh\s+keys?|private\s+keys?)\b[^\n]{0,160}(?:https?://|\bto\s+[\w.-]+@[\w-]+\.)
    | (?:printenv|\benv\b|cat\s+(?:\./|~/)?\.env|cat\s+~/\.(?:ssh|aws)\S*)\s*\|\s*(?:base64\b[^\n]{0,40}\|\s*)?(?:curl|nc|wget)\b"
);
// Something is got from elsewhere and run.
regex!(
    LOADS,
    r#"(?x-u)(?:curl|wget)\b[^\n|;]{0,300}\|\s*(?:sudo\s+)?(?:/(?:usr/)?bin/)?(?:(?:ba|z)?sh|python3?|node|perl)\b
    | (?:(?:ba|z)?sh|source|eval|python3?|node)\s+(?:-[ce]\s+)?["']?(?:<|\$)\((?:curl|wget)\b
    | base64\s+(?:-d|-D|--decode)[^\n]{0,60}\|\s*(?:(?:ba|z)?sh|python3?|node)\b
    | (?i:(?:iex|invoke-expression)\b[^\n]{0,80}(?:downloadstring|iwr|irm|invoke-webrequest)|(?:iwr|irm|invoke-webrequest)\b[^\n]{0,200}\|\s*iex)"#
);
// What readers of the rendered page do not see.
regex!(
    UNSEEN,
    r"(?i-u)<[a-z]+\s[^>\n]{0,200}(?:display\s*:\s*none|font-size\s*:\s*0|visibility\s*:\s*hidden|\shidden\b)[^>\n]{0,200}>"
);

/// Tells whether a command gets something from elsewhere and runs it.
pub fn loads(text: &[u8]) -> Option<Range<usize>> {
    LOADS.as_ref()?.find(text).map(|found| found.range())
}

/// Tells whether a command sends a secret away.
pub fn sends(text: &[u8]) -> Option<Range<usize>> {
    SENDS.as_ref()?.find(text).map(|found| found.range())
}

/// Looks at prose; `all` for instructions to agents, else only at what a reader does not see.
pub fn scan(text: &[u8], all: bool, add: &mut dyn FnMut(Note)) {
    let hidden = hidden(text);
    for range in &hidden {
        let inside = text.get(range.clone()).unwrap_or_default();
        let found = [
            (&OVERRIDE, "tells an agent what people are not to know"),
            (&SENDS, "tells an agent to send secrets away"),
            (&LOADS, "tells an agent to run what it downloads"),
        ]
        .into_iter()
        .find_map(|(regex, says)| Some((regex.as_ref()?.find(inside)?.range(), says)));
        if let Some((place, says)) = found {
            let range = range.start + place.start..range.start + place.end;
            add(note(
                text,
                range,
                "hidden",
                format!("text that readers do not see {says}"),
                Confidence::High,
            ));
        }
    }
    if !all {
        return;
    }
    for (regex, kind, says) in [
        (&OVERRIDE, "override", "the instructions undo others, or keep something from people"),
        (&SENDS, "sends", "the instructions send secrets away"),
        (&LOADS, "loads", "the instructions run what they download"),
    ] {
        for found in regex.iter().flat_map(|regex| regex.find_iter(text)) {
            if !hidden.iter().any(|range| range.start <= found.start() && found.end() <= range.end) {
                add(note(text, found.range(), kind, says.into(), Confidence::Medium));
            }
        }
    }
}

/// Looks at a script that is run without being asked for.
pub fn script(text: &[u8], add: &mut dyn FnMut(Note)) {
    let mut start = 0;
    for line in text.split_inclusive(|b| *b == b'\n') {
        let at = start;
        start += line.len();
        let line = line.get(..line.len().min(2_000)).unwrap_or_default();
        if line.trim_ascii_start().starts_with(b"#") {
            continue;
        }
        for (found, kind, says) in [
            (loads(line), "auto-run", "a script that runs by itself runs what it downloads"),
            (sends(line), "sends", "a script that runs by itself sends secrets away"),
        ] {
            if let Some(found) = found {
                let range = at + found.start..at + found.end;
                add(Note { code: TOOLS, ..note(text, range, kind, says.into(), Confidence::High) });
            }
        }
    }
}

fn note(
    text: &[u8],
    range: Range<usize>,
    kind: &'static str,
    message: String,
    confidence: Confidence,
) -> Note {
    let key = String::from_utf8_lossy(text.get(range.clone()).unwrap_or_default()).into_owned();
    Note { code: INSTRUCTIONS, range, kind, message, key, confidence }
}

/// Returns what is in comments, and in elements that are not shown.
fn hidden(text: &[u8]) -> Vec<Range<usize>> {
    const MOST: usize = 4_000;
    let mut all = Vec::new();
    let mut at = 0;
    while let Some(start) =
        memchr::memmem::find(text.get(at..).unwrap_or_default(), b"<!--").map(|offset| at + offset + 4)
    {
        let end = memchr::memmem::find(text.get(start..).unwrap_or_default(), b"-->")
            .map_or(text.len(), |offset| start + offset);
        all.push(start..end);
        at = end;
    }
    at = 0;
    while let Some(start) =
        memchr::memmem::find(text.get(at..).unwrap_or_default(), b"[//]: #").map(|offset| at + offset)
    {
        let end = memchr::memchr(b'\n', &text[start..]).map_or(text.len(), |offset| start + offset);
        all.push(start..end);
        at = end;
    }
    if memchr::memmem::find(text, b"none").is_some()
        || memchr::memmem::find(text, b"hidden").is_some()
        || memchr::memmem::find(text, b"font-size").is_some()
    {
        for found in UNSEEN.iter().flat_map(|regex| regex.find_iter(text)) {
            let rest = &text[found.end()..text.len().min(found.end() + MOST)];
            let end = memchr::memmem::find(rest, b"</").map_or(rest.len(), |offset| offset);
            all.push(found.end()..found.end() + end);
        }
    }
    all
}
