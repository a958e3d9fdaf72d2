//! A tag at exactly the commit that was judged.
//!
//! Must never move a tag.

use crate::artifact::types::promotion::{Act, ActKind};
use crate::artifact::types::pull_request::Outcome;
use crate::diagnostic::Class;
use crate::ports::forge::ForgeError;
use crate::stage::StageError;

use super::super::act::order::Order;
use super::Work;

const MAX_NAME: usize = 200;
/// So many digits of the commit are in a name.
const SHORT: usize = 12;

/// Returns the name of the tag: the same for the same decision.
pub(super) fn name(pattern: &str, order: &Order) -> Result<String, StageError> {
    let decision = &order.decision;
    let date: String = decision.at.chars().take(10).collect();
    let commit: String = decision.subject.commit.as_str().chars().take(SHORT).collect();
    let name = pattern
        .replace("{environment}", decision.environment.as_str())
        .replace("{date}", &date)
        .replace("{commit}", &commit);
    let full = format!("refs/tags/{name}");
    let plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_./+".contains(&b));
    let valid = gix::validate::reference::name(full.as_str().into()).is_ok();
    if plain && valid && !name.starts_with('-') && name.len() <= MAX_NAME {
        return Ok(name);
    }
    Err(StageError::Refused {
        class: Class::Usage,
        what: format!("`promote.tag` gives {name:?}, which is no safe name for a tag"),
        help: "Use letters, digits, `-`, `_`, `.`, `/`, `+` and {environment}, {date}, {commit}.".into(),
    })
}

/// Makes the tag, or finds it.
pub(super) fn ensure(work: &Work<'_>) -> Result<Act, StageError> {
    let commit = &work.order.decision.subject.commit;
    let done = |outcome| {
        let mut act = work.done(ActKind::Tag, outcome);
        act.name = Some(work.tag.clone());
        act
    };
    let there = match work.hub.read.tag(&work.tag)? {
        Some(there) => there,
        None => match work.hub.write.create_tag(&work.tag, commit) {
            Ok(()) => return Ok(done(Outcome::Created)),
            // Somebody, or an earlier try whose answer was lost, made it a moment ago.
            Err(error @ ForgeError::Conflict { .. }) => work.hub.read.tag(&work.tag)?.ok_or(error)?,
            Err(error) => return Err(error.into()),
        },
    };
    if there == *commit {
        return Ok(done(Outcome::Unchanged));
    }
    let why = format!("the tag `{}` is at {there}, and is never moved", work.tag);
    Ok(done(Outcome::Conflict).because(why))
}
