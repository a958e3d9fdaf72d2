//! Addresses of people, not of roles, robots and examples.
//!
//! Must never take what only looks like an address in code: `icon@2x.png`, `package@1.0`.

use std::cell::OnceCell;

use super::add;
use crate::scan::{Confidence, Sink, View};

/// Reports addresses.
pub fn scan(view: &View<'_>, sink: &mut Sink<'_>) {
    let text = &view.text;
    let given = OnceCell::new();
    for at in memchr::memchr_iter(b'@', text) {
        let local_part = |b: &u8| b.is_ascii_alphanumeric() || b"._%+-".contains(b);
        let before = text[..at].iter().rev().take(65).take_while(|b| local_part(b)).count();
        let host_part = |b: &u8| b.is_ascii_alphanumeric() || b".-".contains(b);
        let after = text[at + 1..].iter().take(200).take_while(|b| host_part(b)).count();
        let mut start = at - before;
        while start < at && b"._%+-".contains(&text[start]) {
            start += 1;
        }
        let mut end = at + 1 + after;
        while end > at + 1 && b".-".contains(&text[end - 1]) {
            end -= 1;
        }
        let (local, host) = (&text[start..at], &text[at + 1..end]);
        // `user:password@host`, `//user@host`, `@scope/package`
        let odd = start > 0
            && b":/$@={\\".contains(&text[start - 1])
            && !text[..start].to_ascii_lowercase_tail().ends_with(b"mailto:");
        let odd = odd && !(text[start - 1] == b':' || text[start - 1] == b'=')
            || text.get(end).is_some_and(|b| b"@:(/".contains(b)) && is_url(text, start);
        if local.is_empty() || odd || !is_host(host) || is_sample_host(host) || is_robot(local) {
            continue;
        }
        let line = view.lines().range(view.lines().place(at).0);
        let near = text[line.start.max(at.saturating_sub(200))..line.end.min(at + 200)].to_ascii_lowercase();
        let credited = CREDITS.iter().any(|word| memchr::memmem::find(&near, word.as_bytes()).is_some());
        let role = ROLES.iter().any(|word| local.eq_ignore_ascii_case(word.as_bytes()));
        let given = *given.get_or_init(|| is_given(view.file_name()));
        let confidence = if given || credited || role || is_stand_in(local) {
            Confidence::Low
        } else {
            Confidence::Medium
        };
        add(sink, "pii/email", "EMAIL_ADDRESS", "an e-mail address", start..end, confidence);
    }
}

trait Tail {
    fn to_ascii_lowercase_tail(&self) -> Vec<u8>;
}

impl Tail for [u8] {
    fn to_ascii_lowercase_tail(&self) -> Vec<u8> {
        self[self.len().saturating_sub(8)..].to_ascii_lowercase()
    }
}

fn is_url(text: &[u8], start: usize) -> bool {
    text[..start].ends_with(b"//")
}

/// Words on a line that give an address on purpose.
const CREDITS: [&str; 17] = [
    "author",
    "copyright",
    "(c)",
    "\u{a9}",
    "maintain",
    "signed-off",
    "co-authored",
    "contribut",
    "thanks",
    "reported",
    "licen",
    "translat",
    "patch",
    "written by",
    "maintainer",
    "mailing",
    "list-",
];

const ROLES: [&str; 34] = [
    "info",
    "support",
    "admin",
    "administrator",
    "contact",
    "help",
    "hello",
    "security",
    "sales",
    "webmaster",
    "postmaster",
    "hostmaster",
    "abuse",
    "team",
    "dev",
    "office",
    "mail",
    "root",
    "conduct",
    "press",
    "legal",
    "privacy",
    "billing",
    "service",
    "services",
    "feedback",
    "jobs",
    "marketing",
    "news",
    "newsletter",
    "opensource",
    "oss",
    "bugs",
    "hr",
];

/// Files that give addresses on purpose, by the part of their name before the first dot.
const STEMS: &str = " authors contributors maintainers codeowners license licence copying notice mailmap changelog changes \
    history news thanks credits security code_of_conduct contributing copyright license-mit license-apache owners readme ";

/// The same by their whole name.
const NAMES: &str = " package.json composer.json cargo.toml pyproject.toml setup.py setup.cfg pom.xml bower.json pkg-info \
    chart.yaml ";

fn is_given(name: &str) -> bool {
    let lower = name.to_ascii_lowercase();
    let lower = lower.strip_suffix(".orig").unwrap_or(&lower);
    let stem = lower.split('.').find(|part| !part.is_empty()).unwrap_or(lower);
    STEMS.contains(&format!(" {stem} "))
        || NAMES.contains(&format!(" {lower} "))
        || [
            "gemspec", "podspec", "spec", "nuspec", "po", "pot", "cabal", "opam", "nix", "asc", "patch",
            "diff",
        ]
        .iter()
        .any(|e| lower.ends_with(&format!(".{e}")))
}

/// Endings of files that look like those of hosts.
const FILES: &str = " png jpg jpeg gif svg webp ico css scss less js ts jsx tsx json html htm md txt pdf map lock min vue py rb \
    java go sh yml yaml xml so php rs cs kt mjs cjs ttf woff bmp exe dll zip gz tgz tar ";

fn is_host(host: &[u8]) -> bool {
    let mut labels = host.split(|b| *b == b'.');
    let good = labels
        .clone()
        .all(|label| (1..=63).contains(&label.len()) && !label.starts_with(b"-") && !label.ends_with(b"-"));
    let count = labels.clone().count();
    let Some(top) = labels.next_back() else { return false };
    let top = String::from_utf8_lossy(top).to_ascii_lowercase();
    good && count > 1
        && top.len() > 1
        && top.bytes().all(|b| b.is_ascii_alphabetic())
        && !FILES.contains(&format!(" {top} "))
        && host
            .split(|b| *b == b'.')
            .rev()
            .nth(1)
            .is_some_and(|label| label.iter().any(u8::is_ascii_alphabetic))
        && (top.len() == 2 || TOPS.contains(&format!(" {top} ")))
}

/// Endings of the internet that people have addresses under; those of two letters besides.
const TOPS: &str = " com org net edu gov mil int info biz name pro dev app xyz online site tech cloud shop store blog email live life world today \
    team group company agency software systems solutions services network academy digital studio design media global international social space \
    website works world zone email club fun games health care bank finance legal law consulting engineering vlaanderen berlin paris london wien \
    amsterdam tokyo nyc asia africa cat mobi jobs museum travel aero coop tel post arpa swiss eus gal bzh wales scot tirol koeln hamburg ";

/// Domains that documents use.
fn is_sample_host(host: &[u8]) -> bool {
    const HOSTS: &str = " example test invalid localhost domain company email mail foo bar acme yourdomain mydomain your-domain my-domain mysite yoursite site host \
        hostname server corp mycompany yourcompany sample fake dummy nowhere somewhere xxx abc xyz contoso fabrikam a b c x y z acmecorp website users noreply test1 \
        demo testing somedomain otherdomain anotherdomain org foobar doe smith personal address ";
    let host = String::from_utf8_lossy(host).to_ascii_lowercase();
    let Some((names, top)) = host.rsplit_once('.') else { return true };
    matches!(top, "example" | "test" | "invalid" | "local" | "localhost")
        || names.split('.').any(|name| name.starts_with("example") || HOSTS.contains(&format!(" {name} ")))
}

/// Names that stand for anybody.
fn is_stand_in(local: &[u8]) -> bool {
    const NAMES: &str = " user users test tester foo bar baz john jane joe doe me you name someone somebody nobody anyone email address git example your username \
        alice bob eve a b x first.last firstname.lastname johndoe janedoe john.doe jane.doe xyz abc fake noone sample demo ";
    NAMES.contains(&format!(" {} ", String::from_utf8_lossy(local).to_ascii_lowercase()))
}

fn is_robot(local: &[u8]) -> bool {
    let local = local.to_ascii_lowercase();
    [
        &b"noreply"[..],
        b"no-reply",
        b"no_reply",
        b"donotreply",
        b"do-not-reply",
        b"mailer-daemon",
        b"dependabot",
    ]
    .iter()
    .any(|start| local.starts_with(start))
        || local.ends_with(b"[bot]")
        || local.ends_with(b"noreply")
}
