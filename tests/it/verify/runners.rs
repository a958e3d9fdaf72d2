//! Real changes under real runners other than cargo; run with `--ignored` where the programs are on PATH.

use super::world::{Direct, Files, change, files};
use super::{Case, words};
use orch::artifact::types::verification::VerificationOutcome;

/// Runs both phases, twice, and asks for single results and equal bytes.
fn prove(command: &str, base: Files, test: (&str, &str), expected: &[&str], edit: (&str, &str)) {
    let edits = vec![change(&base, edit.0, edit.1)];
    let mut case = Case::new(base, test, expected, edits);
    case.config.commands.test = vec![words(command)];
    let red = case.red(&Direct);
    assert_eq!(red.report.outcome, VerificationOutcome::Passed, "{:#?}", red.report);
    let green = case.green(&Direct, &red.report);
    assert_eq!(green.report.outcome, VerificationOutcome::Passed, "{:#?}", green.report);
    assert!(green.report.totals.is_some_and(|t| t.passed >= expected.len() as u64 && t.failed == 0));
    assert!(green.report.probes.iter().all(|p| p.held));
    assert_eq!(case.red(&Direct).bytes, red.bytes);
    assert_eq!(case.green(&Direct, &red.report).bytes, green.bytes);
}

const APP: &str = "from fastapi import FastAPI\n\napp = FastAPI()\n";

const APP_TEST: &str = "from fastapi.testclient import TestClient\n\nfrom app.main import app\n\n\n\
    def test_health_returns_ok():\n    response = TestClient(app).get(\"/health\")\n    assert response.status_code == 200\n    \
    assert response.json() == {\"status\": \"ok\"}\n";

const HEALTH: &str =
    "\n\n@app.get(\"/health\")\ndef health() -> dict[str, str]:\n    return {\"status\": \"ok\"}\n";

#[test]
#[ignore = "needs pytest, fastapi and httpx"]
fn pytest_and_fastapi() {
    let ini = "[pytest]\npythonpath = .\n";
    let base = files(&[("app/__init__.py", ""), ("app/main.py", APP), ("pytest.ini", ini)]);
    let with = format!("{APP}{HEALTH}");
    let test = ("tests/test_health.py", APP_TEST);
    prove("pytest -q", base.clone(), test, &["test_health_returns_ok"], ("app/main.py", &with));
    prove("python -m pytest", base, test, &["test_health_returns_ok"], ("app/main.py", &with));
    // The whole service is new: the module the test imports is what the plan makes.
    let empty = files(&[("pytest.ini", ini)]);
    prove("pytest", empty, test, &["test_health_returns_ok"], ("app/main.py", &with));
}

#[test]
#[ignore = "needs python3"]
fn unittest() {
    let test = "import unittest\n\nimport app\n\n\nclass HealthTest(unittest.TestCase):\n    def test_health(self):\n        \
        self.assertEqual(app.health(), \"ok\")\n";
    let base = files(&[("app.py", "def greet():\n    return \"hi\"\n")]);
    let edit = ("app.py", "def health():\n    return \"ok\"\n");
    prove("python3 -m unittest", base, ("test_health.py", test), &["HealthTest.test_health"], edit);
}

#[test]
#[ignore = "needs node 20 or newer"]
fn node() {
    let test = "import test from \"node:test\";\nimport assert from \"node:assert/strict\";\n\
        import { health } from \"../health.js\";\n\ntest(\"GET /health returns ok\", () => {\n  assert.equal(health(), \"ok\");\n});\n";
    let base = files(&[("package.json", "{\"type\":\"module\",\"scripts\":{\"test\":\"node --test\"}}\n")]);
    let edit = ("health.js", "export const health = () => \"ok\";\n");
    let file = ("tests/health.test.js", test);
    prove("node --test", base.clone(), file, &["GET /health returns ok"], edit);
    prove("npm test", base, file, &["GET /health returns ok"], edit);
}

#[test]
#[ignore = "needs go"]
fn go() {
    let test = "package demo\n\nimport \"testing\"\n\nfunc TestHealth(t *testing.T) {\n\tt.Run(\"is ok\", func(t *testing.T) {\n\t\t\
        if Health() != \"ok\" {\n\t\t\tt.Fatal(\"not ok\")\n\t\t}\n\t})\n}\n";
    let base = files(&[("go.mod", "module example.com/demo\n\ngo 1.19\n"), ("demo.go", "package demo\n")]);
    let edit = ("demo.go", "package demo\n\nfunc Health() string { return \"ok\" }\n");
    prove("go test ./...", base, ("demo_test.go", test), &["TestHealth", "TestHealth/is ok"], edit);
}
