//! What every implementation of [`Processes`] has to do, real or fake.
//!
//! Must never need more than a POSIX shell, and a fake that answers as the shell would.

use std::path::Path;

use super::{Command, Limits, Network, Outcome, Processes, Sandbox};
use crate::artifact::types::verification::Ended;

/// Returns a sandbox with no network and the usual limits.
pub fn offline(required: bool) -> Sandbox {
    Sandbox {
        required,
        network: Network::Off,
        read: Vec::new(),
        write: Vec::new(),
        pass_env: Vec::new(),
        credentials: Vec::new(),
        limits: Limits::default(),
    }
}

/// Returns a shell command in a folder.
pub fn shell(cwd: &Path, script: &str, sandbox: Sandbox) -> Command {
    let argv = ["/bin/sh", "-c", script].map(str::to_owned).into();
    Command { argv, cwd: cwd.to_owned(), env: std::collections::BTreeMap::new(), sandbox }
}

/// Checks an implementation; returns what it did wrong.
pub fn check(processes: &dyn Processes, cwd: &Path) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |script: &str, right: &dyn Fn(&Outcome) -> bool| {
        let command = shell(cwd, script, offline(false));
        match processes.run(&command) {
            Err(error) => faults.push(format!("`{script}`: {error}")),
            Ok(outcome) if !right(&outcome) => faults.push(format!("`{script}`: {outcome:?}")),
            Ok(outcome) => match processes.protection(&command.sandbox) {
                Ok(promised) if promised == outcome.protection => {}
                promised => {
                    faults.push(format!("`{script}`: promised {promised:?}, gave {:?}", outcome.protection));
                }
            },
        }
    };
    expect("echo out; echo err >&2", &|o| {
        o.ended.ok() && o.stdout.text == "out\n" && o.stderr.text == "err\n"
    });
    expect("exit 3", &|o| o.ended == Ended::Exited { code: 3 } && !o.ended.ok());
    expect("kill -TERM $$", &|o| o.ended == Ended::Signalled { signal: 15 });
    expect("printf 12345", &|o| o.stdout.bytes == 5 && o.stderr.bytes == 0);
    faults
}

#[cfg(test)]
mod tests {
    use super::super::{FakeProcesses, outcome};
    use super::*;

    fn as_a_shell_would(command: &Command) -> Outcome {
        match command.argv[2].as_str() {
            "exit 3" => outcome(Ended::Exited { code: 3 }, "", ""),
            "kill -TERM $$" => outcome(Ended::Signalled { signal: 15 }, "", ""),
            "printf 12345" => outcome(Ended::Exited { code: 0 }, "12345", ""),
            _ => outcome(Ended::Exited { code: 0 }, "out\n", "err\n"),
        }
    }

    #[test]
    fn the_fake_conforms_and_remembers() {
        let fake = FakeProcesses::new(as_a_shell_would);
        assert_eq!(check(&fake, Path::new("/copy")), Vec::<String>::new());
        let asked: Vec<_> = fake.calls().into_iter().map(|call| call.argv[2].clone()).collect();
        assert_eq!(asked, ["echo out; echo err >&2", "exit 3", "kill -TERM $$", "printf 12345"]);
    }

    #[test]
    fn a_wrong_answer_is_found() {
        let fake = FakeProcesses::in_order([]);
        assert_eq!(check(&fake, Path::new("/copy")).len(), 4);
    }
}
