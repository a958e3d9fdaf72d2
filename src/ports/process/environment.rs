//! The environment a command sees, made from nothing.
//!
//! Must never pass on a variable that is not named here, in the config or by the command.

use std::collections::BTreeMap;
use std::path::Path;

use super::private::Private;
use super::toolchain::Toolchain;
use super::{Command, Network};
use crate::diagnostic::redact::learn;
use crate::ports::credential::{Vault, is_credential};

/// Settings that keep tools from asking, colouring or calling home.
const FIXED: &[(&str, &str)] = &[
    ("CARGO_TERM_COLOR", "never"),
    ("CI", "true"),
    ("GOTOOLCHAIN", "local"),
    ("LANG", "C.UTF-8"),
    ("NO_COLOR", "1"),
    ("PIP_DISABLE_PIP_VERSION_CHECK", "1"),
    ("TERM", "dumb"),
    ("npm_config_update_notifier", "false"),
];

/// Settings that make tools fail at once, with a clear message, where there is no network.
const OFFLINE: &[(&str, &str)] = &[("CARGO_NET_OFFLINE", "true"), ("GOPROXY", "off")];

/// Returns the whole environment of a command.
pub(super) fn scrubbed(
    parent: &BTreeMap<String, String>,
    vault: &Vault,
    tools: &Toolchain,
    private: &Private,
    command: &Command,
) -> BTreeMap<String, String> {
    let off = command.sandbox.network == Network::Off;
    let mut env: BTreeMap<String, String> = BTreeMap::new();
    let fixed = FIXED.iter().chain(OFFLINE.iter().filter(|_| off));
    env.extend(fixed.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    env.extend(tools.variables.clone());
    env.insert("PATH".into(), tools.path.clone());
    let mut place = |name: &str, path: &Path| {
        if let Some(text) = path.to_str() {
            env.insert(name.to_owned(), text.to_owned());
        }
    };
    place("HOME", &private.home());
    place("TMPDIR", &private.temporary());
    place("CARGO_HOME", &private.cargo());
    place("GOPATH", &private.go());
    place("GOCACHE", &private.go().join("cache"));
    if let Some(modules) = tools.go_modules.as_ref().filter(|_| off) {
        place("GOMODCACHE", modules);
    }
    for name in &command.sandbox.pass_env {
        if let Some(value) = parent.get(name) {
            env.insert(name.clone(), value.clone());
        }
    }
    for name in &command.sandbox.credentials {
        // Where it was not known for a credential by its name, it is masked from now on.
        let held = vault.get(name).map(|secret| secret.expose().to_owned());
        if let Some(value) = held.or_else(|| parent.get(name).cloned()) {
            let _ = learn(&value);
            env.insert(name.clone(), value);
        }
    }
    env.extend(command.env.clone());
    env
}

/// Reads the environment of this process, where it is text.
#[expect(
    clippy::disallowed_methods,
    reason = "what is passed on is chosen by name, from here and from the config"
)]
pub(super) fn of_this_process() -> BTreeMap<String, String> {
    std::env::vars_os()
        .filter(|(name, _)| !is_credential(name))
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::private::PrivateFolders;
    use super::super::{Limits, Sandbox};
    use super::*;
    use crate::diagnostic::redact::redact;
    use crate::ports::credential::Surroundings;

    #[test]
    fn nothing_of_the_parent_is_seen_but_what_is_named() {
        let parent: BTreeMap<String, String> = [
            ("SECRET", "s3cret"),
            ("LD_PRELOAD", "x"),
            ("BASH_ENV", "x"),
            ("NODE_OPTIONS", "x"),
            ("PYTHONPATH", "x"),
            ("GIT_DIR", "x"),
            ("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "x"),
            ("NAMED", "passed"),
            ("SET", "parent"),
            ("DEPLOY_KEY", "deploy-key-of-the-parent"),
        ]
        .map(|(k, v)| (k.to_owned(), v.to_owned()))
        .into();
        let sandbox = Sandbox {
            required: false,
            network: Network::Off,
            read: Vec::new(),
            write: Vec::new(),
            pass_env: vec!["NAMED".into(), "NOT_THERE".into()],
            credentials: vec!["DEPLOY_KEY".into(), "DEPLOY_TOKEN".into(), "NO_TOKEN".into()],
            limits: Limits::default(),
        };
        let env = BTreeMap::from([("SET".to_owned(), "command".to_owned())]);
        let command = Command { argv: vec!["x".into()], cwd: "/copy".into(), env, sandbox };
        let tools = Toolchain { path: "/usr/bin".into(), ..Toolchain::default() };
        let folders = PrivateFolders::default();
        let private = folders.of(&command.cwd, Network::Off, &tools).unwrap();
        let held = [("DEPLOY_TOKEN", "deploy-token-held"), ("MODEL_TOKEN", "model-token-held")];
        let vault = Vault::of(held.map(|(n, v)| (n.into(), v.into())), Surroundings::default());
        let env = scrubbed(&parent, &vault, &tools, &private, &command);
        let names: Vec<&str> = env.keys().map(String::as_str).collect();
        assert_eq!(
            names,
            [
                "CARGO_HOME",
                "CARGO_NET_OFFLINE",
                "CARGO_TERM_COLOR",
                "CI",
                "DEPLOY_KEY",
                "DEPLOY_TOKEN",
                "GOCACHE",
                "GOPATH",
                "GOPROXY",
                "GOTOOLCHAIN",
                "HOME",
                "LANG",
                "NAMED",
                "NO_COLOR",
                "PATH",
                "PIP_DISABLE_PIP_VERSION_CHECK",
                "SET",
                "TERM",
                "TMPDIR",
                "npm_config_update_notifier",
            ]
        );
        assert_eq!((env["SET"].as_str(), env["NAMED"].as_str()), ("command", "passed"));
        assert_eq!(env["DEPLOY_TOKEN"], "deploy-token-held");
        assert_eq!(redact("x deploy-key-of-the-parent"), "x [redacted:credential]");
    }
}
