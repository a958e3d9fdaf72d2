//! JavaScript and TypeScript: relative names, `paths` of a `tsconfig.json`, packages of the same repository.
//!
//! Must never look into `node_modules`.

use std::collections::HashMap;

use super::files::{Files, join, split};
use super::outline::quoted;
use super::tsconfig::Configs;
use super::{Hit, Language, Outline, Resolve};

/// The languages.
pub(super) struct Script;

/// What a name without an ending may end with, the likeliest first.
const ENDS: &[&str] = &[
    ".ts",
    ".tsx",
    ".d.ts",
    ".js",
    ".jsx",
    ".mts",
    ".cts",
    ".mjs",
    ".cjs",
    ".vue",
    ".svelte",
    ".astro",
    ".json",
    "/index.ts",
    "/index.tsx",
    "/index.js",
    "/index.jsx",
    "/index.mts",
    "/index.mjs",
    "/index.d.ts",
    "/index.vue",
];

impl Language for Script {
    fn endings(&self) -> &'static [&'static str] {
        &["js", "jsx", "mjs", "cjs", "ts", "tsx", "mts", "cts", "vue", "svelte", "astro"]
    }

    fn read(&self, text: &str, outline: &mut Outline) {
        let (mut comment, mut open) = (false, false);
        for line in text.lines().map(str::trim) {
            if comment || line.starts_with("/*") {
                comment = !line.contains("*/");
                continue;
            }
            if line.starts_with("//") || line.starts_with('*') {
                continue;
            }
            let starts = |word: &str| {
                line.strip_prefix(word)
                    .is_some_and(|rest| !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_'))
            };
            let statement = starts("import") || starts("export");
            if statement || (open && !line.is_empty()) {
                if let Some(name) = source(line, statement && starts("import")) {
                    outline.import(name);
                    open = false;
                } else {
                    // A list of names goes on until it says where they are from.
                    open = (open || statement)
                        && !line.contains([';', '=', '('])
                        && (open || line.contains('{') || starts("import"));
                }
            }
            for word in ["require(", "import(", "require.resolve("] {
                let mut rest = line;
                while let Some(at) = rest.find(word) {
                    rest = &rest[at + word.len()..];
                    let call = rest.trim_start();
                    if call.starts_with(['"', '\'', '`'])
                        && let Some(name) = quoted(call).filter(|name| !name.contains("${"))
                    {
                        outline.import(name);
                    }
                }
            }
        }
    }

    fn resolver<'a>(&self, files: &'a Files<'a>) -> Box<dyn Resolve + 'a> {
        let mut packages = HashMap::new();
        for folder in files.named("package.json") {
            if folder.split('/').any(|part| part == "node_modules") {
                continue;
            }
            let path =
                if folder.is_empty() { "package.json".to_owned() } else { format!("{folder}/package.json") };
            let Some(text) = files.text(&path) else { continue };
            let Ok(json) = serde_json::from_str::<serde_json::Value>(&text) else { continue };
            let Some(name) = json["name"].as_str() else { continue };
            let entries = ["source", "types", "typings", "module", "main"];
            let main = entries.iter().filter_map(|key| json[*key].as_str()).map(str::to_owned).collect();
            packages.entry(name.to_owned()).or_insert(Package { folder: folder.to_owned(), main });
        }
        Box::new(Names { files, packages, configs: Configs::of(files) })
    }
}

/// Returns where a statement takes its names from.
fn source(line: &str, import: bool) -> Option<&str> {
    let from = line.rfind("from").filter(|at| {
        let before = line[..*at].chars().next_back();
        before.is_none_or(|c| c.is_whitespace() || matches!(c, '}' | '*'))
            && line[at + 4..].trim_start().starts_with(['"', '\''])
    });
    match from {
        Some(at) => quoted(&line[at + 4..]),
        // `import './x'` takes no names.
        None if import => {
            let rest = line.strip_prefix("import")?.trim_start();
            rest.starts_with(['"', '\'']).then(|| quoted(rest)).flatten()
        }
        None => None,
    }
}

/// A package of the repository.
struct Package {
    folder: String,
    main: Vec<String>,
}

struct Names<'a> {
    files: &'a Files<'a>,
    packages: HashMap<String, Package>,
    configs: Configs,
}

impl Names<'_> {
    /// Returns the file a path without an ending, or with that of what it is compiled to, stands for.
    fn file(&self, place: &str) -> Option<u32> {
        let exact = self.files.find(place).filter(|_| place.contains('.'));
        let whole = || ENDS.iter().find_map(|end| self.files.find(&format!("{place}{end}")));
        let compiled = || {
            let (bare, ends): (&str, &[&str]) = match place.rsplit_once('.')? {
                (bare, "js" | "jsx") => (bare, &[".ts", ".tsx"]),
                (bare, "mjs") => (bare, &[".mts"]),
                (bare, "cjs") => (bare, &[".cts"]),
                _ => return None,
            };
            ends.iter().find_map(|end| self.files.find(&format!("{bare}{end}")))
        };
        exact.or_else(whole).or_else(compiled).or_else(|| self.files.find(place))
    }

    fn package(&self, name: &str) -> Option<Hit> {
        let parts = if name.starts_with('@') { 2 } else { 1 };
        let end = name.match_indices('/').nth(parts - 1).map_or(name.len(), |(at, _)| at);
        let package = self.packages.get(&name[..end])?;
        let rest = name[end..].trim_start_matches('/');
        let places: Vec<String> = if rest.is_empty() {
            let main = package.main.iter().cloned();
            main.chain(["src/index", "index", "src/main", "lib/index"].map(str::to_owned)).collect()
        } else {
            vec![rest.to_owned(), format!("src/{rest}"), format!("lib/{rest}")]
        };
        let found = places.iter().find_map(|place| self.file(&join(&package.folder, place)?));
        Some(Hit::of(found.into_iter().collect()))
    }
}

impl Resolve for Names<'_> {
    fn resolve(&self, from: u32, name: &str) -> Hit {
        // What a bundler is told after the name is not of the name.
        let name = name.split(['?', '!']).next().unwrap_or(name);
        let folder = split(self.files.path(from)).0;
        if name == "." || name == ".." || name.starts_with("./") || name.starts_with("../") {
            let found = join(folder, name).and_then(|place| self.file(&place));
            return Hit::of(found.into_iter().collect());
        }
        let mut named = false;
        for place in self.configs.places(folder, name, &mut named) {
            if let Some(found) = self.file(&place) {
                return Hit::Files(vec![found]);
            }
        }
        match self.package(name) {
            Some(hit) => hit,
            None if named => Hit::Nowhere,
            None => Hit::Outside,
        }
    }
}
