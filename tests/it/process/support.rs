//! A copy to run in, and both ways to be protected.

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::Duration;

use orch::artifact::types::verification::{Ended, StopReason};
use orch::ports::process::conformance::{offline, shell};
use orch::ports::process::{
    Capabilities, Command, Limits, Network, Outcome, Processes, Sandbox, SystemProcesses,
};

/// Every measure, and what is left where namespaces cannot be had.
const WAYS: [(&str, Capabilities); 2] = [
    ("namespaces", Capabilities::ALL),
    ("fallback", Capabilities { namespaces: false, ..Capabilities::ALL }),
];

/// Returns the ways this machine has; says loudly when it is only one.
pub fn ways() -> Vec<(&'static str, Capabilities)> {
    let has = |capabilities| {
        Bench::new(capabilities).sh("true").protection.processes.by.starts_with("PID namespace")
    };
    let namespaces = has(Capabilities::ALL);
    if !namespaces {
        skipped("the way with namespaces, which this machine does not allow");
    }
    WAYS.into_iter().filter(|(way, _)| namespaces || *way != "namespaces").collect()
}

/// A value only the parent's environment has.
pub const SECRET: &str = "s3cret-of-the-parent";

/// A home with keys in it, a copy beside it, and processes that know the home.
pub struct Bench {
    pub processes: SystemProcesses,
    folder: tempfile::TempDir,
}

impl Bench {
    pub fn new(capabilities: Capabilities) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(folder.path()).unwrap();
        for below in ["home/.ssh", "home/bin", "copy", "outside"] {
            fs::create_dir_all(root.join(below)).unwrap();
        }
        fs::write(root.join("home/.ssh/id_ed25519"), SECRET).unwrap();
        fs::write(root.join("outside/file"), "as it was").unwrap();
        let mut parent: BTreeMap<String, String> = std::env::vars().collect();
        parent.insert("PLANTED_SECRET".into(), SECRET.into());
        for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup"), ("PYENV_ROOT", ".pyenv")]
        {
            let real = Path::new(&parent["HOME"]).join(below).display().to_string();
            parent.entry(name.into()).or_insert(real);
        }
        let path = format!("{}:{}", root.join("home/bin").display(), parent["PATH"]);
        parent.insert("PATH".into(), path);
        parent.insert("HOME".into(), root.join("home").display().to_string());
        let processes = SystemProcesses::with(helper(), parent, capabilities);
        Self { processes, folder }
    }

    /// Returns a bench with namespaces, where the machine allows them.
    pub fn namespaced() -> Option<Self> {
        ways()
            .into_iter()
            .find(|(way, _)| *way == "namespaces")
            .map(|(_, capabilities)| Self::new(capabilities))
    }

    pub fn at(&self, below: &str) -> PathBuf {
        fs::canonicalize(self.folder.path()).unwrap().join(below)
    }

    pub fn copy(&self) -> PathBuf {
        self.at("copy")
    }

    /// Runs a shell script in the copy.
    pub fn sh(&self, script: &str) -> Outcome {
        self.sh_within(script, Limits::default())
    }

    pub fn sh_within(&self, script: &str, limits: Limits) -> Outcome {
        self.run(shell(&self.copy(), script, Sandbox { limits, ..offline(true) }))
    }

    pub fn run(&self, command: Command) -> Outcome {
        self.processes.run(&command).unwrap()
    }

    /// Runs a Python program in the copy; the interpreter of the system, which every test machine has.
    pub fn python(&self, program: &str, limits: Limits) -> Outcome {
        let argv = ["/usr/bin/python3", "-c", program].map(str::to_owned).into();
        let sandbox = Sandbox { limits, ..offline(true) };
        self.run(Command { argv, cwd: self.copy(), env: BTreeMap::new(), sandbox })
    }

    pub fn words(&self, argv: &[&str], network: Network) -> Outcome {
        let argv = argv.iter().map(|word| (*word).to_owned()).collect();
        let limits = Limits { wall: Duration::from_mins(5), ..Limits::default() };
        let sandbox = Sandbox { network, limits, ..offline(true) };
        self.run(Command { argv, cwd: self.copy(), env: BTreeMap::new(), sandbox })
    }
}

pub fn helper() -> PathBuf {
    env!("CARGO_BIN_EXE_orch").into()
}

/// Limits with a deadline a hanging command is to meet.
pub fn short() -> Limits {
    Limits { wall: Duration::from_secs(5), ..Limits::default() }
}

#[track_caller]
pub fn assert_stopped(outcome: &Outcome, why: StopReason) {
    assert_eq!(outcome.ended, Ended::Stopped { why }, "{outcome:?}");
    assert!(!outcome.violations.is_empty(), "{outcome:?}");
}

/// Both streams.
pub fn text(outcome: &Outcome) -> String {
    format!("{}{}", outcome.stdout.text, outcome.stderr.text)
}

/// Tells, once and loudly, that a program is not there.
pub fn missing(program: &str) -> bool {
    let found =
        std::env::var("PATH").unwrap().split(':').any(|folder| Path::new(folder).join(program).exists());
    if !found {
        skipped(&format!("`{program}` is not on this machine"));
    }
    !found
}

/// Says what is not tested; the harness hides what a passing test prints by the usual way.
fn skipped(what: &str) {
    let _ = writeln!(std::io::stderr(), "SKIPPED: {what}");
}

/// Waits until something holds, for as long as a loaded machine may need.
pub fn eventually(holds: impl Fn() -> bool) -> bool {
    (0..600).any(|_| {
        std::thread::sleep(Duration::from_millis(50));
        holds()
    })
}
