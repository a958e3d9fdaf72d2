//! The builtins of OPA: which regorus has, which we add, which are refused by name when a rule that calls one is loaded.
//!
//! Must never read the network, the environment or the file system, and never turn an argument it cannot use into a value:
//! that is an error, and an error denies.

mod answer;
mod cidr;
mod crypto;
mod format;
mod jwt;
mod legacy;
mod pattern;
mod table;

use std::cell::Cell;

use regorus::{Engine, Value};

use super::fault::Fault;

pub use answer::{ANSWER, answers};
pub use table::{REFUSED, WORLD, native, reference};

/// Why a builtin did not answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Wrong(pub String);

/// A builtin of ours.
pub struct Builtin {
    /// Its name in Rego.
    pub name: &'static str,
    /// How many arguments it takes.
    pub arity: u8,
    /// What it does.
    pub run: fn(&[Value]) -> Result<Value, Wrong>,
}

const fn builtin(name: &'static str, arity: u8, run: fn(&[Value]) -> Result<Value, Wrong>) -> Builtin {
    Builtin { name, arity, run }
}

/// Returns every builtin of ours.
pub fn ours() -> impl Iterator<Item = &'static Builtin> {
    [answer::ALL, crypto::ALL, jwt::ALL, cidr::ALL, format::ALL, legacy::ALL, pattern::ALL]
        .into_iter()
        .flatten()
}

/// Adds our builtins to an engine.
pub fn install(engine: &mut Engine) -> Result<(), Fault> {
    for builtin in ours() {
        let (name, run) = (builtin.name, builtin.run);
        let call = move |args: Vec<Value>| match run(&args) {
            Ok(value) => Ok(value),
            Err(_) if LENIENT.get() => Ok(Value::Undefined),
            Err(wrong) => Err(wrong_of(name, wrong).into()),
        };
        engine
            .add_extension(name.into(), builtin.arity, Box::new(call))
            .map_err(|e| Fault::of(&e.to_string()))?;
    }
    Ok(())
}

thread_local! {
    /// Whether an error of a builtin counts as undefined on this thread, as OPA has it by default.
    static LENIENT: Cell<bool> = const { Cell::new(false) };
}

/// Says whether an error of one of our builtins counts as undefined on this thread from now on.
pub(super) fn lenient(yes: bool) {
    LENIENT.set(yes);
}

fn wrong_of(name: &str, wrong: Wrong) -> Wrong {
    Wrong(format!("`{name}` {}", wrong.0))
}

/// Tells why a builtin may not be called, to be read after its name; `None` when it may. With `world` the time may be asked.
pub fn refusal(name: &str, world: bool) -> Option<String> {
    if let Some((_, why)) = WORLD.iter().find(|(entry, _)| !world && *entry == name) {
        return Some((*why).into());
    }
    if ours().any(|b| b.name == name) || native(name) {
        return None;
    }
    let refused = REFUSED
        .iter()
        .find(|(entry, _)| name == *entry || (entry.ends_with('.') && name.starts_with(*entry)));
    Some(
        refused.map_or_else(
            || "is no builtin and no function of these policies".into(),
            |(_, why)| (*why).into(),
        ),
    )
}

/// Returns an argument as text.
fn text(args: &[Value], at: usize) -> Result<&str, Wrong> {
    match args.get(at) {
        Some(Value::String(text)) => Ok(text.as_ref()),
        other => Err(wrong_type(at, "a string", other)),
    }
}

fn wrong_type(at: usize, wanted: &str, got: Option<&Value>) -> Wrong {
    let got = got.map_or("nothing", kind_name);
    Wrong(format!("needs {wanted} as argument {}, and got {got}", at + 1))
}

fn kind_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Set(_) => "a set",
        Value::Object(_) => "an object",
        Value::Undefined => "undefined",
    }
}

/// Returns the elements of an array or a set.
fn elements<'a>(args: &'a [Value], at: usize) -> Result<Box<dyn Iterator<Item = &'a Value> + 'a>, Wrong> {
    match args.get(at) {
        Some(Value::Array(items)) => Ok(Box::new(items.iter())),
        Some(Value::Set(items)) => Ok(Box::new(items.iter())),
        other => Err(wrong_type(at, "an array or a set", other)),
    }
}
