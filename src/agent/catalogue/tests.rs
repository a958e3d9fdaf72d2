//! The catalogue as a person meets it: what the built-in file says, what a repository's file may say, and what is refused.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;
use crate::artifact::money::NanoUsd;
use crate::edit::format::Format;

fn load(text: &str) -> Result<Catalogue, CatalogueError> {
    Catalogue::load(&[Overlay { name: "models.toml", bytes: text.as_bytes() }], &BTreeMap::new())
}

fn built_in() -> Catalogue {
    Catalogue::load(&[], &BTreeMap::new()).unwrap()
}

fn day(text: &str) -> Date {
    text.parse().unwrap()
}

/// The day the built-in table was last looked through.
fn today() -> Date {
    day("2026-11-27")
}

#[test]
fn the_built_in_routes_lead_to_models_that_answer_and_have_a_price() {
    let catalogue = built_in();
    for (role, entries) in catalogue.routes() {
        for entry in entries {
            catalogue.resolve(&entry.provider, &entry.model, today()).unwrap();
            assert!(
                catalogue.price(&entry.provider, &entry.model, today()).is_some(),
                "{role}: {}",
                entry.model
            );
        }
    }
    for (_, model, line) in catalogue.prices() {
        assert!(line.source.len() > 10, "{model}");
    }
}

#[test]
fn who_judges_is_of_another_family_than_who_builds_where_two_vendors_are_configured() {
    let catalogue = built_in();
    let vendors = ["anthropic", "openai", "google"];
    for without in vendors {
        let first = |role: &str| {
            let entry = catalogue.route(role).iter().find(|entry| entry.provider != without).unwrap().clone();
            catalogue.resolve(&entry.provider, &entry.model, today()).unwrap().family
        };
        for judge in ["architect", "critic"] {
            assert_ne!(first("builder"), first(judge), "without {without}");
        }
    }
}

#[test]
fn edits_are_asked_for_in_the_format_that_a_whole_route_writes() {
    let row = |id: &str, edits: &str| {
        format!(
            "[[model]]\nid = \"{id}\"\nprovider = \"anthropic\"\nfamily = \"f\"\ncontext = 9\nmax_output = 9\n{edits}\n"
        )
    };
    let plain = row("a", "") + &row("b", "") + "[routes]\nbuilder = [\"anthropic/a\", \"anthropic/b\"]\n";
    let digest = |text: &str| load(text).unwrap().digest_of_routes(&["builder"]).unwrap();
    for (first, second, wanted) in [
        ("", "", Format::Json),
        ("edits = \"json\"", "", Format::Json),
        ("edits = \"udiff\"", "edits = \"udiff\"", Format::Udiff),
        ("edits = \"sr\"", "edits = \"v4a\"", Format::Json),
        ("edits = \"v4a\"", "", Format::Json),
    ] {
        let text = plain.replacen("max_output = 9\n", &format!("max_output = 9\n{first}\n"), 1);
        let at = text.rfind("max_output = 9\n").unwrap() + "max_output = 9\n".len();
        let text = format!("{}{second}\n{}", &text[..at], &text[at..]);
        let catalogue = load(&text).unwrap();
        assert_eq!(catalogue.edits_of(catalogue.route("builder")), wanted, "{first} {second}");
        let same = first.len() + second.len() == 0 || first.contains("json");
        assert_eq!(
            digest(&text) == digest(&plain),
            same,
            "another format is another question: {first} {second}"
        );
    }
    assert_eq!(built_in().edits_of(&[]), Format::Json);
    let error = load(&row("a", "edits = \"diff\"")).unwrap_err().to_string();
    assert!(error.contains("`model.edits` must be json, udiff, sr or v4a"), "{error}");
}

#[test]
fn the_price_is_that_of_the_day() {
    let catalogue = built_in();
    let read = |on: &str| {
        catalogue.price("anthropic", "claude-sonnet-5-5", day(on)).map(|row| (row.id, row.rates.cache_read.0))
    };
    assert_eq!(read("2026-09-27"), None);
    assert_eq!(read("2026-10-06"), Some(("claude-sonnet-5-5@2026-09-28".into(), 200_000_000)));
    assert_eq!(read("2026-10-07"), Some(("claude-sonnet-5-5@2026-10-07".into(), 100_000_000)));
    let flash = |on: &str| catalogue.price("google", "gemini-3.8-flash", day(on)).is_some();
    assert!(flash("2026-12-31") && !flash("2027-01-01"), "a price that has run out is not known");
}

#[test]
fn long_prompts_cost_what_their_row_says() {
    let catalogue = built_in();
    let row = catalogue.price("anthropic", "claude-haiku-5-5", today()).unwrap();
    let long = row.long.unwrap();
    assert_eq!(long.threshold, 100_000);
    for (short, long) in [
        (row.rates.input, long.rates.input),
        (row.rates.cache_read, long.rates.cache_read),
        (row.rates.cache_write_short.unwrap(), long.rates.cache_write_short.unwrap()),
        (row.rates.cache_write_long.unwrap(), long.rates.cache_write_long.unwrap()),
        (row.rates.output, long.rates.output),
    ] {
        assert_eq!(long, short.times(5));
    }
    let sol = catalogue.price("openai", "gpt-6.1-sol", today()).unwrap();
    let (base, long) = (sol.rates, sol.long.unwrap().rates);
    assert_eq!((long.input, long.output.0 * 2), (base.input.times(2), base.output.0 * 3));
}

#[test]
fn who_answered_sets_the_price_and_settings_that_cost_more_do() {
    let catalogue = built_in();
    let none = Map::new();
    let id = |answered: &str| {
        catalogue.price_of_answer("openai", "gpt-6.1-sol", answered, today(), &none).map(|row| row.id)
    };
    assert_eq!(id("gpt-6-luna").as_deref(), Some("gpt-6-luna@2026-09-22"));
    assert_eq!(id("gpt-6.1-sol-2026-09-29").as_deref(), Some("gpt-6.1-sol@2026-09-29"));
    assert_eq!(catalogue.price_of_answer("openai", "x", "y", today(), &none), None);
    let settings = json!({ "inference_geo": "us" }).as_object().unwrap().clone();
    let row = catalogue.price_with("anthropic", "claude-haiku-5-5", today(), &settings).unwrap();
    assert_eq!(row.id, "claude-haiku-5-5@2026-10-07+inference_geo=us");
    assert_eq!(
        (row.rates.input, row.long.unwrap().rates.output),
        (NanoUsd(110_000_000), NanoUsd(2_750_000_000))
    );
    let elsewhere = json!({ "inference_geo": "global" }).as_object().unwrap().clone();
    let row = catalogue.price_with("anthropic", "claude-haiku-5-5", today(), &elsewhere).unwrap();
    assert_eq!(row.id, "claude-haiku-5-5@2026-10-07");
}

#[test]
fn what_runs_here_is_free_only_here() {
    assert_eq!(built_in().price("ollama", "qwen3", today()).unwrap().rates.output, NanoUsd::ZERO);
    let elsewhere = BTreeMap::from([("ollama".to_owned(), "https://ollama.example/v1".to_owned())]);
    let catalogue = Catalogue::load(&[], &elsewhere).unwrap();
    assert_eq!(catalogue.price("ollama", "qwen3", today()), None);
    assert_eq!(catalogue.provider("ollama").unwrap().base_url.as_deref(), Some("https://ollama.example/v1"));
    assert_eq!(built_in().price("vllm", "qwen3", today()), None);
}

#[test]
fn a_retired_model_is_refused_with_its_date_and_who_took_its_place() {
    let catalogue = built_in();
    let at = |on: &str| catalogue.resolve("anthropic", "claude-sonnet-4-5", day(on));
    assert!(at("2026-11-29").is_ok());
    let error = at("2026-11-30").unwrap_err();
    assert_eq!(error.to_string(), "the model `anthropic/claude-sonnet-4-5` was retired on 2026-11-30");
    assert!(error.help().unwrap().contains("`anthropic/claude-sonnet-5-5`"));
    let life = |on: &str| catalogue.life("openai", "gpt-5", day(on)).warning().unwrap();
    assert_eq!(life("2026-11-27"), "retires on 2026-12-11; take gpt-6.1-sol in its place");
    assert_eq!(life("2026-12-11"), "retired on 2026-12-11; take gpt-6.1-sol in its place");
    // Without a successor of its own, the newest active one of the family.
    let own = load(
        "[[model]]\nid = \"claude-old\"\nprovider = \"anthropic\"\nfamily = \"claude\"\ncontext = 1\nmax_output = 1\nretires_on = 2026-01-01\n",
    );
    let life = own.unwrap().life("anthropic", "claude-old", today()).warning().unwrap();
    assert_eq!(life, "retired on 2026-01-01; take claude-haiku-5-5 in its place");
}

#[test]
fn rows_of_the_repository_replace_those_of_the_same_name_and_others_stay() {
    let text = "\
[[provider]]
name = \"openai\"
format = \"openai-chat\"
base_url = \"https://gateway.example/v1\"
credential = [{ file = \"/run/secrets/key\" }, { env = \"GATEWAY_KEY\" }]
context = 1000
max_output = 100

[[price]]
model = \"gpt-6.1-sol\"
provider = \"openai\"
effective_from = 2026-11-01
effective_to = 2026-12-24
source = \"our contract\"
in = \"1.5\"
out = \"7.000000001\"

[[price]]
model = \"house-model\"
provider = \"openai\"
effective_from = \"2026-11-01\"
source = \"our contract\"
in = \"0.25\"
out = \"1\"

[routes]
builder = [{ model = \"openai/house-model\", effort = \"high\", extra = { seed = 7, top_p = 0.5 } }, \"openai/gpt-6.1-sol\"]
";
    let catalogue = load(text).unwrap();
    let provider = catalogue.provider("openai").unwrap();
    assert_eq!(provider.base_url.as_deref(), Some("https://gateway.example/v1"));
    assert_eq!(
        provider.credentials,
        [CredentialRef::File("/run/secrets/key".into()), CredentialRef::Env("GATEWAY_KEY".into())]
    );
    assert_eq!(catalogue.providers().count(), built_in().providers().count());
    // Our contract holds while it runs, the list price around it.
    let id = |on: &str| catalogue.price("openai", "gpt-6.1-sol", day(on)).unwrap().id;
    assert_eq!(id("2026-10-31"), "gpt-6.1-sol@2026-09-29");
    assert_eq!(id("2026-12-24"), "gpt-6.1-sol@2026-11-01");
    assert_eq!(id("2026-12-25"), "gpt-6.1-sol@2026-09-29");
    let row = catalogue.price("openai", "gpt-6.1-sol", today()).unwrap();
    assert_eq!((row.rates.output, row.rates.cache_read), (NanoUsd(7_000_000_001), NanoUsd(1_500_000_000)));
    let route = catalogue.route("builder");
    assert_eq!((route[0].model.as_str(), route[0].effort.as_deref()), ("house-model", Some("high")));
    assert_eq!(route[0].extra["seed"], 7);
    assert_eq!(catalogue.resolve("openai", "house-model", today()).unwrap().family, "openai");
    assert_eq!(catalogue.route("architect"), built_in().route("architect"));
    assert_eq!(catalogue.route("poet"), catalogue.route("default"));
}

#[test]
fn the_digest_of_routes_follows_who_answers_and_not_what_it_costs() {
    let of = |text: &str| load(text).unwrap().digest_of_routes(&["builder", "architect"]).unwrap();
    let base = built_in().digest_of_routes(&["architect", "builder", "builder"]).unwrap();
    let price = "[[price]]\nmodel = \"gpt-6.1-sol\"\nprovider = \"openai\"\neffective_from = 2026-11-01\nsource = \"ours\"\nin = \"1\"\nout = \"1\"\n";
    assert_eq!(of(price), base);
    assert_eq!(of("[routes]\npoet = [\"openai/gpt-6-luna\"]\n"), base);
    for text in [
        "[routes]\nbuilder = [\"openai/gpt-6-luna\"]\n",
        "[routes]\nbuilder = [{ model = \"anthropic/claude-sonnet-5-5\", effort = \"low\" }, \"google/gemini-3.8-flash\", \"openai/gpt-6.1-sol\"]\n",
        "[[model]]\nid = \"gpt-6.1-sol\"\nprovider = \"openai\"\nfamily = \"gpt\"\ncontext = 1000\nmax_output = 128000\n",
    ] {
        assert_ne!(of(text), base, "{text}");
    }
}

#[test]
fn addresses_of_the_environment_are_checked() {
    let with = |url: &str| Catalogue::load(&[], &BTreeMap::from([("openai".to_owned(), url.to_owned())]));
    assert!(with("http://127.0.0.1:8080/v1").is_ok());
    let error = with("http://gateway.example/v1").unwrap_err();
    assert!(error.to_string().contains("ORCH_OPENAI_BASE_URL") && error.help().is_some(), "{error}");
    let unknown = BTreeMap::from([("opnai".to_owned(), "https://a.example".to_owned())]);
    let error = Catalogue::load(&[], &unknown).unwrap_err();
    assert_eq!(error.to_string(), "ORCH_OPNAI_BASE_URL names no provider");
    assert_eq!(error.help().unwrap(), "Did you mean `openai`?");
    assert_eq!(address_variable("my-gate"), "ORCH_MY_GATE_BASE_URL");
}

/// A file and what is said of it: place, words, and the help where there is one.
const WRONG: &[(&str, &str, &str)] = &[
    ("x = 1", "models.toml:1:1: `models.toml` has no key `x`", "Known keys are"),
    (
        "[[provder]]\nname = \"a\"",
        "models.toml:1:3: `models.toml` has no key `provder`",
        "Did you mean `provider`?",
    ),
    ("[[provider]]\nname = \"a\"", "models.toml:1:1: `provider` lacks the key `format`", ""),
    (
        "[[provider]]\nname = \"a\"\nformat = \"openai-chatt\"",
        "models.toml:3:10: `provider.format` is no format; did you mean `openai-chat`?",
        "",
    ),
    (
        "[[provider]]\nname = \"a\"\nformat = \"openai-chat\"\nbase_ulr = \"https://a\"",
        "models.toml:4:1: `provider` has no key `base_ulr`",
        "Did you mean `base_url`?",
    ),
    (
        "[[provider]]\nname = \"a\"\nformat = \"openai-chat\"\nbase_url = \"http://a.example\"",
        "models.toml:4:12: `provider.base_url` cannot be used: `http://a.example` is not https",
        "",
    ),
    (
        "[[provider]]\nname = \"A b\"\nformat = \"openai-chat\"",
        "models.toml:2:8: `provider.name` must be lower-case",
        "",
    ),
    ("[[provider]]\nname = \"a\"\nformat = \"exec\"", "needs `command`", ""),
    ("[[provider]]\nname = \"a\"\nformat = \"scripted\"", "needs `script`", ""),
    (
        "[[provider]]\nname = \"a\"\nformat = \"exec\"\ncommand = [\"x\"]\nbase_url = \"https://a\"",
        "models.toml:5:12: `provider.base_url` means nothing for the format `exec`",
        "",
    ),
    (
        "[[provider]]\nname = \"a\"\nformat = \"openai-responses\"\nmax_tokens_field = \"max_tokens\"",
        "is for the format `openai-chat`",
        "",
    ),
    (
        "[[provider]]\nname = \"a\"\nformat = \"openai-chat\"\n[[provider]]\nname = \"a\"\nformat = \"openai-chat\"",
        "models.toml:4:1: the provider `a` is there twice",
        "",
    ),
    (
        "[[provider]]\nname = \"a\"\nformat = \"openai-chat\"\ncredential = { env = \"A\", file = \"b\" }",
        "names exactly one of",
        "",
    ),
    (
        "[[provider]]\nname = \"a\"\nformat = \"openai-chat\"\ncredential = { oidc = { federation_rule_id = \"x\" } }",
        "`oidc` needs",
        "",
    ),
    (
        "[[model]]\nid = \"m\"\nprovider = \"opnai\"\nfamily = \"f\"\ncontext = 1\nmax_output = 1",
        "models.toml:1:1: there is no provider `opnai`",
        "Did you mean `openai`?",
    ),
    (
        "[[model]]\nid = \"m\"\nprovider = \"openai\"\nfamily = \"f\"\ncontext = 0\nmax_output = -1",
        "`model.context` must be a whole number from 1",
        "",
    ),
    (
        "[[model]]\nid = \"m\"\nprovider = \"openai\"\nfamily = \"f\"\ncontext = 1\nmax_output = 1\nretires_on = \"2026-13-01\"",
        "models.toml:7:14: `model.retires_on` must be a day",
        "",
    ),
    (
        "[[model]]\nid = \"m\"\nprovider = \"openai\"\nfamily = \"f\"\ncontext = 1\nmax_output = 1\nsuccessor = \"n\"",
        "the successor `n` is no other model there",
        "",
    ),
    (
        "[routes]\nbuilder = [\"openai/gpt-6.1-soll\"]",
        "models.toml:2:12: `openai` has no model `gpt-6.1-soll`",
        "Did you mean `gpt-6.1-sol`?",
    ),
    (
        "[routes]\nbuilder = [\"openia/gpt-6.1-sol\"]",
        "there is no provider `openia`",
        "Did you mean `openai`?",
    ),
    (
        "[routes]\nbuilder = [\"gpt-6.1-sol\"]",
        "`gpt-6.1-sol` is no model of a route",
        "Write it as provider/model",
    ),
    ("[routes]\nbuilder = []", "models.toml:2:1: the route `builder` must be a list", ""),
    (
        "[routes]\nbuilder = [{ model = \"openai/gpt-6.1-sol\", effort = \"minimal\" }]",
        "does not know the effort `minimal`",
        "It takes low, medium",
    ),
    (
        "[[price]]\nmodel = \"gpt-6.1-sol\"\nprovider = \"openai\"\neffective_from = 2026-01-01\nin = \"1\"\nout = \"1\"",
        "`price` lacks the key `source`",
        "",
    ),
    (
        "[[price]]\nmodel = \"gpt-6.1-sol\"\nprovider = \"openai\"\neffective_from = 2026-01-01\nsource = \"us\"\nin = 1.5\nout = \"-1\"",
        "models.toml:6:6: `price.in` must be a text of dollars",
        "",
    ),
    (
        "[[price]]\nmodel = \"gpt-6.1-sol\"\nprovider = \"openai\"\neffective_from = 2026-01-01\nsource = \"us\"\nin = \"0.0000000001\"\nout = \"1\"",
        "is finer than a billionth of a dollar",
        "",
    ),
    (
        "[[price]]\nmodel = \"gpt-6.1-sol\"\nprovider = \"openai\"\neffective_from = 2026-01-01\nsource = \"us\"\nin = \"1\"\nout = \"9999999\"",
        "is more than any model costs",
        "",
    ),
    (
        "[[price]]\nmodel = \"gpt-6.1-soll\"\nprovider = \"openai\"\neffective_from = 2026-01-01\nsource = \"us\"\nin = \"1\"\nout = \"1\"",
        "`openai` has no model `gpt-6.1-soll`",
        "Did you mean",
    ),
    (
        "[[price]]\nmodel = \"o3\"\nprovider = \"openai\"\neffective_from = 2026-02-01\neffective_to = 2026-01-01\nsource = \"us\"\nin = \"1\"\nout = \"1\"",
        "is before `effective_from`",
        "",
    ),
    (
        "[[price]]\nmodel = \"o3\"\nprovider = \"openai\"\neffective_from = 2026-02-01\nsource = \"us\"\nin = \"1\"\nout = \"1\"\ntiers = { flex = 0.5 }",
        "must be whole percentages",
        "",
    ),
    (
        "[[price]]\nmodel = \"o3\"\nprovider = \"openai\"\neffective_from = 2026-02-01\nsource = \"us\"\nin = \"1\"\ncache_read = \"1\"\nout = \"1\"\nlong = { threshold = 9, in = \"2\", out = \"2\" }",
        "`long` lacks the rate `cache_read`",
        "",
    ),
    (
        "[[price]]\nmodel = \"o3\"\nprovider = \"openai\"\neffective_from = 2026-02-01\neffective_to = 2026-03-01\nsource = \"us\"\nin = \"1\"\nout = \"1\"\n[[price]]\nmodel = \"o3\"\nprovider = \"openai\"\neffective_from = 2026-03-01\nsource = \"us\"\nin = \"1\"\nout = \"1\"",
        "models.toml:9:1: the price of `openai/o3` from 2026-03-01 overlaps the row in line 1",
        "effective_to",
    ),
    ("a = = 1", "models.toml:1:5: this is no TOML", ""),
    ("provider = 1", "must be rows, each headed [[provider]]", ""),
];

#[test]
fn what_is_wrong_is_told_with_its_place_and_what_to_do() {
    for (text, what, help) in WRONG {
        let error = load(text).expect_err(text);
        assert!(error.to_string().contains(what), "{text}\n{error}");
        assert!(error.help().unwrap_or_default().contains(help), "{text}\n{:?}", error.help());
        assert_eq!(error.class().exit_code(), 2);
    }
}

#[test]
fn every_problem_of_a_file_is_told_at_once() {
    let error = load("[[model]]\nid = 1\nx = 2\n[routes]\nbuilder = 3\n").unwrap_err().to_string();
    assert!(error.lines().count() >= 5, "{error}");
}

#[test]
fn a_secret_in_the_file_is_refused_and_never_shown() {
    let key = "sk-ant-api03-ABCdef0123456789ABCdef0123456789";
    let random = "Zx81kQp02LmN84vRt67Yw35BcDe19FgHj";
    let provider = "[[provider]]\nname = \"a\"\nformat = \"openai-chat\"\nbase_url = \"https://a.example\"\n";
    for secret in [key, random] {
        for line in [
            format!("credential = \"{secret}\""),
            format!("credential = [\"{secret}\"]"),
            format!("credential = {{ env = \"{secret}\" }}"),
            format!("credential = {{ file = \"{secret}\" }}"),
            format!("credential = {{ stdin = \"{secret}\" }}"),
            format!("credential = {{ key = \"{secret}\" }}"),
            format!("api_key = \"{secret}\""),
            format!("headers = {{ authorization = \"{secret}\" }}"),
            format!("headers = {{ x-thing = \"{secret}\" }}"),
            format!("base_url = \"https://user:{secret}@a.example\""),
            format!("stream = \"{secret}\""),
        ] {
            let text = if line.starts_with("base_url") {
                provider.replace("base_url = \"https://a.example\"", &line)
            } else {
                format!("{provider}{line}\n")
            };
            let error = load(&text).expect_err(&line);
            let said = format!("{error} {:?}", error.help());
            assert!(!said.contains(&secret[4..]), "{line}: {said}");
        }
    }
    let said = load(&format!("{provider}extra = {{ x = \"{key}\" }}\n")).unwrap_err().to_string();
    assert!(said.contains("models.toml:5:15") && said.contains("looks like a secret"), "{said}");
    let said = load(&format!("{key} = 1\n")).unwrap_err().to_string();
    assert!(said.contains("secret") && !said.contains("ABC"), "{said}");
}

#[test]
fn every_documented_key_is_read() {
    let sources = [include_str!("raw.rs"), include_str!("row.rs")].concat();
    for form in [&fields::PROVIDER, &fields::MODEL, &fields::PRICE, &fields::ROUTE] {
        for field in form.fields {
            assert!(sources.contains(&format!("\"{}\"", field.name)), "{} {}", form.head, field.name);
        }
    }
}

proptest! {
    #[test]
    fn no_text_panics(text in "\\PC{0,200}") {
        let _ = load(&text);
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Catalogue::load(&[Overlay { name: "x", bytes: &bytes }], &BTreeMap::new());
    }

    #[test]
    fn no_damaged_file_panics(at in 0..MODELS_TOML.len(), length in 0..40_usize, put in "[\\[\\]{}=\",.a-z0-9\n-]{0,6}") {
        let keep = |to: usize| (to..=MODELS_TOML.len()).find(|at| MODELS_TOML.is_char_boundary(*at)).unwrap();
        let (from, to) = (keep(at), keep((at + length).min(MODELS_TOML.len())));
        let text = format!("{}{put}{}", &MODELS_TOML[..from], &MODELS_TOML[to..]);
        if let Err(error) = load(&text) {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
