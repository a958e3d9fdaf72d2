//! Node facts: `package.json` and the lint and format tools it has.

use std::collections::BTreeSet;

use serde::Serialize;
use serde_json::Value;

use crate::ports::vcs::VcsError;

use super::super::tree::Tree;

/// Node facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Node {
    /// Whether the root has a readable `package.json`.
    pub package: bool,
    /// Whether TypeScript is among the dependencies or configured.
    pub typescript: bool,
    /// A configuration of ESLint, by path.
    pub eslint: Option<String>,
    /// A configuration of Prettier, by path.
    pub prettier: Option<String>,
    /// The lock file.
    pub lock: Option<String>,
    /// The program that reads the lock file.
    pub manager: &'static str,
    /// The names of the scripts.
    pub scripts: BTreeSet<String>,
    /// The names of all dependencies.
    pub packages: BTreeSet<String>,
}

/// Detects Node facts.
pub fn detect(tree: &Tree<'_>) -> Result<Node, VcsError> {
    let text = tree.text("package.json")?.unwrap_or_default();
    let json: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).unwrap_or_default();
    let keys =
        |key: &str| json.get(key).and_then(Value::as_object).into_iter().flat_map(|o| o.keys().cloned());
    let packages: BTreeSet<String> = keys("dependencies").chain(keys("devDependencies")).collect();
    let config = |names: &[&str]| {
        tree.files().find(|p| !p.contains('/') && names.iter().any(|n| p.starts_with(n))).map(str::to_owned)
    };
    let inside = |key: &str| json.get(key).map(|_| "package.json".to_owned());
    let locks = [
        ("package-lock.json", "npm"),
        ("pnpm-lock.yaml", "pnpm"),
        ("yarn.lock", "yarn"),
        ("bun.lock", "bun"),
        ("npm-shrinkwrap.json", "npm"),
    ];
    let lock = locks.into_iter().find(|(path, _)| tree.has(path));
    Ok(Node {
        package: json.is_object(),
        typescript: packages.contains("typescript") || tree.has("tsconfig.json"),
        eslint: config(&["eslint.config.", ".eslintrc"]).or_else(|| inside("eslintConfig")),
        prettier: config(&[".prettierrc", "prettier.config."]).or_else(|| inside("prettier")),
        lock: lock.map(|(path, _)| path.to_owned()),
        manager: lock.map_or("npm", |(_, manager)| manager),
        scripts: keys("scripts").collect(),
        packages,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_and_locks_are_seen() {
        let json = r#"{"scripts": {"lint": "x"}, "devDependencies": {"typescript": "5"}, "prettier": {}}"#;
        let tree = Tree::of_texts(&[
            ("package.json", json),
            ("yarn.lock", ""),
            (".eslintrc.cjs", ""),
            ("a/.prettierrc", ""),
        ]);
        let node = detect(&tree).unwrap();
        assert!(node.package && node.typescript && node.scripts.contains("lint"));
        assert_eq!(node.eslint.as_deref(), Some(".eslintrc.cjs"));
        assert_eq!(node.prettier.as_deref(), Some("package.json"));
        assert_eq!(node.manager, "yarn");
        assert!(!detect(&Tree::of_texts(&[("package.json", "{")])).unwrap().package);
    }
}
