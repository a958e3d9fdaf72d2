//! The values a template takes: found in the request, given by default, checked by pattern.
//!
//! Must never let a value through that its pattern does not match as a whole: values end up in paths and code.

use std::collections::BTreeMap;
use std::ops::Range;

use minijinja::Value;

use crate::engine::EngineError;

use super::manifest::Parameter;
use super::render::Renderer;
use super::request::blank;
use super::source::{Template, broken, regex};

const MAX_LINE: usize = 200;
const MAX_TEXT: usize = 16 * 1024;

/// What a request says of a template's parameters.
#[derive(Clone, Debug, Default)]
pub struct Captured {
    /// Values by name.
    pub values: BTreeMap<String, String>,
    /// The parts of the request they account for.
    pub taken: Vec<Range<usize>>,
}

/// Why the values of a template cannot be had.
pub enum ParameterError {
    /// The request has to say more, or something else; to be read after the template's name.
    Request(String),
    /// The template is broken.
    Engine(EngineError),
}

impl From<EngineError> for ParameterError {
    fn from(error: EngineError) -> Self {
        Self::Engine(error)
    }
}

/// Finds values in a request.
pub fn capture(template: &Template, request: &str) -> Result<Captured, EngineError> {
    let mut captured = Captured::default();
    for parameter in &template.manifest.parameters {
        for source in &parameter.request {
            let pattern = regex(&source.pattern).map_err(|why| broken(template.name(), &why))?;
            // What one parameter took is not there for the next one.
            let rest = blank(request, &captured.taken);
            let Some(found) = pattern.captures(&rest) else { continue };
            let text = found.name("value").or_else(|| found.get(0)).map_or("", |m| m.as_str());
            let value = source.value.clone().unwrap_or_else(|| text.trim().to_owned());
            captured.values.insert(parameter.name.clone(), value);
            captured.taken.extend(found.name("taken").or_else(|| found.get(0)).map(|m| m.range()));
            break;
        }
    }
    Ok(captured)
}

/// Returns every value, checked; `known` are the values expressions may use besides parameters.
pub fn resolve(
    template: &Template,
    captured: &BTreeMap<String, String>,
    known: &BTreeMap<String, Value>,
) -> Result<BTreeMap<String, String>, ParameterError> {
    let mut values = known.clone();
    let mut resolved = BTreeMap::new();
    for p in &template.manifest.parameters {
        let renderer = Renderer::new(template.name(), values.clone());
        let value = match (captured.get(&p.name), &p.default) {
            (Some(value), _) => Some(value.clone()),
            (None, Some(default)) => Some(renderer.text(&p.name, default)?).filter(|v| !v.is_empty()),
            (None, None) => None,
        };
        let value = match value {
            Some(value) => {
                check(template, p, &value)?;
                value
            }
            None if renderer.holds(p.needed.as_deref())? => {
                return Err(ParameterError::Request(
                    p.missing.clone().unwrap_or_else(|| format!("needs {}", p.description)),
                ));
            }
            None => String::new(),
        };
        values.insert(p.name.clone(), Value::from(value.clone()));
        resolved.insert(p.name.clone(), value);
    }
    Ok(resolved)
}

/// Checks one value against its parameter.
fn check(template: &Template, p: &Parameter, value: &str) -> Result<(), ParameterError> {
    let limit = if p.multiline { MAX_TEXT } else { MAX_LINE };
    let control = |c: char| c.is_control() && !(p.multiline && matches!(c, '\n' | '\t'));
    let pattern = regex(&format!(r"\A(?:{})\z", p.pattern)).map_err(|why| broken(template.name(), &why))?;
    if value.len() > limit || value.chars().any(control) || !pattern.is_match(value) {
        let shown: String = value.chars().take(60).map(|c| if c.is_control() { ' ' } else { c }).collect();
        return Err(ParameterError::Request(format!("cannot take `{shown}` as {}", p.description)));
    }
    Ok(())
}
