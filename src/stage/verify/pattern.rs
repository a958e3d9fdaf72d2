//! Constant regular expressions.
//!
//! Must never compile a pattern that was not written in this program.

use std::sync::LazyLock;

use regex::Regex;

/// A regular expression that is compiled when it is first needed.
pub(super) type Pattern = LazyLock<Regex>;

/// Returns a compiled constant pattern.
#[expect(clippy::expect_used, reason = "the patterns are constants, and a test compiles every one")]
pub(super) fn compile(pattern: &'static str) -> Regex {
    Regex::new(pattern).expect("a constant pattern compiles")
}

/// Declares constant patterns, and a test that compiles them.
macro_rules! patterns {
    ($($name:ident = $pattern:expr;)+) => {
        $(static $name: $crate::stage::verify::pattern::Pattern =
            std::sync::LazyLock::new(|| $crate::stage::verify::pattern::compile($pattern));)+

        #[cfg(test)]
        #[test]
        fn every_pattern_compiles() {
            $(std::sync::LazyLock::force(&$name);)+
        }
    };
}
pub(super) use patterns;
