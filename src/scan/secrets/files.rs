//! Files that are made to hold credentials, by their kind.
//!
//! Must never report the file itself: only a secret in it is one.

use super::CREDENTIAL_FILE;
use super::assign::Syntax;
use super::value::{is_monotone, is_reference, is_sample_token};
use crate::scan::{Confidence, Found, Sink, View};

/// Returns how a file writes values.
pub fn syntax(view: &View<'_>) -> Syntax {
    const SETTINGS: [&str; 39] = [
        "yml",
        "yaml",
        "properties",
        "ini",
        "conf",
        "cfg",
        "cnf",
        "config",
        "toml",
        "tfvars",
        "hcl",
        "env",
        "npmrc",
        "pypirc",
        "example",
        "sample",
        "dist",
        "tmpl",
        "tpl",
        "template",
        "txt",
        "rsp",
        "response",
        "credentials",
        "list",
        "prefs",
        "http",
        "rest",
        "j2",
        "bak",
        "old",
        "orig",
        "vars",
        "secret",
        "secrets",
        "local",
        "prod",
        "production",
        "staging",
    ];
    const SHELL: [&str; 8] = ["sh", "bash", "zsh", "ksh", "fish", "bat", "cmd", "ps1"];
    let name = view.lower().rsplit('/').next().unwrap_or_default();
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    if SHELL.contains(&extension)
        || name.starts_with("dockerfile")
        || name.ends_with("profile")
        || name.ends_with("rc") && !name.contains("npm")
    {
        return Syntax::Shell;
    }
    if ["md", "markdown", "rst", "adoc", "asciidoc"].contains(&extension) {
        return Syntax::Document;
    }
    let env = name.starts_with(".env") || name.starts_with("env.");
    if SETTINGS.contains(&extension)
        || env
        || (extension.is_empty()
            && view.text.first().is_some_and(|b| *b != b'#' || !view.text.starts_with(b"#!")))
    {
        return Syntax::Settings;
    }
    // `.s3cfg`, `.tugboat`: a name without an ending.
    if name.starts_with('.') && name.rfind('.') == Some(0) {
        return Syntax::Settings;
    }
    if extension.is_empty() { Syntax::Shell } else { Syntax::Code }
}

/// Reports what the kinds of file say that no key and no format would.
pub fn scan(view: &View<'_>, sink: &mut Sink<'_>) {
    match view.file_name() {
        ".netrc" | "_netrc" => each_line(view, sink, "netrc", |line| word_after(line, b"password")),
        ".pgpass" | "pgpass.conf" => each_line(view, sink, "pgpass", |line| field(line, 4)),
        ".htpasswd" | "htpasswd" => each_line(view, sink, "htpasswd", |line| field(line, 1)),
        "shadow" => each_line(view, sink, "shadow", |line| field(line, 1).filter(|f| f.1 > 8)),
        ".git-credentials" => each_line(view, sink, "git credentials", |line| {
            let start = memchr::memmem::find(line, b"://")? + 3;
            let at = start + memchr::memchr(b':', &line[start..])? + 1;
            let len = memchr::memchr(b'@', &line[at..])?;
            Some((at, len))
        }),
        ".pypirc" => each_line(view, sink, "pypirc", |line| word_after_sign(line, b"password")),
        "master.key" => each_line(view, sink, "rails master key", |line| {
            let key = line.trim_ascii();
            (key.len() == 32 && key.iter().all(u8::is_ascii_hexdigit)).then_some((0, 32))
        }),
        "config.json" | "docker-config.json" if has(view, b"\"auths\"") => auths(view, sink),
        "kubeconfig" | "config" if has(view, b"client-key-data") || has(view, b"users:") => kube(view, sink),
        _ => {}
    }
    if view.file_name() == ".dockercfg" || view.file_name() == ".dockerconfigjson" {
        auths(view, sink);
    }
    if view.file_name() == ".npmrc" {
        each_line(view, sink, "npmrc", |line| {
            [&b":_authToken="[..], b":_password=", b"_auth=", b":_authToken = "].iter().find_map(|key| {
                let at = memchr::memmem::find(line, key)? + key.len();
                Some((at, line[at..].trim_ascii_end().len()))
            })
        });
    }
}

fn has(view: &View<'_>, part: &[u8]) -> bool {
    memchr::memmem::find(&view.text, part).is_some()
}

/// Offset and length in a line.
type Span = (usize, usize);

fn each_line(view: &View<'_>, sink: &mut Sink<'_>, kind: &'static str, find: impl Fn(&[u8]) -> Option<Span>) {
    let mut start = 0;
    for line in view.text.split_inclusive(|b| *b == b'\n') {
        let comment = line.trim_ascii_start().starts_with(b"#");
        if let Some((at, len)) = find(line).filter(|_| !comment) {
            let value = line[at..at + len].trim_ascii();
            // `{SHA}...` is what a file of passwords holds.
            let reference = is_reference(value) && !value.starts_with(b"{S");
            if value.len() > 3 && !reference && !is_monotone(value) && !is_sample_token(value) {
                sink.add(Found {
                    code: CREDENTIAL_FILE,
                    range: start + at..start + at + len,
                    message: format!("a credential in a {kind} file"),
                    secret: value.to_vec(),
                    confidence: Confidence::High,
                    attributes: vec![("rule", kind.to_owned())],
                    whole: false,
                    plain: false,
                });
            }
        }
        start += line.len();
    }
}

fn word_after(line: &[u8], key: &[u8]) -> Option<Span> {
    let mut at = memchr::memmem::find(line, key)? + key.len();
    let blank = line[at..].iter().take_while(|b| b.is_ascii_whitespace()).count();
    at += blank;
    let len = line[at..].iter().take_while(|b| !b.is_ascii_whitespace()).count();
    (blank > 0 && len > 0).then_some((at, len))
}

fn word_after_sign(line: &[u8], key: &[u8]) -> Option<Span> {
    let rest = line.trim_ascii_start().strip_prefix(key)?.trim_ascii_start();
    let rest = rest.strip_prefix(b"=").or_else(|| rest.strip_prefix(b":"))?;
    let value = rest.trim_ascii();
    let at = line.len() - rest.len() + rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
    (!value.is_empty()).then_some((at, value.len()))
}

/// The n-th field of a line with colons.
fn field(line: &[u8], nth: usize) -> Option<Span> {
    let mut at = 0;
    for (index, part) in line.split(|b| *b == b':').enumerate() {
        if index == nth {
            let len = part.trim_ascii_end().len();
            return (len > 3 && !part.starts_with(b" ")).then_some((at, len));
        }
        at += part.len() + 1;
    }
    None
}

/// `"auth": "base64 of user:password"`
fn auths(view: &View<'_>, sink: &mut Sink<'_>) {
    each_line(view, sink, "docker config", |line| {
        let at = memchr::memmem::find(line, b"\"auth\"")? + 6;
        let open = memchr::memchr(b'"', &line[at..])? + at + 1;
        let len = memchr::memchr(b'"', &line[open..])?;
        (len > 7).then_some((open, len))
    });
}

fn kube(view: &View<'_>, sink: &mut Sink<'_>) {
    each_line(view, sink, "kubeconfig", |line| {
        [&b"client-key-data"[..], b"token", b"password"].iter().find_map(|key| {
            let line_start = line.iter().take_while(|b| b" \t-".contains(b)).count();
            let rest = line[line_start..].strip_prefix(*key)?.strip_prefix(b":")?;
            let value = rest.trim_ascii();
            let at = line.len() - rest.len() + rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
            (value.len() > 7).then_some((at, value.len()))
        })
    });
}
