//! Which requests are served, and how honest the refusals are.

use std::collections::BTreeMap;

use orch::diagnostic::{Class, Failure as _};
use orch::engine::template::{TemplateEngine, TemplateSource, embedded};
use orch::engine::{Engine as _, EngineError, View};
use proptest::prelude::*;

use super::support::{Memory, id, propose, refusal, serve, task};

const FASTAPI: &str = "from fastapi import FastAPI\n\napp = FastAPI()\n";

fn fastapi() -> Memory {
    Memory::of(&[("app/main.py", FASTAPI), ("requirements.txt", "fastapi\n")])
}

fn rust() -> Memory {
    Memory::of_folder("samples/rust-service")
}

fn typescript() -> Memory {
    Memory::of(&[("package.json", "{\n  \"name\": \"x\"\n}\n"), ("src/a.ts", ""), ("README.md", "# X\n")])
}

/// A repository each template fits.
fn home(template: &str) -> Memory {
    match template {
        "health-rust" => rust(),
        "lint-typescript" => typescript(),
        _ => fastapi(),
    }
}

#[test]
fn every_example_of_every_template_is_served_by_it() {
    let engine = TemplateEngine::new(Vec::new());
    for template in engine.templates().unwrap() {
        for example in &template.manifest.examples {
            let (_, proposal) = serve(&home(template.name()), example);
            assert_eq!(proposal.plan.template.unwrap().name.as_str(), template.name(), "{example}");
        }
    }
}

#[test]
fn requests_find_their_template_and_variant() {
    for (repo, request, wanted) in [
        (
            fastapi(),
            "Please add a health check, so that Kubernetes has something to ask.",
            "health-fastapi/extend",
        ),
        (
            fastapi(),
            "We need a /healthz endpoint that returns 200 with a smoke test",
            "health-fastapi/extend",
        ),
        (rust(), "expose /health", "health-rust/extend"),
        (rust(), "implement a liveness endpoint for the shop service", "health-rust/extend"),
        (Memory::of(&[("setup.py", "")]), "add a /health endpoint", "health-fastapi/create"),
        (Memory::default(), "add a /health endpoint to a FastAPI service", "health-fastapi/create"),
        (Memory::default(), "add a /health endpoint in rust", "health-rust/create"),
        (rust(), "Add a LICENSE (MIT) for ACME Inc", "license/mit"),
        (rust(), "add an apache license", "license/apache"),
        (rust(), "add a license: MIT/Apache-2.0, copyright Café & Söhne", "license/dual"),
        (rust(), "add a README section about deployment: Run it.", "readme-section/append"),
        (fastapi(), "set up CI", "ci-bootstrap/create"),
        (fastapi(), "add editor standards", "editorconfig/create"),
        (fastapi(), "add editor and lint standards", "lint-python/create"),
        (typescript(), "add editor and lint standards", "lint-typescript/create"),
    ] {
        let plan = propose(&repo, request).unwrap_or_else(|e| panic!("{request}: {e:?}")).plan;
        let used = plan.template.unwrap();
        assert_eq!(format!("{}/{}", used.name, used.variant), wanted, "{request}");
    }
}

#[test]
fn what_is_not_served_says_why_and_what_is() {
    let flask = Memory::of(&[("app.py", "from flask import Flask\napp = Flask(__name__)\n")]);
    let axum = Memory::of(&[
        ("Cargo.toml", "[package]\nname = \"a\"\n[dependencies]\naxum = \"1\"\n"),
        ("src/main.rs", ""),
    ]);
    let go = Memory::of(&[("main.go", "package main")]);
    for (repo, request, why) in [
        (fastapi(), "add a health endpoint and a login page", "also says `login`, `page`"),
        (fastapi(), "do not add a health endpoint", "says `not`"),
        (fastapi(), "remove the health endpoint, then add it again", "says `remove`"),
        (fastapi(), "fix the health endpoint", "no template does what the request asks for"),
        (fastapi(), "don't add /health", "also says `don`, `t`"),
        (fastapi(), "add a health endpoint that checks the database", "also says `checks`, `database`"),
        (fastapi(), "add a /Health endpoint", "cannot take `/Health`"),
        (fastapi(), "write me a poem", "no template does"),
        (fastapi(), "", "no template does"),
        (flask, "add a /health endpoint", "this repository uses flask"),
        (axum, "add a /health endpoint", "this repository uses axum"),
        (go, "add a /health endpoint", "is for Python, and this repository holds Go"),
        (
            rust(),
            "add a /health endpoint to the FastAPI app",
            "is for Python, and this repository holds Rust",
        ),
        (rust(), "add an MIT license", "needs the name of the copyright holder"),
        (rust(), "add a license", "needs to know which licence"),
        (rust(), "add an MIT license and then Apache for ACME", "also says `mit`"),
        (rust(), "add a README section about deployment", "needs the text of the section"),
        (rust(), "add a README section: hello", "needs the title of the section"),
        (
            Memory::default(),
            "add a /health endpoint",
            "fits more than one template equally well: `health-fastapi`, `health-rust`",
        ),
        (Memory::default(), "set up CI", "finds no source"),
    ] {
        let error = refusal(&repo, request);
        assert!(matches!(error, EngineError::NoFit { .. }), "{request}: {error:?}");
        assert!(error.to_string().contains(why), "{request}: {error}");
        assert_eq!(error.class(), Class::Nothing);
    }
    let help = refusal(&fastapi(), "write me a poem").help().unwrap();
    for source in embedded() {
        assert!(help.contains(&source.name), "{help}");
    }
    assert!(
        help.contains(
            "Model providers are to be configured in orch.yml too, but are not part of this version"
        )
    );
}

#[test]
fn what_is_in_the_way_is_a_conflict_and_what_is_there_is_done() {
    let with = |repo: Memory, path: &str, text: &str| {
        let mut repo = repo;
        repo.files.insert(path.into(), text.into());
        repo
    };
    let factory = "from fastapi import FastAPI\ndef make():\n    app = FastAPI()\n    return app\n";
    let mut linked = fastapi();
    linked.links.push("tests/test_health.py".into());
    for (repo, request, path) in [
        (
            with(fastapi(), "tests/test_health.py", "# mine\n"),
            "add a /health endpoint",
            "tests/test_health.py",
        ),
        (with(fastapi(), "tests/Test_Health.py", ""), "add a /health endpoint", "tests/Test_Health.py"),
        (with(fastapi(), "tests/test_health.py/x", ""), "add a /health endpoint", "tests/test_health.py"),
        (linked, "add a /health endpoint", "tests/test_health.py"),
        (with(rust(), "tests", "a file"), "add a /health endpoint", "tests"),
        (Memory::of(&[("a.py", factory)]), "add a /health endpoint", "a.py"),
        (Memory::of(&[("app", ""), ("setup.py", "")]), "add a /health endpoint", "app"),
        (with(rust(), "COPYING", "GPL"), "add an MIT license for \"X\"", "COPYING"),
        (with(fastapi(), "README.rst", "X"), "add a README section \"A\": b", "README.rst"),
        (with(typescript(), ".eslintrc.json", "{}"), "add ESLint", ".eslintrc.json"),
        (with(fastapi(), ".editorconfig", "root = true\n"), "add an .editorconfig", ".editorconfig"),
    ] {
        let error = refusal(&repo, request);
        let EngineError::Conflict { path: found, .. } = &error else {
            panic!("{request} with {path}: {error:?}")
        };
        assert_eq!(found, path);
        assert!(error.help().is_some_and(|h| !h.is_empty()) && error.class() == Class::Denied);
    }
    let served = "from fastapi import FastAPI\napp = FastAPI()\n@app.get('/health')\ndef h(): ...\n";
    for (repo, request) in [
        (Memory::of(&[("a.py", served)]), "add a /health endpoint"),
        (with(fastapi(), "LICENSE", "MIT License\n"), "add an MIT license for \"X\""),
        (with(fastapi(), "README.md", "# X\n\n## Use\n"), "add a README section \"use\": x"),
    ] {
        let error = refusal(&repo, request);
        assert!(matches!(error, EngineError::AlreadyDone { .. }), "{request}: {error:?}");
    }
}

#[test]
fn a_second_round_is_stuck() {
    let engine = TemplateEngine::new(Vec::new());
    let (repo, tree, task) = (fastapi(), id(), task("add a /health endpoint"));
    let view = View::of(&repo, &tree);
    let plan = engine.plan(&view, &task).unwrap().value.unwrap();
    let tests = engine.tests(&view, &task, &plan).unwrap();
    let absent = serde_json::json!({"state": "absent", "by": "test"});
    let protection: BTreeMap<_, _> =
        ["filesystem", "network", "processes", "privileges", "environment", "limits"]
            .map(|m| (m, &absent))
            .into();
    let report: orch::artifact::types::verification::Verification = serde_json::from_value(serde_json::json!({
        "phase": "green", "outcome": "failed", "base": "a".repeat(40), "commands": [], "tests": [], "frozen": [],
        "probes": [], "reasons": [{"code": "verify/failed", "message": "2 tests failed", "help": "x"}],
        "protection": protection,
    }))
    .unwrap();
    let error = engine.edits(&view, &task, &plan, &tests, Some(&report)).unwrap_err();
    assert_eq!(error.class(), Class::NotConverged);
    assert!(error.to_string().contains("2 tests failed"), "{error}");
}

#[test]
fn a_plan_is_bound_to_its_template_and_its_values_are_checked_again() {
    let engine = TemplateEngine::new(Vec::new());
    let (repo, tree, task) = (fastapi(), id(), task("add a /health endpoint"));
    let view = View::of(&repo, &tree);
    let plan = engine.plan(&view, &task).unwrap().value.unwrap();
    for (name, value) in [("route", "/x\"); import os; (\""), ("route", "../../x"), ("route", "/a\nb")] {
        let mut bent = plan.clone();
        bent.template.as_mut().unwrap().parameters.insert(name.into(), value.into());
        assert!(matches!(engine.tests(&view, &task, &bent), Err(EngineError::Broken { .. })), "{value}");
    }
    let mut other = plan.clone();
    other.template.as_mut().unwrap().digest = orch::artifact::digest::Digest::of("x");
    assert!(
        engine.tests(&view, &task, &other).unwrap_err().to_string().contains("has changed since the plan")
    );
    let free = orch::artifact::types::plan::Plan { template: None, ..plan };
    assert!(engine.tests(&view, &task, &free).is_err());
}

fn own(manifest: &str, files: &[(&str, &str)]) -> TemplateSource {
    let mut all: BTreeMap<String, Vec<u8>> =
        files.iter().map(|(p, t)| ((*p).to_owned(), t.as_bytes().to_vec())).collect();
    all.insert("template.yml".into(), manifest.as_bytes().to_vec());
    TemplateSource { name: "own".into(), files: all }
}

const OWN: &str = "name: own\nsummary: x\nexamples: [add a banner]\nrequest: { all: [[add], [banner]] }\nvariants:\n  - name: create\n    \
    summary: s\n    change_type: feat\n    scope: x\n    subject: s\n    steps: [a]\n    rollback: r\n    exempt: none\n    \
    criteria: [{ id: c1, text: t }]\n    uncovered: { c1: text }\n    files: [{ path: banner.txt, source: b.j2 }]\n";

#[test]
fn templates_of_the_repository_are_used_and_broken_ones_are_named() {
    let (repo, tree) = (fastapi(), id());
    let ask = |source: TemplateSource| {
        TemplateEngine::new(vec![source]).plan(&View::of(&repo, &tree), &task("add a banner"))
    };
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("own")).unwrap();
    std::fs::write(folder.path().join("own/template.yml"), OWN).unwrap();
    std::fs::write(folder.path().join("own/b.j2"), "hi\n").unwrap();
    let read = orch::engine::template::read_folder(folder.path()).unwrap();
    assert_eq!(read, [own(OWN, &[("b.j2", "hi\n")])]);
    assert_eq!(ask(read[0].clone()).unwrap().value.unwrap().files[0].path.as_str(), "banner.txt");
    assert!(orch::engine::template::read_folder(&folder.path().join("none")).is_err());
    for (manifest, text, why) in [
        (OWN.replace("summary: x", "summary: x\nsumary: y"), "", "sumary"),
        (OWN.replace("steps:", "stepps:"), "", "stepps"),
        (OWN.replace("banner.txt", "../banner.txt"), "", "../banner.txt"),
        (OWN.replace("banner.txt", "'{{ task.title }}/../../x'"), "", "add a banner/../../x"),
        (OWN.replace("banner.txt", ".git/hooks/x"), "", ".git"),
        (OWN.replace("b.j2", "c.j2"), "", "no file `c.j2`"),
        (OWN.replace("uncovered: { c1: text }", ""), "", "every criterion"),
        (OWN.replace("name: own", "name: other"), "", "calls itself `other`"),
        (OWN.to_owned(), "{{ nothing }}", "`nothing` is undefined"),
        (OWN.to_owned(), "{% if %}", "b.j2"),
        (
            OWN.to_owned(),
            "{% for a in range(99999) %}{% for b in range(99999) %}.{% endfor %}{% endfor %}",
            "fuel",
        ),
        ("name: [".to_owned(), "", "template.yml"),
    ] {
        let error = ask(own(&manifest, &[("b.j2", text)])).unwrap_err();
        assert!(matches!(error, EngineError::Broken { .. }), "{why}: {error:?}");
        assert!(error.to_string().contains(why), "{why}: {error}");
        assert_eq!(error.class(), Class::Usage);
    }
}

#[test]
fn the_manifest_schema_takes_every_shipped_manifest_and_no_unknown_key() {
    let schema = serde_json::to_value(orch::engine::template::manifest::schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    for source in embedded() {
        let yaml: serde_json::Value = serde_yaml_value(&source.files["template.yml"]);
        let faults: Vec<_> = validator.iter_errors(&yaml).map(|e| e.to_string()).collect();
        assert!(faults.is_empty(), "{}: {faults:?}", source.name);
        let mut more = yaml;
        more["surprise"] = true.into();
        assert!(!validator.is_valid(&more));
    }
}

fn serde_yaml_value(bytes: &[u8]) -> serde_json::Value {
    serde_yaml::from_slice(bytes).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn no_request_panics_or_breaks_a_template(text in "(add |create |an? |the |/health|endpoint|license |MIT |for |README |section |: |\"|\\PC|\n){0,14}") {
        for repo in [fastapi(), rust(), Memory::default()] {
            if let Err(EngineError::Broken { name, why }) = propose(&repo, &text) {
                prop_assert!(false, "{name}: {why}");
            }
        }
    }

    #[test]
    fn no_value_leaves_its_place(value in "[\\PC\n\t\u{202e}{}%#\"'`$\\\\/.]{1,40}") {
        for request in [
            format!("add an MIT license for \"{value}\""),
            format!("add a README section \"{value}\": text"),
            format!("add a README section \"Title\": {value}"),
            format!("add a {value} health endpoint"),
            format!("add a /{value} health endpoint"),
        ] {
            let Ok(proposal) = propose(&fastapi(), &request) else { continue };
            let allowed = ["LICENSE", "README.md", "app/main.py", "pytest.ini", "requirements.txt", "tests/test_health.py"];
            for file in proposal.tests.files.iter().chain(&proposal.edits.files) {
                prop_assert!(allowed.contains(&file.path.as_str()), "{}", file.path);
                if file.path.as_str().contains(".py") {
                    let text = String::from_utf8(file.bytes().unwrap().unwrap()).unwrap();
                    prop_assert!(text.chars().all(|c| c.is_ascii_graphic() || c == ' ' || c == '\n'), "{text}");
                    prop_assert!(text.lines().count() < 30);
                }
            }
        }
    }
}

/// The how-to's example is a template that works as it stands there.
#[test]
fn the_example_of_the_how_to_works() {
    let text = include_str!("../../../docs/how-to/write-a-template.md");
    let block = |after: &str, fence: &str| {
        let rest = text.split_once(after).unwrap().1.split_once(fence).unwrap().1;
        rest.split_once("\n```").unwrap().0.trim_start_matches('\n').to_owned() + "\n"
    };
    let files = BTreeMap::from([
        ("template.yml".to_owned(), block("`.orch/templates/banner/template.yml`:", "```yaml").into_bytes()),
        (
            "banner.txt.j2".to_owned(),
            block("`.orch/templates/banner/banner.txt.j2`:", "```text").into_bytes(),
        ),
    ]);
    let engine = TemplateEngine::new(vec![TemplateSource { name: "banner".into(), files }]);
    let (repo, tree, task) = (Memory::default(), id(), task("add a banner for \"Shop\""));
    let view = View::of(&repo, &tree);
    let plan = engine.plan(&view, &task).unwrap().value.unwrap();
    let tests = engine.tests(&view, &task, &plan).unwrap();
    let edits = engine.edits(&view, &task, &plan, &tests, None).unwrap().value.unwrap();
    assert_eq!(edits.files[0].bytes().unwrap().unwrap(), b"Welcome to Shop!\n");
}
