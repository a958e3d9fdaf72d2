//! Is a value a secret, or what people write where a secret would be?
//!
//! Must never look further than the value and its key.

use super::letters::{Look, entropy, is_word, pieces};
use crate::scan::Confidence;

/// What a key promises about its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A password or passphrase, often chosen by a person.
    Password,
    /// Something called secret, or credential.
    Secret,
    /// A token or a key of an API.
    Token,
    /// An authorization.
    Auth,
    /// Anything called key.
    Key,
}

/// Last words of keys that name something about a secret, not the secret.
const ABOUT: &str = " mint contract length len type types field fields url uri urls name names path file files filename dir label hint placeholder error \
    errors message msg policy regex pattern min max size count expiry expires expire expiration ttl timeout lifetime age header headers \
    param params parameter endpoint enabled disabled required optional prompt title text input class format algorithm alg method mode \
    version status state index prefix suffix timestamp time date host port env column table arn ref scope scopes provider help description desc \
    info reset store manager service page form link fingerprint alias rotation strategy realm issuer domain attempts retries failed \
    failure success valid invalid validation validator confirm confirmation changed strength rules rule visible hidden show toggle icon button id ids \
    hash digest checksum sha salt nonce iv user username email address algo usage uses limit budget source target event events action \
    handler callback func function generator factory builder provider value? selector locator xpath element cookie? stub symbol style encryption scheme ";

/// Words in keys that make a key something else.
const OTHER_KEYS: &str = " label lbl i18n msgid locale translate forgot wrong  public pub primary foreign sort partition cache translation i18n keyboard hot shortcut press down up code \
    keyword keywords keys tokenizer tokenize tokens monkey turkey hockey donkey author authors authored authority authorities nonce salt \
    csrf xsrf signature hashed sealed hash checksum digest fingerprint sha sha1 sha256 md5 commit revision etag integrity uuid guid sitekey site ";

/// Words that show that a value stands for another.
const DUMMIES: &str = " example examples sample dummy fake changeme change placeholder your insert replace todo test tests testing tester mock foo bar baz \
    foobar redacted hidden removed none null undefined nil empty default string value enter here must please my some any the not secret secrets \
    password passwd pass token tokens key keys admin root user username client consumer demo invalid wrong bad good old new valid hello world \
    letmein qwerty asdf lorem ipsum stub blah bogus temp temporary tmp unused ignore ignored encrypted encoded hashed ";

fn listed(list: &str, word: &[u8]) -> bool {
    let mut padded = vec![b' '];
    padded.extend(word.iter().map(u8::to_ascii_lowercase));
    padded.push(b' ');
    memchr::memmem::find(list.as_bytes(), &padded).is_some()
}

/// Returns what a key promises, if it does.
pub fn class(key: &[u8]) -> Option<Class> {
    let name = key.rsplit(|b| *b == b'.').find(|part| !part.is_empty()).unwrap_or(key);
    let lower = name.to_ascii_lowercase();
    let has = |word: &str| memchr::memmem::find(&lower, word.as_bytes()).is_some();
    let (mut last, mut other) = (Vec::new(), false);
    let (mut exact_pass, mut exact_key, mut exact_auth, mut words) = (false, false, false, 0);
    pieces(name, |piece| {
        if piece[0].is_ascii_digit() {
            return;
        }
        words += 1;
        let piece = piece.to_ascii_lowercase();
        other |= listed(OTHER_KEYS, &piece);
        exact_pass |= matches!(
            piece.as_slice(),
            b"pass"
                | b"pw"
                | b"pswd"
                | b"passcode"
                | b"userpass"
                | b"dbpass"
                | b"requirepass"
                | b"rootpw"
                | b"bindpw"
                | b"psk"
        );
        exact_key |= piece == b"key" || piece.ends_with(b"key");
        exact_auth |= matches!(
            piece.as_slice(),
            b"auth" | b"authorization" | b"oauth" | b"authentication" | b"masterauth"
        );
        last = piece;
    });
    if other || listed(ABOUT, &last) || words > 8 {
        return None;
    }
    if has("password") || has("passwd") || has("pwd") || has("passphrase") || has("passwort") || exact_pass {
        return Some(Class::Password);
    }
    if has("secret") || has("credential") || last == b"creds" || last == b"cred" {
        return Some(Class::Secret);
    }
    if has("token") || has("apikey") || has("api_key") || has("api-key") {
        return Some(Class::Token);
    }
    if exact_key {
        const KINDS: [&str; 14] = [
            "api", "access", "private", "auth", "consumer", "encrypt", "account", "shared", "master", "sign",
            "app", "service", "license", "deploy",
        ];
        return Some(if KINDS.iter().any(|kind| has(kind)) { Class::Token } else { Class::Key });
    }
    exact_auth.then_some(Class::Auth)
}

/// Tells whether a value refers to a secret, or is a template for one.
pub fn is_reference(value: &[u8]) -> bool {
    let has = |part: &str| memchr::memmem::find(value, part.as_bytes()).is_some();
    let starts = |part: &str| value.starts_with(part.as_bytes());
    if starts("${") || starts("$(") {
        return true;
    }
    if starts("$") && value.get(1).is_some_and(|b| b.is_ascii_alphabetic() || b"{(_".contains(b)) {
        // `$abc` is a variable; `$x9!..` may be a password.
        return value[1..].iter().all(|b| b.is_ascii_alphanumeric() || b"_{}().:-".contains(b));
    }
    [
        "${",
        "#{",
        "{{",
        "}}",
        "<%",
        "%>",
        "%(",
        "$(",
        "()",
        "process.env",
        "os.environ",
        "getenv",
        "[[",
        "://",
        "->",
        "=>",
        "&&",
        "||",
    ]
    .iter()
    .any(|part| has(part))
        || [
            "<",
            "%{",
            "{",
            "arn:",
            "ref+",
            "vault:",
            "op://",
            "secret://",
            "ENC[",
            "env:",
            "!Ref",
            "!ENV",
            "file:",
            "urn:",
            "data:",
        ]
        .iter()
        .any(|part| starts(part))
        || (starts("@") && value[1..].iter().all(|b| b.is_ascii_alphanumeric() || b"_./:-()".contains(b)))
        || (starts("%") && value.ends_with(b"%"))
        || (starts("__") && value.ends_with(b"__"))
        || (value.len() < 40 && ["%s", "%d", "%v", "{}", "{0}", "..."].iter().any(|part| has(part)))
}

/// Tells whether a long value is one to be filled in; signs that chance brings together do not say so.
fn is_template(value: &[u8]) -> bool {
    ["${", "{{", "}}", "<%", "%>", "process.env", "os.environ", "getenv", "://", "=>", "->"]
        .iter()
        .any(|part| memchr::memmem::find(value, part.as_bytes()).is_some())
}

/// Tells whether a value is a run of one thing: `aaaa`, `1234567`, `abcabcabc`.
pub fn is_monotone(value: &[u8]) -> bool {
    if value.len() < 4 {
        return false;
    }
    let steps = |step: i16| value.windows(2).filter(|w| i16::from(w[1]) - i16::from(w[0]) == step).count();
    let most = value.len() - 1 - value.len() / 6;
    if steps(0) >= most || steps(1) >= most || steps(-1) >= most {
        return true;
    }
    let distinct: std::collections::BTreeSet<u8> = value.iter().copied().collect();
    distinct.len() <= (2 + value.len() / 16).min(6)
        || (1..=value.len() / 3).any(|n| value.iter().skip(n).eq(value[..value.len() - n].iter()))
}

/// Tells whether a token of a known format is one of those that documents show.
pub fn is_sample_token(token: &[u8]) -> bool {
    let lower = token.to_ascii_lowercase();
    let has = |part: &str| memchr::memmem::find(&lower, part.as_bytes()).is_some();
    if [
        "example",
        "xxxxx",
        "placeholder",
        "your",
        "dummy",
        "abcdefghij",
        "1234567890abcdef",
        "0123456789",
        "redacted",
        "changeme",
        "123456789012345",
        "deadbeef",
        "aaaaaaa",
        "0000000",
    ]
    .iter()
    .any(|part| has(part))
    {
        return true;
    }
    let tail = &token[token.iter().rposition(|b| b"_-.".contains(b)).map_or(0, |at| at + 1)..];
    is_monotone(token) || (tail.len() > 11 && is_monotone(tail))
}

/// `s3cr3t` and `P@ssw0rd1` are what they spell.
fn is_disguised(value: &[u8]) -> bool {
    let spelled: Vec<u8> = value
        .trim_ascii()
        .iter()
        .map(|b| match b {
            b'0' => b'o',
            b'1' | b'!' => b'i',
            b'3' => b'e',
            b'4' | b'@' => b'a',
            b'5' | b'$' => b's',
            b'7' => b't',
            other => other.to_ascii_lowercase(),
        })
        .collect();
    ["secret", "password", "changeme", "letmein", "default", "topsecret", "passwd"]
        .iter()
        .any(|word| spelled.starts_with(word.as_bytes()) && value.len() < word.len() + 5)
}

/// What is left of a password when only its check is kept.
fn is_hash_of_password(value: &[u8]) -> bool {
    const MARKS: [&[u8]; 14] = [
        b"$2a$",
        b"$2b$",
        b"$2y$",
        b"$argon2",
        b"$1$",
        b"$5$",
        b"$6$",
        b"$y$",
        b"$apr1$",
        b"$pbkdf2",
        b"pbkdf2",
        b"{SSHA",
        b"{SHA",
        b"SCRAM-SHA",
    ];
    MARKS.iter().any(|mark| value.starts_with(mark))
        || value.starts_with(b"sha256:")
        || value.starts_with(b"sha512-")
        || value.starts_with(b"sha256-")
}

pub fn is_uuid(value: &[u8]) -> bool {
    value.len() == 36
        && value
            .iter()
            .enumerate()
            .all(|(i, b)| if matches!(i, 8 | 13 | 18 | 23) { *b == b'-' } else { b.is_ascii_hexdigit() })
}

/// Tells whether a value is made to be seen: a recipient of age, a key of SSH, the address of a contract, the id of a key, a sealed
/// secret.
fn is_public(value: &[u8]) -> bool {
    value.starts_with(b"age1")
        || (value.starts_with(b"Ag") && value.len() >= 300)
        || value.starts_with(b"ssh-")
        || value.starts_with(b"ecdsa-sha2-")
        || value
            .strip_prefix(b"0x")
            .is_some_and(|d| (d.len() <= 16 || d.len() == 40) && d.iter().all(u8::is_ascii_hexdigit))
}

/// Endings of files and hosts.
const FILES: &str = " pem key crt cer json yaml yml toml txt md js ts py rb go rs java php html css xml env conf cfg ini sh com \
    org net io dev local ";

/// Tells whether a value is a name with a day, as versions of interfaces and models have: `oauth-2025-04-20`.
fn is_dated_name(value: &[u8]) -> bool {
    let day = |at: &[u8]| {
        at.iter().enumerate().all(|(i, b)| if [4, 7].contains(&i) { *b == b'-' } else { b.is_ascii_digit() })
            && (at.starts_with(b"19") || at.starts_with(b"20"))
            && (b"01"[..].contains(&at[5]) && b"0123"[..].contains(&at[8]))
    };
    value.windows(10).enumerate().any(|(at, window)| {
        let rest = [&value[..at], &value[at + 10..]].concat();
        let look = Look::at(&rest);
        day(window)
            && rest.len() <= 40
            && (look.worded * 2 > look.letters || look.letters <= 2)
            && look.digits <= 2
            && rest.iter().all(|b| b.is_ascii_alphanumeric() || b"-._/:".contains(b))
    })
}

/// Tells whether a value is a path, a host, a file, a type or a dotted name rather than a secret.
fn is_name(value: &[u8], look: &Look) -> bool {
    if value.starts_with(b"/")
        || value.starts_with(b"./")
        || value.starts_with(b"../")
        || value.starts_with(b"~/")
    {
        return look.worded * 3 > look.letters || memchr::memchr_iter(b'/', value).count() > 2;
    }
    let ending = value.rsplit(|b| *b == b'.').next().unwrap_or_default();
    if ending.len() < value.len() && listed(FILES, ending) {
        return true;
    }
    // `self.token`, `config.db.password`, `Foo::Bar`, `user[:token]`
    let dotted = value.iter().any(|b| b".:[]".contains(b))
        && value.iter().all(|b| b.is_ascii_alphanumeric() || b"._:[]'\"-".contains(b));
    dotted && look.digits == 0 && look.worded * 2 > look.letters
}

/// Judges the value of a key; `quoted` tells that it is a literal for sure.
pub fn judge(class: Class, value: &[u8], quoted: bool) -> Option<Confidence> {
    let least = match (class, quoted) {
        (Class::Password, true) => 5,
        (Class::Password | Class::Secret | Class::Token, _) => 6,
        (Class::Auth, _) => 8,
        (Class::Key, _) => 16,
    };
    if value.len() < least || value.len() > 1_000 || is_monotone(value) {
        return None;
    }
    let reference = is_reference(value);
    // Nobody chooses a password of that length; frameworks make up secrets with signs that mean something by chance.
    let long = value.len() >= 40 && class != Class::Password;
    if reference && (!long || value.contains(&b' ') || is_template(value)) {
        return None;
    }
    // What a framework makes up for itself has signs of all kinds, spaces too.
    if quoted
        && class != Class::Key
        && value.len() >= 40
        && !is_hash_of_password(value)
        && value.iter().all(|b| (32..127).contains(b))
        && entropy(value) >= 4.2
    {
        let look = Look::at(value);
        if look.digits > 0 && look.others > 3 && look.worded * 2 < look.letters && !is_name(value, &look) {
            return Some(Confidence::Medium);
        }
    }
    // Letters of other alphabets are a language's.
    if reference
        || value.iter().any(|b| b.is_ascii_whitespace() || *b < 32 || *b > 126)
        || is_hash_of_password(value)
    {
        return None;
    }
    // A web token is judged by what is in it.
    if value.starts_with(b"eyJ") && value.contains(&b'.') {
        return None;
    }
    let look = Look::at(value);
    if look.letters == 0 || is_name(value, &look) {
        return None;
    }
    if is_uuid(value) || is_dated_name(value) || is_public(value) {
        return None;
    }
    let mut dummy = 0;
    pieces(value, |piece| {
        if piece.len() > 2 && listed(DUMMIES, piece) {
            dummy += piece.len();
        }
    });
    if dummy * 3 > value.len() || is_sample_token(value) || is_disguised(value) {
        return None;
    }
    let punctuation = look.others;
    let random = look.is_random();
    match class {
        Class::Password => {
            let classes = usize::from(look.lower > 0)
                + usize::from(look.upper > 0)
                + usize::from(look.digits > 0)
                + usize::from(punctuation > 0);
            // Names have hyphens and digits; what people add to make a password strong is another sign.
            let sign = value.iter().any(|b| b"!@#$%^&*?~+=|".contains(b));
            let strong = classes >= 3 && sign && value.len() >= 8 && look.digits > 0 && dummy == 0;
            // Code is full of punctuation; a password has some.
            let codelike = punctuation * 3 > value.len() * 2
                || (punctuation * 2 > value.len() && value.iter().any(|b| b"()[]{}<>;,=/\\".contains(b)))
                || value.iter().any(|b| b"(){};,".contains(b)) && !quoted;
            if codelike || !(random || strong) || (!quoted && !strong && look.digits == 0 && value.len() < 8)
            {
                return None;
            }
            Some(Confidence::Medium)
        }
        Class::Secret | Class::Token => {
            if !random || value.iter().any(|b| b"(){};,<>[]\\ ".contains(b)) || punctuation * 3 > value.len()
            {
                return None;
            }
            (value.len() >= 12 || look.digits > 0 || quoted).then_some(Confidence::Medium)
        }
        Class::Auth | Class::Key => {
            let plain = value.iter().all(|b| b.is_ascii_alphanumeric() || b"+/=_-.~".contains(b));
            let mixed = look.digits > 0 || (look.upper > 0 && look.lower > 0);
            let bits = entropy(value);
            let enough = if class == Class::Key { bits >= 3.5 && look.digits > 0 } else { bits >= 2.5 };
            (plain && random && mixed && enough).then_some(Confidence::Medium)
        }
    }
}

/// Judges the password of a URL, which has no key but its place.
pub fn judge_url(user: &[u8], password: &[u8]) -> Option<Confidence> {
    if password.len() < 4 || password == user || is_reference(password) || is_monotone(password) {
        return None;
    }
    let look = Look::at(password);
    let words = look.digits == 0 && look.others == 0 && is_word(password);
    if look.letters == 0 || words {
        return None;
    }
    judge(Class::Password, password, true).or_else(|| {
        (look.is_random() && !is_sample_token(password) && password.iter().all(|b| !b.is_ascii_whitespace()))
            .then_some(Confidence::Medium)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_promise() {
        for (key, expected) in [
            ("password", Some(Class::Password)),
            ("PGPASSWORD", Some(Class::Password)),
            ("db.pass", Some(Class::Password)),
            ("client_secret", Some(Class::Secret)),
            ("apiKey", Some(Class::Token)),
            ("AWS_SECRET_ACCESS_KEY", Some(Class::Secret)),
            ("oauth_consumer_key", Some(Class::Token)),
            ("key", Some(Class::Key)),
            ("Authorization", Some(Class::Auth)),
            ("passwordLength", None),
            ("token_type", None),
            ("public_key", None),
            ("monkey", None),
            ("author", None),
            ("max_tokens", None),
            ("secret_name", None),
            ("bypass", None),
            ("oauth_nonce", None),
        ] {
            assert_eq!(class(key.as_bytes()), expected, "{key}");
        }
    }

    #[test]
    fn look_alikes_are_not_secrets() {
        for value in [
            "changeme",
            "your-password",
            "my_api_key",
            "${DB_PASSWORD}",
            "$PASSWORD",
            "{{ password }}",
            "<password>",
            "xxxxxxxx",
            "********",
            "process.env.SECRET",
            "os.environ['X']",
            "config.db.password",
            "12345678",
            "abcdefgh",
            "test1234",
            "%(password)s",
            "%PASSWORD%",
            "getPassword()",
            "/etc/ssl/private/server.key",
            "secret/data/app",
            "arn:aws:secretsmanager:eu-west-1:1:secret",
            "{0}",
            "String",
            "NotNull",
            "123e4567-e89b-12d3-a456-426614174000",
            "passwordHash",
            "user.token",
            "vault:secret/x",
            "s3cr3t",
            "Passw0rd!",
            "https://example.com/x",
            "abcabcabc",
            "TOKEN_PLACEHOLDER",
            "@Value",
            "id_rsa.pem",
            "none",
            "foo.bar.baz",
            "oauth-2025-04-20",
            "interleaved-thinking-2025-05-14",
            "v2024-11-01",
        ] {
            for class in [Class::Password, Class::Secret, Class::Token, Class::Auth, Class::Key] {
                assert_eq!(judge(class, value.as_bytes(), true), None, "{value} as {class:?}");
            }
        }
    }

    #[test]
    fn what_nobody_would_write_by_hand_is_a_secret() {
        for (class, value) in [
            (Class::Password, "zQ8!kv2#Lm"),
            (Class::Password, "hxqzvkwd"),
            (Class::Password, "Winter-2019!x"),
            (Class::Token, "q7f3kz0v9x2m"),
            (Class::Secret, "vkqzxjwhdfgkqzxcvbnq"),
            (Class::Secret, "x8#q)z2k-v+w^r1(m!h5@t=j&7n3$c9*b0%d6_f4yalpzge"),
            (Class::Secret, "@x8#q)z2k-v+w^r1%(m!h5&&t=j7n3$c9*b0d6_f4yalpz"),
            (Class::Secret, "django-insecure-@x8#q)z2k-v+w^r1%(m!h5&&t=j7n3$c9*b0d6_f4"),
            (Class::Key, "Zk3vQ9x81LpTz7aWq0Rm"),
        ] {
            assert!(judge(class, value.as_bytes(), true).is_some(), "{value}");
        }
    }

    #[test]
    fn urls_with_passwords() {
        assert!(judge_url(b"app", b"zkqvxwhd").is_some());
        for (user, password) in
            [("user", "pass"), ("user", "pwd"), ("postgres", "postgres"), ("u", "$PW"), ("u", "password")]
        {
            assert!(judge_url(user.as_bytes(), password.as_bytes()).is_none(), "{password}");
        }
    }
}
