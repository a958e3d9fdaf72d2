//! The health templates for real: red without the edits, green with them.

#![expect(clippy::disallowed_methods, reason = "these tests run cargo and python")]

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::support::{Memory, serve};

fn output(command: &mut Command) -> (bool, String) {
    let Output { status, stdout, stderr } = command.output().unwrap();
    let text = format!("{}\n{}", String::from_utf8_lossy(&stdout), String::from_utf8_lossy(&stderr));
    (status.success(), text)
}

fn cargo_test(repo: &Memory, target: &Path) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    repo.write(folder.path());
    let mut command = Command::new(env!("CARGO"));
    command
        .current_dir(folder.path())
        .args(["test", "--offline", "--locked"])
        .env("CARGO_TARGET_DIR", target);
    output(command.env_remove("RUSTFLAGS"))
}

/// Serves a request and returns what the tests say without and with the edits.
fn red_and_green(repo: &Memory, request: &str, run: impl Fn(&Memory) -> (bool, String)) -> (String, String) {
    let (after, proposal) = serve(repo, request);
    let (ok, red) = run(&repo.with(&proposal.tests.files));
    assert!(!ok, "not red: {red}");
    let (ok, green) = run(&after);
    assert!(ok, "not green: {green}");
    (red, green)
}

#[test]
fn the_sample_service_gets_a_health_route() {
    let target = tempfile::tempdir().unwrap();
    let sample = Memory::of_folder("samples/rust-service");
    let (ok, said) = cargo_test(&sample, target.path());
    assert!(ok, "{said}");
    let (red, green) =
        red_and_green(&sample, "add a /health endpoint", |repo| cargo_test(repo, target.path()));
    // Red by assertion: the tests compile on the base, and the router answers 404.
    assert!(red.contains("left: 404") && red.contains("right: 200"), "{red}");
    assert!(red.contains("health_answers_200") && red.contains("health_says_ok"), "{red}");
    assert!(
        green.contains("test health_answers_200 ... ok") && green.contains("test health_says_ok ... ok"),
        "{green}"
    );
    assert!(!green.contains("warning"), "{green}");
}

#[test]
fn a_rust_service_is_made() {
    let target = tempfile::tempdir().unwrap();
    let empty = Memory::of(&[("README.md", "# Shop\n")]);
    let run = |repo: &Memory| cargo_test(repo, target.path());
    let (red, green) = red_and_green(&empty, "create a Rust service with a /health endpoint", run);
    // Red by the missing library, not by a broken test or manifest.
    assert!(red.contains("app_shop") && (red.contains("E0432") || red.contains("E0433")), "{red}");
    assert!(green.contains("test health_answers_200 ... ok"), "{green}");
    // The made service can be extended by the same template.
    let (made, _) = serve(&empty, "create a Rust service with a /health endpoint");
    let (more, proposal) =
        serve(&Memory { files: without_health_test(&made), ..made }, "add a /livez endpoint");
    assert_eq!(proposal.plan.template.unwrap().variant, "extend");
    let (ok, said) = cargo_test(&more, target.path());
    assert!(ok, "{said}");
}

fn without_health_test(repo: &Memory) -> std::collections::BTreeMap<String, Vec<u8>> {
    repo.files.iter().filter(|(p, _)| *p != "tests/health.rs").map(|(p, b)| (p.clone(), b.clone())).collect()
}

#[test]
fn rust_texts_are_formatted_and_the_server_answers() {
    let target = tempfile::tempdir().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (repo, _) = serve(&Memory::of_folder("samples/rust-service"), "add a /health endpoint");
    repo.write(folder.path());
    let (ok, said) = output(Command::new(env!("CARGO")).current_dir(folder.path()).args(["fmt", "--check"]));
    assert!(ok, "{said}");
    let mut build = Command::new(env!("CARGO"));
    build
        .current_dir(folder.path())
        .args(["build", "--offline", "--locked"])
        .env("CARGO_TARGET_DIR", target.path());
    let (ok, said) = output(&mut build);
    assert!(ok, "{said}");
    let program = target.path().join("debug/greeter");
    let mut child =
        Command::new(program).arg("127.0.0.1:0").stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let stdout = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(stdout), &mut line).unwrap();
    let address = line.trim().rsplit("//").next().unwrap().to_owned();
    let mut stream = std::net::TcpStream::connect(&address).unwrap();
    std::io::Write::write_all(&mut stream, b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n").unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.ends_with("\r\n\r\nok"), "{answer}");
}

/// The Python of the virtual environment named by `ORCH_TEST_VENV`, else `python3`; `None`, said loudly, where it lacks
/// FastAPI, httpx or pytest.
fn python() -> Option<PathBuf> {
    let venv = std::env::var_os("ORCH_TEST_VENV");
    let python = venv.as_ref().map_or("python3".into(), |venv| Path::new(venv).join("bin/python"));
    let modules = Command::new(&python).args(["-c", "import fastapi, httpx, pytest"]).output();
    if modules.is_ok_and(|o| o.status.success()) {
        return Some(python);
    }
    assert!(venv.is_none(), "ORCH_TEST_VENV names no environment with fastapi, httpx and pytest");
    eprintln!("SKIPPED: `{}` has no fastapi, httpx and pytest; set ORCH_TEST_VENV", python.display());
    None
}

fn pytest(python: &Path, repo: &Memory) -> (bool, String) {
    let folder = tempfile::tempdir().unwrap();
    repo.write(folder.path());
    // Not `python -m pytest`, which would put the folder on the import path by itself.
    let code = "import sys; sys.path = [p for p in sys.path if p]; import pytest; sys.exit(pytest.main(['-q', '-p', 'no:cacheprovider']))";
    output(
        Command::new(python)
            .current_dir(folder.path())
            .args(["-c", code])
            .env("PYTHONDONTWRITEBYTECODE", "1"),
    )
}

const MAIN: &str = "from fastapi import FastAPI\n\napp = FastAPI()\n\n\n@app.get(\"/\")\ndef root():\n    return {\"hello\": \"world\"}\n\n\n\
    @app.get(\"/{name}\")\ndef named(name: str):\n    return {\"name\": name}\n";

#[test]
fn fastapi_apps_of_many_layouts_get_a_health_route() {
    let Some(python) = python() else { return };
    let annotated = "import fastapi\r\n\r\nservice: fastapi.FastAPI = fastapi.FastAPI(\r\n\ttitle=\"x\",\r\n)\r\n\r\n\r\ndef health():\r\n\treturn 1\r\n";
    for (name, files) in [
        ("flat", vec![("main.py", MAIN)]),
        ("package", vec![("app/__init__.py", ""), ("app/main.py", MAIN), ("requirements.txt", "fastapi")]),
        ("src", vec![("src/shop/__init__.py", ""), ("src/shop/api.py", MAIN)]),
        ("crlf", vec![("service.py", annotated), ("README.md", "# X\r\n")]),
        (
            "configured",
            vec![
                ("app/main.py", MAIN),
                ("pyproject.toml", "[tool.pytest.ini_options]\npythonpath = [\".\"]\n"),
                ("tests/test_root.py", "from app.main import app\n\n\ndef test_app():\n    assert app\n"),
            ],
        ),
    ] {
        let repo = Memory::of(&files);
        let run = |repo: &Memory| pytest(&python, repo);
        let (red, green) = red_and_green(&repo, "add a /health endpoint", run);
        assert!(
            red.contains("assert 404 == 200") || red.contains("{'name': 'health'} == {'status': 'ok'}"),
            "{name}: {red}"
        );
        assert!(green.contains("2 passed") || green.contains("3 passed"), "{name}: {green}");
    }
}

#[test]
fn a_fastapi_service_is_made() {
    let Some(python) = python() else { return };
    let empty = Memory::of(&[("setup.txt", "")]);
    let request = "create a FastAPI service with a /health endpoint";
    let (red, green) = red_and_green(&empty, request, |repo| pytest(&python, repo));
    assert!(red.contains("ModuleNotFoundError: No module named 'app'"), "{red}");
    assert!(green.contains("2 passed"), "{green}");
}
