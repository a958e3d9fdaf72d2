//! Generated files are what the code would generate.

use std::path::Path;

use crate::env::TestEnv;

#[test]
fn generated_pages_have_not_drifted() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    TestEnv::new().orch(root, &["util", "generate", "--check"]).exits(0);
}

#[test]
fn schemas_accept_what_a_run_writes() {
    let env = TestEnv::new();
    let root = env.service("service");
    env.orch(&root, &["run", "add a /health endpoint"]).exits(0);
    let mut checked = 0;
    for (path, bytes) in crate::env::files_below(&crate::env::run_folder(&root)) {
        let Ok(value) = serde_json::from_slice::<serde_json::Value>(&bytes) else { continue };
        let Some(kind) = value["kind"].as_str() else { continue };
        let schema = env.orch(&root, &["schema", kind]).exits(0).json();
        let validator = jsonschema::validator_for(&schema).unwrap();
        let errors: Vec<String> = validator.iter_errors(&value).map(|e| e.to_string()).collect();
        assert!(errors.is_empty(), "{path}: {errors:?}");
        checked += 1;
    }
    assert!(checked >= 15, "only {checked} files were checked");
}
