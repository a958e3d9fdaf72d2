//! The sandbox section as the process port takes it.
//!
//! Must never loosen a setting on the way.

use std::path::PathBuf;
use std::time::Duration;

use super::Sandbox;
use crate::ports::process::{self, Limits, Network};

const MIB: u64 = 1024 * 1024;

/// The most output kept of a command: readers of test results need all of it, people the end.
const KEPT: u64 = 8 * MIB;

impl Sandbox {
    /// Returns the sandbox for `commands.setup`: with network only if the config says so.
    pub fn for_setup(&self) -> process::Sandbox {
        self.with_network(if self.setup_network { Network::Full } else { Network::Off })
    }

    /// Returns the sandbox for every other command: without network.
    pub fn for_commands(&self) -> process::Sandbox {
        self.with_network(Network::Off)
    }

    /// Returns the sandbox for a command that the config lets reach the network.
    pub fn with_full_network(&self) -> process::Sandbox {
        self.with_network(Network::Full)
    }

    fn with_network(&self, network: Network) -> process::Sandbox {
        let limits = &self.limits;
        let output = limits.output_mb.saturating_mul(MIB);
        process::Sandbox {
            required: self.required,
            network,
            read: self.read.iter().map(PathBuf::from).collect(),
            write: self.write.iter().map(PathBuf::from).collect(),
            pass_env: self.env.clone(),
            credentials: Vec::new(),
            limits: Limits {
                wall: Duration::from_secs(limits.seconds),
                output_kept: output.min(KEPT),
                output_total: output,
                disk: limits.disk_mb.saturating_mul(MIB),
                file: limits.file_mb.saturating_mul(MIB),
                processes: limits.processes,
                memory: limits.memory_mb.saturating_mul(MIB),
                open_files: limits.open_files,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    #[test]
    fn the_defaults_of_config_and_port_agree() {
        let sandbox = Config::default().sandbox;
        assert_eq!(sandbox.for_commands().limits, Limits { output_kept: KEPT, ..Limits::default() });
        assert!(sandbox.for_commands().required);
    }

    #[test]
    fn only_setup_gets_the_network_and_only_if_told() {
        let mut sandbox = Config::default().sandbox;
        assert_eq!(sandbox.for_setup().network, Network::Off);
        sandbox.setup_network = true;
        assert_eq!(sandbox.for_setup().network, Network::Full);
        assert_eq!(sandbox.for_commands().network, Network::Off);
    }
}
