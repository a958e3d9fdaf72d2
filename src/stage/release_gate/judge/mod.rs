//! Evidence becomes a decision, by rules in Rego and nothing else: no clock, no file, no network.
//!
//! Must never promote because something went wrong: evidence that was changed, a rule that is broken, undefined, empty or
//! too slow is a deny that names the control.

mod decide;
mod pack;
mod whole;

pub use decide::HELP_OF_FAULTS;
pub use pack::{Pack, PackRule, own_rules};

use crate::artifact::digest::{CanonicalError, Digest, canonical_json};
use crate::artifact::types::release::{ReleaseDecision, ReleaseEvidence};
use crate::stage::policy::engine::{Limits, evaluate, silent};

/// Judges evidence; the same evidence and rules give the same bytes.
pub fn judge(evidence: &ReleaseEvidence, pack: &Pack) -> Result<ReleaseDecision, CanonicalError> {
    let document = canonical_json(evidence)?;
    let digest = Digest::of(&document);
    let mut judged = Vec::new();
    let limits = Limits::default();
    if let Some(why) = whole::fault(evidence)? {
        judged.push(decide::untrusted(&why));
    } else if document.len() > limits.input_bytes {
        judged.push(decide::untrusted(&format!(
            "it has {} bytes, and at most {} are judged",
            document.len(),
            limits.input_bytes
        )));
    } else {
        let text = String::from_utf8_lossy(&document).into_owned();
        let mut answers = evaluate(pack.jobs(), text, limits).into_iter();
        let asked: Vec<_> =
            pack.rules.iter().map(|rule| (rule, answers.next().unwrap_or_else(silent))).collect();
        judged = decide::controls(&asked);
    }
    judged.extend(pack.broken.iter().map(|why| decide::broken(why)));
    Ok(decide::decision(evidence, judged, digest, pack.digest.clone()))
}
