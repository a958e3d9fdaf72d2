//! Evidence of a release that may go out, and edits of it.

use std::fs;
use std::path::Path;

use orch::artifact::digest::canonical_json;
use orch::artifact::envelope::{Envelope, Producer};
use orch::artifact::id::{Round, StageId};
use orch::artifact::kind::ArtifactKind;
use orch::artifact::types::release::ReleaseEvidence;
use serde_json::{Map, Value};

/// Returns a file of the golden folder.
pub fn golden(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/release").join(name)).unwrap()
}

/// Returns the evidence of a release that may go out; its seal is not made yet.
pub fn good() -> Value {
    let mut value = serde_yaml::from_str(&golden("good.yml")).unwrap();
    retime(&mut value);
    value
}

/// Applies edits: a JSON pointer and what is put there; `-` takes out, `+` adds to the end of a list.
pub fn edit(value: &mut Value, edits: &Map<String, Value>) {
    for (path, new) in edits {
        if let Some(path) = path.strip_prefix('-') {
            let (above, last) = path.rsplit_once('/').unwrap();
            match value.pointer_mut(above).unwrap() {
                Value::Array(items) => drop(items.remove(last.parse().unwrap())),
                other => drop(other.as_object_mut().unwrap().remove(last).unwrap()),
            }
        } else if let Some(path) = path.strip_prefix('+') {
            value
                .pointer_mut(path)
                .unwrap_or_else(|| panic!("{path}"))
                .as_array_mut()
                .unwrap()
                .push(new.clone());
        } else {
            let (above, last) = path.rsplit_once('/').unwrap();
            match value.pointer_mut(above).unwrap_or_else(|| panic!("{path}")) {
                Value::Array(items) => items[last.parse::<usize>().unwrap()] = new.clone(),
                other => drop(other.as_object_mut().unwrap().insert(last.into(), new.clone())),
            }
        }
    }
}

/// Makes the seconds beside every time.
pub fn retime(value: &mut Value) {
    match value {
        Value::Object(parts) => {
            let times: Vec<(String, i64)> = parts
                .iter()
                .filter_map(|(name, part)| {
                    let (text, name) = (part.as_str()?, format!("{name}_seconds"));
                    parts.contains_key(&name).then(|| (name, seconds(text)))
                })
                .collect();
            parts.extend(times.into_iter().map(|(name, seconds)| (name, seconds.into())));
            parts.values_mut().for_each(retime);
        }
        Value::Array(parts) => parts.iter_mut().for_each(retime),
        _ => {}
    }
}

fn seconds(text: &str) -> i64 {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return time.as_second();
    }
    let day: jiff::civil::Date = text.parse().unwrap();
    day.tomorrow().unwrap().to_zoned(jiff::tz::TimeZone::UTC).unwrap().timestamp().as_second()
}

/// Returns the evidence, sealed; `None` where it has not the form of evidence any more.
pub fn sealed(value: &Value) -> Option<ReleaseEvidence> {
    serde_json::from_value::<ReleaseEvidence>(value.clone()).ok()?.sealed().ok()
}

/// Returns the bytes of the file.
pub fn file(evidence: &ReleaseEvidence) -> Vec<u8> {
    let kind = ArtifactKind::ReleaseEvidence;
    canonical_json(&Envelope {
        kind,
        schema: kind.version(),
        run: "release-production-aaaaaaaaaaaa".parse().unwrap(),
        stage: StageId::ReleaseGate,
        round: Round::FIRST,
        producer: Producer::this(),
        inputs: Vec::new(),
        body: evidence,
    })
    .unwrap()
}
