//! Lays one file over what there is, and checks what its rows say of each other.
//!
//! Must never take half a file: where something is wrong, everything wrong is told and nothing is used.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::diagnostic::{Place, Problem};

use super::error::nearest;
use super::lookup::ANY;
use super::row::shortened;
use super::types::{ModelRow, Placed, PriceLine, ProviderRow, RawFile, RouteEntry};
use super::{Catalogue, Priced};

/// What is wrong, as it is found.
#[derive(Default)]
struct Found(Vec<Problem>);

impl Found {
    fn wrong(&mut self, place: Place, what: String, help: Option<String>) {
        self.0.push(Problem { place: Some(place), what, help });
    }

    fn did_you_mean<'n>(
        &mut self,
        place: Place,
        what: String,
        text: &str,
        names: impl IntoIterator<Item = &'n str>,
        otherwise: &str,
    ) {
        let help = nearest(text, names)
            .map_or_else(|| otherwise.to_owned(), |near| format!("Did you mean `{near}`?"));
        self.wrong(place, what, Some(help));
    }
}

impl Catalogue {
    /// Adds the rows of a file; rows of the same name replace.
    pub(super) fn lay_over(&mut self, file: usize, raw: RawFile) -> Result<(), Vec<Problem>> {
        let mut found = Found::default();
        self.add_providers(raw.providers, &mut found);
        self.add_models(raw.models, &mut found);
        self.add_prices(file, raw.prices, &mut found);
        for (role, entries) in raw.routes {
            for entry in &entries {
                self.check_entry(entry, &mut found);
            }
            self.routes.insert(role, entries.into_iter().map(|entry| entry.row).collect());
        }
        found.0.sort_by_key(|problem| problem.place);
        if found.0.is_empty() { Ok(()) } else { Err(found.0) }
    }

    fn add_providers(&mut self, rows: Vec<Placed<ProviderRow>>, found: &mut Found) {
        let mut seen = BTreeSet::new();
        for Placed { row, place } in rows {
            if !seen.insert(row.name.clone()) {
                found.wrong(place, format!("the provider `{}` is there twice", row.name), None);
            }
            self.providers.insert(row.name.clone(), row);
        }
    }

    fn add_models(&mut self, rows: Vec<Placed<ModelRow>>, found: &mut Found) {
        let mut seen = BTreeSet::new();
        let mut successors = Vec::new();
        for Placed { row, place } in rows {
            let row = Arc::new(row);
            if let Some(successor) = &row.successor {
                successors.push((row.clone(), successor.clone(), place));
            }
            for provider in &row.providers {
                self.check_provider(provider, place, found);
                let key = (provider.clone(), row.id.clone());
                if !seen.insert(key.clone()) {
                    let what = format!("the model `{provider}/{}` is there twice", shortened(&row.id));
                    found.wrong(place, what, None);
                }
                self.models.insert(key, row.clone());
            }
        }
        for (row, successor, place) in successors {
            let known = |provider: &String| self.models.contains_key(&(provider.clone(), successor.clone()));
            if successor == row.id || !row.providers.iter().all(known) {
                let what = format!("the successor `{}` is no other model there", shortened(&successor));
                found.wrong(place, what, None);
            }
        }
    }

    fn add_prices(&mut self, file: usize, rows: Vec<Placed<PriceLine>>, found: &mut Found) {
        let mut added: Vec<(String, Arc<PriceLine>, Place)> = Vec::new();
        for Placed { row, place } in rows {
            let line = Arc::new(row);
            for provider in &line.providers {
                self.check_provider(provider, place, found);
                self.check_priced_model(provider, &line.model, place, found);
                let other = added.iter().find(|(name, other, _)| {
                    name == provider && other.model == line.model && overlap(other, &line)
                });
                if let Some((_, other, at)) = other {
                    let what = format!(
                        "the price of `{provider}/{}` from {} overlaps the row in line {} from {}",
                        shortened(&line.model),
                        line.from,
                        at.line,
                        other.from
                    );
                    found.wrong(
                        place,
                        what,
                        Some("End the earlier row with `effective_to`, or drop one.".into()),
                    );
                }
                added.push((provider.clone(), line.clone(), place));
                let key = (provider.clone(), line.model.clone());
                self.prices.entry(key).or_default().push(Priced { file, line: line.clone() });
            }
        }
    }

    fn check_provider(&self, name: &str, place: Place, found: &mut Found) {
        if !self.providers.contains_key(name) {
            found.did_you_mean(
                place,
                format!("there is no provider `{}`", shortened(name)),
                name,
                self.providers.keys().map(String::as_str),
                "Add a [[provider]] row for it.",
            );
        }
    }

    /// Complains about a price whose model is most likely a slip of the pen.
    fn check_priced_model(&self, provider: &str, model: &str, place: Place, found: &mut Found) {
        let open = self.providers.get(provider).is_some_and(|row| row.context.is_some());
        if model == ANY || open || self.models.contains_key(&(provider.to_owned(), model.to_owned())) {
            return;
        }
        let ids = self.models(provider).map(|row| row.id.as_str());
        if let Some(near) = nearest(model, ids) {
            let what = format!("`{provider}` has no model `{}`", shortened(model));
            found.wrong(place, what, Some(format!("Did you mean `{near}`?")));
        }
    }

    fn check_entry(&self, entry: &Placed<RouteEntry>, found: &mut Found) {
        let (RouteEntry { provider, model, effort, .. }, place) = (&entry.row, entry.place);
        let Some(row) = self.providers.get(provider) else {
            return self.check_provider(provider, place, found);
        };
        let known = self.models.get(&(provider.clone(), model.clone()));
        if known.is_none() && (row.context.is_none() || row.max_output.is_none()) {
            found.did_you_mean(
                place,
                format!("`{provider}` has no model `{}`", shortened(model)),
                model,
                self.models(provider).map(|model| model.id.as_str()),
                "Add a [[model]] row with its `context` and `max_output`, and a [[price]] row.",
            );
        }
        let Some(effort) = effort else { return };
        if row.effort == Some(false) {
            found.wrong(place, format!("`{provider}` takes no word for how hard to think"), None);
        }
        if let Some(model) =
            known.filter(|model| !model.efforts.is_empty() && !model.efforts.contains(effort))
        {
            let what = format!("`{provider}/{}` does not know the effort `{}`", model.id, shortened(effort));
            found.wrong(place, what, Some(format!("It takes {}.", model.efforts.join(", "))));
        }
    }
}

/// Tells whether two rows of one file hold on the same day. A row without an end ends where the next one begins.
fn overlap(one: &PriceLine, other: &PriceLine) -> bool {
    let (first, second) = if one.from <= other.from { (one, other) } else { (other, one) };
    first.from == second.from || first.to.is_some_and(|to| to >= second.from)
}
