//! Whether evidence is as it was sealed, and does not contradict itself where a rule would not see it.
//!
//! Must never mend anything: what does not fit is told, and nothing of it is judged.

use serde_json::Value;

use crate::artifact::digest::CanonicalError;
use crate::artifact::types::release::ReleaseEvidence;

/// The ending of a field that says another one in seconds.
const SECONDS: &str = "_seconds";

/// Returns why evidence is not judged, to be read after "the evidence is not to be trusted:".
pub(super) fn fault(evidence: &ReleaseEvidence) -> Result<Option<String>, CanonicalError> {
    if evidence.digest_of_parts()? != evidence.seal {
        return Ok(Some("it was changed after it was sealed".into()));
    }
    let value = serde_json::to_value(evidence)?;
    Ok(times(&value, ""))
}

/// Returns the first time that is another in text than in seconds.
fn times(value: &Value, at: &str) -> Option<String> {
    match value {
        Value::Object(parts) => parts.iter().find_map(|(name, part)| {
            let path = format!("{at}/{name}");
            let text = name.strip_suffix(SECONDS).and_then(|name| parts.get(name)).and_then(Value::as_str);
            match text {
                Some(text) if seconds(text) != part.as_i64() => {
                    Some(format!("`{path}` is another time than the text beside it"))
                }
                _ => times(part, &path),
            }
        }),
        Value::Array(parts) => {
            parts.iter().enumerate().find_map(|(n, part)| times(part, &format!("{at}/{n}")))
        }
        _ => None,
    }
}

/// Returns a time in seconds; a day stands for its end.
fn seconds(text: &str) -> Option<i64> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_second());
    }
    let day: jiff::civil::Date = text.parse().ok()?;
    let end = day.tomorrow().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(end.timestamp().as_second())
}
