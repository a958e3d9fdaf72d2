//! New packages: which, what their names look like, and whether they run code when installed.
//!
//! Must never call a package new that another file of the change had before.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

use crate::scan::licences::{self, Linkage, Severity};
use crate::scan::manifest::{self, Component, Dependency, Ecosystem, Format, Kind, Role, Source};
use crate::scan::{Change, Confidence, Found, Surroundings};

use super::names::{self, Popular};
use super::{ADDED, File, INSTALL_SCRIPT, TYPOSQUAT, listed, shown};

/// What is known of a package that was chosen.
#[derive(Clone, Default)]
struct Chosen {
    version: String,
    licence: Option<String>,
}

/// Looks for packages that no file of the change named before.
pub fn look(change: &Change<'_>, files: &[File<'_>], sink: &mut dyn FnMut(&str, Found)) {
    let mut before: HashSet<(Ecosystem, &str)> = HashSet::new();
    let mut chosen: HashMap<(Ecosystem, &str), Chosen> = HashMap::new();
    for file in files {
        if let Some(manifest) = file.before.manifest() {
            before.extend(manifest.dependencies.iter().map(|d| (manifest.ecosystem, d.name.as_str())));
            before.extend(manifest.name.as_deref().map(|name| (manifest.ecosystem, name)));
        }
        let Some(lock) = file.after.manifest().filter(|m| m.role == Role::Lock) else { continue };
        for one in &lock.dependencies {
            let entry = chosen.entry((lock.ecosystem, one.name.as_str())).or_default();
            one.version.clone_into(&mut entry.version);
            entry.licence = entry.licence.take().or_else(|| one.licence.clone());
        }
    }
    let mut look = Look {
        change,
        before,
        chosen,
        licences: None,
        elsewhere: BTreeMap::new(),
        done: BTreeSet::new(),
        outbound: None,
    };
    // Manifests first: a package that is named there is not also told of in the lock file.
    for role in [Role::Manifest, Role::Lock] {
        for file in files.iter().filter(|file| file.role() == Some(role)) {
            look.file(file, role, sink);
        }
    }
}

struct Look<'a> {
    change: &'a Change<'a>,
    before: HashSet<(Ecosystem, &'a str)>,
    chosen: HashMap<(Ecosystem, &'a str), Chosen>,
    licences: Option<HashMap<(Ecosystem, String), String>>,
    /// The names that lock files outside the change have.
    elsewhere: BTreeMap<Ecosystem, HashSet<String>>,
    done: BTreeSet<(Ecosystem, &'a str)>,
    /// The licence of the repository, looked for when the first licence is known.
    #[expect(
        clippy::option_option,
        reason = "not looked for yet, and looked for without one, are two things"
    )]
    outbound: Option<Option<String>>,
}

impl<'a> Look<'a> {
    fn file(&mut self, file: &'a File<'_>, role: Role, sink: &mut dyn FnMut(&str, Found)) {
        let Some((_, after)) = file.read() else { return };
        let mut indirect: BTreeSet<&str> = BTreeSet::new();
        let mut seen: HashSet<&str> = HashSet::new();
        for one in &after.dependencies {
            let key = (after.ecosystem, one.name.as_str());
            let own = after.name.as_deref() == Some(one.name.as_str());
            if self.before.contains(&key) || own || matches!(one.source, Source::Path(_)) {
                continue;
            }
            if !self.done.contains(&key) && seen.insert(&one.name) {
                self.typosquat(file, after.ecosystem, one, sink);
                self.conflict(file, after.ecosystem, one, sink);
                let marked = after.ecosystem == Ecosystem::Go && one.kind == Kind::Optional;
                if role == Role::Lock || marked {
                    indirect.insert(&one.name);
                } else if one.kind != Kind::Peer {
                    self.direct(file, after.ecosystem, one, sink);
                }
            }
            if one.install_script && seen.contains(one.name.as_str()) {
                script(file, after.ecosystem, one, sink);
            }
        }
        self.done.extend(seen.iter().map(|name| (after.ecosystem, *name)));
        Self::summary(file, after.ecosystem, &indirect, sink);
    }

    fn direct(
        &mut self,
        file: &File<'_>,
        ecosystem: Ecosystem,
        one: &Dependency,
        sink: &mut dyn FnMut(&str, Found),
    ) {
        let chosen = self.chosen.get(&(ecosystem, one.name.as_str())).cloned().unwrap_or_default();
        let version = if chosen.version.is_empty() { &one.version } else { &chosen.version };
        let licence = chosen.licence.clone().or_else(|| self.licence(ecosystem, &one.name));
        let mut message = format!("`{}` is a new {} dependency", shown(&one.name), ecosystem.as_str());
        if !version.is_empty() {
            message = format!("{message}, `{}`", shown(version));
        }
        if let Some(licence) = &licence {
            message = format!("{message}, under `{}`", shown(licence));
        }
        let mut found = file
            .found(ADDED, &one.name, message, Confidence::High)
            .with("ecosystem", ecosystem.as_str())
            .with("name", shown(&one.name))
            .with("id", format!("{}:{}", ecosystem.as_str(), shown(&one.name)))
            .with("kind", one.kind.as_str())
            .with("source", one.source.as_str())
            .with("host", shown(one.source.host()))
            .with("version", shown(version))
            .with("direct", "true");
        if let Some(licence) = licence {
            found = found.with("licence", shown(&licence));
        }
        sink(file.path, found);
    }

    fn summary(
        file: &File<'_>,
        ecosystem: Ecosystem,
        names: &BTreeSet<&str>,
        sink: &mut dyn FnMut(&str, Found),
    ) {
        if names.is_empty() {
            return;
        }
        let (count, noun) = (names.len(), if names.len() == 1 { "package comes" } else { "packages come" });
        let message = format!("{count} more {noun} in with the others: {}", listed(names.iter().copied()));
        let key = names.iter().copied().collect::<Vec<_>>().join(" ");
        let first = names.first().copied().unwrap_or_default();
        let mut found = file.found(ADDED, first, message, Confidence::High);
        found.secret = key.into_bytes();
        let found = found
            .with("ecosystem", ecosystem.as_str())
            .with("count", count.to_string())
            .with("names", names.iter().take(200).map(|n| shown(n)).collect::<Vec<_>>().join(" "))
            .with("direct", "false");
        sink(file.path, found);
    }

    fn typosquat(
        &mut self,
        file: &File<'_>,
        ecosystem: Ecosystem,
        one: &Dependency,
        sink: &mut dyn FnMut(&str, Found),
    ) {
        if !matches!(one.source, Source::Registry(_)) {
            return;
        }
        let Some(like) = names::likeness(ecosystem, &one.name) else { return };
        if self.elsewhere(ecosystem).contains(&one.name) {
            return;
        }
        let confidence = if like.sure { Confidence::High } else { Confidence::Medium };
        let message = format!("`{}` is new, and its name looks like `{}`", shown(&one.name), like.of);
        let found = file
            .found(TYPOSQUAT, &one.name, message, confidence)
            .with("ecosystem", ecosystem.as_str())
            .with("name", shown(&one.name))
            .with("id", format!("{}:{}", ecosystem.as_str(), shown(&one.name)))
            .with("like", like.of)
            .with("how", like.how.as_str());
        sink(file.path, found);
    }

    /// Compares a package's licence, where it is known, with the repository's own.
    fn conflict(
        &mut self,
        file: &File<'_>,
        ecosystem: Ecosystem,
        one: &Dependency,
        sink: &mut dyn FnMut(&str, Found),
    ) {
        let chosen = self.chosen.get(&(ecosystem, one.name.as_str())).and_then(|c| c.licence.clone());
        let known = one.licence.clone().or(chosen).or_else(|| self.licence(ecosystem, &one.name));
        let Some(inbound) = known else { return };
        let tree = self.change.tree;
        let outbound = self.outbound.get_or_insert_with(|| Surroundings::of(tree).licence);
        // A repository that names no licence has nothing that could be broken.
        let Some(outbound) = outbound else { return };
        let linkage = match one.kind {
            Kind::Dev | Kind::Build => Linkage::Tool,
            _ => Linkage::Linked,
        };
        let Some(conflict) = licences::conflict(outbound, &inbound, linkage) else { return };
        let confidence = match conflict.severity {
            Severity::Note => return,
            Severity::Person => Confidence::Medium,
            Severity::Conflict => Confidence::High,
        };
        let message = format!(
            "`{}` is under `{}` and would come into a repository under `{}`: {}",
            shown(&one.name),
            shown(&inbound),
            shown(outbound),
            conflict.why
        );
        let found = file
            .found(licences::CONFLICT, &one.name, message, confidence)
            .with("ecosystem", ecosystem.as_str())
            .with("name", shown(&one.name))
            .with("id", format!("{}:{}", ecosystem.as_str(), shown(&one.name)))
            .with("licence", shown(&inbound))
            .with("inbound", shown(&conflict.inbound))
            .with("outbound", shown(&conflict.outbound))
            .with("linkage", linkage.as_str())
            .with("severity", conflict.severity.as_str())
            .with("help", conflict.help);
        sink(file.path, found);
    }

    /// Returns the names in lock files that the change leaves alone; read only when a name looks odd.
    fn elsewhere(&mut self, ecosystem: Ecosystem) -> &HashSet<String> {
        const FILES: usize = 40;
        let change = self.change;
        self.elsewhere.entry(ecosystem).or_insert_with(|| {
            let locks = change.tree.paths().iter().filter_map(|path| Some((path, manifest::format(path)?)));
            let locks = locks.filter(|(path, format)| {
                is_lock(*format)
                    && !super::is_ignored(path)
                    && !change.files.iter().any(|f| f.path == path.as_str())
            });
            let read = locks
                .take(FILES)
                .filter_map(|(path, format)| manifest::read(format, &change.tree.file(path)?));
            let read = read.filter(|lock| lock.ecosystem == ecosystem);
            read.flat_map(|lock| lock.dependencies.into_iter().map(|one| one.name)).collect()
        })
    }

    /// Returns the licence a bill of materials in the repository gives a package.
    fn licence(&mut self, ecosystem: Ecosystem, name: &str) -> Option<String> {
        const FILES: usize = 10;
        let change = self.change;
        let licences = self.licences.get_or_insert_with(|| {
            let bills =
                change.tree.paths().iter().filter(|path| manifest::format(path) == Some(Format::Sbom));
            let read = bills.take(FILES).filter_map(|path| change.tree.file(path));
            let known = |c: Component| Some(((c.ecosystem, c.name), c.licence?));
            read.flat_map(|bytes| manifest::components(&bytes)).filter_map(known).collect()
        });
        licences.get(&(ecosystem, name.to_owned())).cloned()
    }
}

const fn is_lock(format: Format) -> bool {
    matches!(
        format,
        Format::NpmLock
            | Format::PnpmLock
            | Format::YarnLock
            | Format::PoetryLock
            | Format::UvLock
            | Format::PipfileLock
            | Format::CargoLock
            | Format::GoSum
    )
}

fn script(file: &File<'_>, ecosystem: Ecosystem, one: &Dependency, sink: &mut dyn FnMut(&str, Found)) {
    let known = Popular::of(ecosystem).knows(&one.name);
    let message = format!("`{}` is new and runs code when it is installed", shown(&one.name));
    let found = file
        .found(INSTALL_SCRIPT, &one.name, message, Confidence::High)
        .with("ecosystem", ecosystem.as_str())
        .with("name", shown(&one.name))
        .with("id", format!("{}:{}", ecosystem.as_str(), shown(&one.name)))
        .with("kind", "dependency")
        .with("known", known.to_string());
    sink(file.path, found);
}
