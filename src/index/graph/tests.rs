//! Imports of every language resolved in small trees, each with look-alikes that must be no edge.

use crate::artifact::id::TreeId;
use crate::artifact::types::graph::RepositoryGraph;
use crate::scan::owners::CodeOwners;

use super::outline::Outline;
use super::*;

fn graph(files: &[(&str, &str)]) -> RepositoryGraph {
    let mut files: Vec<(String, String)> = files.iter().map(|(p, t)| ((*p).into(), (*t).into())).collect();
    files.sort();
    let paths: Vec<String> = files.iter().map(|(path, _)| path.clone()).collect();
    let outline = |(path, text): &(String, String)| {
        let outline = Outline::read(language(path).filter(|_| is_module(path))?, text.as_bytes());
        let again = Outline::decode(&outline.encode(), true).unwrap();
        assert_eq!(again, outline, "{path} is kept as it was read");
        Some(outline)
    };
    let outlines: Vec<Option<Outline>> = files.iter().map(outline).collect();
    let text = |path: &str| files.iter().find(|(known, _)| known == path).map(|(_, text)| text.clone());
    let tree: TreeId = "4b825dc642cb6eb9a060e54bf8d69288fbee4904".parse().unwrap();
    build(&tree, &paths, &outlines, &text)
}

fn imports(graph: &RepositoryGraph, from: &str) -> Vec<String> {
    let query = Query::of(graph);
    let module = query.find(from).unwrap_or_else(|| panic!("{from} is a module"));
    query.imports(module).iter().map(|at| graph.path(*at)).collect()
}

#[test]
fn python_names_lead_to_packages_modules_and_neighbours() {
    let graph = graph(&[
        ("src/shop/__init__.py", ""),
        (
            "src/shop/cart.py",
            "from . import core\nfrom .core import (\n    price,  # a name\n    tax as vat,\n)\n",
        ),
        (
            "src/shop/core.py",
            "\"\"\"\nfrom .cart import no\n\"\"\"\nimport os, json\nfrom shop.deep.leaf import x\n",
        ),
        ("src/shop/deep/__init__.py", "from ..core import price\n"),
        ("src/shop/deep/leaf.py", "from ...far import x\nfrom ..none import y\nimport shop.nothing\n"),
        ("tests/test_cart.py", "import shop.cart\nfrom shop import core, cart as c\nfrom helper import h\n"),
        ("tests/helper.py", "import json\n"),
        ("tests/json.py", ""),
        ("tools/run.py", "import json\nfrom shop.deep import *\n"),
    ]);
    assert_eq!(imports(&graph, "src/shop/cart.py"), ["src/shop/core.py"]);
    assert_eq!(imports(&graph, "src/shop/core.py"), ["src/shop/deep/leaf.py"]);
    assert_eq!(imports(&graph, "src/shop/deep/__init__.py"), ["src/shop/core.py"]);
    assert!(imports(&graph, "src/shop/deep/leaf.py").is_empty());
    assert_eq!(
        imports(&graph, "tests/test_cart.py"),
        ["src/shop/cart.py", "src/shop/core.py", "tests/helper.py"]
    );
    assert_eq!(imports(&graph, "tests/helper.py"), ["tests/json.py"]);
    assert_eq!(imports(&graph, "tools/run.py"), ["src/shop/deep/__init__.py"]);
    // `...far` leads out of the package, `..none` and `shop.nothing` lead nowhere; `os` is a library.
    assert_eq!(graph.counts.unresolved, 3, "{:?}", graph.counts);
}

#[test]
fn a_package_in_two_roots_is_the_one_that_is_nearer_or_none() {
    let graph = graph(&[
        ("a/lib/util/__init__.py", ""),
        ("a/lib/one.py", ""),
        ("a/lib/app/__init__.py", "import util\n"),
        ("b/lib/util/__init__.py", ""),
        ("c/main.py", "import util\n"),
    ]);
    assert_eq!(imports(&graph, "a/lib/app/__init__.py"), ["a/lib/util/__init__.py"]);
    assert!(imports(&graph, "c/main.py").is_empty());
    assert_eq!(graph.counts.ambiguous, 1);
}

#[test]
fn scripts_follow_endings_configs_and_packages_of_the_repository() {
    let graph = graph(&[
        (
            "web/app.ts",
            "import { a } from './b.js'\nimport type {\n  B,\n} from \"../lib\"\nexport * from '@/deep/x'\nimport './side'\nconst y = require('./c'); await import(`./${name}`)\n// import z from './d'\nimport React from 'react'\n",
        ),
        ("web/b.ts", ""),
        (
            "web/c.jsx",
            "/*\nimport d from './d'\n*/\nexport { d as default } from 'own-pkg'\nimport q from 'own-pkg/sub'\n",
        ),
        ("web/d.ts", "const from = 'x'; from './b'\n"),
        ("web/side.mjs", ""),
        ("web/src/deep/x.tsx", "import gone from './gone'\nimport none from '@/none'\n"),
        ("lib/index.ts", ""),
        ("tsconfig.base.json", "{ \"compilerOptions\": { \"baseUrl\": \".\" } }"),
        (
            "web/tsconfig.json",
            "{\n  // paths\n  \"extends\": \"../tsconfig.base\",\n  \"compilerOptions\": { \"paths\": { \"@/*\": [\"web/src/*\"], }, },\n}\n",
        ),
        ("pkg/own/package.json", "{\"name\": \"own-pkg\", \"main\": \"dist/index.js\"}"),
        ("pkg/own/src/index.ts", ""),
        ("pkg/own/src/sub.ts", ""),
        ("node_modules/react/package.json", "{\"name\": \"react\"}"),
        ("node_modules/react/index.js", ""),
    ]);
    assert_eq!(
        imports(&graph, "web/app.ts"),
        ["lib/index.ts", "web/b.ts", "web/c.jsx", "web/side.mjs", "web/src/deep/x.tsx"]
    );
    assert_eq!(imports(&graph, "web/c.jsx"), ["pkg/own/src/index.ts", "pkg/own/src/sub.ts"]);
    assert!(imports(&graph, "web/d.ts").is_empty());
    assert!(Query::of(&graph).find("node_modules/react/index.js").is_none());
    assert_eq!((graph.counts.unresolved, graph.counts.outside), (2, 1), "{:?}", graph.counts);
}

#[test]
fn go_packages_are_modules_and_their_tests_are_not() {
    let graph = graph(&[
        ("go.mod", "module example.com/x\n\ngo 1.22\n"),
        (
            "cmd/main.go",
            "package main\n\nimport (\n\t\"fmt\"\n\tb \"example.com/x/internal/b\"\n\t// \"example.com/x/internal/c\"\n)\n\nvar s = \"example.com/x/internal/c\"\n",
        ),
        ("internal/b/b.go", "package b\n\nimport \"example.com/x/internal/gone\"\n"),
        ("internal/b/more.go", "package b\nfunc More() {}\n"),
        ("internal/b/b_test.go", "package b\n"),
        ("internal/c/c.go", "package c\nimport \"example.com/xy/internal/b\"\n"),
        ("tool/go.mod", "module example.com/x/tool\n"),
        ("tool/a/a.go", "package a\n"),
        ("tool/t.go", "package main\nimport \"example.com/x/tool/a\"\n"),
        ("vendor/example.com/z/z.go", "package z\n"),
    ]);
    assert_eq!(imports(&graph, "cmd/main.go"), ["internal/b/"]);
    assert_eq!(imports(&graph, "internal/b/b_test.go"), ["internal/b/"]);
    assert_eq!(imports(&graph, "tool/t.go"), ["tool/a/"]);
    assert!(imports(&graph, "internal/c/c.go").is_empty());
    assert_eq!(graph.counts.unresolved, 1);
    let query = Query::of(&graph);
    let module = query.find("internal/b/more.go").unwrap();
    assert_eq!(query.module(module).unwrap().files, ["b.go", "more.go"]);
    assert_eq!(query.defining("More"), [(module, "internal/b/more.go:2".to_owned())]);
    assert_eq!(query.tests(&[module]).len(), 1);
}

#[test]
fn rust_paths_are_followed_and_declarations_are_no_imports() {
    let graph = graph(&[
        ("Cargo.toml", "[package]\nname = \"my-app\"\n"),
        ("src/lib.rs", "pub mod a;\nmod b;\npub mod quiet;\npub use a::Thing;\n"),
        ("src/a.rs", "use crate::b::{self, deep::Leaf, Other as O};\nuse std::fmt;\nuse super::quiet;\n"),
        ("src/b/mod.rs", "pub mod deep;\nfn f() { deep::run() }\n"),
        (
            "src/b/deep.rs",
            "use super::super::a::Thing;\n#[cfg(test)]\nmod tests {\n    use super::*;\n    use super::super::a::X;\n}\n",
        ),
        ("src/quiet.rs", "//! crate::a is meant\nfn f() { let s = \"crate::a::b\"; }\n"),
        ("src/main.rs", "fn main() { my_app::a::run(); serde_json::from_str(\"\"); }\n"),
        ("tests/flow.rs", "mod common;\nuse my_app::b::Other;\nuse common::setup;\n"),
        ("tests/common/mod.rs", "use crate::nothing::X;\n"),
        ("member/Cargo.toml", "[package]\nname = \"member\"\n"),
        ("member/src/lib.rs", "use my_app::Thing;\n"),
    ]);
    assert_eq!(imports(&graph, "src/lib.rs"), ["src/a.rs"]);
    assert_eq!(imports(&graph, "src/a.rs"), ["src/b/deep.rs", "src/b/mod.rs", "src/quiet.rs"]);
    assert_eq!(imports(&graph, "src/b/mod.rs"), ["src/b/deep.rs"]);
    assert_eq!(imports(&graph, "src/b/deep.rs"), ["src/a.rs", "src/b/mod.rs"]);
    assert!(imports(&graph, "src/quiet.rs").is_empty());
    assert_eq!(imports(&graph, "src/main.rs"), ["src/a.rs"]);
    assert_eq!(imports(&graph, "tests/flow.rs"), ["src/b/mod.rs", "tests/common/mod.rs"]);
    assert_eq!(imports(&graph, "member/src/lib.rs"), ["src/lib.rs"]);
}

#[test]
fn what_a_java_file_is_of_is_what_it_says() {
    let graph = graph(&[
        (
            "core/src/main/java/org/x/A.java",
            "package org.x;\n\nimport org.x.b.B;\nimport static org.x.b.C.make;\nimport java.util.List;\nimport org.x.b.Gone;\n\nclass A { Near near; String s = \"Far\"; }\n",
        ),
        ("core/src/main/java/org/x/Near.java", "package org.x;\nclass Near {}\n"),
        ("core/src/main/java/org/x/Far.java", "package org.x;\n/* Near */\nclass Far {}\n"),
        ("other/B.java", "package org.x.b;\npublic class B {}\n"),
        ("other/C.java", "package org.x.b;\nimport org.x.*;\n"),
        ("k/util.kt", "package org.x.k\nfun helper() = 1\n"),
        ("k/use.kt", "package org.y\nimport org.x.k.helper\n"),
        ("core/src/test/java/org/x/ATest.java", "package org.x;\nclass ATest {}\n"),
    ]);
    assert_eq!(
        imports(&graph, "core/src/main/java/org/x/A.java"),
        ["core/src/main/java/org/x/Near.java", "other/B.java", "other/C.java"]
    );
    assert!(imports(&graph, "core/src/main/java/org/x/Far.java").is_empty());
    assert_eq!(imports(&graph, "other/C.java").len(), 4);
    assert_eq!(imports(&graph, "k/use.kt"), ["k/util.kt"]);
    assert_eq!((graph.counts.unresolved, graph.counts.outside), (1, 1));
    let query = Query::of(&graph);
    let tests = query.tests(&[query.find("core/src/main/java/org/x/A.java").unwrap()]);
    assert_eq!(
        tests.iter().map(|at| graph.path(*at)).collect::<Vec<_>>(),
        ["core/src/test/java/org/x/ATest.java"]
    );
}

#[test]
fn includes_requires_and_uses_fit_one_file_or_none() {
    let graph = graph(&[
        ("src/a.c", "#include \"b.h\"\n#include <x/c.h>\n#include <stdio.h>\n#include \"two.h\"\n"),
        ("src/b.h", ""),
        ("include/x/c.h", ""),
        ("one/two.h", ""),
        ("three/two.h", ""),
        ("lib/a.rb", "require 'x/b'\nrequire_relative \"./c\"\nrequire 'json'\n"),
        ("lib/x/b.rb", ""),
        ("lib/c.rb", ""),
        ("composer.json", "{\"autoload\": {\"psr-4\": {\"App\\\\\": \"app/\"}}}"),
        ("app/A.php", "<?php\nuse App\\Http\\B;\nuse Vendor\\Thing;\nuse App\\Gone;\n"),
        ("app/Http/B.php", ""),
    ]);
    assert_eq!(imports(&graph, "src/a.c"), ["include/x/c.h", "src/b.h"]);
    assert_eq!(imports(&graph, "lib/a.rb"), ["lib/c.rb", "lib/x/b.rb"]);
    assert_eq!(imports(&graph, "app/A.php"), ["app/Http/B.php"]);
    assert_eq!((graph.counts.ambiguous, graph.counts.unresolved), (1, 1), "{:?}", graph.counts);
}

#[test]
fn a_test_is_for_the_module_that_fits_best_and_for_none_of_two() {
    let graph = graph(&[
        ("pkg/auth/policy.py", ""),
        ("pkg/pay/policy.py", ""),
        ("pkg/cart.py", ""),
        ("tests/auth/test_policy.py", ""),
        ("tests/test_policy.py", ""),
        ("tests/test_cart.py", ""),
        ("web/cart.ts", ""),
    ]);
    let query = Query::of(&graph);
    let covers = |path: &str| -> Vec<String> {
        let module = query.module(query.find(path).unwrap()).unwrap();
        module.covers.iter().map(|at| graph.path(*at)).collect()
    };
    assert_eq!(covers("tests/auth/test_policy.py"), ["pkg/auth/policy.py"]);
    assert_eq!(covers("tests/test_cart.py"), ["pkg/cart.py"]);
    assert!(covers("tests/test_policy.py").is_empty());
}

#[test]
fn a_change_reaches_what_imports_it_and_not_what_it_holds() {
    let mut graph = graph(&[
        ("core.py", "import side\n"),
        ("mid.py", "import core\n"),
        ("top.py", "import mid\n"),
        ("side.py", "import top\n"),
        ("tests/test_core.py", ""),
        ("tests/test_flow.py", "import top\n"),
    ]);
    let rules = CodeOwners::parse(b"* @all\n/mid.py @mid\n/tests/\n");
    with_owners(&mut graph, &rules);
    let query = Query::of(&graph);
    let core = query.find("core.py").unwrap();
    let names = |level: &Vec<u32>| level.iter().map(|at| graph.path(*at)).collect::<Vec<_>>();
    let reached = query.reach(&[core], usize::MAX);
    let levels: Vec<_> = reached.levels.iter().map(names).collect();
    assert_eq!(levels, [vec!["mid.py"], vec!["top.py"], vec!["side.py", "tests/test_flow.py"]]);
    assert_eq!(query.reach(&[core], 1).levels.len(), 1);
    assert!(query.reach(&[], usize::MAX).levels.is_empty());
    assert_eq!(query.owners([core].into_iter()).into_iter().collect::<Vec<_>>(), ["@all"]);
    let far = radius(&query, &["core.py", "none.txt", "tests/test_new.py"], &rules);
    assert_eq!((far.modules, far.direct, far.dependents, far.files, far.percent), (1, 1, 3, 3, 75));
    assert_eq!(
        (far.nearest, far.owners),
        (vec!["mid.py".to_owned()], vec!["@all".to_owned(), "@mid".to_owned()])
    );
    assert_eq!((far.tests.covering, far.tests.changed), (1, 1));
    let both = radius(&query, &["core.py", "mid.py"], &rules);
    assert_eq!((both.modules, both.direct, both.dependents), (2, 1, 2));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_it_fail(text: String, end in 0usize..12) {
        let ends = ["py", "ts", "rs", "go", "java", "kt", "scala", "c", "rb", "php", "vue", "txt"];
        let path = format!("a/b.{}", ends[end]);
        for line in ["", "import ", "from ", "use crate::{", "use super::super::", "#include \"", "require '", "package "] {
            let text = format!("{line}{text}");
            for steer in ["tsconfig.json", "package.json", "Cargo.toml", "go.mod", "composer.json"] {
                let graph = graph(&[(path.as_str(), text.as_str()), (steer, text.as_str())]);
                let _ = Query::of(&graph).reach(&[0], usize::MAX);
            }
        }
    }
}
