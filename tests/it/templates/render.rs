//! What templates write: exact bytes where they matter, and files that parse.

use serde_json::Value;

use super::support::{Memory, propose, serve};

fn yaml(text: &str) -> Value {
    serde_yaml::from_str(text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn repo(language: &str) -> Memory {
    match language {
        "python" => Memory::of(&[("a.py", ""), ("requirements.txt", "x\n")]),
        "rust" => Memory::of_folder("samples/rust-service"),
        "node" => {
            Memory::of(&[("package.json", "{\"name\": \"x\"}"), ("package-lock.json", "{}"), ("a.ts", "")])
        }
        _ => Memory::of(&[("main.go", ""), ("go.mod", "")]),
    }
}

#[test]
fn a_route_is_put_in_and_every_other_byte_stays() {
    let main = "\u{feff}from fastapi import FastAPI\r\n\r\napp = FastAPI()\r\napp.add_middleware(X)\r\n\r\n@app.get(\"/{x}\")\r\ndef x(x):\r\n\treturn x";
    let (after, proposal) = serve(&Memory::of(&[("main.py", main)]), "add a /health endpoint");
    let added = "\r\n\r\n@app.get(\"/health\")\r\ndef health():\r\n\t\"\"\"Answers as long as the process serves requests.\"\"\"\r\n\treturn {\"status\": \"ok\"}\r\n";
    let (before, rest) = main.split_at(main.find("\r\n@app.get(\"/{x}").unwrap());
    assert_eq!(after.text("main.py"), format!("{before}{added}{rest}"));
    let paths: Vec<_> = proposal.plan.files.iter().map(|f| f.path.as_str()).collect();
    assert_eq!(paths, ["README.md", "main.py", "pytest.ini", "tests/test_health.py"]);
}

#[test]
fn requirements_and_configuration_are_extended_only_where_they_lack_something() {
    let main = "from fastapi import FastAPI\napp = FastAPI()\n";
    let config = "[tool:pytest]\naddopts = -q\n";
    let files = [
        ("main.py", main),
        ("requirements.txt", "fastapi==0.1\nPyTest==7\r\n"),
        ("setup.cfg", config),
        ("README", "x"),
    ];
    let (after, _) = serve(&Memory::of(&files), "add a /health endpoint");
    assert_eq!(after.text("requirements.txt"), "fastapi==0.1\nPyTest==7\r\nhttpx>=0.27\n");
    assert_eq!(after.text("setup.cfg"), config);
    assert_eq!(after.text("README"), "x");
    assert!(!after.files.contains_key("pytest.ini") && !after.files.contains_key("README.md"));
}

#[test]
fn licences_hold_year_and_holder_and_nothing_of_them_is_evaluated() {
    let (after, proposal) =
        serve(&repo("rust"), "add an MIT license for \"{{ 7 * 7 }} {% raw %} O'Neil <&> Söhne\"");
    let text = after.text("LICENSE");
    assert!(
        text.starts_with(
            "MIT License\n\nCopyright (c) 2026 {{ 7 * 7 }} {% raw %} O'Neil <&> Söhne\n\nPermission"
        ),
        "{text}"
    );
    assert!(text.ends_with("SOFTWARE.\n"));
    assert!(proposal.tests.files.is_empty() && proposal.tests.exempt.is_some());
    let (after, _) = serve(&repo("rust"), "add an MIT or Apache-2.0 license for ACME Inc.");
    assert!(after.text("LICENSE-MIT").contains("(c) 2026 ACME Inc\n"));
    let apache = after.text("LICENSE-APACHE");
    assert!(
        apache.contains("Apache License") && apache.contains("Copyright [yyyy] [name of copyright owner]")
    );
    for hostile in [
        "add an MIT license for \"A\nB\"",
        "add an MIT license for \"A\u{7}B\"",
        "add an MIT license for \"\"",
    ] {
        assert!(propose(&repo("rust"), hostile).is_err(), "{hostile:?}");
    }
}

#[test]
fn readme_sections_keep_the_text_as_given() {
    let request = "add a README section \"{{ title }} 'x' \\\": Run `x`.\n\n- {% if %}\n- <b>";
    let (after, _) = serve(&Memory::of(&[("README.md", "# X\r\n\r\nHello\r\n")]), request);
    assert_eq!(
        after.text("README.md"),
        "# X\r\n\r\nHello\r\n\r\n## {{ title }} 'x' \\\r\n\r\nRun `x`.\r\n\r\n- {% if %}\r\n- <b>\r\n"
    );
    let (after, _) = serve(
        &Memory::default(),
        "add a section about how to deploy to the README with the text \"Tag: it\"",
    );
    assert_eq!(after.text("README.md"), "# shop\n\n## How to deploy\n\nTag: it\n");
}

#[test]
fn workflows_parse_and_hold_to_the_rules() {
    for language in ["python", "rust", "node", "go"] {
        let (after, proposal) = serve(&repo(language), "set up CI");
        let text = after.text(".github/workflows/orch-ci.yml");
        let workflow = yaml(text);
        assert_eq!(workflow["permissions"], serde_json::json!({}), "{language}");
        assert!(workflow["concurrency"]["group"].is_string());
        let jobs = workflow["jobs"].as_object().unwrap();
        assert_eq!(jobs.keys().collect::<Vec<_>>(), ["lint", "test", "security"]);
        for (name, job) in jobs {
            assert!(job["timeout-minutes"].is_u64() && job["runs-on"].is_string(), "{name}");
            assert_eq!(job["permissions"], serde_json::json!({"contents": "read"}));
            let steps = job["steps"].as_array().unwrap();
            assert!(steps.len() > 1, "{language} {name}");
            assert_eq!(steps[0]["with"]["persist-credentials"], false);
            for step in steps {
                match (&step["uses"], &step["run"]) {
                    (Value::String(uses), Value::Null) => {
                        let sha = uses.split_once('@').unwrap().1;
                        assert!(sha.len() == 40 && sha.bytes().all(|b| b.is_ascii_hexdigit()), "{uses}");
                    }
                    (Value::Null, Value::String(run)) => assert!(!run.contains("${{"), "{run}"),
                    other => panic!("{other:?}"),
                }
            }
        }
        assert!(
            text.ends_with('\n') && !text.contains("\n\n\n") && text.lines().all(|l| l == l.trim_end()),
            "{text}"
        );
        assert!(proposal.tests.exempt.is_some());
    }
}

#[test]
fn lint_files_parse_and_fit_the_language() {
    let (after, _) = serve(&repo("python"), "add editor and lint standards");
    let hooks = yaml(after.text(".pre-commit-config.yaml"));
    let hooks = hooks["repos"][0]["hooks"].as_array().unwrap();
    assert!(
        hooks.iter().all(|h| h["additional_dependencies"][0].as_str().unwrap().contains("==")),
        "{hooks:?}"
    );
    assert!(after.text(".editorconfig").contains("[*.py]\nindent_size = 4\n"));
    assert!(!serve(&repo("python"), "add pre-commit linting").0.files.contains_key(".editorconfig"));

    let package =
        "{\r\n\t\"name\": \"x\",\r\n\t\"devDependencies\": {\r\n\t\t\"eslint\": \"^9.0.0\"\r\n\t}\r\n}";
    let node = Memory::of(&[("package.json", package), ("a.ts", ""), ("yarn.lock", "")]);
    let (after, proposal) = serve(&node, "add ESLint and Prettier");
    let text = after.text("package.json");
    let json: Value = serde_json::from_str(text).unwrap();
    assert_eq!(json["devDependencies"]["eslint"], "^9.0.0");
    assert_eq!(json["devDependencies"]["prettier"], "^3.10.1");
    assert_eq!(json["scripts"]["lint"], "eslint .");
    assert!(
        text.starts_with(
            "{\r\n\t\"name\": \"x\",\r\n\t\"devDependencies\": {\r\n\t\t\"eslint\": \"^9.0.0\",\r\n\t\t\""
        ),
        "{text}"
    );
    assert!(text.ends_with('}') && !text.replace("\r\n", "").contains('\n'), "{text:?}");
    serde_json::from_str::<Value>(after.text(".prettierrc.json")).unwrap();
    let risk = proposal.plan.risks.iter().find(|r| r.text.contains("yarn.lock")).unwrap();
    assert!(risk.mitigation.contains("yarn install"));
}

#[test]
fn editor_settings_are_well_formed() {
    for language in ["python", "rust", "node", "go"] {
        let (after, _) = serve(&repo(language), "add an .editorconfig");
        let text = after.text(".editorconfig");
        assert!(text.starts_with("root = true\n\n[*]\n") && !text.contains("\n\n\n"), "{text}");
        assert!(
            text.lines().all(|l| l.is_empty() || l.starts_with('[') && l.ends_with(']') || l.contains(" = ")),
            "{text}"
        );
    }
}

#[test]
fn plans_are_the_same_every_time_and_fit_their_schema() {
    let schema = orch::artifact::schema::schema(orch::artifact::kind::ArtifactKind::Plan).unwrap();
    let schema = serde_json::to_value(schema).unwrap();
    assert!(schema.is_object());
    let plans: Vec<_> = (0..2)
        .map(|_| {
            serde_json::to_string_pretty(&propose(&repo("rust"), "add a /health endpoint").unwrap().plan)
                .unwrap()
        })
        .collect();
    assert_eq!(plans[0], plans[1]);
    insta::assert_snapshot!("plan-health-rust", plans[0].split("\"template\"").next().unwrap());
}
