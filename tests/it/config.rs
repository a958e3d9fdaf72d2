//! orch.yml.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::field_reassign_with_default,
    reason = "helpers of tests, as tests, panic where they must not go on"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use orch::config::{self, Config, ConfigError, keys};
use orch::diagnostic::{Class, Failure};
use proptest::prelude::*;
use serde_json::Value;

fn parse(text: &str) -> Result<Config, ConfigError> {
    config::parse(text.as_bytes(), "orch.yml")
}

fn refusal(bytes: &[u8]) -> String {
    let error = config::parse(bytes, "orch.yml").expect_err("must be refused");
    assert_eq!(error.class(), Class::Usage);
    match error.help() {
        Some(help) => format!("{error}\n{help}"),
        None => error.to_string(),
    }
}

#[test]
fn the_documented_defaults_are_the_defaults() {
    assert_eq!(parse(config::DEFAULT_YML).unwrap(), Config::default());
}

#[test]
fn nothing_written_means_the_defaults() {
    for text in [
        "",
        "\n\n",
        "# only a comment\n",
        "---\n",
        "\u{feff}",
        "null\n",
        "{}",
        "commands:\n",
        "sandbox:\n  limits:\n",
    ] {
        assert_eq!(parse(text).unwrap(), Config::default(), "{text:?}");
    }
}

fn leaves(prefix: &str, value: &Value, into: &mut BTreeSet<String>) {
    let open =
        ["policy.levels", "policy.settings", "release.freezes", "release.environments"].contains(&prefix);
    match value {
        Value::Object(map) if !open => {
            for (name, value) in map {
                let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
                leaves(&path, value, into);
            }
        }
        _ => {
            into.insert(prefix.to_owned());
        }
    }
}

#[test]
fn every_list_of_keys_is_the_same_list() {
    let known: BTreeSet<&str> = keys::KEYS.iter().map(|k| k.path).collect();
    assert_eq!(known.len(), keys::KEYS.len(), "a key is there twice");
    // Names that a file chooses are not there by default: what holds them is an empty map.
    let known: BTreeSet<String> =
        known.into_iter().map(|path| path.split(".*").next().unwrap_or(path).to_owned()).collect();

    let mut valid = BTreeSet::from(["version".to_owned()]);
    leaves("", &serde_json::to_value(Config::default()).unwrap(), &mut valid);
    assert_eq!(valid, known, "Config and KEYS");

    let mut written = BTreeSet::new();
    leaves("", &serde_yaml::from_str(config::DEFAULT_YML).unwrap(), &mut written);
    assert_eq!(written, known, "default.yml and KEYS");
}

/// What a person reads for each kind of mistake, in one page to review.
#[test]
fn mistakes_are_told_with_place_and_remedy() {
    let cases: &[(&str, &[u8])] = &[
        ("unknown key, near", b"sandbox:\n  limits:\n    secs: 5\n"),
        ("unknown key, elsewhere", b"test: cargo test\n"),
        ("unknown key, far", b"verify:\n  zzz: 1\n"),
        ("dotted key", b"sandbox.limits.seconds: 5\n"),
        ("duplicate key", b"service: a\nservice: b\n"),
        ("duplicate rule", b"policy:\n  levels:\n    paths/deny: warn\n    paths/deny: deny\n"),
        ("wrong kind", b"verify:\n  rounds: many\n"),
        ("number for text", b"service: 12\n"),
        ("yes is text", b"pr:\n  push: yes\n"),
        ("out of range", b"sandbox: {limits: {seconds: 0}}\n"),
        ("negative", b"verify: {flake_runs: -1}\n"),
        ("list for map", b"commands:\n  - cargo test\n"),
        ("map for list", b"commands:\n  test: {a: b}\n"),
        ("choice", b"engine: templates\n"),
        ("level", b"policy:\n  levels:\n    paths/protected: require\n"),
        ("tab", b"verify:\n\trounds: 2\n"),
        ("not closed", b"paths:\n  allow: [a, b\n"),
        ("tag", b"service: !name x\n"),
        ("merge key", b"verify:\n  <<: {rounds: 1}\n"),
        ("unknown alias", b"service: *x\n"),
        ("two documents", b"service: a\n---\nservice: b\n"),
        ("a word", b"cargo test\n"),
        ("not utf-8", b"service: a\n# \xff\n"),
        ("crlf", b"verify:\r\n  round: 2\r\n"),
        ("shell operator", b"commands:\n  test:\n    - cargo test\n    - cargo fmt && cargo test\n"),
        ("single command", b"commands:\n  test: make | tee log\n"),
        ("several at once", b"service: My Service\npr:\n  branch: '{typ}/x'\n  remote: https://example.com/x\npaths:\n  deny: ['ok/**', '../x']\nartifacts: {folder: .runs}\n"),
        ("token", b"sandbox:\n  env: [LANG, GITHUB_TOKEN]\n"),
        ("home", b"sandbox:\n  read: [~/data]\n"),
        ("identity", b"pr: {author: {name: \"a\\nb\"}}\n"),
        ("pack outside", b"policy: {packs: [../rules]}\n"),
        ("version", b"version: 2\n"),
        ("escape", b"policy: {levels: {\"a\\e[31m\": warn}}\n\"\\e[2J\": 1\n"),
        ("escape in a code", b"policy: {levels: {\"a\\e[31m\": warn}}\n"),
        ("huge number", b"verify: {rounds: 99999999999999999999999}\n"),
        ("setting not json", b"policy: {settings: {x: .nan}}\n"),
    ];
    let mut page = String::new();
    for (name, bytes) in cases {
        let _ = write!(page, "## {name}\n{}\n\n", refusal(bytes));
    }
    insta::assert_snapshot!("config_mistakes", page);
}

#[test]
fn what_is_written_is_what_is_used() {
    let config = parse(
        "\u{feff}version: 1\r\nservice: billing\r\ncommands:\r\n  test: cargo test --locked\r\n  lint:\r\n    - [sh, -c, \"a && b\"]\r\n    - cargo fmt --check\r\n\
         verify: &v {rounds: 2}\r\nsandbox:\r\n  limits: {seconds: 5}\r\npolicy:\r\n  levels: {paths/protected: off}\r\n  settings: {max: {files: 3}, list: [1, x, null, 1.5]}\r\n",
    )
    .unwrap();
    assert_eq!(config.service.unwrap().as_str(), "billing");
    assert_eq!(config.commands.test[0].0, ["cargo", "test", "--locked"]);
    assert_eq!(config.commands.lint[0].0, ["sh", "-c", "a && b"]);
    assert_eq!((config.verify.rounds, config.verify.flake_runs), (2, 1));
    assert_eq!(config.sandbox.limits.seconds, 5);
    assert_eq!(config.policy.levels["paths/protected"], config::Level::Off);
    assert_eq!(config.policy.settings["max"]["files"], 3);
}

#[test]
fn alias_bombs_end_early() {
    let mut text = String::from("policy:\n  settings:\n    a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for n in 1..9 {
        let list = vec![format!("*a{}", n - 1); 9].join(", ");
        let _ = writeln!(text, "    a{n}: &a{n} [{list}]");
    }
    assert!(refusal(text.as_bytes()).contains("values"), "{}", refusal(text.as_bytes()));
    // The reader has a limit of its own; beyond ours it is not even asked, since its work grows with the square.
    for (brackets, word) in [(150, "recursion"), (5000, "brackets")] {
        let deep = format!("policy: {{settings: {{x: {}{}}}}}", "[".repeat(brackets), "]".repeat(brackets));
        assert!(refusal(deep.as_bytes()).contains(word), "{}", refusal(deep.as_bytes()));
    }
}

fn repository(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (path, bytes) in files {
        fs::write(folder.path().join(path), bytes).unwrap();
    }
    folder
}

#[test]
fn the_file_is_found_or_its_absence_is_told() {
    let none = repository(&[]);
    let loaded = config::load(none.path(), None).unwrap();
    assert_eq!((loaded.config, loaded.path), (Config::default(), None));

    let root = repository(&[("orch.yml", b"service: a\n"), ("other.yml", b"service: b\n")]);
    let found = config::load(root.path(), None).unwrap();
    assert_eq!(found.config.service.unwrap().as_str(), "a");
    let named = config::load(root.path(), Some(Path::new("other.yml"))).unwrap();
    assert_eq!(named.config.service.unwrap().as_str(), "b");
    assert_ne!(found.digest, named.digest);

    for near in ["orch.yaml", ".orch.yml"] {
        let error = config::load(repository(&[(near, b"")]).path(), None).unwrap_err();
        assert!(error.to_string().starts_with(near) && error.class() == Class::Usage, "{error}");
    }
    let error = config::load(none.path(), Some(Path::new("gone.yml"))).unwrap_err();
    assert_eq!(error.to_string(), "cannot read gone.yml");
}

#[test]
fn what_is_no_config_file_is_refused_without_reading_it() {
    let huge = repository(&[("orch.yml", &b"# x\n".repeat(100_000))]);
    assert!(config::load(huge.path(), None).unwrap_err().to_string().contains("larger than 256 KiB"));

    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("orch.yml")).unwrap();
    assert!(config::load(folder.path(), None).unwrap_err().to_string().contains("not a regular file"));
}

#[cfg(unix)]
#[test]
fn links_that_leave_the_repository_and_pipes_are_refused() {
    let outside = repository(&[("secret.yml", b"service: a\n")]);
    let root = tempfile::tempdir().unwrap();
    std::os::unix::fs::symlink(outside.path().join("secret.yml"), root.path().join("orch.yml")).unwrap();
    assert!(config::load(root.path(), None).unwrap_err().to_string().contains("leaves the repository"));

    let root = tempfile::tempdir().unwrap();
    nix::unistd::mkfifo(&root.path().join("orch.yml"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert!(config::load(root.path(), None).unwrap_err().to_string().contains("not a regular file"));
}

#[test]
fn the_reference_page_is_what_the_code_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/reference");
    let page = config::config_reference();
    for (name, made) in [("config.md", &page), ("environment.md", &config::env_reference())] {
        let written = fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(written == *made, "docs/reference/{name} is old: run `cargo run -- util generate`");
    }
    assert!(keys::KEYS.iter().all(|k| page.contains(&format!("### `{}`", k.path))));
}

/// Law: one documented list of variables; the ports that look for tool chains read no others.
#[test]
fn every_variable_a_port_reads_is_documented() {
    let page = config::env_reference();
    let lookup =
        regex::Regex::new(r#"(?:environment\.get|place)\("([A-Z_]+)"|\("([A-Z_]+)", (?:Some\(|None)"#)
            .unwrap();
    let mut read = BTreeSet::new();
    for file in ["src/ports/process/toolchain.rs", "src/config/env.rs"] {
        let text = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(file)).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap().to_owned();
        read.extend(lookup.captures_iter(&code).map(|c| c.get(1).or(c.get(2)).unwrap().as_str().to_owned()));
    }
    assert!(read.contains("VIRTUAL_ENV") && read.contains("CARGO_HOME") && read.contains("PATH"), "{read:?}");
    let missing: Vec<_> = read.iter().filter(|name| !page.contains(&format!("`{name}`"))).collect();
    assert!(missing.is_empty(), "add {missing:?} to src/config/env.rs");
}

/// Some name made of a few letters, so that keys collide and nearly collide.
fn yaml_like() -> impl Strategy<Value = String> {
    let word = prop_oneof![
        Just("sandbox".to_owned()),
        Just("limits".into()),
        Just("seconds".into()),
        Just("commands".into()),
        Just("test".into()),
        Just("policy".into()),
        Just("settings".into()),
        Just("5".into()),
        Just("true".into()),
        Just("&a".into()),
        Just("*a".into()),
        Just("<<".into()),
        Just("!x".into()),
        Just("[".into()),
        Just("]".into()),
        Just("{".into()),
        Just("}".into()),
        Just("- ".into()),
        Just(": ".into()),
        Just(":".into()),
        Just("\n".into()),
        Just("\n  ".into()),
        Just("\n    ".into()),
        Just("\t".into()),
        Just("\"".into()),
        Just("'".into()),
        Just("|".into()),
        Just("---".into()),
        Just(", ".into()),
        Just("#".into()),
    ];
    proptest::collection::vec(word, 0..40).prop_map(|words| words.concat())
}

fn text() -> impl Strategy<Value = String> {
    "[a-zA-Z0-9 _.,+-]{0,10}[a-z]"
}

prop_compose! {
    fn config()(
        service in proptest::option::of("[a-z0-9]{1,10}(-[a-z0-9]{1,5})?"),
        words in proptest::collection::vec(proptest::collection::vec("\\PC{1,8}", 0..4), 8),
        globs in proptest::collection::vec("[a-z]{1,5}(/\\*\\*|\\.[a-z]{2}|/\\[ab\\])", 0..4),
        numbers in (1u32..=10, 0u32..=20, 1u64..=86_400, 16u64..=1_048_576, 1u64..=65_536),
        flags in any::<[bool; 4]>(),
        settings in proptest::collection::btree_map("\\PC{0,8}", text(), 0..4),
        levels in proptest::collection::btree_map("[a-z]{1,5}/[a-z]{1,5}", 0usize..4, 0..4),
        author in text(),
    ) -> Config {
        let command = |w: &Vec<String>| {
            config::Command(std::iter::once("run".to_owned()).chain(w.iter().cloned()).collect())
        };
        let mut config = Config::default();
        config.service = service.map(|s| s.parse().unwrap());
        config.commands.setup = words[..2].iter().map(command).collect();
        config.commands.test = words[2..].iter().map(command).collect();
        config.paths.allow.clone_from(&globs);
        config.paths.deny = globs;
        (config.verify.rounds, config.verify.flake_runs) = (numbers.0, numbers.1);
        config.sandbox.limits.seconds = numbers.2;
        config.sandbox.limits.memory_mb = numbers.3;
        config.sandbox.limits.processes = numbers.4;
        [config.verify.revert_probe, config.sandbox.required, config.sandbox.setup_network, config.pr.push] = flags;
        config.policy.settings = settings.into_iter().map(|(k, v)| (k, Value::from(v))).collect();
        let level = [config::Level::Off, config::Level::Warn, config::Level::RequireApproval, config::Level::Deny];
        config.policy.levels = levels.into_iter().map(|(k, v)| (k, level[v])).collect::<BTreeMap<_, _>>();
        config.pr.author.name = author;
        config
    }
}

proptest! {
    #[test]
    fn any_bytes_are_a_config_or_a_refusal(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let _ = config::parse(&bytes, "orch.yml").map_err(|e| (e.to_string(), e.help()));
    }

    #[test]
    fn any_yaml_like_text_is_a_config_or_a_refusal(text in yaml_like()) {
        let _ = parse(&text).map_err(|e| (e.to_string(), e.help()));
    }

    #[test]
    fn a_valid_config_written_out_is_read_back(config in config()) {
        let yaml = serde_yaml::to_string(&config).unwrap();
        prop_assert_eq!(parse(&yaml).map_err(|e| e.to_string()), Ok(config));
    }
}
