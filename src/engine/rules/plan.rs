//! The rules of a plan: it must not contradict itself or the base.
//!
//! Must never look at who made the plan.

use std::collections::BTreeSet;

use crate::artifact::types::plan::Plan;

use super::{RuleError, broken};

/// The types of Conventional Commits that are known.
pub const TYPES: &[&str] =
    &["feat", "fix", "docs", "ci", "chore", "test", "refactor", "perf", "build", "style", "revert"];

/// Checks a plan; `exists` tells whether the base has a path.
pub fn plan(plan: &Plan, exists: impl Fn(&str) -> bool) -> Result<(), RuleError> {
    if !TYPES.contains(&plan.change_type.as_str()) {
        return Err(broken(format!(
            "the plan's type `{}` is not one of {}",
            plan.change_type,
            TYPES.join(", ")
        )));
    }
    let subject = plan.subject.trim();
    if subject.is_empty() || plan.subject.chars().any(char::is_control) || plan.subject.chars().count() > 100
    {
        return Err(broken("the plan's subject must be one line of 1 to 100 characters"));
    }
    if plan.files.is_empty() || plan.criteria.is_empty() || plan.steps.is_empty() {
        return Err(broken("the plan names no files, no steps or no criteria"));
    }
    if plan.rollback.trim().is_empty() {
        return Err(broken("the plan does not say how to undo the change"));
    }
    if let Some(pair) = plan.files.windows(2).find(|w| w[0].path >= w[1].path) {
        return Err(broken(format!(
            "the plan's files are not sorted, each once: `{}` is out of place",
            pair[1].path
        )));
    }
    if let Some(wrong) = plan.files.iter().find(|f| f.exists != exists(f.path.as_str())) {
        let says = if wrong.exists {
            "exists, and the base has no such file"
        } else {
            "is new, but the base has it"
        };
        return Err(broken(format!("the plan says that `{}` {says}", wrong.path)));
    }
    let mut ids = BTreeSet::new();
    match plan.criteria.iter().find(|c| c.id.trim().is_empty() || !ids.insert(&c.id)) {
        Some(twice) => Err(broken(format!("the criterion id `{}` is empty or used twice", twice.id))),
        None => Ok(()),
    }
}
