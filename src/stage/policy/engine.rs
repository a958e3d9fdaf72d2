//! Rego evaluation of the rules that judge, with limits.
//!
//! Must never turn a failure into an empty result: an error, a panic, a time limit, an undefined or misshapen value is a
//! [`Fault`] of the one rule it came from. Each entry set is evaluated from a clean state, and never in an engine that had
//! a fault, so that no rule can hide another.
//!
//! The interpreter runs in strict mode, over modules mended as `crate::rego` mends them. It checks the time between
//! statements, not inside a builtin, and has no limit on memory; so builtins that make much of little are bounded, and the
//! whole evaluation runs on a thread that is given up, with a deny, when it does not answer in time or takes too much.

use std::sync::{Arc, mpsc};
use std::time::{Duration, Instant};

use regorus::Value;

pub use crate::rego::Fault;

use crate::rego::limit::{STACK_BYTES, used};
use crate::rego::{Policies, Session};

/// What an evaluation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time of one entry set of one rule.
    pub rule: Duration,
    /// The time of all rules together.
    pub total: Duration,
    /// The size of the input document as JSON.
    pub input_bytes: usize,
    /// The memory of the whole process.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            rule: Duration::from_secs(5),
            total: Duration::from_secs(15),
            input_bytes: 64 << 20,
            memory_bytes: 4 << 30,
        }
    }
}

/// How often the memory is looked at.
const LOOK: Duration = Duration::from_millis(25);

/// A rule to evaluate: its modules and the full paths of its entry sets.
#[derive(Clone)]
pub struct Job {
    /// The rule with its libraries, and perhaps others; or why they cannot be evaluated.
    pub policies: Result<Arc<Policies>, Fault>,
    /// The full paths, as `data.orch.paths.denied.deny`.
    pub entries: Vec<String>,
}

/// The elements of each entry set of a rule, in the order of [`Job::entries`], or why there are none.
pub type Answer = Result<Vec<Vec<serde_json::Value>>, Fault>;

/// Evaluates every job over one input; exactly one answer for each job, in order.
pub fn evaluate(jobs: Vec<Job>, input: String, limits: Limits) -> Vec<Answer> {
    let count = jobs.len();
    if count == 0 {
        return Vec::new();
    }
    let (sender, receiver) = mpsc::channel();
    let started = Instant::now();
    let worker = std::thread::Builder::new().name("policy".into()).stack_size(STACK_BYTES);
    let spawned = worker.spawn(move || run(jobs, &input, limits, &sender));
    let mut answers: Vec<Answer> = Vec::with_capacity(count);
    let mut why = used_up();
    if spawned.is_ok() {
        // Half a second more than the worker allows itself: past that it hangs inside a builtin.
        let patience = limits.total + Duration::from_millis(500);
        while answers.len() < count {
            match receiver.recv_timeout(patience.saturating_sub(started.elapsed()).min(LOOK)) {
                Ok(answer) => answers.push(answer),
                Err(mpsc::RecvTimeoutError::Disconnected) => break,
                Err(mpsc::RecvTimeoutError::Timeout) if started.elapsed() >= patience => break,
                Err(mpsc::RecvTimeoutError::Timeout) => {
                    if used() > limits.memory_bytes {
                        why = Fault(format!("the rules used more than {} MB", limits.memory_bytes >> 20));
                        break;
                    }
                }
            }
        }
    }
    answers.resize_with(count, || Err(why.clone()));
    answers
}

fn used_up() -> Fault {
    Fault("the time for all rules is used up".into())
}

fn too_slow(path: &str, time: Duration) -> Fault {
    Fault(format!("`{path}` took longer than {} ms", time.as_millis()))
}

fn run(jobs: Vec<Job>, input: &str, limits: Limits, sender: &mpsc::Sender<Answer>) {
    let started = Instant::now();
    let input = Value::from_json_str(input).map_err(|error| Fault::of(&error.to_string()));
    // Every question starts from a clean state, so one engine serves them all; after a fault there is another.
    let mut kept: Option<(Arc<Policies>, Session)> = None;
    for job in jobs {
        let answer = input.clone().and_then(|input| {
            let policies = job.policies?;
            let (policies, mut session) =
                kept.take().filter(|(of, _)| Arc::ptr_eq(of, &policies)).unwrap_or_else(|| {
                    let mut session = policies.session();
                    session.input(input);
                    (policies, session)
                });
            let paths = job.entries.iter();
            let sets = paths.map(|path| timed(&mut session, path, started, limits)).collect::<Answer>()?;
            kept = Some((policies, session));
            Ok(sets)
        });
        if sender.send(answer).is_err() {
            return;
        }
    }
}

/// The answer of a rule that gave none.
pub fn silent() -> Answer {
    Err(used_up())
}

fn timed(
    session: &mut Session,
    path: &str,
    started: Instant,
    limits: Limits,
) -> Result<Vec<serde_json::Value>, Fault> {
    let left = limits.total.saturating_sub(started.elapsed());
    if left.is_zero() {
        return Err(used_up());
    }
    let time = limits.rule.min(left);
    // What is left differs from run to run, and must not be told: a verdict holds no times.
    entry(session, path, time)
        .map_err(|fault| if left < limits.rule && fault == too_slow(path, time) { used_up() } else { fault })
}

/// Evaluates an entry set and returns its elements.
fn entry(session: &mut Session, path: &str, time: Duration) -> Result<Vec<serde_json::Value>, Fault> {
    match session.rule(path, time)? {
        Value::Set(set) => set
            .iter()
            .map(|value| serde_json::to_value(value).map_err(|error| Fault::of(&error.to_string())))
            .collect(),
        Value::Undefined => Err(Fault(format!("`{path}` is undefined"))),
        _ => Err(Fault(format!("`{path}` is not a set"))),
    }
}
