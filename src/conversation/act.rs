//! `/orch stop` and `/orch rerun STAGE`: a run is ended, or one of its jobs run once more.
//!
//! Must never touch a run that was not found by `find`.

use crate::artifact::id::StageId;
use crate::ports::forge::{Answer, ForgeError, RunJob, RunsRead, RunsWrite};

use super::find::Found;

/// What was done, in a sentence, and whether anything was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Acted {
    /// The sentence, for people.
    pub said: String,
    /// Whether anything was done.
    pub done: bool,
}

fn nothing(said: impl Into<String>) -> Acted {
    Acted { said: said.into(), done: false }
}

/// Ends every run that has not ended.
pub fn stop(found: &[Found], write: &dyn RunsWrite) -> Answer<Acted> {
    let mut ended = Vec::new();
    for one in found.iter().filter(|one| !one.workflow.ended) {
        match write.cancel_run(one.workflow.id) {
            Ok(()) => ended.push(one.workflow.id.to_string()),
            // It has ended a moment ago.
            Err(ForgeError::Conflict { .. }) => {}
            Err(error) => return Err(error),
        }
    }
    if ended.is_empty() {
        return Ok(nothing("Nothing of this is running, so there is nothing to stop."));
    }
    let what = if ended.len() == 1 { "the run" } else { "the runs" };
    Ok(Acted {
        said: format!("Stopped {what} {}. What was made so far is kept.", ended.join(", ")),
        done: true,
    })
}

/// Runs the job of a stage once more, and with it every job that needs it.
pub fn rerun(stage: StageId, found: &[Found], read: &dyn RunsRead, write: &dyn RunsWrite) -> Answer<Acted> {
    if let Some(busy) = found.iter().find(|one| !one.workflow.ended) {
        return Ok(nothing(format!(
            "The run {} is still at work. Wait until it has ended, or stop it with `/orch stop`.",
            busy.workflow.id
        )));
    }
    for one in found {
        let jobs = read.run_jobs(one.workflow.id)?;
        // Of several rounds, the newest that ran.
        let Some(job) = jobs.iter().rfind(|job| !job.skipped && is_of(job, stage)) else { continue };
        return Ok(match write.rerun_job(job.id) {
            Ok(()) => Acted {
                said: format!(
                    "Running `{stage}` once more, and all after it, in the run {}.",
                    one.workflow.id
                ),
                done: true,
            },
            Err(ForgeError::Conflict { why, .. }) => {
                nothing(format!("The forge does not run `{stage}` again: {why}. `/orch run` starts anew."))
            }
            Err(error) => return Err(error),
        });
    }
    Ok(nothing(format!("No run of this has a job of `{stage}` that ran. `/orch run` starts anew.")))
}

/// Tells whether a job is that of a stage; the names of jobs that called its workflow stand before its own.
fn is_of(job: &RunJob, stage: StageId) -> bool {
    let own = job.name.rsplit(" / ").next().unwrap_or_default();
    own == stage.as_str() || own.strip_prefix(stage.as_str()).is_some_and(|rest| rest.starts_with(" (round "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_job_is_known_by_the_last_part_of_its_name() {
        let job = |name: &str| RunJob { id: 1, name: name.into(), skipped: false };
        for (name, is) in [
            ("orch / run / verify-green (round 2)", true),
            ("verify-green", true),
            ("orch / verify-green / result", false),
            ("orch / run / verify-greener", false),
            ("orch / run / verify-red", false),
        ] {
            assert_eq!(is_of(&job(name), StageId::VerifyGreen), is, "{name}");
        }
    }
}
