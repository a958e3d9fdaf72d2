//! Edits as a text in the format that `models.toml` gives a model, from the answer to the branch and the patch.

use std::fs;

use serde_json::{Value, json};

use super::world::*;
use crate::env::{TestEnv, run_folder};

/// A move with a change, a change of mode, and a new file whose last line has no end.
const PATCH: &str = "diff --git a/README.md b/docs/shop.md
rename from README.md
rename to docs/shop.md
--- a/README.md
+++ b/docs/shop.md
@@ -1,3 +1,4 @@
 # Shop
 
 Sells things.
+Mends them.
diff --git a/price.sh b/price.sh
old mode 100644
new mode 100755
--- a/price.sh
+++ b/price.sh
@@ -1,3 +1,3 @@
 unit_price() {
-  echo \"$1\"
+  echo $(($1 / $2))
 }
diff --git a/new.txt b/new.txt
new file mode 100644
--- /dev/null
+++ b/new.txt
@@ -0,0 +1 @@
+no end
\\ No newline at end of file
";

fn patched(text: &str) -> Value {
    answer(&json!({ "summary": "as planned", "patch": text, "claims": [], "answers": [] }))
}

#[test]
fn a_unified_diff_of_a_model_becomes_a_patch_that_git_makes_the_same_tree_of() {
    let env = TestEnv::new();
    let (mut alpha, _) = super::debates::price();
    alpha.extend([
        entry(
            BUILD,
            patched(&PATCH.replace(" Sells things.", " Sells nothing.").replace(" # Shop", " # Inn")),
        ),
        entry(BUILD, patched(PATCH)),
    ]);
    let files = [
        ("README.md", "change"),
        ("docs/shop.md", "change"),
        ("new.txt", "change"),
        ("price.sh", "change"),
        ("tests/half.sh", "test"),
    ];
    let beta = [entry(PLAN, plans(&files)), entry(JUDGED, judges(&json!([])))];
    let row = "[[model]]\nid = \"pen\"\nprovider = \"alpha\"\nfamily = \"alpha\"\ncontext = 200000\nmax_output = 32000\nedits = \"udiff\"\n";
    let models = MODELS.replacen("[routes]", &format!("{row}\n[routes]"), 1);
    let root = shop_with(&env, "shop", &models, &alpha, &beta);
    let said = run(&env, &root, "move the README", &[]).exits(0);
    assert!(said.stderr.contains("asked again: `README.md` has no place"), "{}", said.stderr);
    let branch = env.git(&root, &["branch", "--list", "docs/*", "--format=%(refname:short)"]);
    let branch = branch.trim();
    let shown = |path: &str| env.git(&root, &["show", &format!("{branch}:{path}")]);
    assert_eq!(shown("docs/shop.md"), format!("{README}Mends them.\n"));
    assert_eq!(shown("new.txt"), "no end");
    let entries = env.git(&root, &["ls-tree", "-r", branch]);
    assert!(entries.contains("100755") && !entries.contains("README.md"), "{entries}");

    let file = run_folder(&root).join("change.patch");
    let patch = fs::read_to_string(&file).unwrap();
    for line in ["new mode 100755", "deleted file mode 100644", "\\ No newline at end of file"] {
        assert!(patch.contains(line), "{patch}");
    }
    let again = env.path("again");
    env.git(&root, &["clone", "-q", &root.display().to_string(), &again.display().to_string()]);
    env.git(&again, &["apply", "--index", &file.display().to_string()]);
    let tree = env.git(&root, &["rev-parse", &format!("{branch}^{{tree}}")]);
    assert_eq!(env.git(&again, &["write-tree"]), tree);
    env.orch(&root, &["replay"]).exits(0).says("byte for byte");
}
