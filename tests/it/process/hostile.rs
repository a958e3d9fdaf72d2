//! What a hostile command tries is stopped or denied, and the outcome says so.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::time::Duration;

use orch::artifact::types::verification::{Ended, StopReason};
use orch::ports::process::conformance::{offline, shell};
use orch::ports::process::{Capabilities, Limits, Processes, Sandbox, harden_self};

use super::support::{Bench, SECRET, assert_stopped, eventually, short, text, ways};

/// Tells whether a process with this mark in its arguments is there.
fn runs(mark: &str) -> bool {
    let commands =
        fs::read_dir("/proc").unwrap().filter_map(|entry| fs::read(entry.ok()?.path().join("cmdline")).ok());
    commands.into_iter().any(|words| String::from_utf8_lossy(&words).contains(mark))
}

#[test]
fn a_command_that_hangs_is_stopped_with_all_it_started() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let mark = format!("86399.{}", std::process::id());
        let outcome = bench
            .sh_within(&format!("echo started; trap '' TERM INT HUP; sleep {mark} & sleep {mark}"), short());
        assert_stopped(&outcome, StopReason::Deadline);
        assert_eq!(outcome.stdout.text, "started\n", "{way}");
        assert!(!runs(&mark), "{way}: a process was left");
    }
}

#[test]
fn a_daemon_dies_with_the_command() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let mark = format!("86398.{}", std::process::id());
        let daemon = format!(
            "import os, time\nif os.fork(): os._exit(0)\nos.setsid()\nif os.fork(): os._exit(0)\n\
             for fd in range(3): os.close(fd)\nos.execv('/bin/sleep', ['sleep', '{mark}'])"
        );
        fs::write(bench.copy().join("daemon.py"), daemon).unwrap();
        let outcome = bench.sh("/usr/bin/python3 daemon.py; sleep 0.5; echo left");
        assert!(outcome.ended.ok() && outcome.stdout.text == "left\n", "{way}: {outcome:?}");
        assert!(!runs(&mark), "{way}: the daemon lives");
        assert!(
            outcome.violations.iter().any(|v| v.contains("left processes running")),
            "{way}: {outcome:?}"
        );
    }
}

#[test]
fn a_fork_bomb_is_stopped() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        // Bounded by itself, so that a broken sandbox does not take the machine along.
        let bomb = "import os, time\nfor _ in range(300):\n  if os.fork() == 0:\n    time.sleep(120); os._exit(0)\ntime.sleep(120)";
        let outcome = bench.python(bomb, Limits { processes: 40, ..Limits::default() });
        assert_stopped(&outcome, StopReason::Processes);
        assert!(!text(&outcome).contains("Traceback"), "{way}: {outcome:?}");
    }
}

#[test]
fn a_full_disk_is_not_the_machines() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let fill = "import os, time\nfor n in range(200):\n  open(f'f{n}', 'wb').write(os.urandom(1 << 20)); time.sleep(.02)\ntime.sleep(120)";
        let outcome = bench.python(fill, Limits { disk: 8 << 20, ..Limits::default() });
        assert_stopped(&outcome, StopReason::Disk);
        let outcome =
            bench.sh_within("head -c 3000000 /dev/zero > big", Limits { file: 1 << 20, ..Limits::default() });
        assert!(!outcome.ended.ok(), "{way}: {outcome:?}");
        assert!(fs::metadata(bench.copy().join("big")).unwrap().len() <= 1 << 20, "{way}");
    }
}

#[test]
fn a_gigabyte_of_output_takes_no_memory() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let limits = Limits { output_kept: 4096, output_total: 8 << 20, ..Limits::default() };
        let outcome = bench.sh_within("head -c 1000000000 /dev/zero | tr '\\0' x", limits);
        assert_stopped(&outcome, StopReason::Output);
        assert!(outcome.stdout.text.len() < 8192, "{way}: {}", outcome.stdout.text.len());
        assert!(
            outcome.stdout.bytes > 8 << 20 && outcome.stdout.bytes < 500_000_000,
            "{way}: {}",
            outcome.stdout.bytes
        );
    }
}

#[test]
fn memory_is_bounded() {
    for (_, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let hog = "import time\nx = [bytes([1]) * (4 << 20) for _ in range(60)]\ntime.sleep(120)";
        assert_stopped(
            &bench.python(hog, Limits { memory: 64 << 20, ..Limits::default() }),
            StopReason::Memory,
        );
    }
}

#[test]
fn no_address_outside_can_be_reached() {
    let attempts = [
        "socket.create_connection(('192.0.2.1', 80), 30)",
        "socket.create_connection(('2001:db8::1', 80), 30)",
        "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('192.0.2.1', 53))",
        "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1).sendto(b'x', ('192.0.2.1', 0))",
        "socket.getaddrinfo('example.com', 80)",
        "socket.socket(40, socket.SOCK_STREAM)",
        "socket.socket(17, socket.SOCK_RAW)",
    ];
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        for attempt in attempts {
            let outcome =
                bench.python(&format!("import socket\n{attempt}\nprint('reached')"), Limits::default());
            assert_eq!(outcome.ended, Ended::Exited { code: 1 }, "{way}: {attempt}: {outcome:?}");
            assert!(!outcome.stdout.text.contains("reached"), "{way}: {attempt}");
            let denied =
                ["Permission", "not permitted", "unreachable", "resolution", "not known", "not supported"];
            assert!(
                denied.iter().any(|word| outcome.stderr.text.contains(word)),
                "{way}: {attempt}: {}",
                outcome.stderr.text
            );
            let outside = attempt.contains("192.0.2.1', 80") || attempt.contains("DGRAM");
            if way == "namespaces" && outside {
                assert!(
                    outcome.violations.iter().any(|v| v.contains("address outside")),
                    "{attempt}: {outcome:?}"
                );
            }
        }
    }
}

#[test]
fn sockets_of_the_machine_cannot_be_reached() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let path = bench.at("outside").join("service.sock");
        let _service = std::os::unix::net::UnixListener::bind(&path).unwrap();
        let connect =
            format!("import socket\nsocket.socket(socket.AF_UNIX).connect({path:?})\nprint('reached')");
        let outcome = bench.python(&connect, Limits::default());
        assert!(!outcome.ended.ok() && !outcome.stdout.text.contains("reached"), "{way}: {outcome:?}");
    }
}

#[test]
fn secrets_of_parents_and_homes_stay_closed() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        symlink(bench.at("home/.ssh"), bench.copy().join("keys")).unwrap();
        let script = format!(
            "cat /proc/$PPID/environ /proc/{pid}/environ /proc/[0-9]*/environ /proc/[0-9]*/mem; \
             strings /proc/{pid}/mem; cat {home}/.ssh/id_ed25519 keys/id_ed25519 /proc/1/root{home}/.ssh/id_ed25519; \
             ls {home} {home}/.ssh; cat /proc/[0-9]*/cwd/../home/.ssh/id_ed25519; cat /etc/shadow; env",
            pid = std::process::id(),
            home = bench.at("home").display()
        );
        let outcome = bench.sh(&script);
        let said = text(&outcome);
        for secret in [SECRET, "PLANTED_SECRET", "CARGO_MANIFEST_DIR", "id_ed25519\n", "root:"] {
            assert!(!outcome.stdout.text.contains(secret), "{way}: {secret}: {said}");
        }
        assert!(said.contains("ermission denied") || said.contains("No such file"), "{way}: {said}");
    }
}

#[test]
fn a_planted_variable_of_a_real_parent_cannot_be_read() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let mut neighbour = std::process::Command::new("/bin/sleep")
            .arg("600")
            .env("PLANTED_SECRET", SECRET)
            .spawn()
            .unwrap();
        let outcome = bench
            .sh(&format!("cat /proc/{0}/environ /proc/{0}/task/{0}/environ; kill -9 {0}", neighbour.id()));
        let lives = neighbour.try_wait().unwrap().is_none();
        neighbour.kill().unwrap();
        neighbour.wait().unwrap();
        assert!(lives, "{way}: it was killed");
        assert!(!outcome.ended.ok() && !text(&outcome).contains(SECRET), "{way}: {outcome:?}");
    }
}

#[test]
fn nothing_is_written_outside() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let outside = bench.at("outside");
        symlink(&outside, bench.copy().join("link")).unwrap();
        symlink(outside.join("file"), bench.copy().join("link-to-file")).unwrap();
        for attempt in [
            format!("echo gone > {}/new", outside.display()),
            format!("echo gone > {}/file", outside.display()),
            "echo gone > link/new".into(),
            "echo gone > link-to-file".into(),
            "echo gone > ../outside/new".into(),
            "echo gone > ../copy/../outside/new".into(),
            format!("ln {}/file mine && echo gone > mine", outside.display()),
            "ln /bin/sh mine-too".into(),
            format!("mv {}/file stolen", outside.display()),
            "mv link/file stolen".into(),
            format!("rm -f {}/file", outside.display()),
            format!("/usr/bin/python3 -c 'import os; os.truncate(\"{}/file\", 0)'", outside.display()),
            "mkdir ../beside".into(),
            "echo x > /usr/orch-was-here".into(),
            "echo x > /etc/orch-was-here".into(),
            "echo x > /tmp/orch-was-here".into(),
            "echo x > /proc/sys/kernel/hostname".into(),
            "echo x > ~/../orch-was-here".into(),
            "mv ~/../home ~/../moved".into(),
            "mknod disk b 254 0".into(),
        ] {
            let outcome = bench.sh(&attempt);
            assert!(!outcome.ended.ok(), "{way}: {attempt}: {outcome:?}");
            assert_eq!(fs::read_to_string(outside.join("file")).unwrap(), "as it was", "{way}: {attempt}");
            assert_eq!(fs::read_dir(&outside).unwrap().count(), 1, "{way}: {attempt}");
            assert!(!Path::new("/tmp/orch-was-here").exists(), "{way}: {attempt}");
        }
        assert!(
            bench.sh("echo fine > inside && ln inside again && mkdir d && mv again d/again").ended.ok(),
            "{way}"
        );
    }
}

#[test]
fn no_signal_reaches_the_parent() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let script =
            format!("kill -USR1 {}; test $? -ne 0 && kill -9 $PPID; echo still here", std::process::id());
        let outcome = bench.sh(&script);
        assert_eq!(outcome.stdout.text, "still here\n", "{way}: {outcome:?}");
        assert_eq!(outcome.ended, Ended::Exited { code: 0 }, "{way}: {outcome:?}");
    }
}

#[test]
fn no_privilege_can_be_gained() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let status = bench.sh("grep -E '^(NoNewPrivs|Seccomp|CapEff|CapPrm|CapBnd):' /proc/self/status");
        for line in
            ["NoNewPrivs:\t1", "Seccomp:\t2", "CapEff:\t0000000000000000", "CapPrm:\t0000000000000000"]
        {
            assert!(status.stdout.text.contains(line), "{way}: {line}: {}", status.stdout.text);
        }
        for attempt in [
            "mount -t tmpfs none /mnt",
            "unshare -Ur true",
            "unshare -n true",
            "su nobody -s /bin/sh -c true",
            "chroot / true",
            "/usr/bin/python3 -c 'import os; os.setuid(12345)'",
            "/usr/bin/python3 -c 'import os; os.chown(\".\", 12345, 12345)'",
            "hostname elsewhere",
            "nsenter -t 1 -m true",
        ] {
            let outcome = bench.sh(attempt);
            assert!(!outcome.ended.ok(), "{way}: {attempt}: {outcome:?}");
        }
        let syscalls = "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\nfor n in (101, 250, 321, 425, 435, 323, 298, 0x40000000 | 521):\n  \
                        r = libc.syscall(n, 0, 0, 0, 0, 0); print(n, r, ctypes.get_errno())";
        if cfg!(target_arch = "x86_64") {
            let outcome = bench.python(syscalls, Limits::default());
            let lines: Vec<_> = outcome.stdout.text.lines().collect();
            assert_eq!(lines.len(), 8, "{way}: {outcome:?}");
            for line in lines {
                assert!(line.ends_with("-1 1") || line.ends_with("-1 38"), "{way}: {line}");
            }
        }
    }
}

#[test]
fn no_descriptor_but_the_three_is_handed_down() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let leaked = fs::File::open(bench.at("home/.ssh/id_ed25519")).unwrap();
        // Without close-on-exec, as a careless parent would leave it.
        nix::fcntl::fcntl(&leaked, nix::fcntl::FcntlArg::F_SETFD(nix::fcntl::FdFlag::empty())).unwrap();
        let outcome = bench.python(
            "import os; print(sorted(os.listdir('/proc/self/fd')), os.read(0, 1))",
            Limits::default(),
        );
        // The fourth is the folder being listed.
        assert_eq!(outcome.stdout.text, "['0', '1', '2', '3'] b''\n", "{way}: {outcome:?}");
        drop(leaked);
    }
}

#[test]
fn workflow_commands_do_not_come_through() {
    for (way, capabilities) in ways() {
        let bench = Bench::new(capabilities);
        let outcome = bench.sh("printf '::set-env name=PATH::/x\\n  ##[command]x\\n\\033[31mred\\033[0m\\n'");
        assert_eq!(outcome.stdout.text, ": :set-env name=PATH::/x\n  ## [command]x\nred\n", "{way}");
    }
}

#[test]
fn a_hardened_parent_is_closed_even_without_a_sandbox() {
    // In a process of its own: what is closed here would be closed for every other test too.
    let status = std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "process::hostile::parent_that_hardens_itself", "--ignored"])
        .env("ORCH_TEST_MARK", SECRET)
        .stdout(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
#[ignore = "started by the test above"]
fn parent_that_hardens_itself() {
    if std::env::var("ORCH_TEST_MARK").is_err() {
        return;
    }
    let none = Capabilities { namespaces: false, landlock: false, seccomp: false };
    let bench = Bench::new(none);
    let read = || {
        let script = format!("cat /proc/{}/environ", std::process::id());
        bench.run(shell(&bench.copy(), &script, offline(false)))
    };
    // Root without capabilities cannot read root with them; for everybody else it is open until hardened.
    let open = !nix::unistd::geteuid().is_root();
    assert_eq!(read().stdout.text.contains(SECRET), open, "without it the test shows nothing");
    harden_self().unwrap();
    let outcome = read();
    assert!(!outcome.ended.ok() && !text(&outcome).contains(SECRET), "{outcome:?}");
    for (way, capabilities) in ways() {
        let outcome = Bench::new(capabilities).sh("echo works");
        assert_eq!(outcome.stdout.text, "works\n", "{way}: {outcome:?}");
    }
}

#[test]
fn a_killed_parent_takes_everything_along() {
    // A whole second process plays the parent: this test binary, told to run only the test below.
    for (way, _) in ways() {
        let mark = format!("86397.{}", std::process::id());
        let mut parent = std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "process::hostile::parent_that_gets_killed", "--ignored"])
            .envs([("ORCH_TEST_WAY", way), ("ORCH_TEST_MARK", &mark)])
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let started = eventually(|| runs(&mark));
        parent.kill().unwrap();
        parent.wait().unwrap();
        assert!(started, "{way}: the command never ran");
        assert!(eventually(|| !runs(&mark)), "{way}: the command lives on");
    }
}

#[test]
#[ignore = "started and killed by the test above"]
fn parent_that_gets_killed() {
    let Ok(way) = std::env::var("ORCH_TEST_WAY") else { return };
    let mark = std::env::var("ORCH_TEST_MARK").unwrap();
    let (_, capabilities) = ways().into_iter().find(|(name, _)| *name == way).unwrap();
    let bench = Bench::new(capabilities);
    let limits = Limits { wall: Duration::from_mins(3), ..Limits::default() };
    let script = format!("setsid sleep {mark} & setsid sleep {mark}");
    bench.processes.run(&shell(&bench.copy(), &script, Sandbox { limits, ..offline(true) })).unwrap();
}
