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
