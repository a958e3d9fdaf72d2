//! What is read of each language, and that no bytes are too much.

use proptest::prelude::*;

use super::*;

/// Returns `kind name first-last` of each definition, with its depth as indentation.
fn shown(path: &str, text: &str) -> Vec<String> {
    let syntax = read(path, text.as_bytes());
    let line = |d: &Definition| {
        let indent = "  ".repeat(d.depth as usize);
        format!("{indent}{} {} {}-{} head {}-{}", d.kind.name(), d.name, d.first, d.last, d.head, d.head_last)
    };
    syntax.definitions.iter().map(line).collect()
}

const PYTHON: &str = "import os\nfrom a import b\n\nLIMIT = 3\n\n\n# Says so.\n@cached\n@app.get(\n    '/x'\n)\ndef policy(\n    a,\n):\n    return check(a)\n\n\nclass Auth(Base):\n    \"\"\"Doc.\"\"\"\n\n    def update(self):\n        return self.policy.load()\n";
const TYPESCRIPT: &str = "import { a } from './a';\n\n/** Doc. */\nexport const update = async (x: string) => {\n  return save(x);\n};\n\nexport interface Policy {\n  name: string;\n}\n\n@Injectable()\nexport class Auth {\n  // One.\n  @Get()\n  load(): Policy {\n    return new Store();\n  }\n}\n\nexport function Page() {\n  return 1;\n}\nconst LIMIT = 3;\n";
const GO: &str = "package auth\n\nimport (\n\t\"fmt\"\n\tx \"net/http\"\n)\n\nconst (\n\tA = 1\n\tB = 2\n)\n\n// Policy is one.\ntype Policy struct {\n\tName string\n}\n\n// Update does.\n// More.\nfunc (p *Policy) Update(n int) error {\n\treturn fmt.Errorf(\"x\")\n}\n\nfunc main() {\n\tnewPolicy().Update(1)\n}\n";
const RUST: &str = "use std::fmt;\n\n/// A policy.\n#[derive(Debug)]\npub struct Policy {\n    name: String,\n}\n\nimpl fmt::Display for Policy {\n    /// Shows.\n    fn fmt(&self) -> fmt::Result {\n        write!(f, \"x\")\n    }\n}\n\nmod inner {\n    fn free() {\n        Policy::new();\n    }\n}\nconst A: u8 = 1;\n";
const JAVA: &str = "package a;\n\nimport java.util.List;\n\n/** Doc. */\n@Service\npublic class Auth {\n    private int limit = 3;\n\n    /** Updates. */\n    @Override\n    public void update(Policy p)\n        throws E {\n        store.save(new Policy());\n    }\n\n    abstract int size();\n}\n";

#[test]
fn definitions_are_whole_with_comments_and_decorators() {
    assert_eq!(
        shown("a.py", PYTHON),
        [
            "value LIMIT 4-4 head 4-4",
            "function policy 7-15 head 12-14",
            "type Auth 18-22 head 18-18",
            "  method update 21-22 head 21-21",
        ]
    );
    let typescript = [
        "function update 3-6 head 4-4",
        "type Policy 8-10 head 8-8",
        "type Auth 12-19 head 13-13",
        "  method load 14-18 head 16-16",
        "function Page 21-23 head 21-21",
        "value LIMIT 24-24 head 24-24",
    ];
    assert_eq!(shown("a.ts", TYPESCRIPT), typescript);
    assert_eq!(shown("a.tsx", TYPESCRIPT), typescript);
    assert_eq!(
        shown("a.go", GO),
        [
            "value A 9-9 head 9-9",
            "value B 10-10 head 10-10",
            "type Policy 13-16 head 14-14",
            "method Update 18-22 head 20-20",
            "function main 24-26 head 24-24",
        ]
    );
    assert_eq!(
        shown("a.rs", RUST),
        [
            "type Policy 3-7 head 5-7",
            "type Policy 9-14 head 9-9",
            "  method fmt 10-13 head 11-11",
            "group inner 16-20 head 16-16",
            "  function free 17-19 head 17-17",
            "value A 21-21 head 21-21",
        ]
    );
    assert_eq!(
        shown("A.java", JAVA),
        [
            "type Auth 5-18 head 6-7",
            "  value limit 8-8 head 8-8",
            "  method update 10-15 head 11-13",
            "  method size 17-17 head 17-17",
        ]
    );
}

#[test]
fn calls_names_and_imports_are_found() {
    for (path, text, calls, imports) in [
        ("a.py", PYTHON, vec!["check", "load"], vec!["import os", "from a import b"]),
        ("a.ts", TYPESCRIPT, vec!["save", "Store"], vec!["import { a } from './a';"]),
        ("a.go", GO, vec!["Errorf", "newPolicy", "Update"], vec!["\"fmt\"", "x \"net/http\""]),
        ("a.rs", RUST, vec!["write", "new"], vec!["use std::fmt;"]),
        ("A.java", JAVA, vec!["save", "Policy"], vec!["import java.util.List;"]),
    ] {
        let syntax = read(path, text.as_bytes());
        for call in calls {
            assert!(syntax.uses(call, true).is_some(), "{path}: {call}");
        }
        assert_eq!(syntax.imports.iter().map(|i| i.text.as_str()).collect::<Vec<_>>(), imports, "{path}");
        assert_eq!(syntax.uses("nothing_of_this_name", false), None);
    }
    let tags = read("a.jsx", b"const A = () => <Page x={1} />;\n");
    assert_eq!(tags.uses("Page", true), Some(1));
}

#[test]
fn files_without_a_grammar_are_read_by_lines() {
    assert_eq!(
        shown("a.rb", "# Doc.\nclass Auth\n  def update(x)\n    save(x)\n  end\nend\n"),
        ["type Auth 1-6 head 2-2", "  function update 3-5 head 3-3"]
    );
    assert_eq!(shown("run.sh", "deploy() {\n  echo \"}\"\n}\n"), ["function deploy 1-3 head 1-1"]);
    assert_eq!(
        shown("A.kt", "fun update(\n    a: Int,\n) {\n    save()\n}\n\nclass B\n"),
        ["function update 1-5 head 1-3", "type B 7-7 head 7-7"]
    );
    assert_eq!(
        shown("a.md", "# A\ntext\n```\n# no\n```\n\n## B\nx\n# C\n"),
        ["group A 1-8 head 1-1", "  group B 7-8 head 7-7", "group C 9-9 head 9-9"]
    );
    assert_eq!(shown("a.toml", "[a]\nb = 1\n\n[c]\n"), ["group a 1-2 head 1-1", "group c 4-4 head 4-4"]);
    let big = format!("def f():\n    pass\n{}", "#\n".repeat(MAX_PARSED));
    assert_eq!(read("a.py", big.as_bytes()).grammar, None);
}

fn sound(syntax: &Syntax) {
    for d in &syntax.definitions {
        assert!(1 <= d.first && d.first <= d.head && d.head <= d.head_last && d.head_last <= d.last, "{d:?}");
        assert!(d.last <= syntax.lines.max(1), "{d:?} of {}", syntax.lines);
    }
}

const ENDINGS: &[&str] = &["py", "js", "jsx", "ts", "tsx", "go", "rs", "java", "rb", "md", "toml", "c", ""];

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..600), ending in proptest::sample::select(ENDINGS)) {
        sound(&read(&format!("x.{ending}"), &bytes));
    }

    #[test]
    fn cut_and_joined_files_are_read(at in 0usize..600, from in 0usize..600, ending in proptest::sample::select(ENDINGS)) {
        for text in [PYTHON, TYPESCRIPT, GO, RUST, JAVA] {
            let bytes = text.as_bytes();
            let mut odd = bytes[..at.min(bytes.len())].to_vec();
            odd.extend_from_slice(&bytes[from.min(bytes.len())..]);
            let path = format!("x.{ending}");
            let syntax = read(&path, &odd);
            sound(&syntax);
            prop_assert_eq!(&read(&path, &odd), &syntax);
        }
    }

    #[test]
    fn nesting_is_bounded(depth in 0usize..3000, open in proptest::sample::select(&["(", "[", "{", "<", "if x:\n", "f(", "/*"][..]), ending in proptest::sample::select(ENDINGS)) {
        sound(&read(&format!("x.{ending}"), open.repeat(depth).as_bytes()));
    }
}
