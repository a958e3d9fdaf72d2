//! Questions to policies, spread over threads with one engine each and held to their limits.
//!
//! Must never wait for what does not come back: a thread that hangs inside a builtin is given up with a fault, and another
//! one takes its place. Must never leave a question without an answer.

use std::collections::BTreeMap;
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{Builder, available_parallelism};
use std::time::{Duration, Instant};

use regorus::Value;

use crate::rego::limit::{Limits, STACK_BYTES, used};
use crate::rego::{Fault, Policies, Session};

/// A question: the full path of a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The path, as `data.main.deny`.
    pub path: String,
}

/// The answer to one question, with what was printed.
pub type Answer = (Result<Value, Fault>, Vec<String>);

/// More threads than this cost more than they give.
const MAX_THREADS: usize = 8;

/// How long past its limit a rule may stay inside a builtin.
const PATIENCE: Duration = Duration::from_millis(500);

/// How often memory and hung threads are looked at.
const LOOK: Duration = Duration::from_millis(25);

enum News {
    Started(usize),
    Done(usize, Box<Answer>),
}

/// What all threads of one round share.
struct Round {
    session: Session,
    questions: Vec<Question>,
    input: Value,
    data: Option<Value>,
    lenient: bool,
    limits: Limits,
    next: AtomicUsize,
}

/// Answers every question over one input, in order.
pub fn ask(
    policies: &Policies,
    questions: Vec<Question>,
    (input, data): (Value, Option<Value>),
    lenient: bool,
    limits: Limits,
) -> Vec<Answer> {
    let count = questions.len();
    let round = Arc::new(Round {
        session: policies.session(),
        questions,
        input,
        data,
        lenient,
        limits,
        next: AtomicUsize::new(0),
    });
    let (sender, receiver) = mpsc::channel();
    let mut threads = 0;
    for _ in 0..available_parallelism().map_or(1, NonZero::get).min(MAX_THREADS).min(count) {
        threads += usize::from(start(&round, &sender));
    }
    let mut answers: Vec<Option<Answer>> = (0..count).map(|_| None).collect();
    let mut running: BTreeMap<usize, Instant> = BTreeMap::new();
    let mut left = count;
    while left > 0 && threads > 0 {
        match receiver.recv_timeout(LOOK) {
            Ok(News::Started(at)) => drop(running.insert(at, Instant::now())),
            Ok(News::Done(at, answer)) => {
                // An answer that comes after its rule was given up is too late.
                if running.remove(&at).is_some() && answers[at].is_none() {
                    answers[at] = Some(*answer);
                    left -= 1;
                }
            }
            Err(mpsc::RecvTimeoutError::Disconnected) => break,
            Err(mpsc::RecvTimeoutError::Timeout) => {
                if used() > limits.memory_bytes {
                    break;
                }
                let late: Vec<usize> = running
                    .iter()
                    .filter(|(_, since)| since.elapsed() > limits.rule + PATIENCE)
                    .map(|(at, _)| *at)
                    .collect();
                for at in late {
                    running.remove(&at);
                    answers[at] = Some((Err(too_slow(&round.questions[at].path, limits)), Vec::new()));
                    left -= 1;
                    threads -= 1;
                    threads += usize::from(start(&round, &sender));
                }
            }
        }
    }
    // Nothing more is started: what waits finds no question.
    round.next.store(count, Ordering::Relaxed);
    let unanswered = |at: usize| {
        let why = format!(
            "`{}` did not answer: the policies used more than {} MB, or could not be run",
            round.questions[at].path,
            limits.memory_bytes >> 20
        );
        (Err(Fault(why)), Vec::new())
    };
    answers.into_iter().enumerate().map(|(at, answer)| answer.unwrap_or_else(|| unanswered(at))).collect()
}

fn too_slow(path: &str, limits: Limits) -> Fault {
    Fault(format!("`{path}` took longer than {} ms", limits.rule.as_millis()))
}

fn start(round: &Arc<Round>, sender: &mpsc::Sender<News>) -> bool {
    let (round, sender) = (Arc::clone(round), sender.clone());
    let worker = Builder::new().name("policy".into()).stack_size(STACK_BYTES);
    worker.spawn(move || work(&round, &sender)).is_ok()
}

fn work(round: &Round, sender: &mpsc::Sender<News>) {
    let mut session: Option<Session> = None;
    loop {
        let at = round.next.fetch_add(1, Ordering::Relaxed);
        let Some(question) = round.questions.get(at) else { return };
        if sender.send(News::Started(at)).is_err() {
            return;
        }
        let answer = match session.take().map_or_else(|| prepare(round), Ok) {
            Err(fault) => (Err(fault), Vec::new()),
            Ok(mut ready) => {
                let value = ready.rule(&question.path, round.limits.rule);
                let prints = ready.prints();
                // After a fault the engine is not used again.
                session = value.is_ok().then_some(ready);
                (value, prints)
            }
        };
        if sender.send(News::Done(at, Box::new(answer))).is_err() {
            return;
        }
    }
}

fn prepare(round: &Round) -> Result<Session, Fault> {
    let mut session = round.session.clone();
    session.lenient(round.lenient);
    if let Some(data) = &round.data {
        session.data(data.clone())?;
    }
    session.input(round.input.clone());
    Ok(session)
}
