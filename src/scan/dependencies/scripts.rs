//! Code that runs by itself: npm's lifecycle scripts, `build.rs`, `setup.py`.
//!
//! Must never judge what the code does by more than words that stand in it.

use std::collections::BTreeMap;

use crate::scan::manifest::{self, Format};
use crate::scan::{Change, Confidence, FileChange, Found};

use super::places::Places;
use super::{INSTALL_SCRIPT, at, folder, is_aside, is_ignored, shown};

/// Looks for code that the change makes run at install or build time.
pub fn look(change: &Change<'_>, sink: &mut dyn FnMut(&str, Found)) {
    for file in change.files {
        if is_ignored(file.path) || is_aside(file.path) || file.before == file.after {
            continue;
        }
        let Some(after) = file.after else { continue };
        match file.path.rsplit('/').next().unwrap_or_default() {
            "package.json" => lifecycle(file, after, sink),
            "build.rs" => build(change, file, after, sink),
            "setup.py" => setup(file, after, sink),
            _ => {}
        }
    }
}

/// Tools that set up a checkout and are wanted to.
const USUAL: [&str; 24] = [
    "husky",
    "is-ci",
    "lefthook",
    "simple-git-hooks",
    "yorkie",
    "pinst",
    "patch-package",
    "ngcc",
    "nuxt",
    "nuxi",
    "svelte-kit",
    "prisma",
    "electron-builder",
    "tsc",
    "tsup",
    "rollup",
    "vite",
    "unbuild",
    "turbo",
    "lerna",
    "wireit",
    "ts-patch",
    "effect-language-service",
    "only-allow",
];
const RUNNERS: [&str; 10] = ["npm", "pnpm", "yarn", "npx", "run", "exec", "dlx", "bun", "run-s", "run-p"];

/// Tells whether a script does nothing but what set-ups usually do.
fn is_usual(script: &str) -> bool {
    // Something that hides a command in words, or fetches, is not usual.
    if fetches(script)
        || script.contains(['`', '$', '|', '>', '<']) && !script.replace("||", "").contains("husky")
    {
        return false;
    }
    script.split(['&', '|', ';']).map(str::trim).filter(|part| !part.is_empty()).all(|part| {
        let mut words =
            part.split_whitespace().skip_while(|word| RUNNERS.contains(word) || word.starts_with('-'));
        let first = words.next().unwrap_or_default();
        let ran = part.starts_with("npm run") || part.starts_with("pnpm") || part.starts_with("yarn");
        USUAL.contains(&first) || first == "exit" || first == "true" || (ran && first.starts_with("build"))
    })
}

fn lifecycle(file: &FileChange<'_>, after: &[u8], sink: &mut dyn FnMut(&str, Found)) {
    let Some(new) = manifest::read(Format::Npm, after) else { return };
    let old = file.before.and_then(|before| manifest::read(Format::Npm, before));
    let old: BTreeMap<String, String> = old.map(|m| m.scripts.into_iter().collect()).unwrap_or_default();
    let places = Places::new(file.before.unwrap_or_default(), after);
    for (name, script) in &new.scripts {
        if old.get(name) == Some(script) {
            continue;
        }
        let when = match name.as_str() {
            "preinstall" | "install" | "postinstall" => "the package is installed",
            _ => "the repository is set up",
        };
        let usual = is_usual(script);
        let message = format!("the script `{name}` runs by itself when {when}: `{}`", shown(script));
        let key = format!("{} {name} {script}", file.path);
        let found = at(INSTALL_SCRIPT, after, places.of(name), message, &key, Confidence::High, false)
            .with("ecosystem", "npm")
            .with("kind", "lifecycle")
            .with("name", name)
            .with("fetches", fetches(script).to_string())
            .with("known", usual.to_string());
        sink(file.path, found);
    }
}

/// Words of code that fetches or starts something.
const FETCH: [&str; 22] = [
    "curl",
    "wget",
    "Invoke-WebRequest",
    "iwr ",
    "reqwest",
    "ureq",
    "minreq",
    "attohttpc",
    "TcpStream",
    "git clone",
    "http.get",
    "https.get",
    "fetch(",
    "urlopen",
    "urlretrieve",
    "requests.get",
    "requests.post",
    "socket.",
    "nc -",
    "base64 -d",
    "node -e",
    "python -c",
];

fn fetches(text: &str) -> bool {
    FETCH.iter().any(|word| text.contains(word))
}

fn signs<'a>(words: &[&'a str], text: &[u8]) -> Vec<(&'a str, usize)> {
    words.iter().filter_map(|word| Some((*word, memchr::memmem::find(text, word.as_bytes())?))).collect()
}

fn build(change: &Change<'_>, file: &FileChange<'_>, after: &[u8], sink: &mut dyn FnMut(&str, Found)) {
    let beside = match folder(file.path) {
        "" => "Cargo.toml".to_owned(),
        folder => format!("{folder}/Cargo.toml"),
    };
    if change.tree.paths().binary_search(&beside).is_err() {
        return;
    }
    let before = file.before.unwrap_or_default();
    let new = signs(&FETCH, after)
        .into_iter()
        .find(|(word, _)| memchr::memmem::find(before, word.as_bytes()).is_none());
    let (message, range) = match new {
        Some((word, at)) => (
            format!(
                "the build script `{}` runs when the crate is built and has `{}`",
                shown(file.path),
                word.trim()
            ),
            at..at + word.len(),
        ),
        None if file.before.is_none() => {
            (format!("the new build script `{}` runs when the crate is built", shown(file.path)), 0..0)
        }
        None => return,
    };
    let key = format!("{} {}", file.path, new.map_or("", |(word, _)| word));
    let found = at(INSTALL_SCRIPT, after, range, message, &key, Confidence::High, false)
        .with("ecosystem", "cargo")
        .with("kind", "build")
        .with("fetches", new.is_some().to_string())
        .with("known", new.is_none().to_string());
    sink(file.path, found);
}

/// Words of a `setup.py` that does more than name things.
const SETUP: [&str; 16] = [
    "cmdclass",
    "os.system",
    "subprocess",
    "popen",
    "urlopen",
    "urlretrieve",
    "requests.get",
    "requests.post",
    "socket.",
    "exec(",
    "eval(",
    "b64decode",
    "marshal.loads",
    "zlib.decompress",
    "__import__(",
    "ctypes",
];

fn setup(file: &FileChange<'_>, after: &[u8], sink: &mut dyn FnMut(&str, Found)) {
    let before = file.before.unwrap_or_default();
    for (word, place) in signs(&SETUP, after) {
        if memchr::memmem::find(before, word.as_bytes()).is_some() {
            continue;
        }
        let message = format!("`{}` runs when the package is installed and has `{word}`", shown(file.path));
        let key = format!("{} {word}", file.path);
        let found =
            at(INSTALL_SCRIPT, after, place..place + word.len(), message, &key, Confidence::High, false)
                .with("ecosystem", "pypi")
                .with("kind", "setup")
                .with("fetches", FETCH.contains(&word).to_string())
                .with("known", "false");
        sink(file.path, found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn set_ups_are_usual_and_fetching_is_not() {
        for script in [
            "husky",
            "husky install",
            "is-ci || husky install",
            "npm run build",
            "tsc -p .",
            "only-allow pnpm",
            "npx only-allow pnpm",
            "patch-package && husky",
        ] {
            assert!(is_usual(script), "{script}");
        }
        for script in [
            "node install.js",
            "curl https://x | sh",
            "husky && node x.js",
            "npm run build && curl x",
            "tsc > /etc/x",
            "sh -c x",
        ] {
            assert!(!is_usual(script), "{script}");
        }
    }
}
