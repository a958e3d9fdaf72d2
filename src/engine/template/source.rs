//! Where templates come from: the binary, and folders of the repository.
//!
//! Must never write, and must never follow a link out of a template's folder.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use crate::artifact::digest::Digest;
use crate::artifact::path::RepoPath;
use crate::engine::EngineError;

use super::manifest::Manifest;

/// The name of the manifest.
pub const MANIFEST: &str = "template.yml";

const MAX_FILES: usize = 200;
const MAX_BYTES: u64 = 512 * 1024;

#[derive(rust_embed::RustEmbed)]
#[folder = "templates/"]
struct Embedded;

/// The files of one template, as read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateSource {
    /// The name of its folder.
    pub name: String,
    /// Its files by path below the folder.
    pub files: BTreeMap<String, Vec<u8>>,
}

/// A template that can be used.
#[derive(Clone, Debug)]
pub struct Template {
    /// What it says of itself.
    pub manifest: Manifest,
    /// Its texts by path.
    pub texts: BTreeMap<String, String>,
    /// The digest over all its files.
    pub digest: Digest,
}

/// Returns the templates in the binary, by name.
pub fn embedded() -> Vec<TemplateSource> {
    let mut found: BTreeMap<String, BTreeMap<String, Vec<u8>>> = BTreeMap::new();
    for path in Embedded::iter() {
        let Some((name, rest)) = path.split_once('/') else { continue };
        if let Some(file) = Embedded::get(&path) {
            found.entry(name.to_owned()).or_default().insert(rest.to_owned(), file.data.into_owned());
        }
    }
    found.into_iter().map(|(name, files)| TemplateSource { name, files }).collect()
}

/// Reads the templates of a folder: every folder in it that holds a `template.yml`.
pub fn read_folder(folder: &Path) -> Result<Vec<TemplateSource>, EngineError> {
    let shown = folder.display().to_string();
    let mut found = Vec::new();
    for name in names(folder).map_err(|e| broken(&shown, &format!("cannot read its folder: {e}")))? {
        let inner = folder.join(&name);
        if inner.is_symlink() || !inner.join(MANIFEST).is_file() {
            continue;
        }
        let mut files = BTreeMap::new();
        collect(&inner, "", &mut files).map_err(|why| broken(&name, &why))?;
        found.push(TemplateSource { name, files });
    }
    Ok(found)
}

fn names(folder: &Path) -> std::io::Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    for entry in std::fs::read_dir(folder)? {
        if let Ok(name) = entry?.file_name().into_string() {
            names.insert(name);
        }
    }
    Ok(names)
}

fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, Vec<u8>>) -> Result<(), String> {
    for name in names(folder).map_err(|e| format!("cannot read `{prefix}`: {e}"))? {
        let (path, inner) = (format!("{prefix}{name}"), folder.join(&name));
        let about = inner.symlink_metadata().map_err(|e| format!("cannot read `{path}`: {e}"))?;
        if about.is_dir() {
            collect(&inner, &format!("{path}/"), files)?;
        } else if !about.is_file() {
            return Err(format!("`{path}` is neither a file nor a folder"));
        } else if about.len() > MAX_BYTES || files.len() >= MAX_FILES {
            return Err(format!("`{path}` is over the limit of {MAX_FILES} files of {MAX_BYTES} bytes"));
        } else {
            let bytes = std::fs::read(&inner).map_err(|e| format!("cannot read `{path}`: {e}"))?;
            files.insert(path, bytes);
        }
    }
    Ok(())
}

pub(super) fn broken(name: &str, why: &str) -> EngineError {
    EngineError::Broken { name: name.to_owned(), why: why.to_owned() }
}

impl Template {
    /// Reads a template: manifest parsed and checked, texts decoded.
    pub fn load(source: &TemplateSource) -> Result<Self, EngineError> {
        let broken = |why: String| EngineError::Broken { name: source.name.clone(), why };
        let digests: BTreeMap<_, _> = source.files.iter().map(|(p, b)| (p, Digest::of(b))).collect();
        let digest = Digest::of_json(&digests).map_err(|e| broken(e.to_string()))?;
        let mut texts = BTreeMap::new();
        for (path, bytes) in &source.files {
            let text =
                String::from_utf8(bytes.clone()).map_err(|_| broken(format!("`{path}` is not UTF-8")))?;
            texts.insert(path.clone(), text);
        }
        let yaml = texts.remove(MANIFEST).ok_or_else(|| broken(format!("it has no `{MANIFEST}`")))?;
        let manifest: Manifest =
            serde_yaml::from_str(&yaml).map_err(|e| broken(format!("`{MANIFEST}`: {e}")))?;
        let template = Self { manifest, texts, digest };
        if template.manifest.name.as_str() != source.name {
            return Err(broken(format!("it calls itself `{}`", template.manifest.name)));
        }
        template.check().map_err(broken)?;
        Ok(template)
    }

    /// Returns the template's name.
    pub fn name(&self) -> &str {
        self.manifest.name.as_str()
    }

    fn check(&self) -> Result<(), String> {
        let m = &self.manifest;
        if m.examples.is_empty() || m.variants.is_empty() {
            return Err("it needs an example and a variant".into());
        }
        if m.request.all.is_empty() || m.request.all.iter().any(Vec::is_empty) {
            return Err("`request.all` needs at least one group, and no group may be empty".into());
        }
        for p in &m.parameters {
            if ["repo", "task"].contains(&p.name.as_str()) || !is_name(&p.name) {
                return Err(format!("`{}` cannot be a parameter's name", p.name));
            }
        }
        for v in &m.variants {
            self.check_variant(v).map_err(|why| format!("variant `{}`: {why}", v.name))?;
        }
        Ok(())
    }

    fn check_variant(&self, v: &super::manifest::Variant) -> Result<(), String> {
        let ids: BTreeSet<&str> = v.criteria.iter().map(|c| c.id.as_str()).collect();
        for rule in v.tests.iter().chain(&v.files) {
            if !self.texts.contains_key(&rule.source) {
                return Err(format!("there is no file `{}`", rule.source));
            }
            // A path without expressions can be refused before it is ever used.
            if !rule.path.contains("{{") {
                rule.path.parse::<RepoPath>().map_err(|e| e.to_string())?;
            }
        }
        if v.files.iter().any(|f| !f.expected.is_empty()) {
            return Err("only test files have `expected`".into());
        }
        let mut covered: BTreeSet<&str> = v.uncovered.keys().map(String::as_str).collect();
        covered
            .extend(v.tests.iter().flat_map(|t| &t.expected).flat_map(|e| &e.criteria).map(String::as_str));
        if covered != ids {
            return Err("every criterion needs a test or a line in `uncovered`, and nothing else may".into());
        }
        Ok(())
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

/// Compiles a regular expression of a template, with a limit on its size.
pub(super) fn regex(pattern: &str) -> Result<regex::Regex, String> {
    regex::RegexBuilder::new(pattern)
        .size_limit(1 << 20)
        .build()
        .map_err(|e| format!("the pattern `{pattern}` cannot be used: {e}"))
}
