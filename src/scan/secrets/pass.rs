//! One walk over a text: a keyword asks for a look at its surroundings, nothing else is looked at.
//!
//! Must never look at a place twice for the same reason, and never deeper than two layers.

use std::collections::BTreeMap;
use std::ops::Range;

use regex_automata::Input;

use super::assign::{self, Syntax};
use super::rules::{Rule, Trigger, set};
use super::value::{Class, class, is_monotone, is_reference, is_sample_token, is_uuid, judge, judge_url};
use super::{PASSWORD, PRIVATE_KEY, TOKEN, check, files, letters, pem};
use crate::scan::layers::{self, Layer};
use crate::scan::{Confidence, Found, Sink, View};

const DEPTH: u8 = 2;
/// Kinds of resources that Twilio's ids start with.
const SIDS: [&[u8]; 25] = [
    b"AC", b"SK", b"AD", b"AL", b"CA", b"CF", b"CL", b"CN", b"CR", b"FW", b"IP", b"KS", b"MM", b"NO", b"PK",
    b"PN", b"QU", b"RE", b"SC", b"SD", b"SM", b"TR", b"UT", b"XE", b"XR",
];
/// How far around its keyword an issuer's rule may match.
const BEFORE: usize = 160;
const AFTER: usize = 1_200;
const ENOUGH: usize = 600;

/// Scans a file's text and what is wrapped in it.
pub fn scan(view: &View<'_>, sink: &mut Sink<'_>) {
    let mut pass = Pass {
        view,
        text: &view.text,
        outer: None,
        depth: 0,
        layer: String::new(),
        syntax: files::syntax(view),
        sink,
    };
    pass.run();
}

struct Pass<'v, 's, 'k> {
    view: &'v View<'v>,
    text: &'v [u8],
    /// Where this text is in the file, when it was wrapped.
    outer: Option<Range<usize>>,
    depth: u8,
    layer: String,
    syntax: Syntax,
    sink: &'s mut Sink<'k>,
}

/// Offsets up to which each kind of look has been taken.
#[derive(Default)]
struct Done {
    /// For each rule, after its last match, and up to where it was searched.
    rules: BTreeMap<u16, (usize, usize)>,
    word: usize,
    pem: usize,
    jwt: usize,
    der: usize,
    url: usize,
    escape: usize,
}

/// What was found, in the text at hand.
struct Hit<'a> {
    range: Range<usize>,
    secret: &'a [u8],
    code: &'static str,
    rule: &'a str,
    message: &'a str,
    confidence: Confidence,
    more: Option<(&'static str, String)>,
}

impl Pass<'_, '_, '_> {
    fn run(&mut self) {
        let Some(set) = set() else { return };
        let text = self.text;
        let mut done = Done::default();
        set.triggers(text, |trigger, at| match trigger {
            Trigger::Rule(index) => self.rule(&set.rules[usize::from(index)], index, at, &mut done),
            Trigger::Word => self.word(at, &mut done),
            Trigger::Url => self.url(at, &mut done),
            Trigger::Pem => self.pem(at, &mut done),
            Trigger::DerKey => self.der(at, &mut done),
            Trigger::Jwt => self.jwt(at, &mut done),
            Trigger::Scheme => self.scheme(at),
            Trigger::Connect => self.connect(at),
            Trigger::DataSource => self.data_source(at),
            Trigger::Command => self.command(at),
            Trigger::Escape => self.escape(at, &mut done),
        });
        if self.depth == 0 {
            let view = self.view;
            view.runs().iter().for_each(|run| self.run_of_digits(run.clone()));
        } else {
            layers::runs(text, |run| self.run_of_digits(run));
        }
    }

    fn run_of_digits(&mut self, run: Range<usize>) {
        self.sids(run.clone());
        if self.depth < DEPTH
            && let Some(layer) = layers::decode(self.text, run)
        {
            self.deeper(&layer, layer.range.clone());
        }
    }

    fn deeper(&mut self, layer: &Layer, range: Range<usize>) {
        let outer = self.outer.clone().unwrap_or(range);
        let name = if self.layer.is_empty() {
            layer.kind.to_owned()
        } else {
            format!("{}/{}", self.layer, layer.kind)
        };
        let mut inner = Pass {
            view: self.view,
            text: &layer.text,
            outer: Some(outer),
            depth: self.depth + 1,
            layer: name,
            syntax: Syntax::Settings,
            sink: self.sink,
        };
        inner.run();
    }

    fn hit(&mut self, hit: Hit<'_>) {
        let mut attributes = vec![("rule", hit.rule.to_owned())];
        if !self.layer.is_empty() {
            attributes.push(("layer", self.layer.clone()));
        }
        if self.view.aside() {
            attributes.push(("place", "aside".to_owned()));
        }
        attributes.extend(hit.more);
        self.sink.add(Found {
            code: hit.code,
            range: self.outer.clone().unwrap_or(hit.range),
            message: hit.message.to_owned(),
            secret: hit.secret.to_vec(),
            confidence: hit.confidence,
            attributes,
            whole: false,
            plain: false,
        });
    }

    /// Runs an issuer's rule around its keyword.
    fn rule(&mut self, rule: &Rule, index: u16, at: usize, done: &mut Done) {
        let text = self.text;
        let (covered, searched) = done.rules.get(&index).copied().unwrap_or_default();
        let to = text.len().min(at + AFTER);
        let from = at.saturating_sub(BEFORE).max(covered).min(to);
        // Searched far enough after this keyword already; without this, keywords in a row would cost their square.
        if at + ENOUGH <= searched
            || !has_run(&text[from..to.min(at + 400).max(from)])
            || !rule.is_for(self.view.source.path)
        {
            return;
        }
        let Some(regex) = rule.regex() else { return };
        let mut captures = None;
        let mut start = from;
        while start < to {
            let input = Input::new(text).range(start..to);
            // Mostly there is no match, and nothing to be made for its groups.
            if regex.search_half(&input).is_none() {
                break;
            }
            let captures = captures.get_or_insert_with(|| regex.create_captures());
            regex.search_captures(&input, captures);
            let Some(whole) = captures.get_match() else { break };
            start = whole.end().max(start + 1);
            let group = match rule.group {
                Some(group) => captures.get_group(group),
                None => (1..captures.group_len()).find_map(|group| captures.get_group(group)),
            };
            let mut range = group.map_or(whole.start()..whole.end(), |span| span.start..span.end);
            if range.end == to {
                // Cut off where the search ends: the rest of it must not show.
                let rest = text[to..].iter().take(4_000);
                range.end += rest.take_while(|b| b.is_ascii_alphanumeric() || b"_-+/=".contains(b)).count();
            }
            let secret = &text[range.clone()];
            if secret.is_empty()
                || names_other(&text[whole.start()..range.start])
                || letters::entropy(secret) < rule.entropy
                || is_sample_token(secret)
                || is_reference(secret)
                || is_prose(secret)
            {
                continue;
            }
            let (confidence, more) = match check::checksum(secret) {
                Some(true) => (Confidence::High, Some(("checksum", "right".to_owned()))),
                Some(false) => (Confidence::Medium, Some(("checksum", "wrong".to_owned()))),
                None => (Confidence::High, None),
            };
            let message = rule.description.trim_end_matches('.');
            self.hit(Hit { range, secret, code: TOKEN, rule: &rule.id, message, confidence, more });
        }
        done.rules.insert(index, (start.clamp(from, to), to));
    }

    /// Reads a key and its value.
    fn word(&mut self, at: usize, done: &mut Done) {
        if at <= done.word {
            return;
        }
        let text = self.text;
        let key = assign::key(text, at);
        done.word = key.end;
        let Some(pair) = assign::value(text, key.clone(), self.syntax) else { return };
        // `public key: ...` in a sentence.
        let before = text[..key.start].trim_ascii_end();
        if before.len() < key.start
            && before.len() >= 6
            && before[before.len() - 6..].eq_ignore_ascii_case(b"public")
        {
            return;
        }
        let named = text[key.start.saturating_sub(11)..key.end]
            .eq_ignore_ascii_case(b"identified by")
            .then_some(Class::Password);
        let npm = text[key.clone()].ends_with(b"_authToken");
        let login = pair.login.then_some(Class::Password);
        let Some(mut class) = named.or(login).or_else(|| class(&text[key])) else { return };
        let mut range = pair.value;
        // `authorization: 'ApiKey abc=='`
        let content = &text[range.clone()];
        for scheme in [&b"Basic "[..], b"Bearer ", b"ApiKey ", b"Token ", b"token "] {
            if content.starts_with(scheme) {
                range.start += scheme.len();
                class = if class == Class::Password { class } else { Class::Auth };
            }
        }
        let value = trimmed(text, &mut range);
        // Tokens of npm were UUIDs once.
        let judged = if npm && is_uuid(value) && !is_monotone(value) {
            Some(Confidence::Medium)
        } else {
            judge(class, value, pair.quoted).filter(|_| is_no_sample_login(class, value))
        };
        let Some(confidence) = judged else { return };
        // A word of another language looks like noise; what a translation shows is for everybody to read.
        let wordlike = value.iter().all(u8::is_ascii_alphabetic) && value.len() < 24;
        if wordlike && self.view.is_translation() {
            return;
        }
        // Prose has colons too.
        let prose = self.syntax == Syntax::Document
            && !pair.quoted
            && value.len() < 12
            && !value.iter().any(u8::is_ascii_digit);
        if prose || self.sink.covers(&range, Confidence::High) {
            return;
        }
        let (rule, message) = match class {
            Class::Password => ("password", "a password in plain text"),
            Class::Secret => ("secret", "a secret in plain text"),
            Class::Token => ("token", "a token or key in plain text"),
            Class::Auth => ("authorization", "an authorization in plain text"),
            Class::Key => ("key", "a key in plain text"),
        };
        self.hit(Hit { range, secret: value, code: PASSWORD, rule, message, confidence, more: None });
    }

    /// Reads the password of a URL.
    fn url(&mut self, at: usize, done: &mut Done) {
        if at <= done.url {
            return;
        }
        let text = self.text;
        let rest = &text[at..text.len().min(at + 300)];
        let end = rest
            .iter()
            .position(|b| b.is_ascii_whitespace() || b"/\"'`<>\\|^".contains(b))
            .unwrap_or(rest.len());
        done.url = at + end;
        let authority = &rest[..end];
        let Some(host) = memchr::memrchr(b'@', authority) else { return };
        let Some(colon) = memchr::memchr(b':', &authority[..host]) else { return };
        let (user, password) = (&authority[..colon], &authority[colon + 1..host]);
        let name = &authority[host + 1..];
        let sample = [&b"example."[..], b"host", b"hostname", b"domain"].iter().any(|s| name.starts_with(s))
            && name.len() < 12;
        let Some(confidence) = judge_url(user, password).filter(|_| !sample) else { return };
        let range = at + colon + 1..at + host;
        self.hit(Hit {
            range,
            secret: password,
            code: PASSWORD,
            rule: "url",
            message: "a password in a URL",
            confidence,
            more: None,
        });
    }

    fn pem(&mut self, at: usize, done: &mut Done) {
        if at <= done.pem {
            return;
        }
        let text = self.text;
        if text[..at].ends_with(b"File") || text[..at].ends_with(b"file") {
            return self.putty(at, done);
        }
        let start = at - b"-----BEGIN".len();
        let Some(key) = pem::at(text, start) else { return };
        done.pem = key.range.end;
        done.der = done.der.max(key.range.end);
        let (confidence, more) = if key.encrypted {
            (Confidence::Low, Some(("encrypted", "yes".to_owned())))
        } else {
            (Confidence::High, None)
        };
        let message = if key.encrypted { "a private key behind a passphrase" } else { "a private key" };
        self.hit(Hit {
            range: key.range,
            secret: &key.body,
            code: PRIVATE_KEY,
            rule: "pem",
            message,
            confidence,
            more,
        });
    }

    fn putty(&mut self, at: usize, done: &mut Done) {
        let text = self.text;
        let rest = &text[at..text.len().min(at + 8_000)];
        let Some(lines) = memchr::memmem::find(rest, b"Private-Lines:") else { return };
        let body = &rest[lines + b"Private-Lines:".len()..];
        let mut solid = body.iter().skip_while(|b| b.is_ascii_digit() || b" \\rn\n".contains(b)).copied();
        let secret: Vec<u8> = solid
            .by_ref()
            .take_while(|b| b.is_ascii_alphanumeric() || b"+/=\n\r".contains(b))
            .filter(u8::is_ascii_graphic)
            .collect();
        let encrypted = memchr::memmem::find(&rest[..lines], b"Encryption: none").is_none();
        if secret.len() < 28 {
            return;
        }
        done.pem = at + lines;
        let confidence = if encrypted { Confidence::Low } else { Confidence::High };
        let range = at - b"PuTTY-User-Key-File".len()..at + lines;
        self.hit(Hit {
            range,
            secret: &secret,
            code: PRIVATE_KEY,
            rule: "putty",
            message: "a private key of PuTTY",
            confidence,
            more: None,
        });
    }

    /// A private key in base64 without a head, by how its numbers start.
    fn der(&mut self, at: usize, done: &mut Done) {
        if at <= done.der {
            return;
        }
        let text = self.text;
        let is_body = |b: &u8| b.is_ascii_alphanumeric() || b"+/=".contains(b);
        let start = at - text[..at].iter().rev().take(64).take_while(|b| is_body(b)).count();
        let end = at + text[at..].iter().take(8_000).take_while(|b| is_body(b)).count();
        done.der = end;
        let body = &text[start..end];
        let headed = text[..start].trim_ascii_end().ends_with(b"-----");
        if headed
            || body.len() < 60
            || !(body.starts_with(b"MII") || body.starts_with(b"MIG"))
            || letters::entropy(body) < 4.0
        {
            return;
        }
        self.hit(Hit {
            range: start..end,
            secret: body,
            code: PRIVATE_KEY,
            rule: "der",
            message: "a private key in base64",
            confidence: Confidence::High,
            more: None,
        });
    }

    fn jwt(&mut self, at: usize, done: &mut Done) {
        let text = self.text;
        let start = at - 3;
        if start < done.jwt || !text[start..at].starts_with(b"eyJ") {
            return;
        }
        if start > 0 && (text[start - 1].is_ascii_alphanumeric() || b"_-".contains(&text[start - 1])) {
            return;
        }
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
        let end = at + text[at..].iter().take(12_000).take_while(|b| is_part(b)).count();
        let token = text[start..end].trim_ascii_end();
        done.jwt = end;
        let confidence = match check::jwt(token) {
            Some(check::Jwt::Signed) => Confidence::High,
            Some(check::Jwt::Unsigned) => Confidence::Medium,
            Some(check::Jwt::Sample) | None => return,
        };
        self.hit(Hit {
            range: start..end,
            secret: token,
            code: TOKEN,
            rule: "jwt",
            message: "a JSON web token",
            confidence,
            more: None,
        });
    }

    /// `Basic` and `Bearer` in headers.
    fn scheme(&mut self, at: usize) {
        let text = self.text;
        let is_part = |b: &u8| b.is_ascii_alphanumeric() || b"+/=_-.~".contains(b);
        let end = at + text[at..].iter().take(2_000).take_while(|b| is_part(b)).count();
        let mut range = at..end;
        let value = trimmed(text, &mut range);
        // After a header's name or a quote, not in a sentence.
        let before = &text[at.saturating_sub(40)..at];
        let ahead = before.iter().rev().find(|b| **b != b' ' && !b.is_ascii_alphabetic());
        let quoted = ahead.is_some_and(|b| b":\"'`=".contains(b));
        let listed = ahead == Some(&b'-');
        let token_like = value.len() >= 20 && value.iter().any(u8::is_ascii_digit);
        if !(quoted || (listed && token_like))
            || value.len() < 12
            || self.sink.covers(&range, Confidence::Medium)
        {
            return;
        }
        let bearer = before.to_ascii_lowercase().ends_with(b"bearer ");
        let class = if bearer { Class::Token } else { Class::Auth };
        let Some(confidence) = judge(class, value, true).filter(|_| is_no_sample_login(class, value)) else {
            return;
        };
        let (code, rule, message) = if bearer {
            (TOKEN, "bearer", "a bearer token in plain text")
        } else {
            (PASSWORD, "basic-authorization", "a user and password in base64")
        };
        self.hit(Hit { range, secret: value, code, rule, message, confidence, more: None });
    }

    /// Ids of Twilio's resources: two letters, 32 hex digits.
    fn sids(&mut self, run: Range<usize>) {
        let text = self.text;
        let mut start = run.start;
        for part in text[run].split(|b| *b == b'/') {
            let range = start..start + part.len();
            start = range.end + 1;
            let Some((kind, digits)) = part.split_at_checked(2).filter(|(_, digits)| digits.len() == 32)
            else {
                continue;
            };
            let hex = |b: &u8| b.is_ascii_digit() || (b'a'..=b'f').contains(b);
            if !SIDS.contains(&kind)
                || !digits.iter().all(hex)
                || letters::entropy(digits) < 3.0
                || is_sample_token(part)
            {
                continue;
            }
            let opens = kind == b"AC" || kind == b"SK";
            let message = if opens {
                "a Twilio account or key id, which names what its token opens"
            } else {
                "the id of a Twilio resource"
            };
            let confidence = if opens { Confidence::High } else { Confidence::Medium };
            self.hit(Hit {
                range,
                secret: part,
                code: TOKEN,
                rule: "twilio-sid",
                message,
                confidence,
                more: None,
            });
        }
    }

    /// `new PDO("mysql:host=db", "user", "password")`
    fn connect(&mut self, at: usize) {
        let text = self.text;
        let Some((user, range)) = assign::third(text, at) else { return };
        let password = &text[range.clone()];
        if self.sink.covers(&range, Confidence::Medium) {
            return;
        }
        let Some(confidence) = judge_url(&text[user], password) else { return };
        self.connection(range, confidence, "a password for a connection");
    }

    fn connection(&mut self, range: Range<usize>, confidence: Confidence, message: &'static str) {
        let secret = &self.text[range.clone()];
        self.hit(Hit { range, secret, code: PASSWORD, rule: "connection", message, confidence, more: None });
    }

    /// `user:password@tcp(host:3306)/name`
    fn data_source(&mut self, at: usize) {
        let text = self.text;
        let Some(end) = memchr::memrchr(b'@', &text[..at]) else { return };
        let back = text[..end].iter().rev().take(160);
        let start = end - back.take_while(|b| !b.is_ascii_whitespace() && !b"\"'`=<>".contains(b)).count();
        let Some(colon) = memchr::memchr(b':', &text[start..end]) else { return };
        let (user, range) = (&text[start..start + colon], start + colon + 1..end);
        let password = &text[range.clone()];
        let Some(confidence) = judge_url(user, password) else { return };
        self.connection(range, confidence, "a password in a data source");
    }

    /// `curl -u user:password`, `sshpass -p password`, `mysql -ppassword`, `ConvertTo-SecureString "password"`
    fn command(&mut self, at: usize) {
        let text = self.text;
        let rest = &text[at..text.len().min(at + 300)];
        let line = &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())];
        let program = text[..at].trim_ascii_end();
        let ends = |word: &[u8]| {
            program.len() >= word.len() && program[program.len() - word.len()..].eq_ignore_ascii_case(word)
        };
        let login = program.ends_with(b"curl") || program.ends_with(b"wget");
        let options: &[&[u8]] = match program {
            _ if login => &[b" -u ", b" --user ", b" --user=", b"-u "],
            _ if program.ends_with(b"sshpass") || program.ends_with(b"login") => &[b"-p ", b"--password "],
            _ if program.ends_with(b"redis-cli") => &[b"-a "],
            _ if ends(b"securestring") => &[b"-String ", b""],
            _ => &[b" -p", b"-p"],
        };
        let Some(option) =
            options.iter().find_map(|option| memchr::memmem::find(line, option).map(|i| i + option.len()))
        else {
            return;
        };
        let quote = usize::from(matches!(line.get(option), Some(b'"' | b'\'')));
        let start = option + quote;
        let length =
            line[start..].iter().take_while(|b| !b.is_ascii_whitespace() && !b"\"'`;|)".contains(b)).count();
        let value = &line[start..start + length];
        let (user, skip) = match memchr::memchr(b':', value).filter(|_| login) {
            Some(colon) => (&value[..colon], colon + 1),
            None if login => return,
            None => (&value[..0], 0),
        };
        let range = at + start + skip..at + start + length;
        let password = &text[range.clone()];
        let Some(confidence) = judge_url(user, password) else { return };
        let message = "a password on a command line";
        self.hit(Hit {
            range,
            secret: password,
            code: PASSWORD,
            rule: "command",
            message,
            confidence,
            more: None,
        });
    }

    /// Undoes the escapes of the line and looks again.
    fn escape(&mut self, at: usize, done: &mut Done) {
        if at <= done.escape || self.depth >= DEPTH {
            return;
        }
        let text = self.text;
        let from = at - text[..at].iter().rev().take(400).take_while(|b| **b != b'\n').count();
        let to = at + text[at..].iter().take(2_000).take_while(|b| **b != b'\n').count();
        let from = from.max(done.escape);
        done.escape = to;
        if let Some(layer) = layers::unescaped(&text[from..to]) {
            // What shows without undoing is found without.
            self.deeper(&layer, from..to);
        }
    }
}

/// Takes off what closes a sentence or a list.
fn trimmed<'t>(text: &'t [u8], range: &mut Range<usize>) -> &'t [u8] {
    while range.len() > 1 && matches!(text[range.end - 1], b'.' | b',' | b';' | b'\r' | b' ' | b'\t') {
        range.end -= 1;
    }
    while range.len() > 1 && matches!(text[range.start], b' ' | b'\t') {
        range.start += 1;
    }
    &text[range.clone()]
}

/// Is there anything as long as a token?
fn has_run(text: &[u8]) -> bool {
    let mut run = 0;
    text.iter().any(|b| {
        run = if b.is_ascii_alphanumeric() || b"_-+/=.~:".contains(b) { run + 1 } else { 0 };
        run >= 14
    })
}

/// A user and password in base64 are judged as what they say.
fn is_no_sample_login(class: Class, value: &[u8]) -> bool {
    use base64::Engine as _;
    let Some(login) = (class == Class::Auth).then(|| super::STANDARD.decode(value).ok()).flatten() else {
        return true;
    };
    let text = login.iter().all(|b| (32..127).contains(b));
    let Some(colon) = memchr::memchr(b':', &login).filter(|_| text) else { return true };
    judge_url(&login[..colon], &login[colon + 1..]).is_some()
}

/// `DISCORD_SHA256=`, `linear_commit: `: what is named after an issuer is not always its token.
fn names_other(head: &[u8]) -> bool {
    const OTHERS: [&[u8]; 16] = [
        b"sha",
        b"md5",
        b"hash",
        b"digest",
        b"checksum",
        b"commit",
        b"revision",
        b"integrity",
        b"fingerprint",
        b"etag",
        b"publishable",
        b"public",
        b"version",
        b"nonce",
        b"image",
        b"uuid",
    ];
    let mut other = false;
    letters::pieces(head, |piece| other |= OTHERS.iter().any(|word| piece.eq_ignore_ascii_case(word)));
    other
}

/// Words with hyphens and the like are not a token.
fn is_prose(secret: &[u8]) -> bool {
    let look = letters::Look::at(secret);
    look.digits == 0 && look.letters > 0 && look.worded * 10 > look.letters * 8
}
