//! Judgements: critics are asked at once, their citations looked up, their words handed to the debate.
//!
//! Must never show one critic what another says, nor tell whose work it is that is judged.

use crate::agent::context::Piece;
use crate::agent::debate::{Critique, Event, Resolver, read_claims, read_risks};
use crate::agent::role::Role;
use crate::diagnostic::text::count;
use crate::engine::EngineError;

use super::desk::{Desk, Outcome, Question};
use super::{note_refused, reply, schema};

/// What is to be judged.
pub(super) struct Hearing<'q> {
    /// The role that always judges.
    pub judge: &'q str,
    /// The step.
    pub step: &'static str,
    /// What the critics are shown of the repository.
    pub context: &'q [Piece],
    /// What is judged.
    pub material: &'q [Piece],
    /// Where citations are looked up.
    pub resolver: &'q Resolver<'q>,
    /// The model that made it.
    pub author: Option<String>,
    /// The turn, for the listeners.
    pub turn: u32,
}

/// Asks the critics and returns what the debate takes.
pub(super) fn judge(desk: &Desk<'_>, hearing: &Hearing<'_>) -> Result<Event, EngineError> {
    let cast = desk.engine.cast();
    let mut critics: Vec<&Role> = vec![cast.role(hearing.judge)?];
    critics.extend(
        cast.critics(&desk.engine.setup.critics)?.into_iter().filter(|r| r.name.as_str() != hearing.judge),
    );
    let questions = critics.iter().map(|role| Question {
        role,
        step: hearing.step,
        context: hearing.context,
        material: hearing.material.to_vec(),
        schema: schema::critique(),
        avoid: hearing.author.clone(),
    });
    let replies = desk.ask_all(questions.collect(), &|answer| {
        let (claims, risks) = (read_claims(answer, hearing.resolver)?, read_risks(answer, hearing.resolver)?);
        Ok((reply::summary(answer), claims, risks))
    })?;
    note_refused(desk.view, hearing.resolver);
    let mut critiques = Vec::new();
    for said in replies {
        let (summary, claims, risks) = match said.said {
            Outcome::Answer(answer) => answer,
            Outcome::CannotBeDone(reason) => return Ok(Event::CannotBeDone { by: said.by, reason }),
            Outcome::Stopped(rule, why) => return Ok(Event::Stopped { rule, why }),
        };
        let critique = Critique {
            by: said.by,
            summary,
            claims: claims.items,
            risks: risks.items,
            dropped: claims.dropped + risks.dropped,
            left_out: said.left_out,
        };
        (desk.view.note)(line(hearing.turn, &critique));
        critiques.push(critique);
    }
    Ok(Event::Critiqued(critiques))
}

/// One line for the listeners: who judged, how many risks, how many high.
fn line(turn: u32, critique: &Critique) -> String {
    use crate::artifact::types::plan::RiskLevel;
    let high = critique.risks.iter().filter(|risk| risk.severity == RiskLevel::High).count();
    let dropped = match critique.dropped {
        0 => String::new(),
        n => format!(", {} dropped", count(n as usize, "citation")),
    };
    format!(
        "turn {turn}: {} ({}) judges: {}, {high} high{dropped}",
        critique.by.role,
        critique.by.model.as_deref().unwrap_or("nobody"),
        count(critique.risks.len(), "risk")
    )
}
