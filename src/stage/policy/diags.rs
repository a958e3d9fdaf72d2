//! The codes the stage itself raises, besides those of the rules.

/// A code of the stage itself; none of them can be given another level.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diag {
    /// A rule could not be loaded or did not answer.
    RuleError,
    /// The input document is larger than rules may be given.
    InputTooLarge,
    /// A file was not looked at.
    NotScanned,
    /// A submodule changed: what it holds was not looked at.
    Submodule,
}

impl Diag {
    /// Every code.
    pub const ALL: &'static [Self] =
        &[Self::RuleError, Self::InputTooLarge, Self::NotScanned, Self::Submodule];

    /// Returns the text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RuleError => "policy/rule-error",
            Self::InputTooLarge => "policy/input-too-large",
            Self::NotScanned => "policy/not-scanned",
            Self::Submodule => "policy/submodule",
        }
    }

    /// Returns what to do next.
    pub const fn help(self) -> &'static str {
        match self {
            Self::RuleError => {
                "Mend the rule and commit it to the base, or take its pack out of `policy.packs` in orch.yml."
            }
            Self::InputTooLarge => "Split the change, and leave generated or vendored files out of it.",
            Self::NotScanned => {
                "Leave the file out of the change, or make it one that can be read: smaller, with a UTF-8 name, whole."
            }
            Self::Submodule => {
                "Look at what the submodule's new commit brings, and have a person approve it."
            }
        }
    }
}
