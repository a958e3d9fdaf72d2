//! The scripts of the action: what is found, checked, run and told.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::path::Path;

use orch::artifact::digest::Digest;

use super::root;
use crate::env::TestEnv;

struct Ran {
    exit: i32,
    said: String,
    outputs: String,
}

fn script(env: &TestEnv, name: &str, action: &Path, variables: &[(&str, &str)]) -> Ran {
    script_in(env, name, action, &env.path("home"), variables)
}

fn script_in(env: &TestEnv, name: &str, action: &Path, folder: &Path, variables: &[(&str, &str)]) -> Ran {
    let file = env.path("outputs");
    let _ = fs::remove_file(&file);
    let mut command = env.command("bash", folder);
    command.arg(action.join("action").join(name));
    command.env("ORCH_ACTION_PATH", action).env("GITHUB_OUTPUT", &file);
    command.env("RUNNER_TEMP", env.path("tmp")).env("RUNNER_TOOL_CACHE", env.path("tools"));
    command.env("RUNNER_OS", "Linux").env("RUNNER_ARCH", "X64").envs(variables.iter().copied());
    let done = command.output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&done.stdout), String::from_utf8_lossy(&done.stderr));
    Ran { exit: done.status.code().unwrap(), said, outputs: fs::read_to_string(&file).unwrap_or_default() }
}

/// A copy of the action whose binaries.txt names the program of the cache.
fn released(env: &TestEnv, digest: &str) -> std::path::PathBuf {
    let action = env.path("action-copy");
    fs::create_dir_all(action.join("action")).unwrap();
    for name in ["install.sh", "stage.sh", "end.sh"] {
        fs::copy(root().join("action").join(name), action.join("action").join(name)).unwrap();
    }
    let text = format!(
        "# x\nrepository acme/none\nversion 1.2.3\nx86_64-unknown-linux-gnu {digest} orch-x86_64-unknown-linux-gnu\n"
    );
    fs::write(action.join("action/binaries.txt"), text).unwrap();
    action
}

#[cfg(unix)]
#[test]
fn a_program_is_used_only_with_the_digest_of_the_commit() {
    let env = TestEnv::new();
    let program = b"#!/bin/sh\n";
    let place = env.path("tools/orch/1.2.3/x86_64-unknown-linux-gnu");
    fs::create_dir_all(&place).unwrap();
    fs::write(place.join("orch"), program).unwrap();
    let action = released(&env, Digest::of(program).hex());
    let ran = script(&env, "install.sh", &action, &[]);
    assert_eq!(
        (ran.exit, ran.outputs.as_str()),
        (0, format!("program={}\n", place.join("orch").display()).as_str()),
        "{}",
        ran.said
    );
    // Another program in the cache is not used; here there is no release to get the right one from.
    fs::write(place.join("orch"), "#!/bin/sh\nid\n").unwrap();
    let ran = script(&env, "install.sh", &action, &[("GITHUB_SERVER_URL", "https://127.0.0.1:9")]);
    assert_eq!((ran.exit, ran.outputs.as_str()), (2, ""), "{}", ran.said);
    assert!(ran.said.contains("cannot be downloaded"), "{}", ran.said);
    let ran = script(&env, "install.sh", &action, &[("RUNNER_ARCH", "ARM64")]);
    assert!(ran.exit == 2 && ran.said.contains("no program for aarch64-unknown-linux-gnu"), "{}", ran.said);
}

#[cfg(unix)]
#[test]
fn a_commit_without_programs_says_so() {
    let env = TestEnv::new();
    let ran = script(&env, "install.sh", root(), &[]);
    assert!(ran.exit == 2 && ran.said.contains("is no release"), "{}", ran.said);
    let ran = script(&env, "install.sh", root(), &[("ORCH_INPUT_BINARY", "/none")]);
    assert!(ran.exit == 2 && ran.said.contains("input 'binary'"), "{}", ran.said);
    let ran = script(&env, "install.sh", root(), &[("ORCH_INPUT_INSTALL", "brew")]);
    assert!(ran.exit == 2 && ran.said.contains("input 'install'"), "{}", ran.said);
}

#[cfg(unix)]
#[test]
fn a_missing_input_is_named() {
    let env = TestEnv::new();
    let repository = env.service("service");
    let run = |variables: &[(&str, &str)]| {
        let mut all = vec![("ORCH_PROGRAM", env!("CARGO_BIN_EXE_orch"))];
        all.extend_from_slice(variables);
        let ran = script(&env, "stage.sh", root(), &all);
        assert_eq!(ran.exit, 0, "{}", ran.said);
        ran
    };
    let ran = run(&[]);
    assert!(
        ran.outputs.contains("exit=2\noutcome=refused") && ran.said.contains("input `stage`"),
        "{}{}",
        ran.outputs,
        ran.said
    );
    let folder = repository.display().to_string();
    // The script works in the checkout: -C stands for it here.
    let ran = run(&[("ORCH_INPUT_STAGE", "intake"), ("ORCH_INPUT_CONFIG", &format!("{folder}/none.yml"))]);
    assert!(ran.outputs.contains("exit=2"), "{}{}", ran.outputs, ran.said);
    let ran = run(&[("ORCH_INPUT_STAGE", "policy"), ("ORCH_INPUT_SUBJECT", "a\n::error::b")]);
    assert!(ran.outputs.contains("exit=2") && !ran.said.contains("\n::error::b"), "{}", ran.said);
}

/// A program that writes down that it began, and then hangs until it is told to end.
#[cfg(unix)]
fn hanging(env: &TestEnv) -> (String, std::path::PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    let (program, log) = (env.path("hanging"), env.path("hanging.log"));
    // As a program that a signal ends at once: no shell waits between them.
    let text = format!(
        "#!/bin/bash\ncase \"$*\" in artifacts*) exit 1 ;; esac\necho began >>{0}\ntrap 'echo ended >>{0}; exit 143' TERM\n/bin/sleep 60 >/dev/null 2>&1 &\nwait\n",
        log.display()
    );
    fs::write(&program, text).unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program.display().to_string(), log)
}

#[cfg(unix)]
#[test]
fn a_stage_is_ended_when_its_time_is_over_and_no_sooner() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::new();
    let (program, log) = hanging(&env);
    let shims = env.path("shims");
    fs::create_dir_all(&shims).unwrap();
    fs::write(shims.join("sleep"), "#!/bin/sh\nexec /bin/sleep \"$(echo \"$1\" | cut -c1)\"\n").unwrap();
    fs::set_permissions(shims.join("sleep"), fs::Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", shims.display(), std::env::var("PATH").unwrap());
    let run = |program: &str, minutes: &str| {
        let variables = [
            ("PATH", path.as_str()),
            ("ORCH_PROGRAM", program),
            ("ORCH_INPUT_STAGE", "plan"),
            ("ORCH_INPUT_TIMEOUT_MINUTES", minutes),
        ];
        script(&env, "stage.sh", root(), &variables)
    };
    let start = std::time::Instant::now();
    let ran = run(&program, "020");
    assert!(start.elapsed().as_secs() < 30, "{:?}", start.elapsed());
    let told = "exit=5\noutcome=exhausted\nreason=the stage did not end within 20 minutes\n";
    assert_eq!((ran.exit, ran.outputs.as_str()), (0, told), "{}", ran.said);
    assert_eq!(fs::read_to_string(&log).unwrap(), "began\nended\n");
    // One that ends by itself ends as it does, with a limit and without.
    for minutes in ["20", "0", ""] {
        let ran = run("/bin/false", minutes);
        assert_eq!(ran.outputs, "exit=1\noutcome=failed\n", "{minutes}: {}", ran.said);
    }
    let ran = run("/bin/true", "1; touch x");
    assert!(ran.outputs.starts_with("exit=2\n") && ran.said.contains("whole number"), "{}", ran.said);
}

/// A runner that stops a job interrupts the first process of a step, and no other.
#[cfg(unix)]
#[test]
fn a_stage_that_is_stopped_ends_and_says_so() {
    let env = TestEnv::new();
    let (program, log) = hanging(&env);
    let step = fs::read_to_string(root().join("action.yml")).unwrap();
    let step: serde_yaml::Value = serde_yaml::from_str(&step).unwrap();
    let steps = step["runs"]["steps"].as_sequence().unwrap();
    let run = steps.iter().find(|step| step["id"] == "run").unwrap()["run"].as_str().unwrap();
    let file = env.path("outputs");
    let mut command = env.command("bash", &env.path("home"));
    command.args(["--noprofile", "--norc", "-eo", "pipefail", "-c", run]);
    command.env("ORCH_ACTION_PATH", root()).env("GITHUB_OUTPUT", &file).env("RUNNER_TEMP", env.path("tmp"));
    command
        .env("ORCH_PROGRAM", program)
        .env("ORCH_INPUT_STAGE", "plan")
        .env("ORCH_INPUT_TIMEOUT_MINUTES", "20");
    let mut child = command.spawn().unwrap();
    let start = std::time::Instant::now();
    while !log.exists() && start.elapsed().as_secs() < 30 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let pid = child.id().to_string();
    assert!(env.command("kill", &env.path("home")).args(["-INT", &pid]).status().unwrap().success());
    assert!(child.wait().unwrap().success());
    assert!(start.elapsed().as_secs() < 30);
    let told = "exit=75\noutcome=try-again\nreason=the job was stopped, or its time was over\n";
    assert_eq!(fs::read_to_string(&file).unwrap(), told);
    assert_eq!(fs::read_to_string(&log).unwrap(), "began\nended\n");
}

#[cfg(unix)]
#[test]
fn an_accepted_code_leaves_the_step_green() {
    let env = TestEnv::new();
    for (code, accept, exit, word) in [
        ("0", "78", 0, ""),
        ("78", "78", 0, "::notice"),
        ("4", "3 4 78", 0, "a person has to approve"),
        ("4", "78", 4, "::warning"),
        ("75", "78", 75, "::warning"),
        ("6", "78", 6, "::error"),
        ("1", "3 4 78", 1, "::error"),
    ] {
        let ran = script(
            &env,
            "end.sh",
            root(),
            &[("ORCH_EXIT", code), ("ORCH_INPUT_ACCEPT", accept), ("ORCH_INPUT_STAGE", "policy")],
        );
        assert_eq!(ran.exit, exit, "{code}");
        assert!(ran.said.contains(word), "{}", ran.said);
    }
}

/// With the program in the cache of the runner, nothing is asked of the network: programs that could are not even started.
#[cfg(unix)]
#[test]
fn a_cached_program_needs_no_network() {
    use std::os::unix::fs::PermissionsExt as _;
    let env = TestEnv::new();
    let program = fs::read(env!("CARGO_BIN_EXE_orch")).unwrap();
    let place = env.path("tools/orch/1.2.3/x86_64-unknown-linux-gnu");
    fs::create_dir_all(&place).unwrap();
    fs::copy(env!("CARGO_BIN_EXE_orch"), place.join("orch")).unwrap();
    let action = released(&env, Digest::of(&program).hex());
    let (shims, log) = (env.path("shims"), env.path("started"));
    fs::create_dir_all(&shims).unwrap();
    for name in ["curl", "wget", "gh", "ssh", "nc", "cargo", "git-remote-https"] {
        let shim = shims.join(name);
        fs::write(&shim, format!("#!/bin/sh\necho {name} \"$@\" >>{}\nexit 1\n", log.display())).unwrap();
        fs::set_permissions(&shim, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let service = env.service("service");
    let path = format!("{}:{}", shims.display(), std::env::var("PATH").unwrap());
    let ran = script(&env, "install.sh", &action, &[("PATH", &path), ("GH_TOKEN", "x")]);
    let found = format!("program={}\n", place.join("orch").display());
    assert_eq!((ran.exit, ran.outputs.as_str()), (0, found.as_str()), "{}", ran.said);
    let program = place.join("orch").display().to_string();
    let (artifacts, config) = (env.path("artifacts"), service.join("orch.yml"));
    fs::write(&config, "service: service\n").unwrap();
    // Any address that were asked would be this one, where nobody is.
    let variables = [
        ("PATH", path.as_str()),
        ("ORCH_PROGRAM", &program),
        ("ORCH_INPUT_STAGE", "intake"),
        ("ORCH_INPUT_TASK", "add a /health endpoint"),
        ("ORCH_INPUT_ARTIFACTS", &artifacts.display().to_string()),
        ("HTTPS_PROXY", "http://127.0.0.1:9"),
        ("GITHUB_API_URL", "http://127.0.0.1:9"),
    ];
    let ran = script_in(&env, "stage.sh", &action, &service, &variables);
    assert!(
        ran.outputs.contains("exit=0") && ran.outputs.contains("part-name="),
        "{}{}",
        ran.outputs,
        ran.said
    );
    assert_eq!(fs::read_to_string(&log).unwrap_or_default(), "");
    // The shims are what would be started: without the program in the cache it is fetched.
    fs::remove_file(place.join("orch")).unwrap();
    script(&env, "install.sh", &action, &[("PATH", &path)]);
    assert!(fs::read_to_string(&log).unwrap().starts_with("curl "));
}
