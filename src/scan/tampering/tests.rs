//! What the scanner says of changes in every language, and how many steps it takes.
//!
//! Must never measure time.

use proptest::prelude::*;

use super::*;
use crate::scan::{Confidence, MemoryTree, scan_change};

type Files<'a> = [(&'a str, Option<&'a str>, Option<&'a str>)];

/// Returns code, kind and confidence of what is found; what is below medium is left out.
fn found(files: &Files<'_>) -> Vec<String> {
    let files: Vec<FileChange<'_>> = files
        .iter()
        .map(|(path, before, after)| FileChange {
            path,
            before: before.map(str::as_bytes),
            after: after.map(str::as_bytes),
        })
        .collect();
    let facts = scan_change(&[&Tampering], &Change { files: &files, tree: &MemoryTree::default() }, None);
    facts
        .iter()
        .filter(|fact| fact.confidence >= Confidence::Medium)
        .map(|fact| {
            let sure = if fact.confidence == Confidence::High { "high" } else { "medium" };
            let rule = fact.code.trim_start_matches("tests/");
            let kind = fact.attributes.get("kind").map_or("", String::as_str);
            let gone = rule == "assertion-removed" && fact.attributes.contains_key("follows");
            format!("{rule} {kind}{} {sure}", if gone { " follows-code" } else { "" })
        })
        .collect()
}

fn one(path: &str, before: &str, after: &str) -> Vec<String> {
    found(&[(path, Some(before), Some(after))])
}

/// A test in each language with a body.
fn wrap(path: &str, body: &str) -> String {
    let indented =
        |by: &str| body.lines().map(|line| format!("{by}{line}")).collect::<Vec<_>>().join("\n") + "\n";
    match path.rsplit('.').next().unwrap_or_default() {
        "py" => format!("import app\n\n\ndef test_one():\n    x = app.make(1)\n{}", indented("    ")),
        "ts" => format!("it('one', async () => {{\n  const x = make(1);\n{}}});\n", indented("  ")),
        "go" => format!("package a\n\nfunc TestOne(t *testing.T) {{\n\tx := Make(1)\n{}}}\n", indented("\t")),
        "rs" => format!("#[test]\nfn one() {{\n    let x = make(1);\n{}}}\n", indented("    ")),
        "java" => format!(
            "class ATest {{\n  @Test\n  void one() {{\n    int x = make(1);\n{}  }}\n}}\n",
            indented("    ")
        ),
        "kt" => format!(
            "class ATest {{\n  @Test\n  fun one() {{\n    val x = make(1)\n{}  }}\n}}\n",
            indented("    ")
        ),
        "cs" => format!(
            "public class ATests {{\n  [Fact]\n  public void One() {{\n    var x = Make(1);\n{}  }}\n}}\n",
            indented("    ")
        ),
        "rb" => format!(
            "RSpec.describe A do\n  it \"is one\" do\n    x = make(1)\n{}  end\nend\n",
            indented("    ")
        ),
        "php" => format!(
            "<?php\nclass ATest extends TestCase {{\n  public function testOne() {{\n    $x = make(1);\n{}  }}\n}}\n",
            indented("    ")
        ),
        _ => format!("TEST(A, One) {{\n  int x = make(1);\n{}}}\n", indented("  ")),
    }
}

const PY: &str = "tests/test_a.py";
const TS: &str = "src/a.test.ts";
const GO: &str = "a_test.go";
const RS: &str = "tests/a.rs";
const JAVA: &str = "src/test/java/ATest.java";
const KT: &str = "src/test/kotlin/ATest.kt";
const CS: &str = "A.Tests/ATests.cs";
const RB: &str = "spec/a_spec.rb";
const PHP: &str = "tests/ATest.php";
const CC: &str = "test/a_test.cc";

#[test]
fn weaker_assertions_are_found_in_every_language() {
    let cases = [
        (PY, "assert x == 5", "assert x", "weakened high"),
        (PY, "self.assertEqual(x, 5)", "self.assertTrue(x)", "weakened high"),
        (PY, "self.assertEqual(x, 5)", "self.assertIsNotNone(x)", "weakened high"),
        (PY, "assert x == 5", "assert x == 5 or True", "weakened high"),
        (PY, "assert x == [1, 2]", "assert len(x) > 0", "weakened medium"),
        (PY, "assert x == 5", "assert True", "removed high"),
        (PY, "assert x == 5", "# assert x == 5", "removed high"),
        (PY, "assert x == 5", "try:\n    assert x == 5\nexcept Exception:\n    pass", "weakened high"),
        (PY, "assert x == 5", "return\nassert x == 5", "weakened high"),
        (
            PY,
            "self.assertAlmostEqual(x, 5.0, delta=0.1)",
            "self.assertAlmostEqual(x, 5.0, delta=2)",
            "weakened high",
        ),
        (
            PY,
            "assert x == pytest.approx(5, rel=0.01)",
            "assert x == pytest.approx(5, rel=0.5)",
            "weakened high",
        ),
        (
            PY,
            "with pytest.raises(ValueError):\n    x.go()\nassert x.a == 1",
            "assert x.a == 1",
            "removed medium",
        ),
        (TS, "expect(x).toBe(5);", "expect(x).toBeDefined();", "weakened high"),
        (TS, "expect(x).toEqual({ a: 1 });", "expect(x).toBeTruthy();", "weakened high"),
        (TS, "expect(x).toBe(5);", "expect(true).toBe(true);", "removed high"),
        (TS, "assert.equal(x, 5);\nassert.ok(x.b);", "assert.ok(x.b);", "removed high"),
        (TS, "expect(x).toBeCloseTo(0.3, 5);", "expect(x).toBeCloseTo(0.3, 1);", "weakened high"),
        (TS, "expect(x).toBe(5);", "try {\n  expect(x).toBe(5);\n} catch (e) {}", "weakened high"),
        (GO, "if x != 5 {\n\tt.Errorf(\"got %d\", x)\n}", "_ = x", "removed high"),
        (GO, "assert.Equal(t, 5, x)", "assert.NotNil(t, x)", "weakened high"),
        (
            GO,
            "require.NoError(t, x.Err)\nassert.Equal(t, 5, x.N)",
            "require.NoError(t, x.Err)",
            "removed high",
        ),
        (RS, "assert_eq!(x, 5);", "assert!(x > 0);", "weakened medium"),
        (RS, "assert_eq!(x, 5);\nassert!(x.ok());", "assert!(x.ok());", "removed high"),
        (JAVA, "assertEquals(5, x);", "assertNotNull(x);", "weakened high"),
        (JAVA, "assertThat(x).isEqualTo(5);", "assertThat(x).isNotNull();", "weakened high"),
        (KT, "assertEquals(5, x)\nassertTrue(x.ok)", "assertTrue(x.ok)", "removed high"),
        (CS, "Assert.Equal(5, x);", "Assert.NotNull(x);", "weakened high"),
        (CS, "x.Should().Be(5);\nAssert.True(x.Ok);", "Assert.True(x.Ok);", "removed high"),
        (RB, "expect(x).to eq(5)", "expect(x).to be_truthy", "weakened"),
        (RB, "assert_equal 5, x\nassert x.ok", "assert x.ok", "removed high"),
        (PHP, "$this->assertSame(5, $x);", "$this->assertNotNull($x);", "weakened high"),
        (
            PHP,
            "$this->assertSame(5, $x);\n$this->assertTrue($x->ok);",
            "$this->assertTrue($x->ok);",
            "removed high",
        ),
        (CC, "EXPECT_EQ(x, 5);\nEXPECT_TRUE(x.ok());", "EXPECT_TRUE(x.ok());", "removed medium"),
    ];
    let mut wrong = Vec::new();
    for (path, before, after, want) in cases {
        let got = one(path, &wrap(path, before), &wrap(path, after));
        if got.len() != 1 || !got[0].starts_with(&format!("assertion-removed {want}")) {
            wrong.push(format!("{path}: {before:?} -> {after:?}: {got:?}, want {want}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_same_in_other_words_is_nothing() {
    let cases = [
        (PY, "self.assertEqual(x, 5)", "assert x == 5"),
        (PY, "assert x == 5", "assert 5 == x, \"five\""),
        (PY, "self.assertTrue(x == 5)", "self.assertEqual(x, 5)"),
        (PY, "assert x is True", "assert x"),
        (PY, "self.assertFalse(x)", "assert not x"),
        (PY, "self.assertIsNone(x)", "assert x is None"),
        (PY, "assert x == 'a'", "assert x == \"a\""),
        (PY, "assert x == 5", "assert (\n    x\n    == 5\n)"),
        (PY, "assert x.a == 1\nassert x.b == 2", "assert x == {\"a\": 1, \"b\": 2}"),
        (TS, "expect(x).toEqual(5);", "assert.strictEqual(x, 5);"),
        (TS, "expect(x).toBe(true);", "expect(x).toBeTruthy();"),
        (TS, "expect(x).to.equal(5);", "expect(x).toBe(5);"),
        (TS, "x.should.equal(5);", "expect(x).toBe(5);"),
        (GO, "if x != 5 {\n\tt.Errorf(\"got %d\", x)\n}", "if got := x; got != 5 {\n\tt.Fatal(\"no\")\n}"),
        (GO, "if x != 5 {\n\tt.Errorf(\"got %d\", x)\n}", "assert.Equal(t, 5, x)"),
        (GO, "assert.Nil(t, err)", "require.NoError(t, err)"),
        (RS, "assert!(x == 5);", "assert_eq!(x, 5, \"five\");"),
        (JAVA, "assertEquals(5, x);", "assertThat(x).isEqualTo(5);"),
        (JAVA, "assertEquals(\"five\", 5, x);", "assertEquals(5, x);"),
        (KT, "assertEquals(5, x)", "x shouldBe 5"),
        (CS, "Assert.Equal(5, x);", "x.Should().Be(5);"),
        (RB, "assert_equal 5, x", "expect(x).to eq(5)"),
        (PHP, "$this->assertEquals(5, $x);", "self::assertSame(5, $x);"),
    ];
    let mut wrong = Vec::new();
    for (path, before, after) in cases {
        let got = one(path, &wrap(path, before), &wrap(path, after));
        if !got.is_empty() {
            wrong.push(format!("{path}: {before:?} -> {after:?}: {got:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn skips_are_found_in_every_language() {
    let py = wrap(PY, "assert x == 5");
    let swap = |path: &str, from: &str, to: &str| {
        let text = wrap(path, "x;");
        one(path, &text, &text.replacen(from, to, 1))
    };
    let cases = [
        (one(PY, &py, &py.replace("def ", "@pytest.mark.skip(reason=\"x\")\ndef ")), "existing high"),
        (one(PY, &py, &py.replace("def ", "@pytest.mark.xfail\ndef ")), "existing high"),
        (
            one(PY, &py, &py.replace("def ", "@pytest.mark.skipif(os.name == \"nt\", reason=\"x\")\ndef ")),
            "existing medium",
        ),
        (one(PY, &py, &py.replace("    x =", "    pytest.skip(\"later\")\n    x =")), "existing high"),
        (swap(TS, "it('one'", "it.skip('one'"), "existing high"),
        (swap(TS, "it('one'", "xit('one'"), "existing high"),
        (swap(TS, "it('one'", "it.only('one'"), "only high"),
        (swap(TS, "it('one'", "it.todo('one'"), "existing high"),
        (swap(GO, "\tx :=", "\tt.Skip(\"later\")\n\tx :="), "existing high"),
        (swap(RS, "#[test]", "#[test]\n#[ignore]"), "existing high"),
        (swap(JAVA, "@Test", "@Disabled @Test"), "existing high"),
        (swap(KT, "@Test", "@Ignore @Test"), "existing high"),
        (swap(CS, "[Fact]", "[Fact(Skip = \"later\")]"), "existing high"),
        (swap(RB, "it \"is one\"", "xit \"is one\""), "existing high"),
        (swap(RB, "    x =", "    skip \"later\"\n    x ="), "existing high"),
        (swap(PHP, "    $x =", "    $this->markTestSkipped('later');\n    $x ="), "existing high"),
    ];
    for (nth, (got, want)) in cases.iter().enumerate() {
        assert_eq!(got, &[format!("skipped {want}")], "case {nth}");
    }
}

#[test]
fn moved_renamed_and_split_tests_are_nothing() {
    let a = "def test_one():\n    x = make(1)\n    assert x.a == 1\n    assert x.b == 2\n\n\ndef test_two():\n    y = make(2)\n    assert y.a == 3\n";
    let (first, second) = a.split_at(a.find("def test_two").unwrap());
    assert_eq!(
        found(&[(PY, Some(a), Some(first)), ("tests/test_b.py", None, Some(second))]),
        [] as [&str; 0]
    );
    assert_eq!(one(PY, a, &a.replace("test_two", "test_of_two")), [] as [&str; 0]);
    let split = a
        .replace("    assert x.b == 2\n", "")
        .replace("def test_two", "def test_b():\n    x = make(1)\n    assert x.b == 2\n\n\ndef test_two");
    assert_eq!(one(PY, a, &split), [] as [&str; 0]);
    let rows = "@pytest.mark.parametrize(\"n, a\", [(1, 1), (2, 3), (3, 4)])\ndef test_all(n, a):\n    assert make(n).a == a\n    assert make(n).b == 2\n";
    assert_eq!(one(PY, a, rows), [] as [&str; 0]);
    let helper = "def check(x):\n    assert x.a == 1\n    assert x.b == 2\n\n\n".to_owned()
        + &a.replace("    assert x.a == 1\n    assert x.b == 2\n", "    check(x)\n");
    assert_eq!(one(PY, a, &helper), [] as [&str; 0]);
}

#[test]
fn a_removal_is_not_hidden_by_a_new_test() {
    let old = "def test_one():\n    r = client.get(\"/a\")\n    assert r.status_code == 200\n    assert r.json() == {}\n";
    let new = "def test_one():\n    r = client.get(\"/a\")\n    assert r.json() == {}\n\n\ndef test_new():\n    other = client.post(\"/b\")\n    r = other.follow()\n    assert r.status_code == 200\n";
    assert_eq!(one(PY, old, new), ["assertion-removed removed high"]);
}

#[test]
fn deleted_tests_are_found_while_their_code_stays() {
    let a = "def test_one():\n    assert make(1) == 1\n\n\ndef test_two():\n    assert other_thing(2) == 3\n";
    let less = "def test_one():\n    assert make(1) == 1\n";
    assert_eq!(one(PY, a, less), ["assertion-removed test-deleted high"]);
    assert_eq!(found(&[(PY, Some(a), None)]), ["assertion-removed file-deleted high"]);
    let code = ("src/a.py", Some("def other_thing(n):\n    return n\n"), Some("pass\n"));
    assert_eq!(
        found(&[code, (PY, Some(a), Some(less))]),
        ["assertion-removed test-deleted follows-code medium"]
    );
}

#[test]
fn opposites_and_repeats_are_told_apart() {
    let flip = |from: &str, to: &str| one(PY, &wrap(PY, from), &wrap(PY, to));
    assert_eq!(flip("assert x", "assert not x"), ["expectation-edited value high"]);
    assert_eq!(flip("self.assertIsNone(x)", "self.assertIsNotNone(x)"), ["expectation-edited value high"]);
    // What is asserted once more still is.
    let twice = "assert x == 5\nx.go()\nassert x == 5";
    assert_eq!(flip(twice, "assert x == 5\nx.go()"), ["assertion-removed removed medium"]);
    // Nothing is asserted by these.
    assert_eq!(flip("with pytest.warns(None):\n    x.go()", "x.go()"), [] as [&str; 0]);
    assert_eq!(flip("assert 1 == 2\nassert x", "assert x"), [] as [&str; 0]);
    assert_eq!(flip("x.go()\nself.fail(\"no\")", "x.go()\nassert False, \"no\""), [] as [&str; 0]);
    let helper = "import {checkBody} from './a';\n";
    let local = "function checkBody(b) {\n  assert.equal(b, 1);\n}\n";
    let call = wrap(TS, "get(x).expect(checkBody(x));");
    assert_eq!(
        one(
            TS,
            &format!("{call}{local}"),
            &format!("{helper}{}", call.replace("checkBody", "utils.checkBody"))
        ),
        [] as [&str; 0]
    );
    let rescue = "class ATest < Minitest::Test\n  it 'a' do\n    assert go\n  end\nend\n";
    assert_eq!(
        one(RB, rescue, &rescue.replace("  end\nend", "  rescue E => e\n    skip e.message\n  end\nend")),
        ["skipped existing medium"]
    );
    // The parameters of a function over several lines are not its body.
    let lines = wrap(PY, "assert x == 5\nassert x.a").replace("test_one()", "test_one(\n    a,\n)");
    assert_eq!(one(PY, &lines, &lines.replace("    assert x.a\n", "")), ["assertion-removed removed high"]);
}

#[test]
fn edited_expectations_are_told_from_other_changes() {
    let text = wrap(PY, "assert x == 5");
    assert_eq!(one(PY, &text, &text.replace("== 5", "== 6")), ["expectation-edited value high"]);
    // The input changed as well.
    assert_eq!(one(PY, &text, &text.replace("== 5", "== 6").replace("make(1)", "make(2)")), [] as [&str; 0]);
    let table = "package a\n\nfunc TestOne(t *testing.T) {\n\tfor _, c := range []struct{ in, want int }{\n\t\t{in: 1, want: 2},\n\t\t{in: 2, want: 3},\n\t} {\n\t\tif got := Next(c.in); got != c.want {\n\t\t\tt.Error(got)\n\t\t}\n\t}\n}\n";
    assert_eq!(one(GO, table, &table.replace("want: 3", "want: 4")), ["expectation-edited value high"]);
    assert_eq!(one("__snapshots__/a.snap", "a\nb\n", "a\nc\n"), ["expectation-edited snapshot medium"]);
    assert_eq!(one("__snapshots__/a.snap", "a\nb\n", "a\nb\nc\n"), [] as [&str; 0]);
}

#[test]
fn gates_that_give_way_are_found() {
    let cases = [
        (".coveragerc", "fail_under = 90\n", "fail_under = 80\n", "coverage-loosened threshold high"),
        (
            "pyproject.toml",
            "addopts = \"--cov-fail-under=90\"\n",
            "addopts = \"\"\n",
            "coverage-loosened threshold medium",
        ),
        (
            "jest.config.js",
            "coverageThreshold: { global: { branches: 80 } }",
            "coverageThreshold: { global: { branches: 70 } }",
            "coverage-loosened threshold high",
        ),
        (
            "codecov.yml",
            "      threshold: 1%\n",
            "      threshold: 10%\n",
            "coverage-loosened threshold high",
        ),
        ("tsconfig.json", "{\"strict\": true}", "{\"strict\": false}", "lint-loosened config high"),
        (
            ".eslintrc.json",
            "{\"rules\": {\"no-eval\": \"error\"}}",
            "{\"rules\": {\"no-eval\": \"off\"}}",
            "lint-loosened config high",
        ),
        (
            "Cargo.toml",
            "[lints.clippy]\nunwrap_used = \"deny\"\n",
            "[lints.clippy]\nunwrap_used = \"allow\"\n",
            "lint-loosened config high",
        ),
        (
            "ruff.toml",
            "ignore = [\"E501\"]\n",
            "ignore = [\"E501\", \"F841\"]\n",
            "lint-loosened config medium",
        ),
        (
            ".github/workflows/ci.yml",
            "      - run: npm test\n",
            "      - run: npm test || true\n",
            "lint-loosened ci high",
        ),
        ("src/a.py", "x = 1\n", "x = 1  # type: ignore\n", "lint-loosened narrow medium"),
        ("src/a.ts", "x()\n", "// @ts-nocheck\nx()\n", "lint-loosened broad high"),
        (
            "src/a.py",
            "def f():\n    pass\n",
            "def f():  # pragma: no cover\n    pass\n",
            "coverage-loosened exempt medium",
        ),
        (
            "pytest.ini",
            "addopts = -q pytest\n",
            "addopts = -q --deselect tests/a.py::test_b pytest\n",
            "skipped option medium",
        ),
    ];
    for (path, before, after, want) in cases {
        assert_eq!(one(path, before, after), [want], "{path}: {after}");
        assert_eq!(
            one(path, after, before).iter().filter(|f| f.contains("high")).count(),
            0,
            "{path}: the other way round"
        );
    }
    // A word in a text is no directive.
    assert_eq!(one("src/a.py", "x = 1\n", "x = \"# noqa\"\n"), [] as [&str; 0]);
}

#[test]
fn made_results_are_found() {
    let cases = [
        (
            "tests/conftest.py",
            "def pytest_sessionfinish(session, exitstatus):\n    session.exitstatus = 0\n",
            "report high",
        ),
        ("tests/conftest.py", "import os\nos._exit(0)\n", "exit high"),
        (
            "tests/conftest.py",
            "def pytest_collection_modifyitems(items):\n    items.clear()\n",
            "report high",
        ),
        ("test/setup.js", "process.exit(0);\n", "exit high"),
        ("test/setup.ts", "globalThis.expect = () => new Proxy({}, {});\n", "check high"),
        (
            "main_test.go",
            "package a\n\nfunc TestMain(m *testing.M) {\n\tm.Run()\n\tos.Exit(0)\n}\n",
            "exit high",
        ),
        ("tests/a.rs", "macro_rules! assert_eq {\n    ($($x:tt)*) => {};\n}\n", "check high"),
    ];
    for (path, text, want) in cases {
        assert_eq!(found(&[(path, None, Some(text))]), [format!("outcome-rewritten {want}")], "{path}");
    }
    let honest = "def pytest_collection_modifyitems(items):\n    items.sort()\n\n\ndef pytest_runtest_makereport(item, call):\n    if call.excinfo is not None:\n        log(item)\n";
    assert_eq!(found(&[("tests/conftest.py", None, Some(honest))]), [] as [&str; 0]);
}

const PATHS: [&str; 14] = [
    PY,
    TS,
    GO,
    RS,
    JAVA,
    KT,
    CS,
    RB,
    PHP,
    CC,
    "pyproject.toml",
    ".eslintrc.json",
    ".github/workflows/a.yml",
    "tests/conftest.py",
];

/// Pieces that tests are made of, in any order.
const PIECES: [&str; 30] = [
    "def test_a():\n",
    "    assert x == 5\n",
    "it('a', () => {",
    "expect(x).toBe(5);",
    "})",
    "func TestA(t *testing.T) {\n",
    "t.Errorf(\"\")",
    "#[test] fn a() {",
    "assert_eq!(a, b);",
    "@Test void a() {",
    "assertEquals(1, x);",
    "}",
    "{",
    "(",
    ")",
    "[",
    "]",
    "\"",
    "'",
    "`",
    "${",
    "/*",
    "*/",
    "//",
    "#",
    "\n",
    "r#\"",
    "<<~EOS\n",
    "try {",
    "if x != 1 {",
];

proptest! {
    #[test]
    fn any_bytes_are_read(path in 0..PATHS.len(), before in proptest::collection::vec(any::<u8>(), 0..400), after in proptest::collection::vec(any::<u8>(), 0..400)) {
        let files = [FileChange { path: PATHS[path], before: Some(&before), after: Some(&after) }];
        let _ = scan_change(&[&Tampering], &Change { files: &files, tree: &MemoryTree::default() }, None);
    }

    #[test]
    fn any_pieces_are_read_and_the_same_is_nothing(path in 0..PATHS.len(), before in proptest::collection::vec(0..PIECES.len(), 0..60), after in proptest::collection::vec(0..PIECES.len(), 0..60)) {
        let text = |pieces: &[usize]| pieces.iter().map(|n| PIECES[*n]).collect::<String>();
        let (before, after) = (text(&before), text(&after));
        let _ = one(PATHS[path], &before, &after);
        prop_assert_eq!(found(&[(PATHS[path], Some(&before), Some(&before))]), Vec::<String>::new());
        // The same in a file of another name: it was moved.
        let moved = format!("{}x_{}", PATHS[path].rsplit_once('/').map_or(String::new(), |(dir, _)| format!("{dir}/")), PATHS[path].rsplit('/').next().unwrap_or_default());
        let gone = found(&[(PATHS[path], Some(&after), None), (&moved, None, Some(&after))]);
        prop_assert!(!gone.iter().any(|f| f.contains("removed high")), "{:?}", gone);
    }
}

/// In which language, what is repeated, and what closes it again.
const SHAPES: [(&str, &str, &str); 16] = [
    (TS, "expect(", ")"),
    (RS, "assert_eq!(", ", 1)"),
    (JAVA, "assertThat(", ")"),
    (PY, "assert (", ")"),
    (TS, "it('a', () => {", "})"),
    (TS, "it(a, ", ")"),
    (TS, "it.each([1])(", ")"),
    (RS, "fn a() {", "}"),
    (JAVA, "class A { void a() {", "} }"),
    (GO, "func a() { if x != 1 {", "} }"),
    (TS, "try { assert(a);", "} catch (e) {}"),
    (GO, "want: {a: ", "}"),
    (PY, "assert a ", ""),
    (RB, "a.should.equal b ", ""),
    (TS, "/[", ""),
    (PY, "    pytest.skip()\n", ""),
];

/// Texts of about a length: every piece again and again, shapes side by side and within each other, and tests that all differ.
fn long_texts(len: usize) -> Vec<(&'static str, String)> {
    const LANGUAGES: [&str; 9] = [PY, TS, GO, RS, JAVA, CS, RB, PHP, CC];
    let mut texts: Vec<(&str, String)> = PIECES
        .iter()
        .enumerate()
        .map(|(nth, piece)| (LANGUAGES[nth % LANGUAGES.len()], piece.repeat(len / piece.len())))
        .collect();
    for (path, open, close) in SHAPES {
        let times = len / (open.len() + close.len());
        texts.push((path, open.repeat(times) + &close.repeat(times)));
        texts.push((path, format!("{open}{close}").repeat(times)));
    }
    let numbered = |one: &dyn Fn(usize) -> String| (0..len / 80).map(one).collect::<String>();
    texts.push((
        PY,
        numbered(&|n| {
            format!("def test_{n}():\n    x = make({n}, 0)\n    y = x + 1\n    assert x.a{n} == {n}\n\n\n")
        }),
    ));
    let lines =
        numbered(&|n| format!("    y = x.go({n}) + x.stay(0)\n    assert x.a{n}.b == {n}\n    f({n})\n"));
    texts.push((PY, format!("def test_all():\n    x = make()\n{lines}")));
    texts
}

/// Returns the steps it takes to compare a text with one where every digit is another.
fn steps_of(path: &str, text: &str) -> usize {
    let other = |c: char| c.to_digit(10).and_then(|n| char::from_digit((n + 3) % 10, 10)).unwrap_or(c);
    let other: String = text.chars().map(other).chain(['\n']).collect();
    steps::of(|| drop(one(path, text, &other)))
}

/// Four times the text takes about four times the steps, whatever it is made of; sixteen times would be a square.
///
/// The short ones are longer than what is looked at around one token, so that a limit shows.
#[test]
fn long_texts_are_read_in_linear_steps() {
    const SHORT: usize = 1_500;
    let mut wrong = Vec::new();
    for ((path, short), (_, long)) in long_texts(SHORT).iter().zip(&long_texts(SHORT * 4)) {
        let (few, many) = (steps_of(path, short), steps_of(path, long));
        if many > few.max(SHORT) * 7 {
            wrong.push(format!("{path} {short:.30}: {few} steps, then {many}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_not_compared_is_said() {
    let tests = "def test_one():\n    assert x == 5\n";
    let large = tests.repeat(LARGEST / tests.len() + 1);
    assert_eq!(one(PY, &large, tests), ["assertion-removed not-compared medium"]);
    assert_eq!(one(PY, tests, "\0"), ["assertion-removed not-compared medium"]);
    assert_eq!(found(&[(PY, None, Some("\0"))]), [] as [&str; 0]);
    assert_eq!(one("src/a.bin", "\0", "\0\0"), [] as [&str; 0]);
}
