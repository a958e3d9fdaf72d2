//! Calls without a stored key, end to end: GitHub's identity, the vendor's token, the call; and what can be missing.

use std::fs;
use std::sync::Arc;

use orch::ports::model::WireFormat::{self, AnthropicMessages, OpenaiResponses};
use serde_json::{Value, json};

use crate::env::TestEnv;
use crate::providers::server::{Act, Seen, Server, reply};
use crate::secrets::{holds_none, scan};
use crate::wire_runs::world::{REQUEST, answered, shop, with_keys};

const REQUEST_TOKEN: &str = "r3quest-t0ken-0f-the-runner";
const IDENTITY: &str = "ident1ty.0f-the.w0rkflow-job";
const TOKEN: &str = "sh0rt-l1ved-t0ken-0f-the-vendor";
const JSON: (&str, &str) = ("content-type", "application/json");

fn said(status: u16, body: &Value) -> Vec<u8> {
    reply(status, &[JSON], body.to_string().as_bytes())
}

/// GitHub, the vendor's token endpoint and its API in one, each by its path.
fn world(format: WireFormat, refused: Option<(u16, Value)>) -> Server {
    Server::start(Act::Answer(Arc::new(move |seen: &Seen| {
        let path = seen.head.split(' ').nth(1).unwrap_or_default();
        if path.starts_with("/identity?") {
            return said(200, &json!({ "value": IDENTITY }));
        }
        if path.ends_with("/oauth/token") {
            return match &refused {
                Some((status, body)) => said(*status, body),
                None => {
                    said(200, &json!({ "access_token": TOKEN, "expires_in": 600, "token_type": "Bearer" }))
                }
            };
        }
        answered(format, seen)
    })))
}

fn provider(format: WireFormat, url: &str) -> (&'static str, String) {
    let (name, model, base, more, oidc) = if format == AnthropicMessages {
        let oidc = "federation_rule_id = \"fdrl_1\", organization_id = \"org-1\"".to_owned();
        ("anthropic", "claude-sonnet-5-5", url.to_owned(), "", oidc)
    } else {
        let oidc =
            format!("identity_provider_id = \"idp_1\", service_account_id = \"sa_1\", auth_url = \"{url}\"");
        ("openai", "gpt-6.1-sol", format!("{url}/v1"), "", oidc)
    };
    let text = format!(
        "[[provider]]\nname = \"{name}\"\nformat = \"{format}\"\nbase_url = \"{base}\"\n{more}\
         credential = {{ oidc = {{ {oidc} }} }}\n[routes]\ndefault = [\"{name}/{model}\"]\n"
    );
    (name, text)
}

fn of<'a>(all: &'a [Seen], path: &str) -> Vec<&'a Seen> {
    all.iter().filter(|seen| seen.head.split(' ').nth(1).is_some_and(|p| p.starts_with(path))).collect()
}

#[test]
fn an_identity_is_exchanged_once_for_the_calls_of_a_run() {
    for (format, exchange, call, audience) in [
        (AnthropicMessages, "/v1/oauth/token", "/v1/messages", "audience=https%3A%2F%2Fapi.anthropic.com"),
        (OpenaiResponses, "/oauth/token", "/v1/responses", "audience=https%3A%2F%2Fapi.openai.com%2Fv1"),
    ] {
        let (env, server) = (TestEnv::new(), world(format, None));
        let (name, text) = provider(format, &server.url(""));
        let root = shop(&env, "shop", &text);
        let url = server.url("/identity?api-version=2.0");
        let job = [
            ("GITHUB_ACTIONS", "true"),
            ("ACTIONS_ID_TOKEN_REQUEST_URL", url.as_str()),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN),
        ];
        let model =
            if format == AnthropicMessages { "anthropic/claude-sonnet-5-5" } else { "openai/gpt-6.1-sol" };
        let ran = with_keys(&env, &root, &job, &["run", REQUEST, "--model", model]).exits(0);
        let all = server.seen();
        let (identities, exchanges, calls) = (of(&all, "/identity?"), of(&all, exchange), of(&all, call));
        assert_eq!((identities.len(), exchanges.len(), calls.len()), (1, 1, 5), "{name}");
        assert!(identities[0].head.contains(audience), "{}", identities[0].head);
        assert!(identities[0].head.contains(&format!("Bearer {REQUEST_TOKEN}")));
        let asked: Value = serde_json::from_slice(&exchanges[0].body).unwrap();
        let field = if format == AnthropicMessages { "assertion" } else { "subject_token" };
        assert_eq!(asked[field], IDENTITY);
        for seen in calls {
            let head = seen.head.to_ascii_lowercase();
            assert!(head.contains(&format!("authorization: bearer {TOKEN}")) && !head.contains("x-api-key"));
            assert_eq!(
                head.contains("anthropic-beta: oauth-2025-04-20"),
                format == AnthropicMessages,
                "{head}"
            );
            holds_none("a call", seen.head.as_bytes(), &[REQUEST_TOKEN, IDENTITY]);
        }
        let secrets = [REQUEST_TOKEN, IDENTITY, TOKEN];
        holds_none(name, format!("{}{}", ran.stdout, ran.stderr).as_bytes(), &secrets);
        scan(&env, &root, &secrets);
        scan(&env, &env.path("tmp"), &secrets);
    }
}

#[test]
fn each_thing_that_can_be_missing_is_told_apart() {
    for format in [AnthropicMessages, OpenaiResponses] {
        let env = TestEnv::new();
        let refused =
            json!({ "error": "invalid_grant", "error_description": format!("no rule for {IDENTITY}") });
        let late = json!({ "error": "invalid_grant", "error_description": "the assertion is expired" });
        let server = world(format, Some((400, refused)));
        let old = world(format, Some((400, late)));
        let (name, text) = provider(format, &server.url(""));
        let root = shop(&env, "shop", &text);
        let event = |head: &str| {
            let side = |name: &str| json!({ "repo": { "full_name": name } });
            json!({ "pull_request": { "head": side(head), "base": side("house/shop") } }).to_string()
        };
        let (own, fork) = (env.path("own.json"), env.path("fork.json"));
        fs::write(&own, event("house/shop")).unwrap();
        fs::write(&fork, event("other/shop")).unwrap();
        let (own, fork) = (own.display().to_string(), fork.display().to_string());
        let url = server.url("/identity?x=1");
        let gone = server.url("/nothing-here");
        let ids = |url: &'static str| {
            vec![("ACTIONS_ID_TOKEN_REQUEST_URL", url), ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", REQUEST_TOKEN)]
        };
        let url: &'static str = url.leak();
        let gone: &'static str = gone.leak();
        let actions = ("GITHUB_ACTIONS", "true");
        for (job, wanted, help) in [
            (vec![], "this is not a GitHub Actions workflow", "key from the environment or a file"),
            (
                vec![actions, ("GITHUB_EVENT_PATH", own.as_str())],
                "the workflow may not ask GitHub",
                "id-token: write",
            ),
            (vec![actions, ("GITHUB_EVENT_PATH", fork.as_str())], "pull request from a fork", "write access"),
            (
                [vec![actions], ids(gone)].concat(),
                "GitHub did not give the workflow an identity",
                "Run the job again",
            ),
            (
                [vec![actions], ids(url)].concat(),
                "does not accept the workflow's identity (400: invalid_grant",
                "Compare the rule",
            ),
            (
                [vec![actions], ids("http://169.254.0.1/x")].concat(),
                "is neither https nor http to this machine",
                "",
            ),
        ] {
            for words in [&["providers", "ping", name][..], &["run", REQUEST, "--engine", "model"]] {
                let said = with_keys(&env, &root, &job, words);
                let text = format!("{}{}", said.stdout, said.stderr);
                holds_none(wanted, text.as_bytes(), &[REQUEST_TOKEN, IDENTITY]);
                // A run may have more than one way out, and says where all are told.
                let help = if text.contains("no model is usable") { "`orch providers`" } else { help };
                let told = text.contains(wanted) && text.to_lowercase().contains(&help.to_lowercase());
                assert!(said.exit != 0 && told, "{words:?} {wanted}: {} {text}", said.exit);
            }
        }
        fs::write(root.join(".orch/models.toml"), provider(format, &old.url("")).1).unwrap();
        let job = [vec![actions], ids(url)].concat();
        with_keys(&env, &root, &job, &["providers", "ping", name]).exits(2).says("expired or not valid yet");
        assert!(
            of(&server.seen(), "/v1/messages").is_empty() && of(&server.seen(), "/v1/responses").is_empty()
        );
    }
}
