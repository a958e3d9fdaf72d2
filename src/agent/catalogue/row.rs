//! Reads one table of the file: known keys, right kinds, and for each complaint its place.
//!
//! Must never stop at the first problem, and must never show a value in one unless it is a name, a number or a date.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ops::Range;

use jiff::civil::Date;
use serde_json::{Map, Value};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::decimal;
use super::error::nearest;
use super::fields::Field;
use crate::artifact::money::NanoUsd;
use crate::diagnostic::{Place, Problem};

/// The text of a file and what is wrong with it.
pub struct Sheet<'t> {
    text: &'t str,
    problems: RefCell<Vec<Problem>>,
}

impl<'t> Sheet<'t> {
    /// Returns a file without problems yet.
    pub fn new(text: &'t str) -> Self {
        Self { text, problems: RefCell::new(Vec::new()) }
    }

    /// Returns the place of a part of the text.
    pub fn place(&self, span: Range<usize>) -> Place {
        Place::of(self.text, span.start)
    }

    /// Notes that something is wrong.
    pub fn wrong(&self, span: Range<usize>, what: impl Into<String>, help: Option<String>) {
        let place = Some(self.place(span));
        self.problems.borrow_mut().push(Problem { place, what: what.into(), help });
    }

    /// Returns what is wrong, in the order of the file.
    pub fn finish(self) -> Vec<Problem> {
        let mut problems = self.problems.into_inner();
        problems.sort_by_key(|problem| problem.place);
        problems
    }
}

/// A table that is read key by key.
pub struct Row<'s, 't, 'i> {
    sheet: &'s Sheet<'t>,
    table: &'s DeTable<'i>,
    /// How complaints call it, as `provider`.
    name: String,
    /// Where it stands.
    pub span: Range<usize>,
    fields: &'static [Field],
}

impl<'s, 't, 'i> Row<'s, 't, 'i> {
    /// Starts to read a table, complaining about keys that are not known.
    pub fn new(
        sheet: &'s Sheet<'t>,
        name: &str,
        value: &'s Spanned<DeValue<'i>>,
        fields: &'static [Field],
    ) -> Option<Self> {
        let Some(table) = value.get_ref().as_table() else {
            sheet.wrong(value.span(), format!("`{name}` must be a table"), None);
            return None;
        };
        let row = Self { sheet, table, name: name.to_owned(), span: value.span(), fields };
        for key in table.keys() {
            let text = key.get_ref().as_ref();
            if !fields.iter().any(|field| field.name == text) {
                row.unknown_key(key);
            }
        }
        for field in fields.iter().filter(|field| field.required && !table.contains_key(field.name)) {
            sheet.wrong(row.span.clone(), format!("`{name}` lacks the key `{}`", field.name), None);
        }
        Some(row)
    }

    fn unknown_key(&self, key: &Spanned<std::borrow::Cow<'i, str>>) {
        let text = key.get_ref().as_ref();
        if super::leak::looks_like_secret(text) {
            return self.leak(key.span());
        }
        let names = self.fields.iter().map(|field| field.name);
        let help = match nearest(text, names.clone()) {
            Some(name) => format!("Did you mean `{name}`?"),
            None => format!("Known keys are {}.", names.collect::<Vec<_>>().join(", ")),
        };
        let what = format!("`{}` has no key `{}`", self.name, shortened(text));
        self.sheet.wrong(key.span(), what, Some(help));
    }

    /// Notes that a secret stands in the file.
    pub fn leak(&self, span: Range<usize>) {
        self.sheet.wrong(
            span,
            format!("`{}` holds what looks like a secret; it is not shown here", self.name),
            Some(
                "Take it out of the file, have it revoked where it was issued, and name a variable or a file instead: \
                 credential = { env = \"NAME\" }."
                    .into(),
            ),
        );
    }

    /// Notes that the value of a key is wrong.
    pub fn wrong(&self, key: &str, why: &str) {
        let span = self.get(key).map_or_else(|| self.span.clone(), Spanned::span);
        self.sheet.wrong(span, format!("`{}.{key}` {why}", self.name), None);
    }

    /// Returns the value of a key.
    pub fn get(&self, key: &str) -> Option<&'s Spanned<DeValue<'i>>> {
        debug_assert!(self.fields.iter().any(|field| field.name == key), "{key} is not documented");
        self.table.get(key)
    }

    /// Returns the file.
    pub fn sheet(&self) -> &'s Sheet<'t> {
        self.sheet
    }

    /// Returns a text that is not empty.
    pub fn text(&self, key: &str) -> Option<String> {
        let value = self.get(key)?;
        match value.get_ref().as_str() {
            Some(text) if !text.trim().is_empty() && !text.chars().any(char::is_control) => {
                Some(text.to_owned())
            }
            Some(_) => {
                self.wrong(key, "must be one line of text");
                None
            }
            None => {
                self.wrong(key, "must be a text");
                None
            }
        }
    }

    /// Returns true or false.
    pub fn flag(&self, key: &str) -> Option<bool> {
        let value = self.get(key)?;
        let flag = value.get_ref().as_bool();
        if flag.is_none() {
            self.wrong(key, "must be true or false");
        }
        flag
    }

    /// Returns a whole number from 1.
    pub fn number(&self, key: &str, most: u64) -> Option<u64> {
        let value = self.get(key)?;
        let number = whole(value.get_ref()).filter(|n| (1..=most).contains(n));
        if number.is_none() {
            self.wrong(key, &format!("must be a whole number from 1 to {most}"));
        }
        number
    }

    /// Returns a day, written as a date or as text.
    pub fn date(&self, key: &str) -> Option<Date> {
        let value = self.get(key)?;
        let text = match value.get_ref() {
            DeValue::Datetime(date) => date.to_string(),
            DeValue::String(text) => text.to_string(),
            _ => String::new(),
        };
        let date = (text.len() == 10).then(|| text.parse().ok()).flatten();
        if date.is_none() {
            self.wrong(key, "must be a day, as 2026-10-07");
        }
        date
    }

    /// Returns a price.
    pub fn price(&self, key: &str) -> Option<NanoUsd> {
        let value = self.get(key)?;
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(key, "must be a text of dollars, as \"0.10\", so that it is read exactly");
            return None;
        };
        match decimal::dollars(text) {
            Ok(price) => Some(price),
            Err(why) => {
                self.wrong(key, why);
                None
            }
        }
    }

    /// Returns a text or a list of texts, as a list.
    pub fn texts(&self, key: &str) -> Vec<String> {
        let Some(value) = self.get(key) else { return Vec::new() };
        let list = match value.get_ref() {
            DeValue::String(text) => Some(vec![text.to_string()]),
            DeValue::Array(list) => {
                list.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect::<Option<Vec<_>>>()
            }
            _ => None,
        };
        match list {
            Some(list) if list.iter().all(|text| !text.is_empty() && !text.contains(['\0', '\n', '\r'])) => {
                list
            }
            _ => {
                self.wrong(key, "must be a text or a list of texts");
                Vec::new()
            }
        }
    }

    /// Returns a table of whole percentages from 1 to 10 000.
    pub fn percents(&self, key: &str) -> BTreeMap<String, u32> {
        self.get(key).map_or_else(BTreeMap::new, |value| self.percents_of(key, value))
    }

    /// Returns tables of percentages.
    pub fn nested_percents(&self, key: &str) -> BTreeMap<String, BTreeMap<String, u32>> {
        let Some(value) = self.get(key) else { return BTreeMap::new() };
        let Some(table) = value.get_ref().as_table() else {
            self.wrong(key, "must be a table of tables of percentages");
            return BTreeMap::new();
        };
        table.iter().map(|(name, value)| (name.get_ref().to_string(), self.percents_of(key, value))).collect()
    }

    fn percents_of(&self, key: &str, value: &Spanned<DeValue<'i>>) -> BTreeMap<String, u32> {
        let percent = |value: &Spanned<DeValue<'i>>| {
            whole(value.get_ref()).and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=10_000).contains(n))
        };
        let list = value.get_ref().as_table().and_then(|table| {
            table
                .iter()
                .map(|(name, value)| Some((name.get_ref().to_string(), percent(value)?)))
                .collect::<Option<BTreeMap<_, _>>>()
        });
        list.unwrap_or_else(|| {
            self.sheet.wrong(
                value.span(),
                format!("`{}.{key}` must be whole percentages from 1 to 10000", self.name),
                None,
            );
            BTreeMap::new()
        })
    }

    /// Returns a table as JSON, to be merged into a body.
    pub fn json(&self, key: &str) -> Map<String, Value> {
        let Some(value) = self.get(key) else { return Map::new() };
        if let Some(Value::Object(map)) = json(value.get_ref()) {
            map
        } else {
            self.wrong(key, "must be a table of settings");
            Map::new()
        }
    }
}

/// Returns a text that fits a message.
pub fn shortened(text: &str) -> String {
    let short: String = text.chars().take(40).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("{}{dots}", crate::diagnostic::text::plain(&short))
}

fn whole(value: &DeValue<'_>) -> Option<u64> {
    let number = value.as_integer()?;
    u64::from_str_radix(number.as_str(), number.radix()).ok()
}

fn json(value: &DeValue<'_>) -> Option<Value> {
    Some(match value {
        DeValue::String(text) => Value::String(text.to_string()),
        DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix()).ok()?.into(),
        DeValue::Float(number) => {
            serde_json::from_str::<Value>(number.as_str()).ok().filter(Value::is_number)?
        }
        DeValue::Boolean(flag) => Value::Bool(*flag),
        DeValue::Datetime(date) => Value::String(date.to_string()),
        DeValue::Array(list) => {
            Value::Array(list.iter().map(|item| json(item.get_ref())).collect::<Option<_>>()?)
        }
        DeValue::Table(table) => Value::Object(
            table
                .iter()
                .map(|(name, value)| Some((name.get_ref().to_string(), json(value.get_ref())?)))
                .collect::<Option<_>>()?,
        ),
    })
}
