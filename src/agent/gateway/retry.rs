//! Whether a call is tried again, and after how long; whether it is billed.
//!
//! Must never wait longer than a person would, nor try again what waiting does not mend: money and credentials.

use std::time::Duration;

use crate::artifact::digest::Digest;
use crate::ports::model::CallError;

/// The most tries after the first one.
const RETRIES: usize = 2;
/// A server that wants one to wait longer than this is left.
const LONGEST_WAIT: Duration = Duration::from_mins(2);
/// The most that is waited on our own word.
const CAP_MS: u64 = 8_000;

/// Returns how long to wait before the next try; `None`: there is none at this provider.
pub(super) fn wait_before_next(
    error: &CallError,
    should_retry: Option<&str>,
    tries: usize,
    seed: &Digest,
) -> Option<Duration> {
    if matches!(error, CallError::Spend { .. } | CallError::Auth { .. }) || tries > RETRIES {
        return None;
    }
    let again = match should_retry.map(str::trim) {
        Some("true") => !matches!(error, CallError::Refused { .. } | CallError::Truncated { .. }),
        Some("false") => false,
        _ => error.is_transient(),
    };
    let told = match error {
        CallError::Wait { after, .. } | CallError::Overloaded { after, .. } => *after,
        _ => None,
    };
    let wait = told.unwrap_or_else(|| own_wait(tries, seed));
    (again && wait <= LONGEST_WAIT).then_some(wait)
}

/// Half a second, doubled with every try, up to the cap; jitter takes up to half of it away, the same for the same call.
fn own_wait(tries: usize, seed: &Digest) -> Duration {
    let power = u32::try_from(tries.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    let whole = 500_u64.saturating_mul(1 << power).min(CAP_MS);
    let at = tries.saturating_mul(2) % 60;
    let part = seed.hex().get(at..at + 2).and_then(|two| u64::from_str_radix(two, 16).ok()).unwrap_or(0);
    Duration::from_millis(whole - whole * part / 512)
}

/// What becomes of the reservation of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bill {
    /// It is paid by what was used.
    Settle,
    /// It may be billed: all of it is spent.
    Keep,
    /// It is certainly not billed.
    Release,
}

/// Tells what becomes of a reservation, by what stands in the record of an attempt.
pub(super) fn bill(outcome: &str, status: Option<u16>, has_usage: bool) -> Bill {
    match outcome {
        "ok" => Bill::Settle,
        "refused" | "truncated" | "shape" if has_usage => Bill::Settle,
        // A server that broke may have done the work; one that turned the call away has not.
        "overloaded" if !matches!(status, Some(408 | 429 | 503 | 529)) => Bill::Keep,
        "refused" | "truncated" | "shape" | "timeout" | "cut" => Bill::Keep,
        _ => Bill::Release,
    }
}

/// Makes one of two time-outs unmistakable in the record: before anything was sent, nobody was reached.
pub(super) fn plainly(error: CallError) -> CallError {
    match error {
        CallError::Timeout { within, maybe_billed: false } => {
            CallError::Offline { why: format!("no connection within {} s", within.as_secs_f32()) }
        }
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(after: Option<u64>) -> CallError {
        CallError::Wait { after: after.map(Duration::from_secs), code: "rate_limit".into() }
    }

    #[test]
    fn what_waiting_mends_is_tried_again_and_nothing_else() {
        let seed = Digest::of("x");
        let next = |error: &CallError, should: Option<&str>, tries| {
            wait_before_next(error, should, tries, &seed).map(|d| d.as_millis())
        };
        let spend = CallError::Spend { code: "credit_balance_exhausted".into() };
        let bad = CallError::BadRequest { code: "x".into(), message: "y".into() };
        assert_eq!(next(&spend, Some("true"), 1), None);
        assert_eq!(next(&CallError::Auth { code: "x".into() }, Some("true"), 1), None);
        assert_eq!(next(&bad, None, 1), None);
        assert!(next(&bad, Some("true"), 1).is_some());
        assert_eq!(next(&wait(Some(3)), Some("false"), 1), None);
        assert_eq!(next(&wait(Some(3)), None, 1), Some(3000));
        assert_eq!(next(&wait(Some(0)), None, 2), Some(0));
        assert_eq!(next(&wait(Some(3)), None, 3), None, "two retries, no more");
        assert_eq!(next(&wait(Some(120)), None, 1), Some(120_000));
        assert_eq!(next(&wait(Some(121)), None, 1), None, "too long to sleep");
        let first = next(&wait(None), None, 1).unwrap();
        let second = next(&wait(None), None, 2).unwrap();
        assert!((250..=500).contains(&first) && (500..=1000).contains(&second), "{first} {second}");
        assert_eq!(next(&wait(None), None, 1), Some(first), "the same call waits the same");
        assert!(own_wait(40, &seed) <= Duration::from_millis(CAP_MS));
    }

    #[test]
    fn a_reservation_is_freed_only_where_it_is_certainly_not_billed() {
        for (outcome, status, usage, wanted) in [
            ("ok", Some(200), true, Bill::Settle),
            ("ok", Some(200), false, Bill::Settle),
            ("refused", Some(200), true, Bill::Settle),
            ("refused", Some(200), false, Bill::Keep),
            ("truncated", Some(200), false, Bill::Keep),
            ("shape", Some(200), false, Bill::Keep),
            ("timeout", None, false, Bill::Keep),
            ("cut", Some(200), false, Bill::Keep),
            ("overloaded", Some(529), false, Bill::Release),
            ("overloaded", Some(503), false, Bill::Release),
            ("overloaded", Some(500), false, Bill::Keep),
            ("overloaded", Some(504), false, Bill::Keep),
            ("wait", Some(429), false, Bill::Release),
            ("auth", Some(401), false, Bill::Release),
            ("offline", None, false, Bill::Release),
        ] {
            assert_eq!(bill(outcome, status, usage), wanted, "{outcome} {status:?} {usage}");
        }
    }
}
