//! Test commands that hang, fork, fill, print, reach out, read and write where they must not: through the program.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::env::{Said, TestEnv, files_below, run_folder};

const REQUEST: &str = "add a /health endpoint";
const SECRET: &str = "planted-7f3c9a-secret";

const LIMITS: &str = "commands:\n  build: []\n  lint: []\n  test: [/usr/bin/python3 hostile.py]\nsandbox:\n  limits:\n    \
    seconds: 20\n    output_mb: 4\n    disk_mb: 16\n    file_mb: 8\n    processes: 40\n";

/// How the sandbox is made: with namespaces, or, where none can be had, without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Namespaces,
    Fallback,
}

/// Starts a program where no further user namespace can be made, as on machines that forbid them.
fn without_namespaces() -> Command {
    let mut command = Command::new("unshare");
    let script = "echo 0 > /proc/sys/user/max_user_namespaces && exec \"$@\"";
    command.args(["--user", "--map-root-user", "sh", "-c", script, "sh"]);
    command
}

/// The ways this machine can show.
fn ways() -> Vec<Way> {
    let probe = without_namespaces().args(["sh", "-c", "! unshare --user true"]).output();
    if probe.is_ok_and(|output| output.status.success()) {
        return vec![Way::Namespaces, Way::Fallback];
    }
    // Where `unshare` cannot take them away, the tests of the process port alone show the other way.
    vec![Way::Namespaces]
}

/// A service whose test command is a script, prepared up to the tests.
struct Trap {
    env: TestEnv,
    root: PathBuf,
}

impl Trap {
    fn new() -> Self {
        let env = TestEnv::new();
        let root = env.service("service");
        fs::write(root.join("hostile.py"), "raise SystemExit(1)\n").unwrap();
        fs::write(root.join("orch.yml"), LIMITS).unwrap();
        env.git(&root, &["add", "-A"]);
        env.git(&root, &["commit", "-q", "-m", "a hostile command"]);
        fs::create_dir_all(env.path("home/.ssh")).unwrap();
        fs::write(env.path("home/.ssh/id_ed25519"), SECRET).unwrap();
        fs::write(env.path("home/token"), SECRET).unwrap();
        fs::create_dir(env.path("outside")).unwrap();
        fs::write(env.path("outside/file"), "as it was\n").unwrap();
        fs::set_permissions(env.path("outside"), fs::Permissions::from_mode(0o777)).unwrap();
        Self { env, root }
    }

    /// Commits another script, runs the pipeline to the red phase, and returns what was said and the report.
    fn springs(&self, way: Way, script: &str) -> (Said, Value) {
        let head = format!(
            "HOME = '{}'\nOUTSIDE = '{}'\n",
            self.env.path("home").display(),
            self.env.path("outside").display()
        );
        fs::write(self.root.join("hostile.py"), head + script).unwrap();
        self.env.git(&self.root, &["commit", "-q", "--allow-empty", "-am", "again"]);
        let _ = fs::remove_dir_all(self.root.join("artifacts"));
        let args = ["run", "--until", "verify-red", REQUEST];
        let mut command = self.env.orch_command(&self.root, &args);
        if way == Way::Fallback {
            let mut outer = without_namespaces();
            outer.arg(command.get_program()).args(command.get_args()).current_dir(&self.root).env_clear();
            outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
            command = outer;
        }
        command.env("PLANTED_TOKEN", SECRET);
        let output = command.output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let said = Said {
            exit: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        };
        assert!(!said.stdout.contains(SECRET) && !said.stderr.contains(SECRET), "{way:?}: it was told");
        for (path, bytes) in files_below(&self.root.join("artifacts")) {
            assert!(!String::from_utf8_lossy(&bytes).contains(SECRET), "{way:?}: {path} holds the secret");
        }
        assert_eq!(fs::read_to_string(self.env.path("outside/file")).unwrap(), "as it was\n", "{way:?}");
        assert_eq!(fs::read_dir(self.env.path("outside")).unwrap().count(), 1, "{way:?}");
        let said = said.exits(6);
        let red = run_folder(&self.root).join("build-test/red.json");
        let report: Value = serde_json::from_slice(&fs::read(red).unwrap()).unwrap();
        (said, report["body"].clone())
    }

    fn no_process_is_left(&self) {
        let start = Instant::now();
        while !crate::faults::processes_in(&self.env.path("tmp")).is_empty() {
            assert!(start.elapsed() < Duration::from_secs(20), "a process is left");
            thread::sleep(Duration::from_millis(20));
        }
    }
}

#[track_caller]
fn stopped(report: &Value, why: &str) {
    let ended = &report["commands"][0]["ended"];
    assert_eq!((ended["how"].as_str(), ended["why"].as_str()), (Some("stopped"), Some(why)), "{report:#}");
    assert_eq!(report["outcome"], "failed");
}

/// Each script, and the reason it is stopped for.
const STOPPED: &[(&str, &str)] = &[
    (
        "import os, time\nfor _ in range(200):\n    if os.fork() == 0:\n        time.sleep(120); os._exit(0)\ntime.sleep(120)\n",
        "processes",
    ),
    (
        "import os, time\nfor n in range(100):\n    open(f'f{n}', 'wb').write(os.urandom(1 << 20)); time.sleep(.02)\ntime.sleep(120)\n",
        "disk",
    ),
    ("import sys\nfor _ in range(1024):\n    sys.stdout.write('x' * (1 << 20))\n", "output"),
];

#[test]
fn commands_that_take_too_much_are_stopped_and_the_report_says_why() {
    for way in ways() {
        let trap = Trap::new();
        for (script, why) in STOPPED {
            let (said, report) = trap.springs(way, script);
            stopped(&report, why);
            said.says("stopped");
            trap.no_process_is_left();
        }
    }
}

#[test]
fn a_command_that_hangs_is_stopped_with_its_daemons() {
    let trap = Trap::new();
    let short = LIMITS.replace("seconds: 20", "seconds: 2");
    fs::write(trap.root.join("orch.yml"), short).unwrap();
    let script = "import os, signal, time\nfor s in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP): signal.signal(s, signal.SIG_IGN)\n\
        if os.fork() == 0:\n    os.setsid()\n    if os.fork() == 0: time.sleep(3600)\n    os._exit(0)\ntime.sleep(3600)\n";
    for way in ways() {
        let (_, report) = trap.springs(way, script);
        stopped(&report, "deadline");
        trap.no_process_is_left();
    }
}

#[test]
fn commands_that_reach_out_read_or_write_elsewhere_are_denied_and_the_report_says_so() {
    let script = r#"
import glob, os, socket
def attempt(name, what):
    try:
        print("DONE", name, what())
    except BaseException as error:
        print("denied", name, type(error).__name__)
def read(path):
    return open(path, 'rb').read()
def connect(family, address):
    with socket.socket(family, socket.SOCK_STREAM) as s:
        s.settimeout(5); s.connect(address)
    return 'connected'
attempt('tcp', lambda: connect(socket.AF_INET, ('192.0.2.1', 80)))
attempt('tcp6', lambda: connect(socket.AF_INET6, ('2001:db8::1', 80)))
attempt('udp', lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53)))
attempt('raw', lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))
attempt('key', lambda: read(HOME + '/.ssh/id_ed25519'))
attempt('token', lambda: read(HOME + '/token'))
attempt('home', lambda: os.listdir(HOME))
attempt('write', lambda: open(OUTSIDE + '/new', 'w').write('gone'))
attempt('overwrite', lambda: open(OUTSIDE + '/file', 'w').write('gone'))
attempt('unlink', lambda: os.unlink(OUTSIDE + '/file'))
attempt('chmod', lambda: os.chmod(OUTSIDE + '/file', 0o777) or open(OUTSIDE + '/file', 'a').write('gone'))
attempt('link', lambda: (os.symlink(OUTSIDE, 'way'), open('way/new', 'w').write('gone')))
for path in glob.glob('/proc/[0-9]*/environ') + glob.glob('/proc/[0-9]*/root' + HOME + '/token'):
    try:
        text = read(path)
        if b'planted' in text: print("DONE", path, text)
    except OSError:
        pass
print('DONE env' if 'PLANTED_TOKEN' in os.environ else 'denied env')
raise SystemExit(1)
"#;
    for way in ways() {
        let trap = Trap::new();
        let (_, report) = trap.springs(way, script);
        let log = fs::read_to_string(run_folder(&trap.root).join("build-test/red.log")).unwrap();
        assert!(!log.contains("DONE") && log.matches("denied").count() >= 13, "{way:?}: {log}");
        for measure in ["filesystem", "network", "processes", "privileges", "environment", "limits"] {
            let state = &report["protection"][measure]["state"];
            assert!(state != "absent", "{way:?}: {measure}: {report:#}");
            assert!(report["protection"][measure]["by"].as_str().is_some_and(|by| by.len() > 3), "{measure}");
        }
        let by = report["protection"]["network"]["by"].as_str().unwrap();
        assert_eq!(by.contains("namespace"), way == Way::Namespaces, "{way:?}: {by}");
        if way == Way::Namespaces {
            assert!(
                report["commands"][0]["violations"].to_string().contains("address outside"),
                "{report:#}"
            );
        }
        trap.no_process_is_left();
    }
}

#[test]
fn hostile_output_is_neutral_wherever_it_is_seen() {
    let trap = Trap::new();
    let script = r#"
import os, sys
out = sys.stdout.buffer
os.makedirs('.orch-results', exist_ok=True)
bomb = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa">' + ''.join(
    f'<!ENTITY {chr(98 + n)} "{("&" + chr(97 + n) + ";") * 10}">' for n in range(9)) + ']><testsuites><testsuite name="&j;"/></testsuites>'
for name in ('1.xml', '2.xml', '3.xml', 'junit.xml'):
    open('.orch-results/' + name, 'w').write(bomb)
out.write(b'::set-output name=x::y\n::add-mask::failed\n##[group]evil\n  ::error::told\n\x1b[2J\x1b]0;title\x07red\x1b[31m\n')
out.write('\u202egnp.exe \u2066x\u2069 \u200bhidden\n'.encode())
out.write(b'\xff\xfe invalid \x00 nul \x9b31m c1\r::warning::after return\n')
out.write(b'y' * (3 << 20) + b'\n')
out.write(b'::stop-commands::x\nFAILED here\n')
out.flush()
raise SystemExit(1)
"#;
    let (said, _) = trap.springs(Way::Namespaces, script);
    let report = trap.env.orch(&trap.root, &["report"]);
    let markdown = trap.env.orch(&trap.root, &["report", "--format", "json"]);
    let shown = trap.env.orch(&trap.root, &["artifacts", "show", "build-test/red.log"]);
    let texts = [&said, &report, &markdown, &shown].map(|s| format!("{}\n{}", s.stdout, s.stderr));
    let files = files_below(&run_folder(&trap.root));
    let files = files.iter().map(|(path, bytes)| (path.clone(), String::from_utf8(bytes.clone()).unwrap()));
    let seen = texts.into_iter().enumerate().map(|(n, text)| (format!("said {n}"), text));
    for (place, text) in files.chain(seen) {
        assert!(text.len() < 12 << 20, "{place} has {} bytes", text.len());
        for line in text.lines() {
            let start = line.trim_start();
            assert!(!start.starts_with("::") && !start.starts_with("##["), "{place}: {start:?}");
        }
        let bad = text.chars().find(|c| {
            (c.is_control() && !['\n', '\t'].contains(c))
                || ('\u{202a}'..='\u{202e}').contains(c)
                || ('\u{2066}'..='\u{2069}').contains(c)
        });
        assert_eq!(bad, None, "{place}");
    }
    assert!(Path::new(&run_folder(&trap.root)).join("build-test/red.json").is_file());
}
