//! Rego evaluation: regorus and nothing else.
//!
//! Must never turn a failure into an empty result: an error, a panic, a time limit, an undefined or misshapen value is a
//! [`Fault`] of the one rule it came from, and every rule has an engine of its own, so that no rule can hide another.
//!
//! The interpreter runs in strict mode. regorus checks the time between statements, not inside a builtin, and has no limit
//! on memory; so builtins that make much of little are bounded here or refused at load (`builtins.rs`), and the whole
//! evaluation runs on a thread that is given up, with a deny, when it does not answer in time.

use std::num::NonZeroU32;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Once, mpsc};
use std::time::{Duration, Instant};

use regorus::Value;
use regorus::utils::limits::ExecutionTimerConfig;

pub use crate::rego::Fault;

use super::builtins;
use super::spread::STACK_BYTES;

/// What an evaluation may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The time of one entry set of one rule.
    pub rule: Duration,
    /// The time of all rules together.
    pub total: Duration,
    /// The size of the input document as JSON.
    pub input_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { rule: Duration::from_secs(5), total: Duration::from_secs(15), input_bytes: 64 << 20 }
    }
}

/// Steps between two looks at the clock.
const CHECK_INTERVAL: NonZeroU32 = NonZeroU32::new(64).unwrap();

/// Room for the patterns of all rules: regorus compiles a glob or a regex once as long as its cache holds it.
static PATTERNS: Once = Once::new();

/// One rule with its libraries, parsed.
#[derive(Clone, Debug)]
pub struct Unit {
    engine: regorus::Engine,
}

impl Unit {
    /// Returns a unit without modules.
    pub fn new() -> Result<Self, Fault> {
        PATTERNS.call_once(|| regorus::cache::configure(regorus::cache::Config { regex: 1024, glob: 4096 }));
        let mut engine = regorus::Engine::new();
        engine.set_rego_v0(false);
        engine.set_strict_builtin_errors(true);
        engine.set_gather_prints(true);
        builtins::bound(&mut engine).map_err(|error| fault(&error.to_string()))?;
        Ok(Self { engine })
    }

    /// Parses a module into the unit.
    pub fn add(&mut self, name: &str, text: &str) -> Result<(), Fault> {
        let parse = || self.engine.add_policy(name.to_owned(), text.to_owned());
        match catch_unwind(AssertUnwindSafe(parse)) {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(fault(&error.to_string())),
            Err(_) => Err(Fault(format!("{name}: the parser stopped in the middle of the file"))),
        }
    }

    /// Returns the syntax tree of the module added last.
    pub fn syntax(&mut self) -> Result<serde_json::Value, Fault> {
        let modules = self.engine.get_modules();
        let last = modules.last().ok_or_else(|| Fault("no module was added".into()))?;
        serde_json::to_value(last.as_ref()).map_err(|error| fault(&error.to_string()))
    }

    /// Evaluates one rule, by its full path, over an input.
    pub fn query(&mut self, input: Value, path: &str, time: Duration) -> Result<Value, Fault> {
        self.engine
            .set_execution_timer_config(ExecutionTimerConfig { limit: time, check_interval: CHECK_INTERVAL });
        self.engine.set_input(input);
        let evaluate = || self.engine.eval_rule(path.to_owned());
        match catch_unwind(AssertUnwindSafe(evaluate)) {
            Ok(Ok(Value::Undefined)) => Err(Fault(format!("`{path}` is undefined"))),
            Ok(Ok(value)) => Ok(value),
            Ok(Err(error)) if error.to_string().contains("exceeded time limit") => Err(too_slow(path, time)),
            Ok(Err(error)) => Err(fault(&error.to_string())),
            Err(_) => Err(Fault(format!("`{path}` stopped in the middle of a builtin"))),
        }
    }

    /// Evaluates an entry set and returns its elements.
    fn entry(&mut self, input: &Value, path: &str, time: Duration) -> Result<Vec<serde_json::Value>, Fault> {
        let Value::Set(set) = self.query(input.clone(), path, time)? else {
            return Err(Fault(format!("`{path}` is not a set")));
        };
        set.iter()
            .map(|value| serde_json::to_value(value).map_err(|error| fault(&error.to_string())))
            .collect()
    }
}

/// A rule to evaluate: its unit and the full paths of its entry sets.
#[derive(Clone, Debug)]
pub struct Job {
    /// The rule with its libraries.
    pub unit: Unit,
    /// The full paths, as `data.orch.paths.denied.deny`.
    pub entries: Vec<String>,
}

/// The elements of each entry set of a rule, in the order of [`Job::entries`], or why there are none.
pub type Answer = Result<Vec<Vec<serde_json::Value>>, Fault>;

/// Evaluates every job over one input; exactly one answer for each job, in order.
pub fn evaluate(jobs: Vec<Job>, input: String, limits: Limits) -> Vec<Answer> {
    let count = jobs.len();
    let (sender, receiver) = mpsc::channel();
    let started = Instant::now();
    let worker = std::thread::Builder::new().name("policy".into()).stack_size(STACK_BYTES);
    let spawned = worker.spawn(move || run(jobs, &input, limits, &sender));
    let mut answers: Vec<Answer> = Vec::with_capacity(count);
    if spawned.is_ok() {
        // Half a second more than the worker allows itself: past that it hangs inside a builtin.
        let patience = limits.total + Duration::from_millis(500);
        while answers.len() < count {
            match receiver.recv_timeout(patience.saturating_sub(started.elapsed())) {
                Ok(answer) => answers.push(answer),
                Err(_) => break,
            }
        }
    }
    answers.resize_with(count, || Err(used_up()));
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
    let input = Value::from_json_str(input).map_err(|error| fault(&error.to_string()));
    for mut job in jobs {
        let mut entry = |input: &Value, path: &String| {
            let left = limits.total.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Err(used_up());
            }
            let time = limits.rule.min(left);
            // What is left differs from run to run, and must not be told: a verdict holds no times.
            let answer = job.unit.entry(input, path, time);
            answer.map_err(|fault| {
                if left < limits.rule && fault == too_slow(path, time) { used_up() } else { fault }
            })
        };
        let answer =
            input.clone().and_then(|input| job.entries.iter().map(|path| entry(&input, path)).collect());
        if sender.send(answer).is_err() {
            return;
        }
    }
}

/// Makes one line of an error of regorus.
fn fault(text: &str) -> Fault {
    Fault::of(text)
}
