//! What calls could cost at most, before any is made.
//!
//! Must never call a provider, and must never take an unknown price for none.

use crate::agent::PlannedCall;
use crate::agent::budget::estimate;
use crate::agent::route::Routes;
use crate::artifact::money::NanoUsd;

/// Returns the most that calls can cost, each by the dearest model of its role and with its one repair call.
///
/// `None`: a model without a known price may answer. Retries of calls that may be billed are not in it: whether those
/// are made is decided by what is left then.
pub fn worst_case(calls: &[PlannedCall], routes: &dyn Routes) -> Option<NanoUsd> {
    let mut total = NanoUsd::ZERO;
    for call in calls {
        let mut dearest = NanoUsd::ZERO;
        for candidate in routes.candidates(&call.role) {
            let tier = candidate.extra.get("service_tier").and_then(|tier| tier.as_str());
            let price = candidate.price.as_ref()?;
            let output = u64::from(call.max_output.min(candidate.max_output));
            let input = estimate::of_bytes(call.max_input_bytes, 0);
            let once = price.worst_case(input, output, tier);
            // The repair shows the reply again, with what is wrong.
            let repair = price.worst_case(input.saturating_add(output).saturating_add(1000), output, tier);
            dearest = dearest.max(once + repair);
        }
        total = total + dearest.times(call.times);
    }
    Some(total)
}
