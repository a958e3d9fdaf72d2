//! How long a server wants one to wait.
//!
//! Must never ask a clock: a date is compared with the reply's own `date`, so that a recorded reply reads the same.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use super::super::RawReply;

/// What no server means: waits of more than a year are dropped.
const LONGEST: Duration = Duration::from_hours(24 * 366);

/// Returns what the server says about another try; absent: nothing.
pub fn may_retry(reply: &RawReply) -> Option<bool> {
    match reply.headers.get("x-should-retry")?.trim() {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// Returns how long the server wants one to wait.
pub(super) fn after(reply: &RawReply) -> Option<Duration> {
    let header = |name: &str| reply.headers.get(name).map(String::as_str);
    let now = header("date").and_then(http_date);
    header("retry-after-ms")
        .and_then(|text| numbers(text, Duration::from_millis(1)))
        .or_else(|| header("retry-after").and_then(|text| retry_after(text, now)))
        .or_else(|| resets(reply, now))
        .filter(|wait| *wait <= LONGEST)
}

/// Reads `retry-after`: seconds or a date. Where the header came twice, the longest of the seconds holds.
fn retry_after(text: &str, now: Option<Timestamp>) -> Option<Duration> {
    numbers(text, Duration::from_secs(1)).or_else(|| {
        let first = text.match_indices(',').nth(1).map_or(text, |(at, _)| &text[..at]);
        until(http_date(first)?, now?)
    })
}

fn numbers(text: &str, unit: Duration) -> Option<Duration> {
    text.split(',').filter_map(|part| decimal(part.trim(), unit)).max()
}

/// Reads a decimal number of a unit without a float.
fn decimal(text: &str, unit: Duration) -> Option<Duration> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if whole.is_empty() || whole.len() > 12 || !digits(whole) || !digits(part) {
        return None;
    }
    let thousandths: u32 = format!("{part:0<3}").get(..3)?.parse().ok()?;
    let whole: u64 = whole.parse().ok()?;
    let unit_ns = u64::try_from(unit.as_nanos()).ok()?;
    let ns = whole.checked_mul(unit_ns)?.checked_add(unit_ns / 1000 * u64::from(thousandths))?;
    Some(Duration::from_nanos(ns))
}

/// Returns when the limit that was reached is lifted: of those with nothing left, the last.
fn resets(reply: &RawReply, now: Option<Timestamp>) -> Option<Duration> {
    let used_up = |name: &str| reply.headers.get(name).is_some_and(|left| left.trim() == "0");
    let openai = ["requests", "tokens"].into_iter().filter_map(|what| {
        used_up(&format!("x-ratelimit-remaining-{what}"))
            .then(|| span(reply.headers.get(&format!("x-ratelimit-reset-{what}"))?))
            .flatten()
    });
    let anthropic = ["requests", "tokens", "input-tokens", "output-tokens"].into_iter().filter_map(|what| {
        used_up(&format!("anthropic-ratelimit-{what}-remaining"))
            .then(|| {
                let at: Timestamp =
                    reply.headers.get(&format!("anthropic-ratelimit-{what}-reset"))?.trim().parse().ok()?;
                until(at, now?)
            })
            .flatten()
    });
    openai.chain(anthropic).max()
}

/// Reads a span as `6m0s`, `12ms`, `1h2m3.5s`.
pub(super) fn span(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut sum = Duration::ZERO;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(at);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let unit = match &tail[..end] {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_mins(1),
            "h" => Duration::from_hours(1),
            "d" => Duration::from_hours(24),
            _ => return None,
        };
        sum = sum.checked_add(decimal(number, unit)?)?;
        rest = &tail[end..];
    }
    Some(sum)
}

fn until(then: Timestamp, now: Timestamp) -> Option<Duration> {
    Duration::try_from(then.duration_since(now).max(jiff::SignedDuration::ZERO)).ok()
}

fn http_date(text: &str) -> Option<Timestamp> {
    static PARSER: DateTimeParser = DateTimeParser::new();
    PARSER.parse_timestamp(text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    type Headers<'a> = &'a [(&'a str, &'a str)];

    fn reply(headers: Headers<'_>) -> RawReply {
        let headers: BTreeMap<String, String> =
            headers.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        RawReply { status: 429, headers, body: Vec::new(), cut: false }
    }

    #[test]
    fn every_way_to_say_how_long() {
        let date = ("date", "Fri, 27 Nov 2026 10:00:00 GMT");
        let cases: [(Headers<'_>, Option<u64>); 18] = [
            (&[], None),
            (&[("retry-after", "7")], Some(7000)),
            (&[("retry-after", "0.25")], Some(250)),
            (&[("retry-after", "7, 9")], Some(9000)),
            (&[("retry-after-ms", "1500"), ("retry-after", "7")], Some(1500)),
            (&[("retry-after", "Fri, 27 Nov 2026 10:00:12 GMT"), date], Some(12_000)),
            (
                &[("retry-after", "Fri, 27 Nov 2026 10:00:12 GMT, Fri, 27 Nov 2026 10:00:12 GMT"), date],
                Some(12_000),
            ),
            (&[("retry-after", "Fri, 27 Nov 2026 09:00:12 GMT"), date], Some(0)),
            (&[("retry-after", "Fri, 27 Nov 2026 10:00:12 GMT")], None),
            (&[("retry-after", "soon")], None),
            (&[("retry-after", "-5")], None),
            (&[("retry-after", "99999999999")], None),
            (&[("retry-after", "99999999999999999999999")], None),
            (
                &[
                    ("x-ratelimit-remaining-tokens", "0"),
                    ("x-ratelimit-reset-tokens", "6m0s"),
                    ("x-ratelimit-reset-requests", "9h"),
                ],
                Some(360_000),
            ),
            (&[("x-ratelimit-remaining-requests", "0"), ("x-ratelimit-reset-requests", "12ms")], Some(12)),
            (&[("x-ratelimit-remaining-requests", "-1"), ("x-ratelimit-reset-requests", "0")], None),
            (
                &[
                    ("anthropic-ratelimit-input-tokens-remaining", "0"),
                    ("anthropic-ratelimit-input-tokens-reset", "2026-11-27T10:01:00Z"),
                    date,
                ],
                Some(60_000),
            ),
            (
                &[
                    ("anthropic-ratelimit-tokens-remaining", "5"),
                    ("anthropic-ratelimit-tokens-reset", "2026-11-27T10:01:00Z"),
                    date,
                ],
                None,
            ),
        ];
        for (headers, wanted) in cases {
            assert_eq!(after(&reply(headers)), wanted.map(Duration::from_millis), "{headers:?}");
        }
        assert_eq!(may_retry(&reply(&[("x-should-retry", "false")])), Some(false));
        assert_eq!(may_retry(&reply(&[])), None);
    }

    proptest! {
        #[test]
        fn any_header_is_read_without_a_panic(text in "\\PC{0,40}", other in "[0-9.,hmsd ]{0,20}") {
            for value in [&text, &other] {
                let _ = after(&reply(&[("retry-after", value), ("retry-after-ms", value), ("date", value)]));
                let _ = span(value);
            }
        }
    }
}
