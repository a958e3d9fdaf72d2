//! The codes the stage itself raises, besides those of the rules.

/// A code of the stage itself; none of them can be switched off or made milder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Diag {
    /// A rule could not be loaded or did not answer.
    RuleError,
    /// The input document is larger than rules may be given.
    InputTooLarge,
    /// The file of the waivers cannot be used.
    WaiversBroken,
    /// The file of the baseline cannot be used.
    BaselineBroken,
    /// A waiver, or entries of the baseline, ended.
    WaiverExpired,
    /// A waiver, or entries of the baseline, do nothing.
    WaiverIgnored,
    /// A file was not looked at.
    NotScanned,
    /// A submodule changed: what it holds was not looked at.
    Submodule,
}

impl Diag {
    /// Every code.
    pub const ALL: &'static [Self] = &[
        Self::RuleError,
        Self::InputTooLarge,
        Self::NotScanned,
        Self::Submodule,
        Self::WaiversBroken,
        Self::BaselineBroken,
        Self::WaiverExpired,
        Self::WaiverIgnored,
    ];

    /// Returns the text.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::RuleError => "policy/rule-error",
            Self::InputTooLarge => "policy/input-too-large",
            Self::WaiversBroken => "policy/waivers-broken",
            Self::BaselineBroken => "policy/baseline-broken",
            Self::WaiverExpired => "policy/waiver-expired",
            Self::WaiverIgnored => "policy/waiver-ignored",
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
            Self::WaiversBroken => {
                "Mend the file; until then nothing is waived. `orch policy waive` writes entries that hold."
            }
            Self::BaselineBroken => {
                "Mend the file, or write it again with `orch policy baseline`; until then it covers nothing."
            }
            Self::WaiverExpired => {
                "Mend what it was about, or have a person give it another end; then take the old entry out."
            }
            Self::WaiverIgnored => "Take the entry out, or give it a code, a place and an end that hold.",
            Self::NotScanned => {
                "Settle a merge conflict and `git add` the file; fetch what this clone lacks; else leave the file out of the change, or make it one that can be read: smaller, with a UTF-8 name."
            }
            Self::Submodule => {
                "Look at what the submodule's new commit brings, and have a person approve it."
            }
        }
    }
}
