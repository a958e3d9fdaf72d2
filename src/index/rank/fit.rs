//! Weights of the signals, found from requests with known answers.
//!
//! Must never give a signal a weight below zero: each is made so that more of it means more likely.

use super::signals::SIGNALS;

/// A request with what the signals say of its candidates.
#[derive(Clone, Debug)]
pub struct Example {
    /// What it belongs to; examples of a group are held out together.
    pub group: String,
    /// One row for each candidate.
    pub rows: Vec<[f32; SIGNALS]>,
    /// The candidates that are right.
    pub gold: Vec<usize>,
    /// How much it counts.
    pub weight: f32,
}

/// Fits weights: the smooth rank of the right candidates, projected gradient with momentum (Adam).
///
/// `pull` draws the weights to `prior`.
pub fn fit(
    examples: &[&Example],
    prior: &[f32; SIGNALS],
    pull: f32,
    on: &[bool; SIGNALS],
    steps: usize,
) -> [f32; SIGNALS] {
    let mut weights = *prior;
    let (mut first, mut second) = ([0.0_f32; SIGNALS], [0.0_f32; SIGNALS]);
    let total: f32 = examples.iter().map(|e| e.weight).sum::<f32>().max(1e-6);
    for step in 1..=steps {
        let mut gradient = [0.0_f32; SIGNALS];
        for example in examples {
            let scores: Vec<f32> = example.rows.iter().map(|row| dot(&weights, row)).collect();
            soft_rank(example, &scores, total, &mut gradient);
        }
        let rate = 0.15 / (1.0 + step as f32 / 150.0);
        for at in 0..SIGNALS {
            let slope = gradient[at] + pull * (weights[at] - prior[at]);
            first[at] = 0.9 * first[at] + 0.1 * slope;
            second[at] = 0.99 * second[at] + 0.01 * slope * slope;
            let one = first[at] / (1.0 - 0.9_f32.powi(step as i32));
            let two = second[at] / (1.0 - 0.99_f32.powi(step as i32));
            weights[at] =
                if on[at] { (weights[at] - rate * one / (two.sqrt() + 1e-6)).max(0.0) } else { 0.0 };
        }
    }
    weights
}

/// Returns the weighted sum of a row.
pub fn dot(weights: &[f32; SIGNALS], row: &[f32; SIGNALS]) -> f32 {
    weights.iter().zip(row).map(|(weight, value)| weight * value).sum()
}

/// Adds the slope of a smooth rank: every right candidate wants few others above it, and cares less the more there are.
///
/// rank = 1 + Σ σ(score of another − its own); what is lost is 1 − 1/(1 + (rank − 1)/4).
fn soft_rank(example: &Example, scores: &[f32], total: f32, gradient: &mut [f32; SIGNALS]) {
    const SHARP: f32 = 4.0;
    const HALF: f32 = 4.0;
    for gold in &example.gold {
        let own = scores[*gold];
        let mut rank = 0.0;
        let mut slopes = Vec::with_capacity(scores.len());
        for (at, score) in scores.iter().enumerate() {
            let over = 1.0 / (1.0 + (-SHARP * (score - own)).exp());
            if at == *gold || example.gold.contains(&at) {
                slopes.push(0.0);
                continue;
            }
            rank += over;
            slopes.push(SHARP * over * (1.0 - over));
        }
        let part = (1.0 + rank / HALF).powi(-2) / HALF * example.weight / (total * example.gold.len() as f32);
        for (row, slope) in example.rows.iter().zip(&slopes) {
            if *slope > 1e-5 {
                for ((sum, value), own) in gradient.iter_mut().zip(row).zip(&example.rows[*gold]) {
                    *sum += part * slope * (value - own);
                }
            }
        }
    }
}

/// Returns the share of the right candidates that are among the first `most`.
pub fn within(example: &Example, weights: &[f32; SIGNALS], most: usize) -> f32 {
    let scores: Vec<f32> = example.rows.iter().map(|row| dot(weights, row)).collect();
    let above = |gold: usize| scores.iter().filter(|score| **score > scores[gold]).count();
    let found = example.gold.iter().filter(|gold| above(**gold) < most).count();
    found as f32 / example.gold.len().max(1) as f32
}
