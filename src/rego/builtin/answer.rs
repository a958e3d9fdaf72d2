//! Answers that were found before, given to a query that needs them: a builtin that no policy is told of.
//!
//! Must never answer for a rule that was not asked: that is an error.

use std::cell::RefCell;
use std::collections::BTreeMap;

use regorus::Value;

use super::{Builtin, Wrong, builtin, text};

/// The name of the builtin.
pub const ANSWER: &str = "__orch.answer";

/// The builtins of this file.
pub(super) const ALL: &[Builtin] = &[builtin(ANSWER, 1, |args| {
    let path = text(args, 0)?;
    let found = ANSWERS.with_borrow(|answers| answers.get(path).cloned());
    found.ok_or_else(|| Wrong("knows no answer".into()))
})];

thread_local! {
    static ANSWERS: RefCell<BTreeMap<String, Value>> = const { RefCell::new(BTreeMap::new()) };
}

/// Keeps answers of rules by their full path, on this thread.
pub fn answers(found: BTreeMap<String, Value>) {
    ANSWERS.set(found);
}
