//! What an honest build or test does works, and the report of the protection is right.

use std::collections::BTreeMap;
use std::fs;

use orch::artifact::types::verification::{Ended, MeasureState};
use orch::ports::process::conformance::{check, offline, shell};
use orch::ports::process::{Capabilities, Limits, Network, ProcessError, Processes, Sandbox};

use super::support::{Bench, missing, text, ways};

#[test]
fn the_real_one_conforms() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        assert_eq!(check(&bench.processes, &bench.copy()), Vec::<String>::new(), "{way}");
    }
}

#[test]
fn protection_says_what_is_in_force_the_same_way_each_time() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let promised = bench.processes.protection(&offline(true)).unwrap();
        assert_eq!(promised, Bench::new(capabilities).processes.protection(&offline(true)).unwrap());
        assert_eq!(promised, bench.sh("true").protection, "{way}");
        assert!(promised.is_sandboxed(), "{way}: {promised:?}");
        assert!(promised.filesystem.by.starts_with("landlock abi "), "{promised:?}");
        assert_eq!(promised.network.by.contains("seccomp"), way == "fallback", "{promised:?}");
        assert_eq!(promised.processes.state == MeasureState::Enforced, way == "namespaces", "{promised:?}");
    }
}

#[test]
fn a_protection_that_cannot_be_had_stops_the_run_unless_it_is_not_required() {
    for (capabilities, named) in [
        (Capabilities { landlock: false, ..Capabilities::ALL }, "filesystem"),
        (Capabilities { namespaces: false, seccomp: false, ..Capabilities::ALL }, "network"),
    ] {
        let bench = Bench::new(capabilities);
        let marker = bench.copy().join("ran");
        let required = shell(&bench.copy(), "touch ran", offline(true));
        match bench.processes.run(&required) {
            Err(ProcessError::Unprotected { missing }) => assert!(missing.contains(named), "{missing}"),
            other => panic!("{other:?}"),
        }
        assert!(!marker.exists(), "the command ran without {named}");
        let outcome = bench.run(shell(&bench.copy(), "touch ran", offline(false)));
        assert!(outcome.ended.ok() && marker.exists(), "{outcome:?}");
        assert!(!outcome.protection.is_sandboxed(), "{outcome:?}");
    }
}

#[test]
fn a_command_that_cannot_start_is_an_outcome() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        for word in ["no-such-program", "./no-such-file", "/etc/passwd"] {
            let outcome = bench.words(&[word], Network::Off);
            assert!(
                matches!(&outcome.ended, Ended::NotStarted { why } if why.contains(word)),
                "{way}: {outcome:?}"
            );
        }
    }
}

#[test]
fn the_environment_is_made_from_nothing() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let mut command =
            shell(&bench.copy(), "env; test -w \"$HOME\" && test -w \"$TMPDIR\"", offline(true));
        command.sandbox.pass_env = vec!["LOGNAME_FOR_TEST".into()];
        command.env = BTreeMap::from([("GIVEN".into(), "yes".into())]);
        let outcome = bench.run(command);
        assert!(outcome.ended.ok(), "{way}: {outcome:?}");
        let names: Vec<_> =
            outcome.stdout.text.lines().filter_map(|line| Some(line.split_once('=')?.0)).collect();
        for name in ["PATH", "HOME", "TMPDIR", "CI", "LANG", "GIVEN"] {
            assert!(names.contains(&name), "{name}: {names:?}");
        }
        for name in ["PLANTED_SECRET", "CARGO_MANIFEST_DIR", "LD_LIBRARY_PATH", "USER"] {
            assert!(!names.contains(&name), "{name}: {names:?}");
        }
    }
}

#[test]
fn other_folders_are_opened_by_name_only() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let script = format!("cat {0}/file; echo new > {0}/new", bench.at("outside").display());
        let with = |read: bool, write: bool| {
            let folders = |on: bool| if on { vec![bench.at("outside")] } else { Vec::new() };
            let sandbox = Sandbox { read: folders(read), write: folders(write), ..offline(true) };
            bench.run(shell(&bench.copy(), &script, sandbox))
        };
        let closed = with(false, false);
        assert!(!closed.ended.ok() && !text(&closed).contains("as it was"), "{way}: {closed:?}");
        let read = with(true, false);
        assert!(!read.ended.ok() && read.stdout.text == "as it was", "{way}: {read:?}");
        assert!(with(false, true).ended.ok() && bench.at("outside/new").exists(), "{way}");
    }
}

#[test]
fn loopback_works_in_a_network_namespace() {
    let Some(bench) = Bench::namespaced() else { return };
    let outcome = bench.python(
        "import socket\ns = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()\n\
         c = socket.create_connection(s.getsockname()); a, _ = s.accept(); c.sendall(b'over loopback'); print(a.recv(99))",
        Limits::default(),
    );
    assert!(outcome.ended.ok() && outcome.stdout.text.contains("over loopback"), "{outcome:?}");
    assert_eq!(outcome.violations, Vec::<String>::new());
}

#[test]
fn the_network_is_there_when_the_settings_give_it() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let program =
            format!("import socket; socket.create_connection(('127.0.0.1', {port}), 60); print('reached')");
        let outcome = bench.words(&["/usr/bin/python3", "-c", &program], Network::Full);
        assert!(outcome.ended.ok() && outcome.stdout.text.contains("reached"), "{way}: {outcome:?}");
        assert_eq!(outcome.protection.network.state, MeasureState::Absent, "{way}");
    }
}

#[test]
fn shared_memory_and_semaphores_work_in_namespaces() {
    let Some(bench) = Bench::namespaced() else { return };
    let program =
        "import multiprocessing as m\nq = m.Lock()\nwith m.Pool(2) as p: print(p.map(abs, [-1, -2]))";
    let outcome = bench.python(program, Limits::default());
    assert!(outcome.ended.ok() && outcome.stdout.text == "[1, 2]\n", "{outcome:?}");
}

#[test]
fn cargo_tests_a_crate() {
    if missing("cargo") {
        return;
    }
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        fs::create_dir(bench.copy().join("src")).unwrap();
        fs::write(
            bench.copy().join("Cargo.toml"),
            "[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2021\"\n",
        )
        .unwrap();
        let source = "/// ```\n/// assert_eq!(tiny::two(), 2);\n/// ```\npub fn two() -> u8 { 2 }\n\
                      #[test]\nfn is_two() { assert_eq!(two(), 2); }\n";
        fs::write(bench.copy().join("src/lib.rs"), source).unwrap();
        let outcome = bench.words(&["cargo", "test"], Network::Off);
        assert!(outcome.ended.ok(), "{way}: {}", text(&outcome));
        assert_eq!(outcome.stdout.text.matches("1 passed").count(), 2, "{way}: {}", text(&outcome));
        assert_eq!(outcome.violations, Vec::<String>::new(), "{way}");
    }
}

#[test]
fn python_tests_in_a_virtual_environment() {
    if missing("python3") {
        return;
    }
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let test = "import sys, unittest\nclass T(unittest.TestCase):\n  def test_it(self):\n    self.assertNotEqual(sys.prefix, sys.base_prefix)\n";
        fs::write(bench.copy().join("test_it.py"), test).unwrap();
        let made = bench.words(&["python3", "-m", "venv", "--without-pip", ".venv"], Network::Off);
        assert!(made.ended.ok(), "{way}: {}", text(&made));
        let outcome = bench.words(&[".venv/bin/python", "-m", "unittest", "-v"], Network::Off);
        assert!(outcome.ended.ok() && text(&outcome).contains("Ran 1 test"), "{way}: {}", text(&outcome));
    }
}

#[test]
fn node_runs_its_tests() {
    if missing("node") {
        return;
    }
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        fs::write(bench.copy().join("a.test.js"), "require('node:test')('it holds', () => {});\n").unwrap();
        let outcome = bench.words(&["node", "--test"], Network::Off);
        assert!(outcome.ended.ok() && outcome.stdout.text.contains("# pass 1"), "{way}: {}", text(&outcome));
    }
}

#[test]
fn go_runs_its_tests() {
    if missing("go") {
        return;
    }
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        fs::write(bench.copy().join("go.mod"), "module tiny\n\ngo 1.21\n").unwrap();
        let test = "package tiny\n\nimport \"testing\"\n\nfunc TestIt(t *testing.T) {}\n";
        fs::write(bench.copy().join("tiny_test.go"), test).unwrap();
        let outcome = bench.words(&["go", "test", "./..."], Network::Off);
        assert!(outcome.ended.ok(), "{way}: {}", text(&outcome));
    }
}
