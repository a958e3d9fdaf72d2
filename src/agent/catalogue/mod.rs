//! The catalogue: providers, models, dated prices and routes, from the built-in `models.toml` and the repository's own.
//!
//! Must never hold a credential or a table of model names in code: facts about models are data, each with its source.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::civil::Date;

use crate::diagnostic::Failure as _;

pub mod address;
mod check;
mod decimal;
mod error;
pub mod fields;
mod leak;
mod lookup;
mod raw;
mod reference;
mod row;
#[cfg(test)]
mod tests;
mod types;

pub use decimal::{dollars, text as price_text};
pub use error::{CatalogueError, nearest};
pub use lookup::{Life, Resolved};
pub use reference::reference;
pub use types::{CredentialRef, ModelRow, Oidc, PriceLine, ProviderRow, RouteEntry, Status};

/// The built-in file.
pub const MODELS_TOML: &str = include_str!("../../../models/models.toml");

/// How errors call the built-in file.
const BUILT_IN: &str = "(built-in models.toml)";

/// The role whose route serves roles without one.
pub const DEFAULT_ROLE: &str = "default";

/// A `models.toml` of the repository.
#[derive(Clone, Copy, Debug)]
pub struct Overlay<'a> {
    /// How errors call it.
    pub name: &'a str,
    /// Its bytes.
    pub bytes: &'a [u8],
}

/// Providers, models, prices and routes.
#[derive(Clone, Debug, Default)]
pub struct Catalogue {
    providers: BTreeMap<String, ProviderRow>,
    models: BTreeMap<(String, String), Arc<ModelRow>>,
    /// By provider and model; later files last.
    prices: BTreeMap<(String, String), Vec<Priced>>,
    routes: BTreeMap<String, Vec<RouteEntry>>,
}

/// A row of prices and which file it is from; rows of a later file win on the days they hold.
#[derive(Clone, Debug)]
struct Priced {
    file: usize,
    line: Arc<PriceLine>,
}

impl Catalogue {
    /// Returns the built-in catalogue with the files of a repository laid over it, in order.
    ///
    /// `addresses` are base URLs by provider, from the environment; they win over every file.
    pub fn load(
        overlays: &[Overlay<'_>],
        addresses: &BTreeMap<String, String>,
    ) -> Result<Self, CatalogueError> {
        let mut catalogue = Self::default();
        let built_in = Overlay { name: BUILT_IN, bytes: MODELS_TOML.as_bytes() };
        for (file, overlay) in std::iter::once(&built_in).chain(overlays).enumerate() {
            let invalid = |problems| CatalogueError::Invalid { file: overlay.name.to_owned(), problems };
            let raw = raw::parse(overlay.bytes).map_err(invalid)?;
            catalogue.lay_over(file, raw).map_err(invalid)?;
        }
        for (name, url) in addresses {
            let variable = address_variable(name);
            address::check(url).map_err(|why| CatalogueError::Address { variable: variable.clone(), why })?;
            // An address for nobody would mean that calls go where they were not to go.
            catalogue.provider(name).map_err(|error| CatalogueError::Unknown {
                what: format!("{variable} names no provider"),
                help: error.help().unwrap_or_default(),
            })?;
            if let Some(provider) = catalogue.providers.get_mut(name) {
                provider.base_url = Some(url.clone());
            }
        }
        Ok(catalogue)
    }

    /// Returns the providers, by name.
    pub fn providers(&self) -> impl Iterator<Item = &ProviderRow> {
        self.providers.values()
    }

    /// Returns a provider.
    pub fn provider(&self, name: &str) -> Result<&ProviderRow, CatalogueError> {
        self.providers.get(name).ok_or_else(|| {
            let names = self.providers.keys().map(String::as_str);
            CatalogueError::Unknown {
                what: format!("there is no provider `{}`", row::shortened(name)),
                help: match nearest(name, names) {
                    Some(near) => format!("Did you mean `{near}`?"),
                    None => "`orch providers` lists them; a [[provider]] row in models.toml adds one.".into(),
                },
            }
        })
    }

    /// Returns the models of a provider, by id.
    pub fn models<'a>(&'a self, provider: &'a str) -> impl Iterator<Item = &'a ModelRow> {
        self.models.iter().filter(move |((name, _), _)| name == provider).map(|(_, model)| model.as_ref())
    }

    /// Returns every row of prices with its provider and model, those of later files last.
    pub fn prices(&self) -> impl Iterator<Item = (&str, &str, &PriceLine)> {
        self.prices.iter().flat_map(|((provider, model), lines)| {
            lines.iter().map(move |priced| (provider.as_str(), model.as_str(), priced.line.as_ref()))
        })
    }

    /// Returns the roles that have a route, with it.
    pub fn routes(&self) -> impl Iterator<Item = (&str, &[RouteEntry])> {
        self.routes.iter().map(|(role, entries)| (role.as_str(), entries.as_slice()))
    }

    /// Returns the route of a role: its own, else the default one.
    pub fn route(&self, role: &str) -> &[RouteEntry] {
        self.routes.get(role).or_else(|| self.routes.get(DEFAULT_ROLE)).map_or(&[], Vec::as_slice)
    }
}

/// Returns the name of the variable that holds the address of a provider, as `ORCH_OPENAI_BASE_URL`.
pub fn address_variable(provider: &str) -> String {
    format!("ORCH_{}_BASE_URL", provider.to_ascii_uppercase().replace('-', "_"))
}

/// Returns the days of a timestamp's calendar in UTC, which prices and retirements go by.
pub fn day_of(time: jiff::Timestamp) -> Date {
    time.to_zoned(jiff::tz::TimeZone::UTC).date()
}
