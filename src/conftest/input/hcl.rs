//! HCL 2 in the shape of conftest: a block is an array below its labels, an expression that is no literal stands as
//! `${...}`.
//!
//! Must never evaluate an expression.

use hcl::expr::{Expression, TemplateExpr};
use hcl::structure::{Body, Structure};
use serde_json::{Map, Value};

/// The deepest nesting that is read.
const DEEPEST: usize = 200;

/// Reads a text.
pub(super) fn parse(text: &str) -> Result<Value, String> {
    let depth = |step: fn(char) -> bool| text.chars().filter(|c| step(*c)).count();
    if depth(|c| matches!(c, '{' | '[' | '(')) > DEEPEST && nesting(text) > DEEPEST {
        return Err(format!("it is nested more than {DEEPEST} deep"));
    }
    let body: Body =
        hcl::parse(text).map_err(|e| e.to_string().lines().next().unwrap_or_default().trim().to_owned())?;
    Ok(Value::Object(object(body)))
}

fn nesting(text: &str) -> usize {
    let (mut now, mut most) = (0_usize, 0);
    for c in text.chars() {
        match c {
            '{' | '[' | '(' => now += 1,
            '}' | ']' | ')' => now = now.saturating_sub(1),
            _ => {}
        }
        most = most.max(now);
    }
    most
}

fn object(body: Body) -> Map<String, Value> {
    let mut fields = Map::new();
    for structure in body {
        match structure {
            Structure::Attribute(attribute) => {
                fields.insert(attribute.key.to_string(), value(&attribute.expr));
            }
            Structure::Block(block) => {
                let path: Vec<String> = std::iter::once(block.identifier.to_string())
                    .chain(block.labels.into_iter().map(hcl::BlockLabel::into_inner))
                    .collect();
                place(&mut fields, &path, Value::Object(object(block.body)));
            }
        }
    }
    fields
}

/// Appends a block to the array below its labels.
fn place(fields: &mut Map<String, Value>, path: &[String], block: Value) {
    let Some((first, rest)) = path.split_first() else { return };
    if rest.is_empty() {
        match fields.get_mut(first) {
            Some(Value::Array(items)) => items.push(block),
            _ => drop(fields.insert(first.clone(), Value::Array(vec![block]))),
        }
        return;
    }
    let inner = fields.entry(first).or_insert_with(|| Value::Object(Map::new()));
    if !inner.is_object() {
        *inner = Value::Object(Map::new());
    }
    if let Value::Object(inner) = inner {
        place(inner, rest, block);
    }
}

fn value(expr: &Expression) -> Value {
    match expr {
        Expression::Null => Value::Null,
        Expression::Bool(b) => (*b).into(),
        Expression::Number(n) => n
            .as_i64()
            .map(Value::from)
            .or_else(|| n.as_u64().map(Value::from))
            .unwrap_or_else(|| n.as_f64().into()),
        Expression::String(text) => text.clone().into(),
        Expression::Array(items) => items.iter().map(value).collect(),
        Expression::Object(fields) => {
            let key = |key: &hcl::expr::ObjectKey| match key {
                hcl::expr::ObjectKey::Identifier(name) => name.to_string(),
                hcl::expr::ObjectKey::Expression(Expression::String(text)) => text.clone(),
                hcl::expr::ObjectKey::Expression(expr) => match value(expr) {
                    Value::String(text) => text,
                    other => other.to_string(),
                },
                _ => String::new(),
            };
            Value::Object(fields.iter().map(|(name, expr)| (key(name), value(expr))).collect())
        }
        Expression::TemplateExpr(template) => match template.as_ref() {
            TemplateExpr::QuotedString(text) => text.clone().into(),
            TemplateExpr::Heredoc(heredoc) => heredoc.template.clone().into(),
        },
        Expression::Parenthesis(inner) => match value(inner) {
            Value::String(text) if text.starts_with("${") => source(expr),
            other => other,
        },
        other => source(other),
    }
}

/// Returns an expression as it would be written inside a template.
fn source(expr: &Expression) -> Value {
    hcl::format::to_string(expr).map_or(Value::Null, |text| format!("${{{}}}", text.trim()).into())
}
