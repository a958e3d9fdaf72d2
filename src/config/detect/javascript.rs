//! TypeScript and JavaScript: the scripts of `package.json`, run by the package manager whose lock file is there.

use serde_json::{Map, Value};

use super::{Language, Listing, Part, folders_with, join};
use crate::artifact::types::verification::CommandRole as Role;

const FRAMEWORKS: &[(&str, &str)] = &[
    ("next", "Next.js"),
    ("@nestjs/core", "NestJS"),
    ("express", "Express"),
    ("fastify", "Fastify"),
    ("hono", "Hono"),
    ("svelte", "Svelte"),
    ("vue", "Vue"),
    ("react", "React"),
];

/// What `npm init` writes where there are no tests.
const NO_TEST: &str = "no test specified";

pub(super) fn detect(listing: &dyn Listing) -> Vec<Part> {
    folders_with(listing, &["package.json"]).iter().filter_map(|folder| part(listing, folder)).collect()
}

/// What is read of a package.
struct Package<'a> {
    listing: &'a dyn Listing,
    folder: &'a str,
    json: Map<String, Value>,
    manager: &'static str,
    /// The lock file that says so.
    lock: Option<&'static str>,
}

fn part(listing: &dyn Listing, folder: &str) -> Option<Part> {
    let text = listing.text(&join(folder, "package.json"))?;
    let json: Map<String, Value> = serde_json::from_str(&text).unwrap_or_default();
    let (manager, lock) = manager(listing, folder, &json);
    let package = Package { listing, folder, json, manager, lock };
    let typescript = listing.has(&join(folder, "tsconfig.json")) || package.depends_on("typescript");
    let mut part = Part::new(if typescript { Language::TypeScript } else { Language::JavaScript }, folder);
    part.manager = Some(manager);
    part.framework = FRAMEWORKS.iter().find(|(name, _)| package.depends_on(name)).map(|(_, shown)| *shown);
    package.setup(&mut part);
    if let Some(script) = package.script("build") {
        part.propose(Role::Build, package.run("build"), script);
    }
    if let Some(script) = package.script("lint") {
        part.propose(Role::Lint, package.run("lint"), script);
    }
    package.test(&mut part);
    Some(part)
}

fn manager(
    listing: &dyn Listing,
    folder: &str,
    json: &Map<String, Value>,
) -> (&'static str, Option<&'static str>) {
    const LOCKS: &[(&str, &str)] = &[
        ("pnpm-lock.yaml", "pnpm"),
        ("yarn.lock", "yarn"),
        ("bun.lock", "bun"),
        ("bun.lockb", "bun"),
        ("package-lock.json", "npm"),
        ("npm-shrinkwrap.json", "npm"),
    ];
    if let Some((lock, manager)) = LOCKS.iter().find(|(lock, _)| listing.has(&join(folder, lock))) {
        return (manager, Some(lock));
    }
    let named = json.get("packageManager").and_then(Value::as_str).unwrap_or_default();
    let manager = ["pnpm", "yarn", "bun"].into_iter().find(|m| named.starts_with(m)).unwrap_or("npm");
    (manager, None)
}

impl Package<'_> {
    fn depends_on(&self, name: &str) -> bool {
        self.table("dependencies").chain(self.table("devDependencies")).any(|(known, _)| known == name)
    }

    fn table(&self, key: &str) -> impl Iterator<Item = (&String, &Value)> {
        self.json.get(key).and_then(Value::as_object).into_iter().flatten()
    }

    /// Returns the reason a script is proposed for, if the package has one that does something.
    fn script(&self, name: &str) -> Option<String> {
        let text = self.table("scripts").find(|(known, _)| *known == name)?.1.as_str()?;
        let useful = !text.trim().is_empty() && !text.contains(NO_TEST);
        useful.then(|| format!("{} has scripts.{name}", join(self.folder, "package.json")))
    }

    /// Returns the words that make the package manager do something in the package's folder.
    fn words(&self, tail: &[&str]) -> Vec<String> {
        let mut words = vec![self.manager.to_owned()];
        if !self.folder.is_empty() {
            let flag = match self.manager {
                "npm" => "--prefix",
                "pnpm" => "--dir",
                _ => "--cwd",
            };
            words.extend([flag.to_owned(), self.folder.to_owned()]);
        }
        words.extend(tail.iter().map(|w| (*w).to_owned()));
        words
    }

    fn run(&self, script: &str) -> Vec<String> {
        self.words(&["run", script])
    }

    fn setup(&self, part: &mut Part) {
        let has_dependencies =
            self.table("dependencies").next().is_some() || self.table("devDependencies").next().is_some();
        if !has_dependencies {
            return;
        }
        let Some(lock) = self.lock else {
            part.notes.push(
                "There are dependencies and no lock file: commit one, and fill in `commands.setup` (a clean copy has \
                 no node_modules)."
                    .into(),
            );
            return;
        };
        let tail: &[&str] = match self.manager {
            "npm" => &["ci", "--ignore-scripts", "--no-audit", "--no-fund"],
            "yarn" if !self.is_classic_yarn() => &["install", "--immutable"],
            _ => &["install", "--frozen-lockfile", "--ignore-scripts"],
        };
        part.propose(
            Role::Setup,
            self.words(tail),
            format!("{lock} is there and a clean copy has no node_modules"),
        );
        if let Some(last) = part.proposals.last_mut() {
            last.network = true;
        }
        part.notes.push("Setup downloads packages: `sandbox.setup_network: true` lets it.".into());
    }

    fn is_classic_yarn(&self) -> bool {
        let text = self.listing.text(&join(self.folder, "yarn.lock")).unwrap_or_default();
        text.contains("# yarn lockfile v1")
    }

    fn test(&self, part: &mut Part) {
        if let Some(why) = self.script("test") {
            part.propose(Role::Test, self.run("test"), why);
            return;
        }
        let manifest = join(self.folder, "package.json");
        for (name, words) in [("vitest", &["vitest", "run"][..]), ("jest", &["jest"][..])] {
            if self.depends_on(name) {
                let mut all = vec!["npx".to_owned(), "--no-install".to_owned()];
                all.extend(words.iter().map(|w| (*w).to_owned()));
                if !self.folder.is_empty() {
                    all.extend([
                        if name == "jest" { "--rootDir" } else { "--root" }.to_owned(),
                        self.folder.to_owned(),
                    ]);
                }
                part.propose(Role::Test, all, format!("{manifest} names {name}"));
                return;
            }
        }
        let prefix = if self.folder.is_empty() { String::new() } else { format!("{}/", self.folder) };
        let uses_node = |path: &&String| {
            path.starts_with(&prefix)
                && [".test.js", ".test.mjs", ".test.cjs"].iter().any(|end| path.ends_with(end))
                && self.listing.text(path).is_some_and(|text| text.contains("node:test"))
        };
        match self.listing.paths().iter().filter(|p| !p.contains("node_modules/")).find(uses_node) {
            Some(path) if self.folder.is_empty() => {
                part.propose(Role::Test, ["node", "--test"], format!("{path} uses node:test"));
            }
            _ => part
                .notes
                .push("No test script and no test runner were found: fill in `commands.test`.".into()),
        }
    }
}
