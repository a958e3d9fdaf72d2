//! The codes the stage itself raises, besides those of the rules.

/// A code of the stage itself; none of them can be given another level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diag {
    /// A rule could not be loaded or did not answer.
    RuleError,
    /// The input document is larger than rules may be given.
    InputTooLarge,
}

impl Diag {
    /// Every code.
    pub const ALL: &'static [Self] = &[Self::RuleError, Self::InputTooLarge];

    /// Returns the text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RuleError => "policy/rule-error",
            Self::InputTooLarge => "policy/input-too-large",
        }
    }

    /// Returns what to do next.
    pub const fn help(self) -> &'static str {
        match self {
            Self::RuleError => {
                "Mend the rule and commit it to the base, or take its pack out of `policy.packs` in orch.yml."
            }
            Self::InputTooLarge => "Split the change, and leave generated or vendored files out of it.",
        }
    }
}
