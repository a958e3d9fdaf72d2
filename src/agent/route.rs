//! Routes: which models may answer for a role, in order.
//!
//! Must never hold a credential: a provider holds its own.

use std::fmt;
use std::sync::Arc;

use super::price::PriceRow;
use crate::ports::model::Provider;

/// Tells which models may answer for a role.
pub trait Routes: Send + Sync {
    /// Returns the candidates of a role, the preferred one first; those without a credential are left out.
    fn candidates(&self, role: &str) -> Vec<Candidate>;

    /// Returns the family of a model that is named as in [`Candidate::name`]; `None` where it is not known.
    fn family(&self, model: &str) -> Option<String>;
}

/// Puts candidates of other families than a model's first, each group in its own order; the rest stays as the last resort.
pub fn apart(routes: &dyn Routes, candidates: Vec<Candidate>, avoid: Option<&str>) -> Vec<Candidate> {
    let Some(family) = avoid.and_then(|model| routes.family(model)) else { return candidates };
    let (mut others, same): (Vec<_>, Vec<_>) = candidates.into_iter().partition(|one| one.family != family);
    others.extend(same);
    others
}

/// A model at a provider.
#[derive(Clone)]
pub struct Candidate {
    /// Who is asked.
    pub provider: Arc<dyn Provider>,
    /// The model's id, sent as written.
    pub model: String,
    /// The family the model is from, as `claude`: a critic is best of another one.
    pub family: String,
    /// The most input tokens.
    pub context: u64,
    /// The most output tokens.
    pub max_output: u32,
    /// Today's prices; absent: not known.
    pub price: Option<PriceRow>,
    /// How hard to think, in the provider's own word.
    pub effort: Option<String>,
    /// More settings of the endpoint, merged into the body as they are.
    pub extra: serde_json::Map<String, serde_json::Value>,
}

impl Candidate {
    /// Returns the name in routes and records, as `anthropic/claude-sonnet-5-5`.
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider.name(), self.model)
    }
}

impl fmt::Debug for Candidate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Candidate")
            .field("name", &self.name())
            .field("family", &self.family)
            .finish_non_exhaustive()
    }
}
