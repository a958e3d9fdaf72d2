//! The rules of a test set: each criterion has a test or a reason, each test is in its file.
//!
//! Must never take a name for a test: the file has to hold it.

use std::collections::{BTreeMap, BTreeSet};

use crate::artifact::id::TreeId;
use crate::artifact::types::change_set::TestSet;
use crate::artifact::types::plan::{FileRole, Plan};

use super::{Base, RuleError, broken, files};

/// Checks a test set against the plan and the base.
pub fn tests(tests: &TestSet, plan: &Plan, tree: &TreeId, base: &Base<'_>) -> Result<(), RuleError> {
    if &tests.base_tree != tree {
        return Err(broken("the tests were made on another tree than the task's"));
    }
    files(&tests.files, FileRole::Test, plan, base)?;
    check_expected(tests)?;
    check_criteria(tests, plan)
}

fn check_expected(tests: &TestSet) -> Result<(), RuleError> {
    match (&tests.exempt, tests.expected.is_empty()) {
        (Some(why), _) if why.trim().is_empty() => {
            return Err(broken("the tests are waived without a reason"));
        }
        (Some(_), false) => return Err(broken("the tests are waived, and there are some")),
        (None, true) => return Err(broken("there is no test that must fail first, and no reason why not")),
        _ => {}
    }
    let mut contents = BTreeMap::new();
    for file in &tests.files {
        let bytes = file.bytes().map_err(|error| broken(error.to_string()))?.unwrap_or_default();
        contents.insert(&file.path, String::from_utf8_lossy(&bytes).into_owned());
    }
    let mut seen = BTreeSet::new();
    for test in &tests.expected {
        let (path, name) = (&test.path, &test.name);
        let text = contents
            .get(path)
            .ok_or_else(|| broken(format!("the test `{name}` is in `{path}`, which is not written")))?;
        if name.trim().is_empty() || !text.contains(name.as_str()) {
            return Err(broken(format!("`{path}` has no test `{name}`")));
        }
        if !seen.insert((path, name)) {
            return Err(broken(format!("the test `{name}` of `{path}` is named twice")));
        }
        if test.criteria.is_empty() {
            return Err(broken(format!("the test `{name}` covers no criterion")));
        }
    }
    Ok(())
}

fn check_criteria(tests: &TestSet, plan: &Plan) -> Result<(), RuleError> {
    let known: BTreeSet<&str> = plan.criteria.iter().map(|c| c.id.as_str()).collect();
    let covered: BTreeSet<&str> =
        tests.expected.iter().flat_map(|t| &t.criteria).map(String::as_str).collect();
    let reasoned: BTreeSet<&str> = tests.uncovered.keys().map(String::as_str).collect();
    if let Some(id) = covered.union(&reasoned).find(|id| !known.contains(*id)) {
        return Err(broken(format!("the plan has no criterion `{id}`")));
    }
    if let Some(id) = covered.intersection(&reasoned).next() {
        return Err(broken(format!("the criterion `{id}` is said to be covered and not to be")));
    }
    if let Some(id) = known.iter().find(|id| !covered.contains(*id) && !reasoned.contains(*id)) {
        return Err(broken(format!("the criterion `{id}` has neither a test nor a reason why not")));
    }
    match tests.uncovered.iter().find(|(_, why)| why.trim().is_empty()) {
        Some((id, _)) => Err(broken(format!("the criterion `{id}` has an empty reason"))),
        None => Ok(()),
    }
}
