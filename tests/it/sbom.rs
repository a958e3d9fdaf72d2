//! `orch sbom`: the packages of a commit, in two forms.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;

use serde_json::Value;

use crate::env::TestEnv;

const NPM: &str = r#"{"name": "web", "version": "1.0.0", "lockfileVersion": 3, "packages": {
  "": {"name": "web", "version": "1.0.0", "dependencies": {"@scope/a": "^1.0.0"}, "devDependencies": {"b": "2.x"}},
  "node_modules/@scope/a": {"version": "1.2.3", "license": "MIT", "resolved": "https://registry.npmjs.org/@scope/a/-/a-1.2.3.tgz", "integrity": "sha512-x"},
  "node_modules/b": {"version": "2.0.0", "dev": true, "license": "Apache 2", "resolved": "https://registry.npmjs.org/b/-/b-2.0.0.tgz", "integrity": "sha512-y"}
}}"#;
const CARGO: &str = "version = 4\n\n[[package]]\nname = \"app\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"serde\"\nversion = \"1.0.228\"\nsource = \"registry+https://github.com/rust-lang/crates.io-index\"\nchecksum = \"aa\"\n";
const GO: &str = "module a.dev/app\n\ngo 1.24\n\nrequire (\n\tgithub.com/Gorilla/mux v1.8.1\n\tgolang.org/x/net v0.30.0 // indirect\n)\n";

const FILES: &[(&str, &str)] = &[
    (
        "Cargo.toml",
        "[package]\nname = \"app\"\nlicense = \"MIT OR Apache-2.0\"\n[dependencies]\nserde = \"1\"\n",
    ),
    ("Cargo.lock", CARGO),
    ("web/package.json", r#"{"name": "web", "dependencies": {"@scope/a": "^1.0.0"}}"#),
    ("web/package-lock.json", NPM),
    ("go.mod", GO),
    ("tests/fixtures/package-lock.json", r#"{"packages": {"node_modules/evil": {"version": "6.6.6"}}}"#),
];

fn urls(bill: &Value) -> Vec<&str> {
    bill["components"].as_array().unwrap().iter().map(|one| one["purl"].as_str().unwrap()).collect()
}

#[test]
fn lock_files_give_the_packages() {
    let env = TestEnv::new();
    let root = env.repository("app", FILES);
    let first = env.orch(&root, &["sbom"]).exits(0);
    let bill = first.json();
    let want = [
        "pkg:cargo/serde@1.0.228",
        "pkg:golang/github.com/gorilla/mux@v1.8.1",
        "pkg:golang/golang.org/x/net@v0.30.0",
        "pkg:npm/%40scope/a@1.2.3",
        "pkg:npm/b@2.0.0",
    ];
    assert_eq!(urls(&bill), want);
    assert_eq!(bill["metadata"]["component"]["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(bill["components"][3]["group"], "@scope");
    assert_eq!(bill["components"][4]["scope"], "excluded");
    assert_eq!(bill["components"][4]["licenses"][0]["expression"], "Apache-2.0");
    assert_eq!(bill["compositions"][0]["aggregate"], "complete");
    // The same commit gives the same bytes, whatever lies in the working tree; another commit gives another bill.
    fs::write(root.join("Cargo.lock"), "version = 4\n").unwrap();
    assert_eq!(env.orch(&root, &["sbom"]).exits(0).stdout, first.stdout);
    env.git(&root, &["commit", "-qam", "less"]);
    let less = env.orch(&root, &["sbom", "--whole"]).exits(0).json();
    assert_eq!(urls(&less), want[1..]);
    assert_ne!(less["serialNumber"], bill["serialNumber"]);
    assert_eq!(urls(&env.orch(&root, &["sbom", "--at", "HEAD~1"]).exits(0).json()), want);
}

#[test]
fn what_may_be_missing_is_told() {
    let env = TestEnv::new();
    let part =
        [("package.json", r#"{"name": "a", "dependencies": {"b": "^1.0.0"}}"#), ("go.mod", "no module")];
    let root = env.repository("part", &part);
    let said = env.orch(&root, &["sbom"]).exits(0);
    assert!(said.stderr.contains("go.mod is not in the bill"), "{}", said.stderr);
    assert!(said.stderr.contains("package.json names what is asked for"), "{}", said.stderr);
    let bill = said.json();
    assert_eq!(urls(&bill), ["pkg:npm/b"]);
    assert!(bill["components"][0].get("version").is_none(), "a range is no version");
    assert_eq!(bill["compositions"][0]["aggregate"], "incomplete");
    env.orch(&root, &["sbom", "--whole"]).exits(3);
    let spdx = env.orch(&root, &["sbom", "--as", "spdx"]).exits(0).json();
    assert_eq!(spdx["comment"], "Not whole, because of package.json, go.mod");
    let none = env.repository("none", &[("a.txt", "a\n")]);
    env.orch(&none, &["sbom"]).exits(78);
    env.orch(&none, &["sbom", "--at", "nowhere"]).exits(2).says("nowhere");
}

#[test]
fn logins_in_addresses_are_not_told() {
    let env = TestEnv::new();
    let lock = "[[package]]\nname = \"x\"\nversion = \"1.0.0\"\nsource = \"git+https://me:hunter22@a.dev/x?rev=1#0123456789abcdef0123456789abcdef01234567\"\n";
    let root = env.repository("git", &[("Cargo.lock", lock)]);
    for form in ["cyclonedx", "spdx"] {
        let said = env.orch(&root, &["sbom", "--as", form]).exits(0);
        assert!(said.stdout.contains("a.dev/x") && !said.stdout.contains("hunter22"), "{}", said.stdout);
    }
}

/// The validators of the two specifications' own projects, where `tests/stand-ins/run sbom` installed them.
#[test]
#[ignore = "a stand-in: tests/stand-ins/run sbom"]
fn the_forms_are_valid() {
    let Some(python) = std::env::var_os("ORCH_STAND_IN_SBOM") else {
        println!("SKIPPED: tests/stand-ins/run sbom sets ORCH_STAND_IN_SBOM");
        return;
    };
    let env = TestEnv::new();
    let check = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/stand-ins/sbom/check.py");
    let part =
        [("package.json", r#"{"name": "a", "dependencies": {"b": "^1.0.0"}}"#), ("go.mod", "no module")];
    for (name, files) in [("whole", FILES), ("part", &part[..])] {
        let root = env.repository(name, files);
        for form in ["cyclonedx", "spdx"] {
            let text = env.orch(&root, &["sbom", "--as", form]).exits(0).stdout;
            let file = env.path(&format!("{name}.{form}.json"));
            let valid = |text: &str| {
                fs::write(&file, text).unwrap();
                std::process::Command::new(&python).arg(check).arg(form).arg(&file).output().unwrap()
            };
            let said = valid(&text);
            assert!(said.status.success(), "{form}: {}", String::from_utf8_lossy(&said.stdout));
            // It can say no.
            let broken = text.replace("\"library\"", "\"libary\"").replace("\"DEPENDS_ON\"", "\"DEPENDS\"");
            if broken != text {
                assert!(!valid(&broken).status.success(), "{form} takes anything");
            }
        }
    }
}
