//! The documented exit codes; the one place that maps a class to a number.
//!
//! Must never give two classes one code, nor change a code: scripts and workflows depend on them.

use super::Class;

/// An exit code with its meaning, for help and docs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ExitCode {
    /// The number.
    pub code: u8,
    /// What it means.
    pub meaning: &'static str,
}

/// Every exit code, in order.
pub const EXIT_CODES: &[ExitCode] = &[
    ExitCode { code: 0, meaning: "done" },
    ExitCode { code: 1, meaning: "internal error, or the machine failed" },
    ExitCode { code: 2, meaning: "usage, config, or a repository that cannot be used as it is" },
    ExitCode { code: 3, meaning: "denied by policy, or a protection or the chain of artifacts is broken" },
    ExitCode { code: 4, meaning: "a person has to approve" },
    ExitCode { code: 5, meaning: "budget or time is exhausted" },
    ExitCode { code: 6, meaning: "tests failed, or do not prove what they must" },
    ExitCode { code: 7, meaning: "not converged" },
    ExitCode { code: 75, meaning: "hold, or a temporary failure: try again" },
    ExitCode { code: 78, meaning: "nothing to do (neutral)" },
];

impl Class {
    /// Returns the documented exit code.
    pub const fn exit_code(self) -> u8 {
        match self {
            Self::Internal => 1,
            Self::Usage => 2,
            Self::Denied => 3,
            Self::NeedsApproval => 4,
            Self::Exhausted => 5,
            Self::TestsFailed => 6,
            Self::NotConverged => 7,
            Self::Temporary => 75,
            Self::Nothing => 78,
        }
    }

    /// Returns the class of an exit code; `None` for 0 and for codes that are not documented.
    pub const fn of_exit_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Internal,
            2 => Self::Usage,
            3 => Self::Denied,
            4 => Self::NeedsApproval,
            5 => Self::Exhausted,
            6 => Self::TestsFailed,
            7 => Self::NotConverged,
            75 => Self::Temporary,
            78 => Self::Nothing,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_class_has_its_own_documented_code() {
        for exit in EXIT_CODES.iter().filter(|e| e.code != 0) {
            assert_eq!(Class::of_exit_code(exit.code).map(Class::exit_code), Some(exit.code));
        }
        assert_eq!(Class::of_exit_code(0), None);
    }
}
