//! How alike two lines are.
//!
//! Must never take time beyond a fixed bound, however long the lines are.

/// Longer lines are compared as equal or not.
const LONGEST: usize = 400;

/// Returns how alike two lines are, 0 to 1, by edit distance over the longer one.
pub fn ratio(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() < b.len() { (a, b) } else { (b, a) };
    if long.len() > LONGEST || long.len() > short.len().saturating_mul(2) + 8 {
        return 0.0;
    }
    strsim::normalized_levenshtein(a, b)
}
