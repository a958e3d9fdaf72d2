//! The pack in this binary as it was checked before it was built in: what each rule says and reads, and the text that is
//! evaluated, so that a start neither checks nor mends it again.
//!
//! Must never speak for other rules than those it was made of: it holds the digest over the files, and where that is not the
//! digest of what is to judge, it says nothing and everything is checked anew.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artifact::digest::Digest;
use crate::artifact::types::verdict::Effect;

use super::bundle::{Bundle, Sources, embedded};
use super::metadata::Metadata;
use super::rule::{OPTIONAL, Ready, Rule};
use super::wakes::wakes;

/// Where the generated file stands.
pub const PATH: &str = "policies/prepared.json";

/// What the file holds.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Prepared {
    /// The digest over all files of the pack.
    digest: Option<Digest>,
    rules: Vec<Row>,
    /// The text of each module where it is not the one of its file.
    texts: BTreeMap<String, String>,
}

/// A rule that is in order.
#[derive(Debug, Serialize, Deserialize)]
struct Row {
    file: String,
    metadata: Metadata,
    entries: Vec<(String, Effect)>,
    settings: BTreeSet<String>,
    needs: BTreeSet<String>,
    /// The files to evaluate it with, its own first.
    modules: Vec<String>,
    wakes: Option<BTreeSet<String>>,
}

/// Returns the rules of a pack that was checked when it was built in; nothing for any other.
pub fn bundle(sources: &Sources) -> Option<Bundle> {
    if !sources.is_embedded() {
        return None;
    }
    let prepared: Prepared = serde_json::from_slice(&embedded(PATH)?).ok()?;
    if prepared.digest.as_ref() != Some(sources.digest()) {
        return None;
    }
    let mut texts = prepared.texts;
    for file in sources.files().iter().filter(|file| !file.is_test()) {
        if !texts.contains_key(&file.name) {
            texts.insert(file.name.clone(), String::from_utf8(file.bytes.clone()?).ok()?);
        }
    }
    let texts = Arc::new(texts);
    let rules: Option<Vec<Rule>> = prepared.rules.into_iter().map(|row| rule(row, &texts)).collect();
    Some(Bundle { rules: rules?, broken: Vec::new(), digest: sources.digest().clone() })
}

fn rule(row: Row, texts: &Arc<BTreeMap<String, String>>) -> Option<Rule> {
    let needs: BTreeSet<&'static str> =
        OPTIONAL.into_iter().filter(|part| row.needs.contains(*part)).collect();
    let known = needs.len() == row.needs.len() && row.modules.iter().all(|file| texts.contains_key(file));
    known.then(|| Rule {
        file: row.file,
        metadata: row.metadata,
        entries: row.entries,
        settings: row.settings,
        needs,
        wakes: row.wakes,
        ready: Ready::Later { files: row.modules, texts: Arc::clone(texts) },
    })
}

/// Returns what the file has to be for a pack; nothing when a rule of it is broken.
pub fn text(sources: &Sources) -> Option<String> {
    let bundle = Bundle::checked(sources);
    let mut prepared = Prepared { digest: Some(sources.digest().clone()), ..Prepared::default() };
    for rule in &bundle.rules {
        let Ready::Now { policies, modules } = &rule.ready else { return None };
        for file in modules {
            let module = policies.modules.iter().find(|module| module.file == *file)?;
            let written = sources.files().iter().find(|source| source.name == *file)?;
            if written.bytes.as_deref() != Some(module.text.as_bytes()) {
                prepared.texts.insert(file.clone(), module.text.clone());
            }
        }
        let written = sources.files().iter().find(|source| source.name == rule.file)?;
        let written = std::str::from_utf8(written.bytes.as_deref()?).ok()?;
        prepared.rules.push(Row {
            file: rule.file.clone(),
            metadata: rule.metadata.clone(),
            entries: rule.entries.clone(),
            settings: rule.settings.clone(),
            needs: rule.needs.iter().map(|part| (*part).to_owned()).collect(),
            modules: modules.clone(),
            wakes: wakes(&rule.file, written),
        });
    }
    let text = serde_json::to_string_pretty(&prepared).ok()?;
    bundle.broken.is_empty().then_some(text + "\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pack_of_this_binary_is_prepared_as_it_would_be_checked() {
        let sources = Sources::embedded().unwrap();
        let here = embedded(PATH).unwrap();
        assert!(
            text(&sources).unwrap().as_bytes() == &*here,
            "`cargo run -- util generate` writes {PATH} again"
        );
        let (quick, full) = (bundle(&sources).unwrap(), Bundle::checked(&sources));
        assert_eq!(quick.digest, full.digest);
        assert_eq!(quick.rules.len(), full.rules.len());
        for (quick, full) in quick.rules.iter().zip(&full.rules) {
            assert_eq!(quick.metadata, full.metadata);
            assert_eq!((&quick.file, &quick.entries), (&full.file, &full.entries));
            assert_eq!((&quick.settings, &quick.needs), (&full.settings, &full.needs));
        }
    }

    #[test]
    fn other_files_are_never_taken_for_prepared_ones() {
        let sources = Sources::embedded().unwrap();
        let more =
            super::super::bundle::SourceFile { name: "p/x.rego".into(), bytes: Some(b"package x".to_vec()) };
        assert!(bundle(&sources.clone().with([more]).unwrap()).is_none());
        let mut files = sources.files().to_vec();
        files[0].bytes.as_mut().unwrap().push(b'\n');
        assert!(bundle(&Sources::of(files).unwrap()).is_none());
    }
}
