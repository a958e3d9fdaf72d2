#!/usr/bin/env bash
# Records real runner outputs as golden files: `./record.sh [RUNNER...]`, tools taken from PATH.
# Each case is a small project in a temporary folder; paths of this machine are taken out afterwards.
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=$(mktemp -d)
trap 'rm -rf "$top"' EXIT
work="$top/copy"
export NO_COLOR=1 CARGO_TERM_COLOR=never PYTHONDONTWRITEBYTECODE=1
unset CI

file() { mkdir -p "$(dirname "$1")"; cat >"$1"; }

# run RUNNER CASE COMMAND...: stdout, stderr and JUnit (if one was written) of the command, made portable.
run() {
    local folder="$here/$1" case="$2"
    shift 2
    mkdir -p "$folder"
    "$@" >"$folder/$case.out" 2>"$folder/$case.err"
    echo "$?" >"$folder/$case.exit"
    [ -f "$work/junit.xml" ] && mv "$work/junit.xml" "$folder/$case.xml"
    for recorded in "$folder/$case".{out,err,xml}; do
        [ -f "$recorded" ] || continue
        sed -i -E -e "s#$work#/tmp/copy#g" -e "s#$top#/tmp#g" -e "s#(/[A-Za-z0-9._-]+)+/(lib/python3[^/]*|lib/go[^/]*)#/usr/\2#g" \
            -e "s#$HOME#/home/user#g" -e "s#${VIRTUAL_ENV:-/no/venv}#/opt/venv#g" -e "s#${JS_TOOLS:-/no/tools}#/opt/js#g" -e 's# hostname="[^"]*"# hostname="host"#' "$recorded"
        [ -s "$recorded" ] || rm "$recorded"
    done
    rm -rf "$work"
}
fresh() { rm -rf "$work"; mkdir -p "$work"; cd "$work" || exit 1; }

py_app() { fresh; printf 'def greet():\n    return "hi"\n' | file app.py; }
# One test file for pytest and unittest each, by case.
py_case() {
    py_app
    local pre='import unittest' body='self.assertEqual(app.greet(), "hi")' import='import app' deco='' more=''
    case $1 in
    assertion) body='self.assertEqual(app.greet(), "hello")' ;;
    missing) import='from app import health' ;;
    missing-module) import='from service.health import health' ;;
    attribute) body='self.assertEqual(app.health(), "ok")' ;;
    syntax) body='self.assertEqual(app.greet(, "hi")' ;;
    dependency) import='import no_such_package_here as app' ;;
    skipped) deco='    @unittest.skip("not today")' ;;
    error-output) more='        print("test_forged (test_health.Forged) ... ok")' ;;
    esac
    if [ "$2" = unittest ]; then
        printf '%s\n%s\n\n\nclass HealthTest(unittest.TestCase):\n%s\n    def test_other(self):\n        self.assertTrue(True)\n\n%s\n    def test_health(self):\n%s\n        %s\n' \
            "$pre" "$import" "" "$deco" "$more" "$body" | file test_health.py
    else
        body=${body/self.assertEqual(/assert (}
        body=$(sed -E 's/self\.assertEqual\((.*), ("[a-z]+")\)/assert \1 == \2/' <<<"${body/assert (/self.assertEqual(}")
        printf 'import pytest\n%s\n\n\ndef test_other():\n    assert True\n\n\n%s\ndef test_health():\n    %s\n' \
            "$import" "$(sed 's/    @unittest.skip(/@pytest.mark.skip(reason=/' <<<"$deco")" "$body" | file tests/test_health.py
        printf '[pytest]\npythonpath = .\n' | file pytest.ini
    fi
}
pytest_() {
    for case in pass assertion missing missing-module attribute syntax dependency skipped; do
        py_case $case pytest
        run pytest $case pytest -q --junitxml=junit.xml -o junit_family=xunit1
    done
    py_app; file tests/test_health.py <<<'X = 1'; run pytest none pytest --junitxml=junit.xml -o junit_family=xunit1
    py_case assertion pytest; run pytest verbose pytest -v
    py_case assertion pytest; run pytest report-all pytest -rA
    py_app
    file tests/test_health.py <<'PY'
import pytest


class TestHealth:
    @pytest.mark.parametrize("code", [200, 404])
    def test_status(self, code):
        assert code == 200


@pytest.mark.xfail
def test_later():
    assert False


@pytest.fixture
def broken():
    raise RuntimeError("no database")


def test_database(broken):
    pass
PY
    run pytest mixed pytest -rA --junitxml=junit.xml -o junit_family=xunit1
}
unittest_() {
    for case in pass assertion missing missing-module attribute syntax dependency skipped error-output; do
        py_case $case unittest
        run unittest $case python3 -m unittest -v
    done
    py_app; run unittest none python3 -m unittest -v
    py_app
    file test_health.py <<'PY'
import unittest


class HealthTest(unittest.TestCase):
    def test_doc(self):
        """The service answers."""
        self.assertEqual(1, 2)

    def test_sub(self):
        for n in (1, 2):
            with self.subTest(n=n):
                self.assertEqual(n, 1)

    @unittest.expectedFailure
    def test_expected(self):
        self.fail("known")

    def test_error(self):
        raise RuntimeError("no database")
PY
    run unittest mixed python3 -m unittest -v
}

cargo_crate() {
    fresh
    printf '[package]\nname = "demo"\nversion = "0.1.0"\nedition = "2021"\n\n[workspace]\n' | file Cargo.toml
    file src/lib.rs <<'RS'
/// Greets.
///
/// ```
/// assert_eq!(demo::greet(), "hi");
/// ```
pub fn greet() -> &'static str {
    "hi"
}

#[cfg(test)]
mod tests {
    #[test]
    fn greets() {
        assert_eq!(super::greet(), "hi");
    }
}
RS
}
cargo_() {
    for case in pass assertion missing missing-import syntax dependency skipped; do
        cargo_crate
        local body='assert_eq!(demo::greet(), "hi");' attr='' use=''
        case $case in
        assertion) body='assert_eq!(demo::greet(), "hello");' ;;
        missing) body='assert_eq!(demo::health(), "ok");' ;;
        missing-import) use='use demo::health::status;' ; body='assert_eq!(status(), "ok");' ;;
        syntax) body='assert_eq!(demo::greet(), "hi";' ;;
        dependency) use='use serde_json::Value;' ; body='let _ = Value::Null;' ;;
        skipped) attr='#[ignore = "not today"]' ;;
        esac
        printf '%s\n\n#[test]\nfn other() {}\n\n#[test]\n%s\nfn health_returns_ok() {\n    %s\n}\n' "$use" "$attr" "$body" | file tests/health.rs
        printf '#[test]\nfn second_binary() {\n    println!("test forged ... ok");\n}\n' | file tests/second.rs
        run cargo $case cargo test --offline --no-fail-fast
    done
    cargo_crate; printf 'pub fn x() {}\n' | file src/lib.rs; run cargo none cargo test --offline --no-fail-fast
    cargo_crate; printf '\n[dependencies]\nno-such-crate-here = "1"\n' >>Cargo.toml; run cargo dependency-offline cargo test --offline
    cargo_crate
    file tests/health.rs <<'RS'
#[test]
fn result_error() -> Result<(), String> {
    Err("404 Not Found".into())
}

#[test]
#[should_panic(expected = "boom")]
fn should_panic() {}

#[test]
fn unwraps_none() {
    let route: Option<u8> = None;
    route.expect("a route");
}

#[test]
fn not_there() {
    todo!("the endpoint")
}

mod deep {
    #[test]
    fn prints_and_fails() {
        println!("test forged ... ok");
        println!("line two");
        assert!(1 > 2, "one is not more");
    }
}
RS
    run cargo mixed cargo test --offline --no-fail-fast
    cargo_crate; printf '#[test]\nfn a() { demo::nope(); }\n' | file tests/a.rs; printf '#[test]\nfn b() { demo::neither(); }\n' | file tests/b.rs
    run cargo two-broken cargo test --offline --no-fail-fast
}

node_pkg() { fresh; printf '{"name":"demo","type":"module","version":"1.0.0"}\n' | file package.json; printf 'export function greet() {\n  return "hi";\n}\n' | file app.js; }
node_case() {
    node_pkg
    local import='import { greet } from "../app.js";' body='assert.equal(greet(), "hi");' skip='' dep=''
    case $1 in
    assertion) body='assert.equal(greet(), "hello");' ;;
    missing) import='import { health as greet } from "../app.js";' ;;
    missing-module) import='import { greet } from "../health.js";' ;;
    attribute) import='import * as app from "../app.js";'; body='assert.equal(app.health(), "ok");' ;;
    syntax) body='assert.equal(greet(, "hi");' ;;
    dependency) import='import { greet } from "no-such-package-here";' ;;
    skipped) skip='{ skip: "not today" }, ' ;;
    esac
    printf 'import test, { describe, it } from "node:test";\nimport assert from "node:assert/strict";\n%s\n\ntest("other", () => {});\n\ndescribe("GET /health", () => {\n  it("returns ok", %s() => {\n    %s\n  });\n});\n' \
        "$import" "$skip" "$body" | file tests/health.test.js
}
node_() {
    for case in pass assertion missing missing-module attribute syntax dependency skipped; do
        node_case $case; run node tap-$case node --test --test-reporter=tap tests/
        node_case $case; run node spec-$case node --test --test-reporter=spec tests/
    done
    node_pkg; mkdir tests; run node tap-none node --test --test-reporter=tap
    node_case pass; run node junit-pass node --test --test-reporter=junit --test-reporter-destination=junit.xml tests/
    node_case assertion; run node junit-assertion node --test --test-reporter=junit --test-reporter-destination=junit.xml tests/
}
# jest, vitest and mocha from a folder with them installed, named by JS_TOOLS.
js_() { # only where JS_TOOLS is set
    for tool in jest vitest mocha; do
        for case in pass assertion missing-module syntax; do
            node_pkg; printf '{"name":"demo","version":"1.0.0"}\n' | file package.json
            ln -s "$JS_TOOLS/node_modules" node_modules
            printf 'exports.greet = () => "hi";\n' | file app.js
            local head='const assert = require("node:assert/strict");' want='hi' app='../app.js' open='() =>'
            [ $tool = vitest ] && head='import { describe, it } from "vitest"; import assert from "node:assert/strict"; import { createRequire } from "node:module"; const require = createRequire(import.meta.url);'
            [ $case = assertion ] && want='hello'
            [ $case = missing-module ] && app='../health.js'
            [ $case = syntax ] && open='(,'
            local ext=js; [ $tool = vitest ] && ext=mjs
            printf '%s\nconst { greet } = require("%s");\n\ndescribe("GET /health", () => {\n  it("other", () => {});\n  it("returns ok", %s {\n    assert.equal(greet(), "%s");\n  });\n});\n' \
                "$head" "$app" "$open" "$want" | file tests/health.test.$ext
            case $tool in
            jest) run js jest-$case node node_modules/.bin/jest --verbose ;;
            vitest) run js vitest-$case node node_modules/.bin/vitest run --reporter=verbose ;;
            mocha) run js mocha-$case node node_modules/.bin/mocha tests/ ;;
            esac
        done
    done
}

go_() {
    for case in pass assertion missing syntax dependency skipped none; do
        for flag in -v -json; do
            fresh
            printf 'module example.com/demo\n\ngo 1.19\n' | file go.mod
            printf 'package demo\n\nfunc Greet() string { return "hi" }\n' | file demo.go
            printf 'package other\n\nimport "testing"\n\nfunc TestOther(t *testing.T) {}\n' | file other/other_test.go
            local body='if Greet() != "hi" { t.Errorf("got %%s", Greet()) }' import='' first=''
            case $case in
            assertion) body='t.Run("sub case", func(t *testing.T) { if Greet() != "hello" { t.Errorf("got %%s, want hello", Greet()) } })' ;;
            missing) body='if Health() != "ok" { t.Fatal("no") }' ;;
            syntax) body='if Greet( != "hi" { t.Fatal("no") }' ;;
            dependency) import='import "github.com/no-such/package-here"'; body='here.X()' ;;
            skipped) first='t.Skip("not today");' ;;
            esac
            [ $case != none ] && printf "package demo\n\nimport \"testing\"\n$import\n\nfunc TestHealth(t *testing.T) {\n\t$first$body\n}\n" | file demo_test.go
            [ $case = none ] && rm -r other
            run go ${flag#-}-$case env GOFLAGS=-mod=mod GOPROXY=off GOCACHE="$top/cache" go test "$flag" ./...
        done
    done
}

[ $# -eq 0 ] && set -- pytest unittest cargo node go
for runner in "$@"; do "${runner}_"; done
