//! Which of the tests a runner told of are the expected ones.
//!
//! Must never take a test of another file for the expected one where the runner tells files.

use super::runner::{Case, Place};
use crate::artifact::path::RepoPath;
use crate::artifact::types::change_set::ExpectedTest;

/// Returns the cases that are the expected test: those the runner puts in its file, else those it puts nowhere for sure.
pub(super) fn find<'a>(expected: &ExpectedTest, cases: impl Iterator<Item = &'a Case>) -> Vec<&'a Case> {
    let named: Vec<(&Case, Option<bool>)> = cases
        .filter(|case| same_name(&expected.name, &expected.path, case))
        .map(|case| (case, same_place(&case.place, &expected.path)))
        .filter(|(_, place)| *place != Some(false))
        .collect();
    let sure = named.iter().any(|(_, place)| *place == Some(true));
    named.into_iter().filter(|(_, place)| !sure || *place == Some(true)).map(|(case, _)| case).collect()
}

/// Tells whether a place is the file: yes, no, or unknown.
pub(super) fn same_place(place: &Place, path: &RepoPath) -> Option<bool> {
    let path = path.as_str();
    match place {
        Place::Unknown => None,
        Place::File(file) => Some(same_file(file, path)),
        Place::Module(module) => {
            let stem = path.rsplit_once('.').map_or(path, |(stem, _)| stem).replace('/', ".");
            let holds = |outer: &str, inner: &str| format!(".{outer}.").contains(&format!(".{inner}."));
            let matches = !module.is_empty()
                && (holds(module, &stem) || ends(&stem, module) || last_parts(module, &stem));
            // A class name may be anything, so a module that differs is no proof.
            if matches { Some(true) } else { None }
        }
        Place::Package(package) => {
            let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
            // The module's own path stands before the folder and is not known here.
            let inside = folder.is_empty() || package == folder || package.ends_with(&format!("/{folder}"));
            if inside { None } else { Some(false) }
        }
    }
}

/// Tells whether a file named by a runner is the path: the same, or one is the end of the other (workspaces, sub-folders).
fn same_file(file: &str, path: &str) -> bool {
    file == path || path.ends_with(&format!("/{file}")) || file.ends_with(&format!("/{path}"))
}

fn ends(stem: &str, module: &str) -> bool {
    stem == module || stem.ends_with(&format!(".{module}"))
}

/// Tells whether a module with a class behind it (`test_health.HealthTest`) names the file `tests/test_health.py`.
fn last_parts(module: &str, stem: &str) -> bool {
    let own = stem.rsplit('.').next().unwrap_or(stem);
    module.split('.').next().is_some_and(|first| first == own)
}

fn same_name(wanted: &str, path: &RepoPath, case: &Case) -> bool {
    const SEPARATORS: [&str; 6] = ["::", ".", "/", " > ", " › ", " "];
    let wanted = wanted.trim();
    let wanted = wanted.strip_prefix(path.as_str()).map_or(wanted, |rest| rest.trim_start_matches(':'));
    // Go writes the spaces of a sub-test's title as underscores.
    let underscored = wanted.replace(' ', "_");
    let is = |name: &str| {
        let name = name.trim();
        let bare = name.find('[').filter(|_| name.ends_with(']')).map_or(name, |at| &name[..at]);
        name == wanted || bare == wanted || (matches!(case.place, Place::Package(_)) && name == underscored)
    };
    let from = case.path.len().saturating_sub(8);
    (from..case.path.len())
        .any(|start| SEPARATORS.iter().any(|separator| is(&case.path[start..].join(separator))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::types::verification::TestStatus;

    fn case(place: Place, path: &[&str]) -> Case {
        let path = path.iter().map(|p| (*p).to_owned()).collect();
        Case { place, path, status: TestStatus::Passed, message: String::new() }
    }

    fn file(name: &str) -> Place {
        Place::File(name.into())
    }

    #[test]
    fn expected_tests_are_found_by_name_and_file() {
        let module = |name: &str| Place::Module(name.into());
        let package = |name: &str| Place::Package(name.into());
        for (path, name, case, wanted) in [
            ("tests/health.rs", "health_ok", case(file("tests/health.rs"), &["health_ok"]), true),
            ("tests/health.rs", "health_ok", case(file("tests/other.rs"), &["health_ok"]), false),
            ("tests/health.rs", "health_ok", case(Place::Unknown, &["deep", "health_ok"]), true),
            ("tests/health.rs", "deep::health_ok", case(Place::Unknown, &["deep", "health_ok"]), true),
            ("tests/health.rs", "ok", case(Place::Unknown, &["health_ok"]), false),
            ("api/tests/health.rs", "a", case(file("tests/health.rs"), &["a"]), true),
            ("tests/test_h.py", "test_x", case(file("tests/test_h.py"), &["TestH", "test_x"]), true),
            ("tests/test_h.py", "TestH::test_x", case(file("tests/test_h.py"), &["TestH", "test_x"]), true),
            ("tests/test_h.py", "tests/test_h.py::test_x", case(file("tests/test_h.py"), &["test_x"]), true),
            ("tests/test_h.py", "test_x", case(file("tests/test_h.py"), &["test_x[200-a]"]), true),
            ("tests/test_h.py", "test_x[200]", case(file("tests/test_h.py"), &["test_x[404]"]), false),
            ("tests/test_h.py", "test_x", case(module("test_h"), &["HTest", "test_x"]), true),
            ("a.test.js", "returns ok", case(file("a.test.js"), &["GET /health", "returns ok"]), true),
            (
                "a.test.js",
                "GET /health returns ok",
                case(file("a.test.js"), &["GET /health", "returns ok"]),
                true,
            ),
            (
                "a.test.js",
                "GET /health > returns ok",
                case(Place::Unknown, &["GET /health", "returns ok"]),
                true,
            ),
            ("x/demo_test.go", "TestX", case(package("example.com/demo/x"), &["TestX"]), true),
            ("x/demo_test.go", "TestX", case(package("example.com/demo/y"), &["TestX"]), false),
            (
                "demo_test.go",
                "TestX/sub case",
                case(package("example.com/demo"), &["TestX", "sub_case"]),
                true,
            ),
            ("demo_test.go", "TestX", case(package("example.com/demo"), &["TestX", "sub_case"]), false),
        ] {
            let expected = ExpectedTest { path: path.parse().unwrap(), name: name.into(), criteria: vec![] };
            let found = !find(&expected, [&case].into_iter()).is_empty();
            assert_eq!(found, wanted, "{path} {name} {case:?}");
        }
    }

    #[test]
    fn a_sure_place_wins_over_an_unknown_one() {
        let expected =
            ExpectedTest { path: "tests/a.py".parse().unwrap(), name: "test_x".into(), criteria: vec![] };
        let (sure, unknown) = (case(file("tests/a.py"), &["test_x"]), case(Place::Unknown, &["test_x"]));
        assert_eq!(find(&expected, [&unknown, &sure].into_iter()), [&sure]);
        assert_eq!(find(&expected, [&unknown].into_iter()), [&unknown]);
    }
}
