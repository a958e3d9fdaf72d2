//! `intake`: a request becomes a task.
//!
//! Must never take a word of the request for anything but data, and must never ask anybody else what was meant.

mod text;

use crate::artifact::id::{Slug, StageId};
use crate::artifact::kind::slot;
use crate::artifact::types::task::{Base, Requester, Task, Trust};
use crate::diagnostic::Class;

use super::spec::{EffectKind, StageSpec};
use super::{Finished, Inputs, Outputs, Request, Stage, StageContext, StageError};

/// What the stage declares.
pub static SPEC: StageSpec = StageSpec {
    id: StageId::Intake,
    version: 1,
    summary: "Turns a request into a task",
    about: "Takes the words of the request, without hidden and control characters, and fixes the commit everything is \
            measured against. It refuses an empty request, one over 64 KiB, and a repository without a commit.",
    inputs: &[],
    outputs: &[slot::TASK],
    may_write: &[],
    effects: &[EffectKind::RepositoryRead],
    config: &["service", "engine"],
    permissions: &[super::spec::Permission::ContentsRead],
    exits: &[],
};

/// The stage.
pub struct Intake;

impl Stage for Intake {
    fn spec(&self) -> &'static StageSpec {
        &SPEC
    }

    fn run(&self, cx: &StageContext<'_>, _inputs: &Inputs) -> Result<Finished, StageError> {
        let request = cx.request.ok_or_else(|| StageError::Refused {
            class: Class::Usage,
            what: "there is no request".into(),
            help: "Say what to do, as in `orch run \"add a /health endpoint\"`, or name a file with `--task-file`.".into(),
        })?;
        let base = cx.vcs()?.head()?;
        let service = cx.config.service.clone().unwrap_or_else(|| Slug::fold("app", 60, "app"));
        let created_at = cx.clock().now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
        let task = task(request, base, service, created_at)?;
        let mut outputs = Outputs::default();
        outputs.put(slot::TASK, &task)?;
        Ok(Finished::done(outputs))
    }
}

/// Makes the task; the pure part of the stage.
pub fn task(request: &Request, base: Base, service: Slug, created_at: String) -> Result<Task, StageError> {
    let text = text::clean(&request.text)?;
    Ok(Task {
        title: text::title(&text),
        request: text,
        // Whoever runs the command line has this checkout in their hands.
        requester: Requester { channel: request.channel, trust: Trust::Owner },
        base,
        service,
        assignment: request.assignment.clone(),
        created_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::artifact::types::task::Channel;

    #[test]
    fn a_request_becomes_a_task() {
        let text = " add\u{202e} a /health\tendpoint\r\nplease \0";
        let request = Request::to_engine("template", text, Channel::TaskFile);
        let base = Base {
            commit: "a".repeat(40).parse().unwrap(),
            tree: "b".repeat(40).parse().unwrap(),
            branch: None,
        };
        let service: Slug = "shop".parse().unwrap();
        let task = task(&request, base.clone(), service.clone(), "2026-11-21T12:00:00Z".into()).unwrap();
        assert_eq!(task.request, "add a /health\tendpoint\nplease");
        assert_eq!(task.title, "add a /health endpoint");
        assert_eq!((task.base, task.service), (base, service));
        assert_eq!(task.assignment.engine, "template");
    }
}
