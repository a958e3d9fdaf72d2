//! The models of a repository: its catalogue, which providers can be used on this machine now, and how they are asked.
//!
//! It stands here because it joins what only the command line holds: the environment, the checkout and the ports. Must never
//! send anything by itself, nor show a credential.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use jiff::Timestamp;
use jiff::civil::Date;

mod compose;
mod credential;
mod once;
mod ready;

pub use compose::ConfiguredRoutes;
pub use once::{Once, Used};
pub use ready::{Readiness, needs};

use super::CommandError;
use super::error::{IoError, UsageError};
use crate::agent::catalogue::{Catalogue, Life, Overlay, ProviderRow, RouteEntry, address_variable, day_of};
use crate::config::env::Environment;
use crate::diagnostic::redact::holds_learned;
use crate::ports::model::Provider;

/// The largest file that is read.
const MAX_BYTES: u64 = 1024 * 1024;

/// The models of a repository, on a day.
pub struct ModelSetup {
    /// Providers, models, prices and routes.
    pub catalogue: Catalogue,
    /// The repository's own file, if it has one.
    pub file: Option<String>,
    /// The day prices and retirements are looked up for.
    pub day: Date,
    root: PathBuf,
    environment: Environment,
    ready: BTreeMap<String, Readiness>,
    made: Mutex<BTreeMap<String, Arc<dyn Provider>>>,
}

impl ModelSetup {
    /// Reads the catalogue of a repository and looks at what can be used; `root` is where relative names start, and `file`
    /// has its own rows, if it is there.
    pub fn open(
        root: &Path,
        file: &str,
        environment: Environment,
        now: Timestamp,
    ) -> Result<Self, CommandError> {
        Self::open_with(root, file, own_file(root, file)?, environment, now)
    }

    /// Like [`Self::open`], with these bytes in place of the file.
    pub fn open_with(
        root: &Path,
        file: &str,
        own: Option<Vec<u8>>,
        environment: Environment,
        now: Timestamp,
    ) -> Result<Self, CommandError> {
        let overlays: Vec<Overlay<'_>> =
            own.iter().map(|bytes| Overlay { name: file, bytes: bytes.as_slice() }).collect();
        let addresses = environment.base_urls();
        let catalogue = Catalogue::load(&overlays, &addresses)?;
        for (name, address) in &addresses {
            no_credential_in(&address_variable(name), address.as_bytes())?;
        }
        if let Some(bytes) = &own {
            no_credential_in(file, bytes)?;
        }
        let ready = catalogue
            .providers()
            .map(|row| (row.name.clone(), Readiness::of(row, root, &environment)))
            .collect();
        Ok(Self {
            catalogue,
            file: own.is_some().then(|| file.to_owned()),
            day: day_of(now),
            root: root.to_owned(),
            environment,
            ready,
            made: Mutex::default(),
        })
    }

    /// Tells whether a provider can be used now, and what it lacks.
    pub fn readiness(&self, provider: &ProviderRow) -> Readiness {
        self.ready
            .get(&provider.name)
            .cloned()
            .unwrap_or_else(|| Readiness::of(provider, &self.root, &self.environment))
    }

    /// Tells why an entry of a route would not be asked now; `None`: it would.
    pub fn why_not(&self, entry: &RouteEntry) -> Option<String> {
        let provider = match self.catalogue.provider(&entry.provider) {
            Ok(provider) => provider,
            Err(error) => return Some(error.to_string()),
        };
        if let life @ Life::Retired { .. } = self.catalogue.life(&entry.provider, &entry.model, self.day) {
            return life.warning();
        }
        match self.readiness(provider) {
            Readiness::Usable { .. } => None,
            Readiness::Lacking { why, .. } => Some(why),
        }
    }
}

/// Refuses a credential of this process where addresses, headers and settings stand: those are recorded as they are.
fn no_credential_in(name: &str, text: &[u8]) -> Result<(), CommandError> {
    if !holds_learned(text) {
        return Ok(());
    }
    Err(UsageError {
        what: format!("{name} holds a credential that this program was given"),
        help: "Take it out, and name where it comes from: `credential = { env = \"NAME\" }`.".into(),
    }
    .into())
}

/// Reads the repository's own file; only a regular file of a sane size.
fn own_file(root: &Path, name: &str) -> Result<Option<Vec<u8>>, CommandError> {
    let path = root.join(name);
    match fs::symlink_metadata(&path) {
        Ok(found) if !found.is_file() || found.len() > MAX_BYTES => Err(UsageError {
            what: format!("{name} is no regular file of at most {MAX_BYTES} bytes"),
            help: "Put the file itself there; docs/reference/models.md tells its form.".into(),
        }
        .into()),
        Ok(_) => {
            let read = fs::read(&path).map_err(|source| IoError { what: format!("read {name}"), source });
            Ok(Some(read?))
        }
        Err(error)
            if matches!(error.kind(), std::io::ErrorKind::NotFound | std::io::ErrorKind::NotADirectory) =>
        {
            Ok(None)
        }
        Err(source) => Err(IoError { what: format!("read {name}"), source }.into()),
    }
}
