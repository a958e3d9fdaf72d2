//! YAML text becomes a value of the known keys only, and every complaint has its line and column.
//!
//! Must never take more memory than a sane config needs: aliases are expanded under a budget, and the rest is refused.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{self, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use crate::diagnostic::{Place, Problem};

use super::keys::{self, Key, LEVELS, Takes};

/// Values a file may hold, aliases expanded.
const MAX_VALUES: usize = 20_000;

/// Brackets a file may open within each other: the reader's work grows with their number squared.
const MAX_NESTED: u32 = 200;

/// Whole numbers beyond this are not the same in every JSON reader.
const MAX_EXACT: u64 = 1 << 53;

/// Reads YAML text; keys that are not there are not in the value.
pub fn read(text: &str) -> Result<Value, Problem> {
    walk(text, None)
}

/// Returns where the value at a path is written, as `sandbox.limits.seconds` or `commands.test[1]`.
pub fn locate(text: &str, path: &str) -> Option<Place> {
    walk(text, Some(path)).err().filter(|p| p.what == FOUND).and_then(|p| p.place)
}

const FOUND: &str = "found";

fn walk(text: &str, stop: Option<&str>) -> Result<Value, Problem> {
    if let Some(problem) = too_deep(text) {
        return Err(problem);
    }
    let sink = Sink { problem: RefCell::new(None), values: Cell::new(0), stop };
    let seed = Seed { sink: &sink, path: String::new(), expect: Expect::Section };
    match seed.deserialize(serde_yaml::Deserializer::from_str(text)) {
        Ok(value) => Ok(value),
        Err(error) => {
            let place = error.location().map(|l| Place { line: l.line(), column: l.column() });
            match sink.problem.take() {
                Some(problem) => Err(Problem { place, ..problem }),
                None if place.is_none() && is_blank(text) => Ok(Value::Null),
                None => Err(syntax(text, place, &error)),
            }
        }
    }
}

/// Returns a problem where more brackets are open than any sane file has, in whatever part of the text.
fn too_deep(text: &str) -> Option<Problem> {
    let mut open = 0_u32;
    for (index, line) in text.lines().enumerate() {
        for byte in line.bytes() {
            match byte {
                b'[' | b'{' => open += 1,
                b']' | b'}' => open = open.saturating_sub(1),
                _ => {}
            }
            if open > MAX_NESTED {
                let what = format!("more than {MAX_NESTED} brackets are open within each other");
                let place = Some(Place { line: index + 1, column: 1 });
                return Some(Problem {
                    place,
                    ..Problem::new(what, Some("Close them, or write less.".into()))
                });
            }
        }
    }
    None
}

/// Tells whether there is nothing but space and comments.
fn is_blank(text: &str) -> bool {
    text.lines().map(str::trim).all(|line| line.is_empty() || line.starts_with('#'))
}

fn syntax(text: &str, place: Option<Place>, error: &serde_yaml::Error) -> Problem {
    let full = error.to_string();
    let message = full.split(" at line ").next().unwrap_or(&full).to_owned();
    let line = place.and_then(|p| text.lines().nth(p.line.saturating_sub(1))).unwrap_or_default();
    let indent: String = line.chars().take_while(|c| c.is_whitespace()).collect();
    let help = if indent.contains('\t') {
        "Indent with spaces: YAML takes no tabs there."
    } else {
        "The reference page of the configuration has the form of each key."
    };
    Problem { place, what: message, help: Some(help.into()) }
}

struct Sink<'a> {
    problem: RefCell<Option<Problem>>,
    values: Cell<usize>,
    stop: Option<&'a str>,
}

impl Sink<'_> {
    /// Keeps the problem and returns the error that carries it out of the parser, which adds the place.
    fn fail<E: de::Error>(&self, problem: Problem) -> E {
        *self.problem.borrow_mut() = Some(problem);
        E::custom("see the problem")
    }
}

/// What may stand at a place.
#[derive(Clone, Copy)]
enum Expect {
    Section,
    Key(&'static Key),
    Text,
    Command,
    Level,
    Pack,
    Anything,
}

struct Seed<'a> {
    sink: &'a Sink<'a>,
    path: String,
    expect: Expect,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl Seed<'_> {
    /// Counts the value, and stops at the place that is looked for.
    fn enter<E: de::Error>(&self) -> Result<(), E> {
        if self.sink.stop == Some(self.path.as_str()) {
            return Err(self.sink.fail(Problem::new(FOUND, None)));
        }
        self.sink.values.set(self.sink.values.get() + 1);
        if self.sink.values.get() > MAX_VALUES {
            let what = format!("the file holds more than {MAX_VALUES} values, aliases written out");
            return Err(self.sink.fail(Problem::new(what, Some("Write less, or fewer aliases.".into()))));
        }
        Ok(())
    }

    fn name(&self) -> String {
        if self.path.is_empty() { "the file".into() } else { format!("`{}`", self.path) }
    }

    fn must_be(&self) -> String {
        match self.expect {
            Expect::Section => match keys::names_in(&self.path).as_slice() {
                ["*"] => "a map from names".into(),
                names => format!("a map with the keys {}", names.join(", ")),
            },
            Expect::Key(key) => key.takes.describe(),
            Expect::Text => "text".into(),
            Expect::Command => "a command: one text or a list of words".into(),
            Expect::Level => Takes::Choice(LEVELS).describe(),
            Expect::Pack => {
                "a pack: a folder, or a map with `git`, `ref` and `folder`, or with `file` and `sha256`"
                    .into()
            }
            Expect::Anything => "a value JSON has too".into(),
        }
    }

    fn wrong<E: de::Error>(&self, found: &str) -> E {
        let text_wanted = matches!(
            self.expect,
            Expect::Text
                | Expect::Command
                | Expect::Key(Key { takes: Takes::Text | Takes::Texts | Takes::Commands, .. })
        );
        let scalar = !found.starts_with("a list") && !found.starts_with("a map");
        let help = (text_wanted && scalar).then(|| "Put quotes around it.".to_owned());
        let what = format!("{} must be {}, not {found}", self.name(), self.must_be());
        self.sink.fail(Problem::new(what, help))
    }

    fn choice<E: de::Error>(&self, words: &[&str], text: &str) -> Result<Value, E> {
        if words.contains(&text) {
            return Ok(text.into());
        }
        let help = keys::most_like(text, words.iter().copied(), 0.7).map(|w| format!("Did you mean `{w}`?"));
        let what = format!("{} must be {}, not the text {text:?}", self.name(), self.must_be());
        Err(self.sink.fail(Problem::new(what, help)))
    }

    fn number<E: de::Error>(&self, number: u64) -> Result<Value, E> {
        match self.expect {
            Expect::Key(Key { takes: Takes::Number { min, max }, .. }) if (*min..=*max).contains(&number) => {
                Ok(number.into())
            }
            Expect::Key(Key { takes: Takes::Amount | Takes::Decimal, .. }) => Ok(number.to_string().into()),
            Expect::Anything if number <= MAX_EXACT => Ok(number.into()),
            Expect::Anything => {
                Err(self.wrong(&format!("the number {number}, which is too large to be exact")))
            }
            _ => Err(self.wrong(&format!("the number {number}"))),
        }
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.must_be())
    }

    fn visit_unit<E: de::Error>(self) -> Result<Value, E> {
        self.enter()?;
        match self.expect {
            Expect::Section | Expect::Key(_) | Expect::Anything => Ok(Value::Null),
            Expect::Text | Expect::Command | Expect::Level | Expect::Pack => Err(self.wrong("empty")),
        }
    }

    fn visit_none<E: de::Error>(self) -> Result<Value, E> {
        self.visit_unit()
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Value, E> {
        self.enter()?;
        match self.expect {
            Expect::Key(Key { takes: Takes::Flag, .. }) | Expect::Anything => Ok(flag.into()),
            Expect::Level | Expect::Key(Key { takes: Takes::Choice(_), .. }) => {
                Err(self.wrong(&format!("{flag}")))
            }
            _ => Err(self.wrong(&format!("the flag {flag}"))),
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Value, E> {
        self.enter()?;
        self.number(number)
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Value, E> {
        self.enter()?;
        match u64::try_from(number) {
            Ok(number) => self.number(number),
            Err(_) if matches!(self.expect, Expect::Anything) && number.unsigned_abs() <= MAX_EXACT => {
                Ok(number.into())
            }
            Err(_) => Err(self.wrong(&format!("the number {number}"))),
        }
    }

    fn visit_u128<E: de::Error>(self, number: u128) -> Result<Value, E> {
        self.enter()?;
        Err(self.wrong(&format!("the number {number}")))
    }

    fn visit_i128<E: de::Error>(self, number: i128) -> Result<Value, E> {
        self.enter()?;
        Err(self.wrong(&format!("the number {number}")))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Value, E> {
        self.enter()?;
        match (self.expect, Number::from_f64(number)) {
            // The shortest text that gives the number back is what was written, up to zeros at its end.
            (Expect::Key(Key { takes: Takes::Amount | Takes::Decimal, .. }), Some(_)) => {
                Ok(number.to_string().into())
            }
            (Expect::Anything, Some(number)) => Ok(Value::Number(number)),
            _ => Err(self.wrong(&format!("the number {number}"))),
        }
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Value, E> {
        self.enter()?;
        match self.expect {
            Expect::Text | Expect::Command | Expect::Pack | Expect::Anything => Ok(text.into()),
            Expect::Level => self.choice(LEVELS, text),
            Expect::Key(key) => match key.takes {
                Takes::Text | Takes::Amount | Takes::Decimal => Ok(text.into()),
                Takes::Texts | Takes::Commands | Takes::Packs => Ok(Value::Array(vec![text.into()])),
                Takes::Choice(words) => self.choice(words, text),
                Takes::Flag | Takes::Number { .. } | Takes::Levels | Takes::Settings => {
                    Err(self.wrong(&format!("the text {text:?}")))
                }
            },
            Expect::Section => Err(self.wrong(&format!("the text {text:?}"))),
        }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        self.enter()?;
        let expect = match self.expect {
            Expect::Key(Key { takes: Takes::Texts, .. }) | Expect::Command => Expect::Text,
            Expect::Key(Key { takes: Takes::Commands, .. }) => Expect::Command,
            Expect::Key(Key { takes: Takes::Packs, .. }) => Expect::Pack,
            Expect::Anything => Expect::Anything,
            _ => return Err(self.wrong("a list")),
        };
        let mut values = Vec::new();
        loop {
            let path = format!("{}[{}]", self.path, values.len());
            match list.next_element_seed(Seed { sink: self.sink, path, expect })? {
                Some(value) => values.push(value),
                None => return Ok(Value::Array(values)),
            }
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        self.enter()?;
        let open = match self.expect {
            Expect::Section => None,
            Expect::Key(Key { takes: Takes::Levels, .. }) => Some(Expect::Level),
            Expect::Key(Key { takes: Takes::Settings, .. }) | Expect::Anything => Some(Expect::Anything),
            Expect::Pack => Some(Expect::Text),
            _ => return Err(self.wrong("a map")),
        };
        let mut values = Map::new();
        let (sink, section) = (self.sink, self.path.as_str());
        while let Some((name, path)) =
            map.next_key_seed(NameSeed { sink, section, seen: &values, closed: open.is_none() })?
        {
            let expect = open.or_else(|| keys::find(&path).map(Expect::Key)).unwrap_or(Expect::Section);
            let value = map.next_value_seed(Seed { sink, path, expect })?;
            values.insert(name, value);
        }
        Ok(Value::Object(values))
    }

    fn visit_enum<A: EnumAccess<'de>>(self, data: A) -> Result<Value, A::Error> {
        drop(data);
        let what = format!("{} has a YAML tag", self.name());
        Err(self.sink.fail::<A::Error>(Problem::new(what, Some("Write the value without `!`.".into()))))
    }
}

/// Reads one key of a map and checks that it is known and new.
struct NameSeed<'a> {
    sink: &'a Sink<'a>,
    section: &'a str,
    seen: &'a Map<String, Value>,
    closed: bool,
}

impl<'de> DeserializeSeed<'de> for NameSeed<'_> {
    type Value = (String, String);

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl Visitor<'_> for NameSeed<'_> {
    type Value = (String, String);

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key that is text")
    }

    fn visit_str<E: de::Error>(self, name: &str) -> Result<Self::Value, E> {
        let path = if self.section.is_empty() { name.to_owned() } else { format!("{}.{name}", self.section) };
        if self.seen.contains_key(name) {
            let what = format!("the key `{}` is there twice", path.escape_debug());
            return Err(self.sink.fail(Problem::new(what, Some("Keep one of them.".into()))));
        }
        if self.closed && (name.contains('.') || (keys::find(&path).is_none() && !keys::is_section(&path))) {
            return Err(self.sink.fail(self.unknown(name, &path)));
        }
        if path.len() > 1024 {
            return Err(E::custom("a key is longer than 1024 bytes"));
        }
        Ok((name.to_owned(), path))
    }
}

impl NameSeed<'_> {
    fn unknown(&self, name: &str, path: &str) -> Problem {
        let short: String = path.escape_debug().take(120).collect();
        let help = if name == "<<" {
            "Merge keys are not supported; write the keys out.".to_owned()
        } else if keys::find(name).is_some() {
            "Write each part as a key of its own, below the one before.".to_owned()
        } else if let Some(nearest) = keys::nearest(self.section, name) {
            format!("Did you mean `{nearest}`?")
        } else {
            format!("Known keys here: {}.", keys::names_in(self.section).join(", "))
        };
        Problem::new(format!("unknown key `{short}`"), Some(help))
    }
}
