//! Where credentials come from, and what is said when they do not.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::*;
use crate::diagnostic::redact;

/// A request: where it went, the token it showed, and its body.
type Asked = (String, Option<String>, Option<Value>);

/// Answers from a list, and keeps what was asked.
#[derive(Default)]
struct Canned {
    replies: Mutex<VecDeque<(u16, String)>>,
    asked: Mutex<Vec<Asked>>,
}

impl TokenHttp for Canned {
    fn exchange(&self, request: &TokenRequest) -> Result<TokenReply, CallError> {
        let body = request.body.as_ref().map(|body| serde_json::from_slice(body.expose()).unwrap());
        let bearer = request.bearer.as_ref().map(|secret| secret.expose().to_owned());
        self.asked.lock().unwrap().push((request.url.clone(), bearer, body));
        let (status, body) = self.replies.lock().unwrap().pop_front().unwrap();
        Ok(TokenReply { status, body: Zeroizing::new(body.into_bytes()) })
    }
}

fn canned(replies: &[(u16, Value)]) -> Arc<Canned> {
    let canned = Canned::default();
    canned.replies.lock().unwrap().extend(replies.iter().map(|(status, value)| (*status, value.to_string())));
    Arc::new(canned)
}

fn in_actions(event: Option<PathBuf>) -> Vault {
    let pairs = [
        ("ACTIONS_ID_TOKEN_REQUEST_URL", "https://github.invalid/token?api-version=2.0"),
        ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "request-token-0123"),
        ("ANTHROPIC_API_KEY", "plain-key-0123456\n"),
    ];
    Vault::of(pairs.map(|(n, v)| (n.into(), v.into())), Surroundings { actions: true, event })
}

fn without_identity(actions: bool, event: Option<PathBuf>) -> Vault {
    Vault::of(Vec::<(OsString, OsString)>::new(), Surroundings { actions, event })
}

fn anthropic() -> CredentialSpec {
    CredentialSpec::AnthropicOidc(AnthropicRule {
        federation_rule_id: "fdrl_1".into(),
        organization_id: "org".into(),
        service_account_id: Some("svac_1".into()),
        ..AnthropicRule::default()
    })
}

fn openai() -> CredentialSpec {
    CredentialSpec::OpenaiOidc(OpenaiRule {
        identity_provider_id: "idp".into(),
        service_account_id: "sa".into(),
        ..OpenaiRule::default()
    })
}

fn token(lives: u64) -> (u16, Value) {
    (200, json!({ "access_token": "short-lived-token-1", "expires_in": lives, "token_type": "Bearer" }))
}

fn identity() -> (u16, Value) {
    (200, json!({ "value": "github-identity-1" }))
}

#[test]
fn keys_come_from_where_they_are_said_to_be() {
    let vault = in_actions(None);
    let read =
        |spec: CredentialSpec| credential_source(&spec, &vault, canned(&[])).map(|s| s.credential().unwrap());
    let found = read(CredentialSpec::Env { name: "ANTHROPIC_API_KEY".into() }).unwrap().unwrap();
    assert_eq!((found.secret.expose(), found.kind), ("plain-key-0123456", CredentialKind::Key));
    assert_eq!(read(CredentialSpec::None).unwrap(), None);
    let name = |name: &str| read(CredentialSpec::Env { name: name.into() }).unwrap_err();
    assert_eq!(name("OPENAI_API_KEY"), CredentialError::NotSet { name: "OPENAI_API_KEY".into() });
    assert!(matches!(name("PATH"), CredentialError::Name { .. }));
    vault.task_reads_stdin();
    assert!(matches!(read(CredentialSpec::Stdin).unwrap_err(), CredentialError::Stdin { .. }));
}

#[test]
fn an_identity_becomes_a_token_that_is_kept_while_it_lasts() {
    for (spec, url, audience, body) in [
        (
            anthropic(),
            "https://api.anthropic.com/v1/oauth/token",
            "audience=https%3A%2F%2Fapi.anthropic.com",
            json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:jwt-bearer", "federation_rule_id": "fdrl_1",
                "organization_id": "org", "service_account_id": "svac_1", "assertion": "github-identity-1",
            }),
        ),
        (
            openai(),
            "https://auth.openai.com/oauth/token",
            "audience=https%3A%2F%2Fapi.openai.com%2Fv1",
            json!({
                "grant_type": "urn:ietf:params:oauth:grant-type:token-exchange",
                "subject_token_type": "urn:ietf:params:oauth:token-type:jwt", "identity_provider_id": "idp",
                "service_account_id": "sa", "subject_token": "github-identity-1",
            }),
        ),
    ] {
        let http = canned(&[identity(), token(3600)]);
        let source =
            credential_source(&spec, &in_actions(None), Arc::clone(&http) as Arc<dyn TokenHttp>).unwrap();
        for _ in 0..3 {
            let found = source.credential().unwrap().unwrap();
            assert_eq!((found.secret.expose(), found.kind), ("short-lived-token-1", CredentialKind::Token));
        }
        let asked = http.asked.lock().unwrap();
        assert_eq!(asked.len(), 2);
        assert!(
            asked[0].0.ends_with(audience) && asked[0].1.as_deref() == Some("request-token-0123"),
            "{asked:?}"
        );
        assert_eq!(asked[1], (url.to_owned(), None, Some(body)));
        assert_eq!(
            redact::redact("github-identity-1 short-lived-token-1"),
            "[redacted:credential] [redacted:credential]"
        );
    }
}

#[test]
fn a_token_that_has_ended_is_fetched_again() {
    let http = canned(&[identity(), token(0), identity(), token(0)]);
    let source =
        credential_source(&openai(), &in_actions(None), Arc::clone(&http) as Arc<dyn TokenHttp>).unwrap();
    source.credential().unwrap();
    source.credential().unwrap();
    assert_eq!(http.asked.lock().unwrap().len(), 4);
}

#[test]
fn what_is_missing_is_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let event = |head: Value| {
        let path = folder.path().join("event.json");
        fs::write(&path, json!({ "pull_request": { "head": { "repo": head }, "base": { "repo": { "full_name": "o/r" } } } }).to_string())
            .unwrap();
        Some(path)
    };
    let missing = |vault: Vault| credential_source(&anthropic(), &vault, canned(&[])).err().unwrap();
    assert_eq!(missing(without_identity(false, None)), CredentialError::NotInActions);
    assert_eq!(missing(without_identity(true, None)), CredentialError::NoIdentityPermission);
    assert_eq!(
        missing(without_identity(true, event(json!({ "full_name": "o/r" })))),
        CredentialError::NoIdentityPermission
    );
    assert_eq!(missing(without_identity(true, event(json!({ "full_name": "x/r" })))), CredentialError::Fork);
    assert_eq!(missing(without_identity(true, event(Value::Null))), CredentialError::Fork);
}

#[test]
fn what_is_refused_says_by_whom_and_why() {
    let rule = json!({ "error": "invalid_grant", "error_description": "no rule matches" });
    let late = json!({ "error": { "type": "invalid_grant", "message": "the assertion is expired" } });
    for (replies, expected) in [
        (vec![(403, json!({ "message": "no" }))], "GitHub did not give the workflow an identity (403: no)"),
        (
            vec![identity(), (401, rule.clone())],
            "Anthropic does not accept the workflow's identity (401: invalid_grant, no rule matches)",
        ),
        (
            vec![identity(), (400, late)],
            "Anthropic finds the workflow's identity expired or not valid yet (400: invalid_grant, the assertion is expired)",
        ),
        (vec![identity(), (529, json!({}))], "the server is overloaded or broken (529: no code)"),
        (vec![identity(), (429, json!({}))], "the rate limit is reached (no code)"),
        (
            vec![identity(), (200, json!({}))],
            "the reply of Anthropic holds no token: `access_token` is missing",
        ),
        (vec![(200, json!("x"))], "the reply of GitHub holds no token: `value` is missing"),
    ] {
        let source = credential_source(&anthropic(), &in_actions(None), canned(&replies)).unwrap();
        let error = source.credential().unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
        assert!(!error.contains("github-identity") && !error.contains("request-token"), "{error}");
    }
}

#[test]
fn identities_go_nowhere_in_the_clear() {
    for (url, taken) in [
        ("https://auth.example.invalid", true),
        ("http://127.0.0.1:9", true),
        ("http://localhost:9", true),
        ("http://[::1]:9", true),
        ("http://auth.example.invalid", false),
        ("http://127.0.0.1.example.invalid", false),
        ("ftp://127.0.0.1", false),
        ("nonsense", false),
    ] {
        let CredentialSpec::OpenaiOidc(rule) = openai() else { unreachable!() };
        let spec = CredentialSpec::OpenaiOidc(OpenaiRule { auth_url: Some(url.into()), ..rule });
        assert_eq!(credential_source(&spec, &in_actions(None), canned(&[])).is_ok(), taken, "{url}");
    }
}
