//! Makes providers and routes of the catalogue: what is asked when a role asks.
//!
//! Must never give a provider another one's credential, and must never leave out a setting of the catalogue.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::sync::{Arc, PoisonError};

use serde_json::Value;

use super::credential::credential;
use super::{ModelSetup, Readiness};
use crate::agent::catalogue::{DEFAULT_ROLE, Life, ProviderRow, RouteEntry};
use crate::agent::price::PriceRow;
use crate::agent::route::{Candidate, Routes};
use crate::cli::CommandError;
use crate::cli::error::{IoError, UsageError};
use crate::ports::credential::{CredentialSource, NoCredential};
use crate::ports::model::exec::{ExecSpec, ExecValue, exec_provider};
use crate::ports::model::http::{HttpTransport, Transport};
use crate::ports::model::scripted::scripted_provider;
use crate::ports::model::{Endpoint, MaxTokensField, Provider, WireFormat, http_provider};

/// The largest script that is read.
const SCRIPT_BYTES: u64 = 16 * 1024 * 1024;

/// The routes of a repository on this machine.
#[derive(Clone, Debug, Default)]
pub struct ConfiguredRoutes {
    roles: BTreeMap<String, Vec<Candidate>>,
    families: BTreeMap<String, String>,
}

impl ConfiguredRoutes {
    /// Returns the routes that send every role to one model.
    pub fn all_to(candidate: Candidate) -> Self {
        let families = BTreeMap::from([(candidate.name(), candidate.family.clone())]);
        Self { roles: BTreeMap::from([(DEFAULT_ROLE.to_owned(), vec![candidate])]), families }
    }

    fn new(roles: BTreeMap<String, Vec<Candidate>>) -> Self {
        let named = roles.values().flatten().map(|one| (one.name(), one.family.clone()));
        Self { families: named.collect(), roles }
    }
}

impl Routes for ConfiguredRoutes {
    fn candidates(&self, role: &str) -> Vec<Candidate> {
        self.roles.get(role).or_else(|| self.roles.get(DEFAULT_ROLE)).cloned().unwrap_or_default()
    }

    fn family(&self, model: &str) -> Option<String> {
        self.families.get(model).cloned()
    }
}

impl ModelSetup {
    /// Returns the routes: of each role the models that can be asked now, the preferred one first.
    pub fn routes(&self) -> Result<ConfiguredRoutes, CommandError> {
        let mut roles = BTreeMap::new();
        for (role, entries) in self.catalogue.routes() {
            let usable = entries.iter().filter(|entry| self.why_not(entry).is_none());
            roles.insert(
                role.to_owned(),
                usable.map(|entry| self.candidate(entry)).collect::<Result<_, _>>()?,
            );
        }
        Ok(ConfiguredRoutes::new(roles))
    }

    /// Returns the routes with every model in them, for a run that is answered from a record: nobody is asked.
    pub fn recorded_routes(&self) -> Result<ConfiguredRoutes, CommandError> {
        let mut roles = BTreeMap::new();
        for (role, entries) in self.catalogue.routes() {
            let candidates: Result<_, _> = entries.iter().map(|entry| self.recorded(entry)).collect();
            roles.insert(role.to_owned(), candidates?);
        }
        Ok(ConfiguredRoutes::new(roles))
    }

    /// Returns what a person should know of the models in the routes of some roles, one line each.
    pub fn warnings(&self, roles: &[&str]) -> Vec<String> {
        let mut lines = Vec::new();
        for entry in roles.iter().flat_map(|role| self.catalogue.route(role)) {
            let life = self.catalogue.life(&entry.provider, &entry.model, self.day);
            if let (Life::Ending { .. } | Life::Retired { .. }, Some(warning)) = (&life, life.warning()) {
                let text = format!("{}/{} {warning}", entry.provider, entry.model);
                if !lines.contains(&text) {
                    lines.push(text);
                }
            }
        }
        lines
    }

    /// Returns the prices of a model today, for calls that another model answered than was asked.
    pub fn price(&self, provider: &str, model: &str) -> Option<PriceRow> {
        self.catalogue.price(provider, model, self.day)
    }

    /// Returns the candidate of an entry of a route, refusing what cannot be asked.
    pub fn candidate(&self, entry: &RouteEntry) -> Result<Candidate, CommandError> {
        self.candidate_of(entry, |row| self.provider(row))
    }

    /// Returns the candidate of an entry of a route, without a credential.
    pub fn recorded(&self, entry: &RouteEntry) -> Result<Candidate, CommandError> {
        self.candidate_of(entry, |row| match row.format {
            WireFormat::Exec => Ok(exec_provider(self.program_of(&row.name, row.command.clone()))?),
            WireFormat::Scripted => self.script(row),
            _ => self.endpoint(row, Arc::new(NoCredential)),
        })
    }

    fn candidate_of(
        &self,
        entry: &RouteEntry,
        provider: impl FnOnce(&ProviderRow) -> Result<Arc<dyn Provider>, CommandError>,
    ) -> Result<Candidate, CommandError> {
        let found = self.catalogue.resolve(&entry.provider, &entry.model, self.day)?;
        let mut extra = found.provider.extra.clone();
        extra
            .extend(entry.extra.iter().map(|(name, value): (&String, &Value)| (name.clone(), value.clone())));
        Ok(Candidate {
            provider: provider(found.provider)?,
            price: self.catalogue.price_with(&entry.provider, &entry.model, self.day, &extra),
            model: found.model,
            family: found.family,
            context: found.context,
            max_output: found.max_output,
            effort: entry.effort.clone(),
            extra,
        })
    }

    /// Returns a provider; the same one each time, since a scripted one remembers what it said.
    pub fn provider(&self, row: &ProviderRow) -> Result<Arc<dyn Provider>, CommandError> {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(provider) = made.get(&row.name) {
            return Ok(provider.clone());
        }
        let provider = match (self.readiness(row), row.format) {
            (Readiness::Lacking { why, help }, _) => {
                let what = format!("the provider `{}` cannot be used: {why}", row.name);
                return Err(UsageError { what, help }.into());
            }
            (_, WireFormat::Exec) => exec_provider(self.program(row))?,
            (_, WireFormat::Scripted) => self.script(row)?,
            (Readiness::Usable { credential: source }, _) => {
                self.endpoint(row, credential(source.as_ref(), &self.root, row.base_url.as_deref())?)?
            }
        };
        made.insert(row.name.clone(), provider.clone());
        Ok(provider)
    }

    /// Returns a provider at its endpoint with a credential of one's choice.
    pub fn endpoint(
        &self,
        row: &ProviderRow,
        credential: Arc<dyn CredentialSource>,
    ) -> Result<Arc<dyn Provider>, CommandError> {
        let endpoint = Endpoint {
            name: row.name.clone(),
            format: row.format,
            base_url: row.base_url.clone(),
            max_tokens_field: match row.max_tokens_field.as_deref() {
                Some("max_tokens") => MaxTokensField::MaxTokens,
                _ => MaxTokensField::MaxCompletionTokens,
            },
            auth_header: row.auth_header.clone(),
            stream: row.stream.unwrap_or_default(),
            headers: row.headers.clone(),
        };
        let transport: Arc<dyn Transport> = Arc::new(HttpTransport::new());
        Ok(http_provider(endpoint, credential, transport)?)
    }

    /// Returns how the program of a provider is started.
    fn program(&self, row: &ProviderRow) -> ExecSpec {
        let mut spec = self.program_of(&row.name, row.command.clone());
        for name in &row.env {
            match super::credential::held(name) {
                Some(secret) => spec.variables.push((name.clone(), ExecValue::Secret(secret))),
                None if name == "HOME" => spec.home = self.environment.home(),
                None => {
                    let value = self.environment.value(name).unwrap_or_default();
                    spec.variables.push((name.clone(), ExecValue::Plain(value)));
                }
            }
        }
        spec
    }

    /// Returns how a program is started that is given no variable.
    pub fn program_of(&self, name: &str, words: Vec<String>) -> ExecSpec {
        ExecSpec {
            name: name.to_owned(),
            words,
            base: self.root.clone(),
            repository: Some(self.root.clone()),
            path: std::env::join_paths(self.environment.path()).unwrap_or_else(|_| OsString::new()),
            home: None,
            variables: Vec::new(),
        }
    }

    fn script(&self, row: &ProviderRow) -> Result<Arc<dyn Provider>, CommandError> {
        let name = row.script.clone().unwrap_or_default();
        let path = self.root.join(&name);
        let fail = |source| IoError { what: format!("read the script {name}"), source };
        if fs::metadata(&path).map_err(fail)?.len() > SCRIPT_BYTES {
            return Err(UsageError {
                what: format!("the script {name} is larger than 16 MiB"),
                help: "Split it, or shorten its replies.".into(),
            }
            .into());
        }
        let text = fs::read_to_string(&path).map_err(fail)?;
        Ok(scripted_provider(&row.name, name, &text)?)
    }
}
