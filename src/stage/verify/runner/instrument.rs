//! Words and variables that make a runner tell of every test; they never change which tests run or what they mean.
//!
//! Must never touch a command it does not know: wrappers (`make test`, `npm test`) run exactly as configured.

use std::path::Path;

/// Returns the name of the runner that the words name directly.
pub(super) fn named(argv: &[String]) -> Option<&'static str> {
    let base = |word: &String| {
        Path::new(word).file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
    };
    let first = argv.first().map(base)?;
    let has = |word: &str| argv.iter().any(|w| w == word);
    if first == "cargo" && (has("test") || has("t")) {
        return Some("cargo");
    }
    if first == "go" && argv.get(1).is_some_and(|w| w == "test") {
        return Some("go");
    }
    if first == "node" && has("--test") {
        return Some("node");
    }
    for (at, word) in argv.iter().enumerate() {
        let after = at == 0 || matches!(argv[at - 1].as_str(), "-m" | "run" | "exec" | "--");
        match word.as_str() {
            _ if after && matches!(base(word).as_str(), "pytest" | "py.test") => return Some("pytest"),
            _ if (after || argv[at - 1] == "npx") && base(word) == "jest" => return Some("jest"),
            _ if (after || argv[at - 1] == "npx") && base(word) == "vitest" => return Some("vitest"),
            "unittest" if after && at > 0 => return Some("unittest"),
            _ => {}
        }
    }
    None
}

/// Returns the words to run: all tests told of, none taken from a cache, no stop at the first failure.
pub(in crate::stage::verify) fn instrument(argv: &[String]) -> Vec<String> {
    let mut words = argv.to_vec();
    let has = |prefix: &str| argv.iter().any(|w| w.starts_with(prefix));
    match named(argv) {
        Some("cargo") if !has("--no-fail-fast") => {
            let at = words.iter().position(|w| w == "--").unwrap_or(words.len());
            words.insert(at, "--no-fail-fast".into());
        }
        Some("go") => {
            if !has("-count") {
                words.insert(2, "-count=1".into());
            }
            if !argv.iter().any(|w| w == "-v" || w == "-json" || w == "-v=true") {
                words.insert(2, "-v".into());
            }
        }
        Some("node") if !has("--test-reporter") => {
            if let Some(at) = words.iter().position(|w| w == "--test") {
                words.insert(at + 1, "--test-reporter=tap".into());
            }
        }
        Some("jest") if !has("--verbose") && !has("--reporters") => words.push("--verbose".into()),
        Some("vitest") if !has("--reporter") => words.push("--reporter=verbose".into()),
        Some("unittest") if !argv.iter().any(|w| w == "-v" || w == "--verbose") => {
            if let Some(at) = words.iter().position(|w| w == "unittest") {
                words.insert(at + 1, "-v".into());
            }
        }
        _ => {}
    }
    words
}

/// Returns the words that run the tests of one file alone, for runners that run none when another file does not compile.
pub(in crate::stage::verify) fn alone(argv: &[String], path: &str) -> Option<Vec<String>> {
    const CHOSEN: [&str; 6] = ["--test", "--lib", "--bin", "--bins", "--doc", "--example"];
    let end = argv.iter().position(|w| w == "--").unwrap_or(argv.len());
    let chosen = argv[..end].iter().any(|w| CHOSEN.iter().any(|c| w == c || w.starts_with(&format!("{c}="))));
    if named(argv) != Some("cargo") || chosen {
        return None;
    }
    let (folder, file) = path.rsplit_once('/')?;
    let target = file.strip_suffix(".rs").filter(|_| folder == "tests" || folder.ends_with("/tests"))?;
    let mut words = argv.to_vec();
    words.splice(end..end, ["--test".to_owned(), target.to_owned()]);
    Some(words)
}

/// Returns the options that reach pytest through `PYTEST_ADDOPTS`, whoever starts it.
///
/// One broken file must not hide the tests of the others, and a result file is read more safely than a log.
pub(in crate::stage::verify) fn pytest_options(results: &Path) -> String {
    // Quoted even where it need not be: the stand-in for the copy's folder is plain, the folder itself may hold a space.
    let file = results.display().to_string().replace('\'', r"'\''");
    format!("--continue-on-collection-errors -o junit_family=xunit1 '--junitxml={file}'")
}

/// Returns the JUnit files that a command may write by its words or by convention, below the copy.
pub(in crate::stage::verify) fn result_files(argv: &[String]) -> Vec<String> {
    const CONVENTION: [&str; 4] = ["junit.xml", "report.xml", "test-results/junit.xml", "reports/junit.xml"];
    let is_xml = |w: &&str| {
        Path::new(w).extension().is_some_and(|e| e.eq_ignore_ascii_case("xml")) && !w.starts_with(['-', '/'])
    };
    let said = argv.iter().filter_map(|w| w.rsplit('=').next()).filter(is_xml);
    let mut files: Vec<String> =
        said.chain(CONVENTION).map(|w| w.trim_start_matches("./").to_owned()).collect();
    files.sort_unstable();
    files.dedup();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        text.split_whitespace().map(str::to_owned).collect()
    }

    #[test]
    fn known_runners_tell_all_and_others_are_left_alone() {
        for (given, wanted) in [
            ("cargo test --workspace -- --nocapture", "cargo test --workspace --no-fail-fast -- --nocapture"),
            ("cargo test --no-fail-fast", "cargo test --no-fail-fast"),
            ("cargo build", "cargo build"),
            ("go test ./...", "go test -v -count=1 ./..."),
            ("go test -json ./...", "go test -count=1 -json ./..."),
            ("go vet ./...", "go vet ./..."),
            ("node --test tests/", "node --test --test-reporter=tap tests/"),
            ("node --test --test-reporter=spec", "node --test --test-reporter=spec"),
            ("python3 -m unittest", "python3 -m unittest -v"),
            ("python3 -m unittest -v tests", "python3 -m unittest -v tests"),
            ("python -m pytest -q", "python -m pytest -q"),
            ("npx jest", "npx jest --verbose"),
            ("npx vitest run", "npx vitest run --reporter=verbose"),
            ("npx mocha", "npx mocha"),
            ("make test", "make test"),
            ("npm test", "npm test"),
        ] {
            assert_eq!(instrument(&words(given)).join(" "), wanted);
        }
        assert_eq!(instrument(&[]), Vec::<String>::new());
    }

    #[test]
    fn only_cargo_is_asked_for_one_file() {
        let alone = |text: &str, path: &str| alone(&words(text), path).map(|w| w.join(" "));
        assert_eq!(alone("cargo test -- -q", "tests/b.rs").as_deref(), Some("cargo test --test b -- -q"));
        assert_eq!(alone("cargo test", "x/tests/b.rs").as_deref(), Some("cargo test --test b"));
        for (text, path) in [
            ("cargo test --test a", "tests/b.rs"),
            ("cargo test", "src/b.rs"),
            ("cargo test", "tests/b/main.rs"),
            ("pytest", "tests/b.py"),
        ] {
            assert_eq!(alone(text, path), None, "{text} {path}");
        }
    }

    #[test]
    fn runners_are_named_by_their_words() {
        for (given, wanted) in [
            (".venv/bin/pytest -q", Some("pytest")),
            ("uv run pytest", Some("pytest")),
            ("python3 -m pytest", Some("pytest")),
            ("coverage run -m unittest", Some("unittest")),
            ("pip install pytest", None),
            ("cargo clippy", None),
            ("", None),
        ] {
            assert_eq!(named(&words(given)), wanted, "{given}");
        }
    }

    #[test]
    fn result_files_are_found_in_words_and_stay_below_the_copy() {
        let found = result_files(&words("jest --outputFile=./out/jest.xml x.xml /etc/passwd.xml"));
        assert!(found.contains(&"out/jest.xml".to_owned()) && found.contains(&"x.xml".to_owned()));
        assert!(!found.iter().any(|f| f.starts_with('/')));
    }
}
