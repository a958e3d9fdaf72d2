//! Violations and levels become a decision.
//!
//! Must never do IO, and must never loosen: another finding can only keep the decision or make it stricter.

use std::collections::BTreeMap;

use crate::artifact::types::verdict::{Decision, Effect, Finding};
use crate::config::Level;
use crate::diagnostic::text::is_hidden;

/// What a rule found, before levels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Violation {
    /// The code of the rule.
    pub code: String,
    /// The effect of the entry set it came from.
    pub effect: Effect,
    /// What was found, on what.
    pub message: String,
    /// What to do next.
    pub help: String,
    /// The file, if there is one.
    pub path: Option<String>,
    /// The line, from 1.
    pub line: Option<u32>,
}

/// Findings of one rule and effect that are listed; the rest are counted.
const LISTED: usize = 100;

/// The longest message or help that is kept, in characters.
const TEXT: usize = 1000;

/// Applies the levels and returns the decision with every finding, strictest first.
pub fn decide(levels: &BTreeMap<String, Level>, violations: Vec<Violation>) -> (Decision, Vec<Finding>) {
    let mut findings: Vec<Finding> = violations.into_iter().filter_map(|v| finding(levels, v)).collect();
    sort(&mut findings);
    findings.dedup();
    let decision = findings.iter().map(|f| f.effect.decision()).max().unwrap_or(Decision::Allow);
    (decision, shorten(findings))
}

fn finding(levels: &BTreeMap<String, Level>, violation: Violation) -> Option<Finding> {
    let effect = match levels.get(&violation.code) {
        None => violation.effect,
        Some(Level::Off) => return None,
        Some(Level::Warn) => Effect::Warn,
        Some(Level::RequireApproval) => Effect::RequireApproval,
        Some(Level::Deny) => Effect::Deny,
    };
    Some(Finding {
        code: violation.code,
        effect,
        message: clean(&violation.message),
        help: clean(&violation.help),
        path: violation.path.map(|path| clean(&path)),
        line: violation.line,
    })
}

/// Strictest first, then by path (findings without one first), line and code.
fn sort(findings: &mut [Finding]) {
    findings.sort_by(|a, b| {
        let key = |f: &Finding| (f.path.clone(), f.line, f.code.clone(), f.message.clone(), f.help.clone());
        b.effect.cmp(&a.effect).then_with(|| key(a).cmp(&key(b)))
    });
}

/// Keeps the first findings of each rule and effect, and says how many more there are.
fn shorten(findings: Vec<Finding>) -> Vec<Finding> {
    let mut counts: BTreeMap<(String, Effect), (usize, String)> = BTreeMap::new();
    let mut kept = Vec::new();
    for finding in findings {
        let entry = counts.entry((finding.code.clone(), finding.effect));
        let (count, _) = entry.and_modify(|(n, _)| *n += 1).or_insert_with(|| (1, finding.help.clone()));
        if *count <= LISTED {
            kept.push(finding);
        }
    }
    for ((code, effect), (count, help)) in counts {
        if count > LISTED {
            let message = format!("{} more findings of this rule are not listed", count - LISTED);
            kept.push(Finding { code, effect, message, help, path: None, line: None });
        }
    }
    sort(&mut kept);
    kept
}

/// Text from outside: control and invisible characters become visible, and it ends somewhere.
fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len().min(TEXT));
    for (at, c) in text.chars().enumerate() {
        if at == TEXT {
            clean.push('…');
            break;
        }
        match c {
            '\n' | '\t' => clean.push(' '),
            c if c.is_control() || is_hidden(c) => clean.extend(c.escape_unicode()),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn violation(code: &str, effect: Effect) -> Violation {
        Violation {
            code: code.into(),
            effect,
            message: "m".into(),
            help: "h".into(),
            path: Some("a".into()),
            line: None,
        }
    }

    #[test]
    fn the_strictest_effect_decides_after_levels() {
        let three = || {
            vec![
                violation("a/w", Effect::Warn),
                violation("a/d", Effect::Deny),
                violation("a/r", Effect::RequireApproval),
            ]
        };
        let decided = |levels: &[(&str, Level)]| {
            let levels = levels.iter().map(|(code, level)| ((*code).to_owned(), *level)).collect();
            decide(&levels, three()).0
        };
        assert_eq!(decided(&[]), Decision::Deny);
        assert_eq!(decided(&[("a/d", Level::RequireApproval)]), Decision::NeedsApproval);
        assert_eq!(decided(&[("a/d", Level::Off), ("a/r", Level::Warn)]), Decision::Allow);
        assert_eq!(decided(&[("a/d", Level::Off), ("a/w", Level::Deny)]), Decision::Deny);
        assert_eq!(decide(&BTreeMap::new(), Vec::new()), (Decision::Allow, Vec::new()));
    }

    #[test]
    fn many_findings_are_counted_and_text_is_made_safe() {
        let mut many: Vec<_> =
            (0..250).map(|n| Violation { line: Some(n), ..violation("a/d", Effect::Deny) }).collect();
        many.push(Violation {
            message: "::error::x\u{202e}\u{1b}[31m\nend".into(),
            ..violation("a/w", Effect::Warn)
        });
        let (decision, findings) = decide(&BTreeMap::new(), many);
        assert_eq!((decision, findings.len()), (Decision::Deny, LISTED + 2));
        assert_eq!(findings[0].message, "150 more findings of this rule are not listed");
        assert_eq!(findings.last().unwrap().message, "::error::x\\u{202e}\\u{1b}[31m end");
    }

    fn any_violation() -> impl Strategy<Value = Violation> {
        let effect = prop_oneof![Just(Effect::Warn), Just(Effect::RequireApproval), Just(Effect::Deny)];
        (prop_oneof!["a/a", "a/b", "a/c"], effect, any::<String>(), any::<Option<u32>>()).prop_map(
            |(code, effect, message, line)| Violation {
                code,
                effect,
                path: Some(message.clone()),
                help: message.clone(),
                message,
                line,
            },
        )
    }

    fn any_levels() -> impl Strategy<Value = BTreeMap<String, Level>> {
        let level =
            prop_oneof![Just(Level::Off), Just(Level::Warn), Just(Level::RequireApproval), Just(Level::Deny)];
        proptest::collection::btree_map(prop_oneof!["a/a", "a/b", "a/c"], level, 0..3)
    }

    proptest! {
        #[test]
        fn another_finding_never_loosens(
            levels in any_levels(),
            violations in proptest::collection::vec(any_violation(), 0..20),
            more in any_violation(),
        ) {
            let before = decide(&levels, violations.clone()).0;
            let mut with = violations.clone();
            with.push(more);
            prop_assert!(decide(&levels, with).0 >= before);
            let mut reversed = violations.clone();
            reversed.reverse();
            prop_assert_eq!(decide(&levels, violations), decide(&levels, reversed));
        }
    }
}
