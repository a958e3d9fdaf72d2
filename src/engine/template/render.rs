//! Texts and conditions of a template, evaluated with minijinja.
//!
//! Must never render a value twice: what a parameter holds stays text, whatever it looks like.

use std::collections::BTreeMap;

use minijinja::syntax::SyntaxConfig;
use minijinja::{Environment, UndefinedBehavior, Value};

use crate::engine::EngineError;

use super::source::broken;

/// Evaluates the texts of one template over one set of values.
pub struct Renderer<'a> {
    env: Environment<'a>,
    values: Value,
    name: &'a str,
}

impl<'a> Renderer<'a> {
    /// Returns a renderer for the template `name`; an unknown variable is an error, nothing is escaped by itself.
    pub fn new(name: &'a str, values: BTreeMap<String, Value>) -> Self {
        let mut env = Environment::new();
        env.set_undefined_behavior(UndefinedBehavior::Strict);
        env.set_auto_escape_callback(|_| minijinja::AutoEscape::None);
        // The delimiters are the usual ones, so this cannot fail; if it did, templates would only render more white space.
        if let Ok(syntax) =
            SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()
        {
            env.set_syntax(syntax);
        }
        env.set_fuel(Some(200_000));
        env.add_filter("regex_escape", |text: String| regex::escape(&text));
        env.add_filter("first_upper", |text: String| {
            let mut chars = text.chars();
            chars.next().map(|c| c.to_uppercase().chain(chars).collect::<String>()).unwrap_or_default()
        });
        env.add_filter("identifier", |text: String| {
            let mut name: String =
                text.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
            name.make_ascii_lowercase();
            name.trim_matches('_').to_owned()
        });
        // JSON strings are also YAML, Python and TOML strings: the way to put any text into code.
        env.add_filter("quoted", |text: String| {
            serde_json::to_string(&text).map_err(|e| {
                minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, format!("cannot quote: {e}"))
            })
        });
        Self { env, values: Value::from(values), name }
    }

    /// Returns a text with its expressions filled in.
    pub fn text(&self, what: &str, source: &str) -> Result<String, EngineError> {
        self.env
            .render_named_str(what, source, &self.values)
            .map_err(|e| broken(self.name, &format!("`{what}`: {}", one_line(&e))))
    }

    /// Tells whether a condition holds; an absent one does.
    pub fn holds(&self, condition: Option<&str>) -> Result<bool, EngineError> {
        condition.map_or(Ok(true), |c| Ok(self.value(c)?.is_true()))
    }

    /// Returns the value of an expression; a name that does not exist is an error.
    pub fn value(&self, expression: &str) -> Result<Value, EngineError> {
        let value = self
            .env
            .compile_expression_owned(expression.to_owned())
            .and_then(|e| e.eval(&self.values))
            .map_err(|e| broken(self.name, &format!("`{expression}`: {}", one_line(&e))))?;
        if value.is_undefined() {
            return Err(broken(self.name, &format!("`{expression}` is undefined")));
        }
        Ok(value)
    }
}

fn one_line(error: &minijinja::Error) -> String {
    let detail =
        error.detail().map_or_else(|| error.kind().to_string(), |d| format!("{}: {d}", error.kind()));
    error.line().map_or_else(|| detail.clone(), |line| format!("{detail} (line {line})"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn renderer() -> Renderer<'static> {
        let values = [
            ("title", Value::from("{{ repo }} \"q\"\n")),
            ("repo", Value::from(BTreeMap::<String, Value>::new())),
        ];
        Renderer::new("t", values.into_iter().map(|(k, v)| (k.to_owned(), v)).collect())
    }

    #[test]
    fn values_are_not_rendered_again_and_can_be_quoted() {
        assert_eq!(renderer().text("x", "{{ title }}").unwrap(), "{{ repo }} \"q\"\n");
        assert_eq!(renderer().text("x", "{{ title | quoted }}").unwrap(), r#""{{ repo }} \"q\"\n""#);
        assert_eq!(renderer().text("x", "a\n").unwrap(), "a\n");
    }

    #[test]
    fn unknown_names_are_errors_that_say_where() {
        let error = renderer().text("x.j2", "a\n{{ nothing }}").unwrap_err();
        assert_eq!(
            error.to_string(),
            "the template `t` is broken: `x.j2`: undefined value: `nothing` is undefined (line 2)"
        );
        assert!(renderer().holds(Some("nothing")).is_err());
        assert!(renderer().holds(Some("title and not false")).unwrap());
        assert!(
            renderer()
                .text("x", "{% for i in range(100000) %}{% for j in range(9999) %}x{% endfor %}{% endfor %}")
                .is_err()
        );
    }
}
