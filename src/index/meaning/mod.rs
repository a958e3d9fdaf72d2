//! What words mean, as one more signal: how near each file is to the request, by vectors that somebody else makes.
//!
//! It is asked for by name and never needed. Must never ask anybody itself, and must never bring in a file that no other
//! signal found.

mod about;
mod kept;

pub use about::about;
pub use kept::{Kept, KeptError};

use super::open::{Found, Part};

/// How many of the first files are looked at.
pub const LOOKED_AT: usize = 50;
/// What the nearest of them gains; `docs/explanation/retrieval.md` tells how it was fitted and what it brings.
const WEIGHT: f32 = 0.66;
/// The name of the signal.
const SIGNAL: &str = "meaning";

/// Puts files in order again, now that their vectors are known; `files` has one for each of `found`, where there is one.
///
/// All vectors have length 1. How near is near differs from model to model, so the nearest of the files counts as 1 and
/// the farthest as 0.
pub fn again(mut found: Vec<Found>, request: &[f32], files: &[Option<&[f32]>]) -> Vec<Found> {
    let near: Vec<Option<f32>> = files.iter().map(|file| file.map(|vector| dot(request, vector))).collect();
    let known = || near.iter().flatten().copied();
    let (least, most) = (known().fold(f32::INFINITY, f32::min), known().fold(f32::NEG_INFINITY, f32::max));
    for (file, near) in found.iter_mut().zip(&near) {
        let Some(near) = near else { continue };
        let value = (near - least) / (most - least).max(1e-6);
        let adds = WEIGHT * value * file.kind.share();
        if adds > 0.0 {
            file.score += adds;
            let at = file.parts.partition_point(|part| part.adds >= adds);
            file.parts.insert(at, Part { signal: SIGNAL, value, adds });
        }
    }
    // The order among equals is the one there was.
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    found
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::super::kind::Kind;
    use super::*;

    fn found(path: &str, score: f32) -> Found {
        let parts = vec![Part { signal: "body", value: 1.0, adds: score }];
        Found { path: path.into(), kind: Kind::Source, score, chunk: None, parts }
    }

    fn order(found: &[Found]) -> Vec<&str> {
        found.iter().map(|file| file.path.as_str()).collect()
    }

    #[test]
    fn the_nearest_moves_up_by_the_weight_and_says_so() {
        let files = vec![found("a", 2.0), found("b", 1.9), found("c", 1.0)];
        let (request, far, near) = ([1.0, 0.0], [0.0, 1.0], [0.8, 0.6]);
        let vectors = [Some(&far[..]), Some(&near[..]), Some(&near[..])];
        let again = again(files, &request, &vectors);
        assert_eq!(order(&again), ["b", "a", "c"]);
        assert!((again[0].score - 2.56).abs() < 1e-5);
        let part = again[0].parts.iter().find(|part| part.signal == SIGNAL).unwrap();
        assert!((part.value - 1.0).abs() < 1e-6 && (part.adds - WEIGHT).abs() < 1e-6);
        assert!(again[1].parts.iter().all(|part| part.signal != SIGNAL), "the farthest gains nothing");
        assert!((again[2].score - 1.66).abs() < 1e-5);
    }

    #[test]
    fn without_vectors_and_among_equals_the_order_stays() {
        let files = || vec![found("a", 2.0), found("b", 2.0), found("c", 1.0)];
        assert_eq!(again(files(), &[1.0], &[None, None, None]), files());
        let same = [1.0];
        let vectors = [Some(&same[..]), Some(&same[..]), None];
        assert_eq!(order(&again(files(), &[1.0], &vectors)), ["a", "b", "c"]);
        assert!(again(Vec::new(), &[1.0], &[]).is_empty());
    }
}
