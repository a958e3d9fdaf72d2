//! The record of another run, from which this one is answered.
//!
//! Must never answer with an exchange of another request: what is not there is a miss that shows the nearest one.

use std::collections::HashMap;

use serde_json::Value;

use super::failure;
use crate::agent::CallFailure;
use crate::artifact::chain::split_round;
use crate::artifact::digest::Digest;
use crate::artifact::id::{Round, StageId};
use crate::artifact::kind::StageFile;
use crate::artifact::store::ArtifactStore;
use crate::artifact::types::exchange::{Exchange, Prepared};
use crate::diagnostic::Class;
use crate::diagnostic::text::plain;

/// The characters shown on each side of a difference.
const AROUND: usize = 60;
/// So many records are compared to find the nearest one.
const COMPARED: usize = 200;

/// Recorded exchanges, found by stage, round, key and provider.
#[derive(Debug, Default)]
pub struct Records {
    exchanges: Vec<Exchange>,
    places: Vec<(StageId, Round)>,
    found: HashMap<(StageId, Round, Digest, String), Vec<usize>>,
}

impl Records {
    /// Reads the records in a run folder, earlier attempts left out.
    pub fn of_run(store: &dyn ArtifactStore) -> Result<Self, CallFailure> {
        let mut files = Vec::new();
        for path in store.list().map_err(|e| failure::from(&e))? {
            let (round, base) = split_round(&path);
            if let Some((StageFile::Cassette, stage)) = StageFile::of(base) {
                files.push((
                    (stage, round),
                    store.read(&path).map_err(|e| failure::from(&e))?.unwrap_or_default(),
                ));
            }
        }
        Self::new(files)
    }

    /// Reads records; a line that is no exchange, or whose reply is not what its digest says, is refused.
    pub fn new(files: impl IntoIterator<Item = ((StageId, Round), Vec<u8>)>) -> Result<Self, CallFailure> {
        let mut records = Self::default();
        for ((stage, round), bytes) in files {
            let path = StageFile::Cassette.path(stage, round);
            for (at, line) in bytes.split(|b| *b == b'\n').enumerate().filter(|(_, line)| !line.is_empty()) {
                let exchange: Exchange = serde_json::from_slice(line).map_err(|error| {
                    failure::broken(&path, &format!("has a line {} that is no exchange: {error}", at + 1))
                })?;
                let intact = exchange.reply.as_ref().is_none_or(|reply| {
                    reply.body.to_bytes().is_some_and(|body| Digest::of(body) == reply.digest)
                });
                if !intact || exchange.attempts.is_empty() {
                    let why = format!("has a line {} whose reply is not what its digest says", at + 1);
                    return Err(failure::broken(&path, &why));
                }
                let place = (stage, round, exchange.key.clone(), exchange.provider.clone());
                records.found.entry(place).or_default().push(records.exchanges.len());
                records.exchanges.push(exchange);
                records.places.push((stage, round));
            }
        }
        Ok(records)
    }

    /// Returns how many exchanges there are.
    pub fn len(&self) -> usize {
        self.exchanges.len()
    }

    /// Tells whether there are none.
    pub fn is_empty(&self) -> bool {
        self.exchanges.is_empty()
    }

    /// Returns the exchange of a key with a provider in a stage, after `used` others of them.
    pub(super) fn get(
        &self,
        (stage, round): (StageId, Round),
        (key, provider): &(Digest, String),
        used: usize,
    ) -> Option<&Exchange> {
        let place = (stage, round, key.clone(), provider.clone());
        self.exchanges.get(*self.found.get(&place)?.get(used)?)
    }

    /// Tells what is different between a request nobody recorded and the record nearest to it.
    pub(super) fn miss(
        &self,
        (stage, round): (StageId, Round),
        (role, step): (&str, &str),
        wanted: &Prepared,
    ) -> CallFailure {
        let rank = |at: usize| {
            let exchange = &self.exchanges[at];
            (exchange.step != step, exchange.role != role, self.places[at] != (stage, round))
        };
        let mut near: Vec<usize> = (0..self.exchanges.len()).collect();
        near.sort_by_key(|at| rank(*at));
        let nearest = near
            .into_iter()
            .take(COMPARED)
            .map(|at| (rank(at), difference(&self.exchanges[at].request.body, &wanted.body), at))
            .min_by_key(|(rank, difference, at)| (*rank, std::cmp::Reverse(difference.0), *at));
        let told = nearest.map_or_else(
            || "the record holds no exchange at all".to_owned(),
            |(_, (_, told), at)| {
                let exchange = &self.exchanges[at];
                let (stage, round) = self.places[at];
                let told = if exchange.request.format == wanted.format {
                    told
                } else {
                    format!("it speaks `{}`, not `{}`", exchange.request.format, wanted.format)
                };
                format!(
                    "the nearest is exchange {} of `{}` (`{}`, `{}`): {told}",
                    exchange.seq,
                    StageFile::Cassette.path(stage, round),
                    exchange.role,
                    exchange.step
                )
            },
        );
        CallFailure {
            class: Class::Denied,
            what: format!("the record has no exchange for `{step}` of `{role}` in `{stage}`: {told}"),
            help: "Replay with the same orch, prompts, models.toml and repository, or record the run again."
                .into(),
        }
    }
}

/// Compares two bodies: how far they are the same, and the first difference in words.
fn difference(recorded: &Value, wanted: &Value) -> (usize, String) {
    let mut same = 0;
    let told = first_difference(recorded, wanted, String::new(), &mut same);
    (same, told.unwrap_or_else(|| "the bodies are the same, the address is another".into()))
}

fn first_difference(recorded: &Value, wanted: &Value, at: String, same: &mut usize) -> Option<String> {
    match (recorded, wanted) {
        (Value::Object(a), Value::Object(b)) => {
            let mut keys: Vec<&String> = a.keys().chain(b.keys().filter(|k| !a.contains_key(*k))).collect();
            keys.sort();
            let of = |key: &String| format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
            keys.into_iter().find_map(|key| match (a.get(key), b.get(key)) {
                (Some(a), Some(b)) => first_difference(a, b, of(key), same),
                (Some(_), None) => Some(format!("{} is in the record and not in the request", of(key))),
                _ => Some(format!("{} is in the request and not in the record", of(key))),
            })
        }
        (Value::Array(a), Value::Array(b)) => {
            let differs = a.iter().zip(b).enumerate();
            let first = differs
                .map(|(index, (a, b))| first_difference(a, b, format!("{at}/{index}"), same))
                .find_map(|d| d);
            first.or_else(|| {
                (a.len() != b.len()).then(|| {
                    format!("{at} has {} entries in the record and {} in the request", a.len(), b.len())
                })
            })
        }
        (Value::String(a), Value::String(b)) => text_difference(a, b, &at, same),
        _ if recorded == wanted => {
            *same += 1;
            None
        }
        _ => Some(format!("{at} was {} and is {}", short(&recorded.to_string()), short(&wanted.to_string()))),
    }
}

fn text_difference(a: &str, b: &str, at: &str, same: &mut usize) -> Option<String> {
    let first = a.char_indices().zip(b.chars()).find(|((_, x), y)| x != y).map(|((index, _), _)| index);
    let first = first.unwrap_or_else(|| a.len().min(b.len()));
    *same += first;
    if a == b {
        return None;
    }
    let begin = a[..first].char_indices().rev().nth(AROUND).map_or(0, |(index, _)| index);
    let part = |text: &str| {
        let shown: String = text[begin..].chars().take(2 * AROUND).collect();
        plain(&shown)
    };
    Some(format!("{at} differs from byte {first}: was \"{}\", is \"{}\"", part(a), part(b)))
}

fn short(text: &str) -> String {
    plain(&text.chars().take(2 * AROUND).collect::<String>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_told_by_its_place() {
        let long = "x".repeat(500);
        for (recorded, wanted, told) in [
            (json!({"a": 1}), json!({"a": 2}), "/a was 1 and is 2"),
            (json!({"a": 1}), json!({"a": 1, "b": 2}), "/b is in the request and not in the record"),
            (json!({"a/b": 1}), json!({}), "/a~1b is in the record and not in the request"),
            (json!({"a": [1, 2]}), json!({"a": [1]}), "/a has 2 entries in the record and 1 in the request"),
            (
                json!({"a": ["one\ntwo"]}),
                json!({"a": ["one\nzwo"]}),
                "/a/0 differs from byte 4: was \"one two\", is \"one zwo\"",
            ),
            (json!({"a": "ä"}), json!({"a": "äb"}), "/a differs from byte 2: was \"ä\", is \"äb\""),
            (json!({"a": 1}), json!({"a": 1}), "the bodies are the same, the address is another"),
        ] {
            assert_eq!(difference(&recorded, &wanted).1, told);
        }
        let told =
            difference(&json!({ "a": format!("{long}1{long}") }), &json!({ "a": format!("{long}2{long}") }))
                .1;
        assert!(told.len() < 400 && told.contains("byte 500"), "{told}");
    }
}
