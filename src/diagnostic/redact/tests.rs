//! What is masked, what is not, and how long it takes.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use proptest::prelude::*;

use super::*;

const KEY: &str = "k3y/Wi+th \"quo\\tes\"&é=1";

fn knowing(secrets: &[&str]) -> Redactor {
    let redactor = Redactor::new();
    for secret in secrets {
        redactor.learn(secret).unwrap();
    }
    redactor
}

/// Keys in the shapes of vendors, none of them real.
fn keys() -> Vec<(&'static str, String)> {
    let letters = |length: usize| "aB3dE5gH7jK9mN1pQ".chars().cycle().take(length).collect::<String>();
    let jwt = |claims: &str| {
        let part = |text: &str| URL_SAFE_NO_PAD.encode(text);
        format!("{}.{}.{}", part(r#"{"alg":"RS256"}"#), part(claims), letters(43))
    };
    let pem = format!("-----BEGIN RSA {0}-----\n{1}\n{1}\n-----END RSA {0}-----", "PRIVATE KEY", letters(64));
    vec![
        ("anthropic-key", format!("sk-ant-api03-{}", letters(95))),
        ("anthropic-key", format!("sk-ant-oat01-{}", letters(95))),
        ("openai-key", format!("sk-{}", letters(48))),
        ("openai-key", format!("sk-proj-{}_{}-{}", letters(40), letters(12), letters(50))),
        ("openrouter-key", format!("sk-or-v1-{}", "0123456789abcdef".repeat(4))),
        ("google-key", format!("AIza{}", letters(35))),
        ("github-token", format!("ghp_{}", letters(36))),
        ("github-token", format!("gho_{}", letters(36))),
        ("github-token", format!("ghs_{}", letters(36))),
        ("github-token", format!("github_pat_{}_{}", letters(22), letters(59))),
        ("slack-token", format!("xoxb-{}-{}", "123456789012", letters(24))),
        ("aws-key", "AKIAIOSFODNN7EXAMPLE".to_owned()),
        ("gitlab-token", format!("glpat-{}", letters(20))),
        ("huggingface-token", format!("hf_{}", "QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi")),
        ("jwt", jwt(r#"{"sub":"repo:o/r"}"#)),
        ("private-key", pem),
    ]
}

#[test]
fn keys_of_well_known_shape_are_masked() {
    let redactor = Redactor::new();
    for (kind, key) in keys() {
        let mask = format!("[redacted:{kind}]");
        assert_eq!(redactor.redact(&key), mask, "{kind}");
        for (before, after) in
            [("key=", "\n"), ("\"", "\""), ("see ", ". Then"), ("x\\n", "\\n"), ("a%3D", "&b")]
        {
            assert_eq!(
                redactor.redact(&format!("{before}{key}{after}")),
                format!("{before}{mask}{after}"),
                "{kind}"
            );
        }
        let json = serde_json::json!({ "key": key, "n": 1 }).to_string();
        let masked = redactor.redact(&json).into_owned();
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&masked).unwrap(),
            serde_json::json!({ "key": mask, "n": 1 })
        );
    }
    for (text, masked) in [
        ("Authorization: Bearer abcdef0123456789abcdef", "Authorization: Bearer [redacted:authorization]"),
        ("authorization: Basic dXNlcjpwYXNzd29yZDE=", "authorization: Basic [redacted:authorization]"),
        ("https://me:pass-w0rd@host/x", "https://me:[redacted:url-password]@host/x"),
        ("redis://:p@host", "redis://:[redacted:url-password]@host"),
    ] {
        assert_eq!(redactor.redact(text), masked);
    }
}

#[test]
fn ordinary_text_is_not_masked() {
    let redactor = Redactor::new();
    for text in [
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "123e4567-e89b-12d3-a456-426614174000",
        "sk-learn",
        "scikit-learn==1.4.2 sk-learn-contrib-hdbscan",
        "sk-fading-circle sk-circle12 sk-cube-grid-animation-2",
        "task-1234567890abcdef1234567890abcdef",
        "disk-usage-and-other-things-0123456789",
        "risk-ant-colony-0123456789-optimisation",
        "sk-ant-your-key-here",
        "Bearer authentication-is-not-supported",
        "bearer of bad news",
        "Basic authentication is used",
        "https://host:8080/@scope/package",
        "https://user@host/",
        "https://${USER}:${PASSWORD}@host/",
        "eyJhbGciOiJSUzI1NiJ9 is a header",
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIi",
        "AKIA-like ids, AKIAABCDEFGHIJKLMNOPQRSTUVWXYZ",
        "if text.contains(\"-----BEGIN RSA PRIVATE KEY-----\") { fail() }",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
        "hf_transformers_model_name_and_more_words",
        "npm_config_update_notifier ghp_ gho_x xoxb- glpat-",
        "the token is [redacted:anthropic-key]",
        "https://me:[redacted:url-password]@host",
        "Authorization: Bearer [redacted:authorization]",
    ] {
        assert!(matches!(redactor.redact(text), Cow::Borrowed(same) if same == text), "{text}");
    }
}

/// Every form of the issue, written by the encoders others use.
fn printed(secret: &str) -> Vec<(String, String)> {
    let mut forms = vec![("plain".to_owned(), secret.to_owned())];
    for before in ["", "u", "u:", "u:p"] {
        for after in ["", "x", "xy", "xyz"] {
            let text = format!("{before}{secret}{after}");
            forms.push((format!("base64 {before}{after}"), STANDARD.encode(&text)));
            forms.push((format!("base64url {before}{after}"), URL_SAFE_NO_PAD.encode(&text)));
        }
    }
    let hex = secret.bytes().fold(String::new(), |text, b| text + &format!("{b:02x}"));
    let url = secret.bytes().fold(String::new(), |text, b| {
        if b.is_ascii_alphanumeric() {
            text + &char::from(b).to_string()
        } else {
            text + &format!("%{b:02X}")
        }
    });
    let escaped = secret.encode_utf16().fold(String::new(), |mut text, unit| {
        let _ = write!(text, "\\u{unit:04x}");
        text
    });
    forms.push(("HEX".into(), hex.to_uppercase()));
    forms.push(("hex".into(), hex));
    forms.push(("url".into(), url));
    forms.push(("u-escaped".into(), escaped));
    let json = serde_json::Value::from(secret).to_string();
    forms.push(("json in json".into(), serde_json::Value::from(json.as_str()).to_string()));
    forms.push(("json".into(), json));
    forms
}

#[test]
fn learned_secrets_are_masked_in_every_form() {
    for secret in [KEY, "hunter2!hunter", "0123456789abcdefghij", "müller-ß-💥-geheim"] {
        let redactor = knowing(&[secret]);
        for (form, text) in printed(secret) {
            let masked = redactor.redact(&text);
            assert!(masked.contains("[redacted:credential]"), "{form}: {text}");
            // What is left is at most what stood beside it.
            assert!(masked.replace("[redacted:credential]", "").len() <= 12, "{form}: {masked}");
            assert!(redactor.holds_learned(text.as_bytes()), "{form}");
        }
    }
}

#[test]
fn a_learned_key_of_known_shape_keeps_its_name() {
    let (_, key) = keys().remove(0);
    let redactor = knowing(&[&key]);
    assert_eq!(redactor.redact(&STANDARD.encode(&key)), "[redacted:anthropic-key]");
    assert!(!Redactor::new().holds_learned(key.as_bytes()));
}

#[test]
fn what_would_mask_ordinary_text_is_not_learned() {
    let redactor = Redactor::new();
    for (secret, why) in [
        ("", NotLearned::Short),
        ("1234567", NotLearned::Short),
        ("  spaces \n", NotLearned::Short),
        ("postgres", NotLearned::Plain),
        ("Password", NotLearned::Plain),
        ("12345678", NotLearned::Plain),
        ("--------------------", NotLearned::Plain),
        (&"x1".repeat(LONGEST), NotLearned::Long),
    ] {
        assert_eq!(redactor.learn(secret), Err(why));
    }
    assert_eq!(redactor.redact("postgres 12345678"), "postgres 12345678");
}

#[test]
fn a_secret_of_many_lines_is_found_line_by_line() {
    let redactor = knowing(&["first-line-of-secret-1\nsecond-line-of-secret-2\n"]);
    assert_eq!(redactor.redact("| second-line-of-secret-2"), "| [redacted:credential]");
}

#[test]
fn secrets_that_overlap_leave_nothing() {
    let redactor = knowing(&["abcd-1234-efgh", "1234-efgh-5678"]);
    assert_eq!(redactor.redact("x abcd-1234-efgh-5678 y"), "x [redacted:credential] y");
}

#[test]
fn debug_tells_nothing() {
    assert_eq!(format!("{:?}", knowing(&[KEY])), "Redactor { known: 1, .. }");
}

/// Texts that make a careless scanner go over the same part again and again.
#[test]
fn time_is_linear() {
    let redactor = knowing(&[KEY, "aaaaaaaaaaaaaaab"]);
    let units = [
        "sk-",
        "sk-ant-",
        "eyJ",
        "eyJaaaaaaaa.",
        "://",
        "a:b://",
        "-----BEGIN PRIVATE KEY-----",
        "ghp_",
        "\\",
        "a",
        "Bearer ",
        "[redacted:",
    ];
    for unit in units {
        let text = unit.repeat(300_000 / unit.len());
        let start = std::time::Instant::now();
        let _ = redactor.redact(&text);
        assert!(start.elapsed().as_secs() < 5, "{unit}: {:?}", start.elapsed());
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn masking_ends_and_takes_every_secret_out(
        secret in "[a-zA-Z0-9/+=_~!\"\\\\-]{10,40}[0-9]",
        other in "[a-z0-9]{6}-[A-Z]{6}",
        before in "\\PC{0,20}",
        after in "\\PC{0,20}",
    ) {
        let redactor = knowing(&[&secret, &other]);
        for (form, text) in printed(&secret) {
            let text = format!("{before}{text}{other}{after}");
            let masked = redactor.redact(&text).into_owned();
            prop_assert!(!redactor.holds_learned(masked.as_bytes()), "{form}: {masked}");
            prop_assert_eq!(redactor.redact(&masked), masked.as_str());
        }
    }

    #[test]
    fn any_bytes_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let redactor = knowing(&[KEY]);
        let once = redactor.redact_bytes(&bytes).into_owned();
        prop_assert_eq!(&*redactor.redact_bytes(&once), once.as_slice());
    }

    #[test]
    fn json_stays_json(keys in prop::collection::vec(0..16_usize, 1..4), text in "\\PC{0,30}") {
        let all = self::keys();
        let redactor = knowing(&[KEY, &all[0].1]);
        let value: Vec<String> =
            keys.iter().map(|at| format!("{text}\n{}\"{KEY}\\{text}", all[*at].1)).chain([KEY.to_owned()]).collect();
        let json = serde_json::to_string(&value).unwrap();
        let masked: Vec<String> = serde_json::from_str(&redactor.redact(&json)).unwrap();
        prop_assert_eq!(masked.len(), value.len());
        prop_assert!(!masked.concat().contains(KEY));
    }
}
