//! The checks of `promote` and `rollback`.
//!
//! Must never look at the machine, as every check of the config.

use super::super::raw::{RawCommand, RawGoBack, RawPromote};
use super::{Check, Fault, fault, line_fault};
use crate::artifact::id::Slug;
use crate::config::{Command, GoBack, Promote, PromoteAct};

impl Check<'_> {
    pub(super) fn promote(&mut self, raw: RawPromote, default: Promote) -> Promote {
        let acts = raw.acts.map_or(default.acts, |names| {
            let names = self.each("promote.acts", Some(names), act_fault);
            names.iter().filter_map(|name| name.parse::<PromoteAct>().ok()).collect()
        });
        let given = |text: Option<String>| text.filter(|text| !text.is_empty());
        Promote {
            acts,
            state: raw.state.unwrap_or(default.state),
            from: self.text("promote.from", given(raw.from), default.from, environment_fault),
            url: self.text("promote.url", given(raw.url), default.url, url_fault),
            tag: self.text("promote.tag", raw.tag, default.tag, line_fault),
            merge: raw.merge.unwrap_or(default.merge),
            max_age_minutes: raw.max_age_minutes.unwrap_or(default.max_age_minutes),
        }
    }

    pub(super) fn rollback(&mut self, raw: RawGoBack, default: GoBack) -> GoBack {
        GoBack {
            revert: raw.revert.unwrap_or(default.revert),
            commands: self.words_of("rollback.commands", raw.commands.unwrap_or_default()),
            network: raw.network.unwrap_or(default.network),
            env: self.each("rollback.env", raw.env, deploy_fault),
            max_age_minutes: raw.max_age_minutes.unwrap_or(default.max_age_minutes),
        }
    }
}

impl Check<'_> {
    fn words_of(&mut self, path: &str, list: Vec<RawCommand>) -> Vec<Command> {
        let mut commands = Vec::new();
        for (at, raw) in list.iter().enumerate() {
            match super::super::command::words(raw) {
                Ok(command) => commands.push(command),
                Err(fault) => self.complain(&format!("{path}[{at}]"), fault),
            }
        }
        commands
    }
}

/// What names of variables of model providers begin with.
const MODELS: &[&str] =
    &["ANTHROPIC", "CLAUDE", "DEEPSEEK", "GEMINI", "GROQ", "MISTRAL", "OPENAI", "OPENROUTER", "XAI"];
/// What the names of tokens of forges begin with.
const FORGES: &[&str] = &["BITBUCKET_", "CI_JOB_", "GH_", "GITEA_", "GITHUB_", "GITLAB_"];

/// A credential to deploy may be handed on; what moves a branch, asks a model or changes which code runs may not.
fn deploy_fault(name: &str) -> Fault {
    let well_formed = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if !well_formed {
        return fault(
            "is not the name of a variable",
            "Write names only, as `DEPLOY_TOKEN`; values come from the environment.",
        );
    }
    let upper = name.to_ascii_uppercase();
    let begins = |with: &[&str]| with.iter().any(|part| upper.starts_with(part));
    if begins(MODELS) || upper.ends_with("API_KEY") || upper.ends_with("APIKEY") {
        return fault(
            format!("names `{name}`, which may be the key of a model"),
            "No command of the repository holds one; name a variable of the deployment alone.",
        );
    }
    if begins(FORGES) || begins(&["ACTIONS_", "ORCH_"]) {
        return fault(
            format!("names `{name}`, which may be the token of a forge"),
            "The job that runs these commands holds none; name a variable of the deployment alone.",
        );
    }
    if begins(&["LD_", "DYLD_"]) || ["BASH_ENV", "ENV", "PATH", "SSH_AUTH_SOCK"].contains(&upper.as_str()) {
        return fault(
            format!("names `{name}`, which changes which code runs or reaches beyond this run"),
            "Name variables with credentials to deploy alone.",
        );
    }
    None
}

fn act_fault(name: &str) -> Fault {
    match name.parse::<PromoteAct>() {
        Ok(_) => None,
        Err(()) => fault(
            "is nothing that promotion can mean",
            "Known are `merge`, `tag`, `deployment` and `release`.",
        ),
    }
}

fn environment_fault(name: &str) -> Fault {
    let error = name.parse::<Slug>().err()?;
    fault(format!("is not the name of an environment: {error}"), "Name it as `staging`.")
}

fn url_fault(text: &str) -> Fault {
    let plain = text.bytes().all(|b| b.is_ascii_graphic()) && text.len() <= 500;
    if plain && (text.starts_with("https://") || text.starts_with("http://")) {
        return None;
    }
    fault("is no address", "Write it as `https://shop.example`.")
}
