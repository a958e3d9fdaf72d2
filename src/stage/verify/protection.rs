//! The protection of a whole phase: what held for every command of it.
//!
//! Must never show a measure as stronger than it was for the weakest command.

use super::decide::Ran;
use crate::artifact::types::verification::{CommandRole, Measure, MeasureState, Protection};

/// Returns the weakest of every measure over the commands, or `planned` when none ran.
///
/// Setup commands that may reach the network by the config's leave are a gap in the network measure, named as such.
pub(super) fn weakest(ran: &[Ran], setup_network: bool, planned: Protection) -> Protection {
    let mut all = ran.iter().map(|command| {
        let mut protection = command.protection.clone();
        if command.role == CommandRole::Setup && setup_network {
            let by = "off, except for setup commands (`sandbox.setup_network`)".into();
            protection.network = Measure { state: MeasureState::Partial, by };
        }
        protection
    });
    let Some(first) = all.next() else { return planned };
    all.fold(first, |a, b| Protection {
        filesystem: weaker(a.filesystem, b.filesystem),
        network: weaker(a.network, b.network),
        processes: weaker(a.processes, b.processes),
        privileges: weaker(a.privileges, b.privileges),
        environment: weaker(a.environment, b.environment),
        limits: weaker(a.limits, b.limits),
    })
}

fn weaker(a: Measure, b: Measure) -> Measure {
    if b.state < a.state { b } else { a }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::stage::verify) fn all(state: MeasureState) -> Protection {
        let measure = Measure { state, by: format!("{state:?}") };
        Protection::uniform(measure)
    }

    fn ran(role: CommandRole, protection: Protection) -> Ran {
        Ran {
            role,
            run: "main".into(),
            argv: vec![],
            ended: crate::artifact::types::verification::Ended::Exited { code: 0 },
            violations: vec![],
            stdout: String::new(),
            stderr: String::new(),
            parsed: None,
            protection,
            duration: std::time::Duration::ZERO,
        }
    }

    #[test]
    fn the_weakest_command_counts() {
        let strong = all(MeasureState::Enforced);
        let mut weak = strong.clone();
        weak.filesystem.state = MeasureState::Absent;
        let both = [ran(CommandRole::Build, strong.clone()), ran(CommandRole::Test, weak.clone())];
        assert_eq!(weakest(&both, false, strong.clone()), weak);
        assert_eq!(weakest(&[], false, strong.clone()), strong);
    }

    #[test]
    fn setup_with_network_is_a_named_gap() {
        let strong = all(MeasureState::Enforced);
        let mut open = strong.clone();
        open.network.state = MeasureState::Absent;
        let both = [ran(CommandRole::Setup, open), ran(CommandRole::Test, strong.clone())];
        let found = weakest(&both, true, strong);
        assert_eq!(found.network.state, MeasureState::Partial);
        assert!(found.network.by.contains("setup_network") && found.is_sandboxed());
    }
}
