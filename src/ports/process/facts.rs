//! What protects against a command on Linux, in words that stay the same from run to run.
//!
//! Must never call a measure enforced that was not seen to work.

use super::Network;
use super::protection::{absent, partial};
use crate::artifact::types::verification::{Measure, MeasureState, Protection};

/// What a machine was seen to give; the error says why something could not be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// The Landlock ABI in force.
    pub landlock: Result<i32, String>,
    /// Namespaces of its own.
    pub namespaces: Result<Namespaces, String>,
    /// The system call filter.
    pub seccomp: Result<(), String>,
    /// Whether capabilities are gone.
    pub capabilities: Result<(), String>,
}

/// What namespaces gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Namespaces {
    /// `/proc` shows only the sandbox.
    pub private_proc: bool,
    /// The sockets of the machine's services are hidden.
    pub hidden_sockets: bool,
}

/// The ABI that can restrict truncating; before it, files outside can be emptied.
const TRUNCATE: i32 = 3;
/// The ABI that keeps signals inside.
const SIGNALS: i32 = 6;

impl Facts {
    /// Returns the protection of a command with this network.
    pub(super) fn protection(&self, network: Network) -> Protection {
        Protection {
            filesystem: self.filesystem(),
            network: self.network(network),
            processes: self.processes(),
            privileges: self.privileges(),
            environment: self.environment(),
            limits: limits(),
        }
    }

    fn filesystem(&self) -> Measure {
        match &self.landlock {
            Ok(abi) if *abi >= TRUNCATE => enforced(format!("landlock abi {abi}")),
            Ok(abi) => {
                partial(format!("landlock abi {abi}; files outside can be truncated before abi {TRUNCATE}"))
            }
            Err(why) => absent(format!("landlock: {why}")),
        }
    }

    fn network(&self, network: Network) -> Measure {
        match (network, &self.namespaces, &self.seccomp) {
            (Network::Full, ..) => absent("the settings give this command the network"),
            (_, Ok(own), _) if own.hidden_sockets => {
                enforced("user and network namespace, loopback only, sockets of services hidden")
            }
            (_, Ok(_), _) => {
                partial("user and network namespace, loopback only; sockets of services can be reached")
            }
            (_, Err(_), Ok(())) => enforced("seccomp filter, no sockets"),
            (_, Err(first), Err(second)) => absent(format!("namespaces: {first}; seccomp: {second}")),
        }
    }

    fn processes(&self) -> Measure {
        let signals = match self.landlock {
            Ok(abi) if abi >= SIGNALS => "other processes can be seen but not signalled",
            _ => "other processes of the same user can be seen and signalled",
        };
        match &self.namespaces {
            Ok(own) if own.private_proc => enforced("PID namespace, ended as a whole"),
            Ok(_) => {
                partial("PID namespace, ended as a whole; other processes can be seen but not signalled")
            }
            Err(why) => partial(format!("orphans are adopted and ended; {signals}; namespaces: {why}")),
        }
    }

    fn privileges(&self) -> Measure {
        match (&self.capabilities, &self.seccomp) {
            (Ok(()), Ok(())) => enforced("no-new-privs, no capabilities, seccomp filter"),
            (Ok(()), Err(why)) => partial(format!("no-new-privs, no capabilities; seccomp: {why}")),
            (Err(why), _) => absent(format!("capabilities: {why}")),
        }
    }

    fn environment(&self) -> Measure {
        let made = "made from nothing";
        match (&self.namespaces, &self.landlock) {
            (Ok(_), Ok(_)) => {
                enforced(format!("{made}; other processes are closed by namespaces and landlock"))
            }
            (Ok(_), Err(_)) => enforced(format!("{made}; other processes are closed by namespaces")),
            (Err(_), Ok(_)) => enforced(format!("{made}; other processes are closed by landlock")),
            (Err(_), Err(_)) => partial(format!("{made}; processes of the same user can be read")),
        }
    }
}

fn limits() -> Measure {
    partial(
        "rlimits for file size and open files; time, output, disk, memory and processes are watched; \
         files deleted while open are not counted",
    )
}

/// Returns a measure in force.
fn enforced(by: impl Into<String>) -> Measure {
    Measure { state: MeasureState::Enforced, by: by.into() }
}

#[cfg(test)]
mod tests {
    use super::super::protection::accept;
    use super::super::{Limits, ProcessError, Sandbox};
    use super::*;

    fn facts(landlock: Option<i32>, namespaces: bool, seccomp: bool) -> Facts {
        let why = || "not here".to_owned();
        let own = Namespaces { private_proc: true, hidden_sockets: true };
        Facts {
            landlock: landlock.ok_or_else(why),
            namespaces: namespaces.then_some(own).ok_or_else(why),
            seccomp: seccomp.then_some(()).ok_or_else(why),
            capabilities: Ok(()),
        }
    }

    fn sandbox(required: bool, network: Network) -> Sandbox {
        let (read, write, pass_env, credentials) = Default::default();
        Sandbox { required, network, read, write, pass_env, credentials, limits: Limits::default() }
    }

    #[test]
    fn what_is_missing_is_named_with_its_reason() {
        for (facts, network, expected) in [
            (facts(Some(7), true, true), Network::Off, None),
            (facts(Some(7), false, true), Network::Off, None),
            (facts(None, true, true), Network::Off, Some("filesystem (landlock: not here)")),
            (
                facts(Some(7), false, false),
                Network::Off,
                Some("network (namespaces: not here; seccomp: not here)"),
            ),
            (facts(Some(7), false, false), Network::Full, None),
        ] {
            let found = accept(facts.protection(network), &sandbox(true, network));
            let missing = match found {
                Ok(_) => None,
                Err(ProcessError::Unprotected { missing }) => Some(missing),
                Err(error) => panic!("{error}"),
            };
            assert_eq!(missing.as_deref(), expected);
            assert!(accept(facts.protection(network), &sandbox(false, network)).is_ok());
        }
    }

    #[test]
    fn an_old_landlock_is_partial() {
        for (abi, state) in
            [(1, MeasureState::Partial), (2, MeasureState::Partial), (3, MeasureState::Enforced)]
        {
            assert_eq!(facts(Some(abi), true, true).protection(Network::Off).filesystem.state, state);
        }
    }

    #[test]
    fn kept_capabilities_are_no_protection() {
        let facts = Facts { capabilities: Err("not permitted".into()), ..facts(Some(7), true, true) };
        assert!(!facts.protection(Network::Off).is_sandboxed());
    }
}
