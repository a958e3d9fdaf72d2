//! The builtins that only Rego v0 has: `any`, `all`, `re_match`, `cast_*`, `set_diff`; and what mending needs.
//!
//! Must never be kinder than OPA was: a value that cannot be cast is an error.

use regorus::Value;

use super::{Builtin, Wrong, builtin, elements, kind_name, text};
use crate::rego::mend::scalar::COLLECTION;

/// The builtins of this file.
pub(super) const ALL: &[Builtin] = &[
    builtin("all", 1, |args| Ok(Value::from(elements(args, 0)?.all(|v| *v == Value::Bool(true))))),
    builtin("any", 1, |args| Ok(Value::from(elements(args, 0)?.any(|v| *v == Value::Bool(true))))),
    builtin("cast_array", 1, |args| Ok(Value::from(elements(args, 0)?.cloned().collect::<Vec<_>>()))),
    builtin("cast_boolean", 1, |args| cast(args, |v| matches!(v, Value::Bool(_)))),
    builtin("cast_null", 1, |args| cast(args, |v| *v == Value::Null)),
    builtin("cast_object", 1, |args| cast(args, |v| matches!(v, Value::Object(_)))),
    builtin("cast_set", 1, |args| {
        Ok(Value::from(elements(args, 0)?.cloned().collect::<std::collections::BTreeSet<_>>()))
    }),
    builtin("cast_string", 1, |args| cast(args, |v| matches!(v, Value::String(_)))),
    builtin("re_match", 2, |args| {
        let pattern =
            regex::Regex::new(text(args, 0)?).map_err(|_| Wrong("needs a pattern as argument 1".into()))?;
        Ok(Value::from(pattern.is_match(text(args, 1)?)))
    }),
    builtin("set_diff", 2, |args| match (args.first(), args.get(1)) {
        (Some(Value::Set(a)), Some(Value::Set(b))) => Ok(Value::from(
            a.iter().filter(|v| !b.contains(v)).cloned().collect::<std::collections::BTreeSet<_>>(),
        )),
        _ => Err(Wrong("needs two sets".into())),
    }),
    builtin(COLLECTION, 1, |args| {
        Ok(match args.first() {
            Some(Value::Array(_) | Value::Set(_) | Value::Object(_)) => Value::from(true),
            _ => Value::Undefined,
        })
    }),
];

fn cast(args: &[Value], fits: fn(&Value) -> bool) -> Result<Value, Wrong> {
    match args.first() {
        Some(value) if fits(value) => Ok(value.clone()),
        other => Err(Wrong(format!("cannot cast {}", other.map_or("nothing", kind_name)))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_do_what_they_did() {
        let run = |name: &str, args: &[Value]| (ALL.iter().find(|b| b.name == name).unwrap().run)(args);
        let list = |json: &str| Value::from_json_str(json).unwrap();
        assert_eq!(run("all", &[list("[true, true]")]).unwrap(), Value::from(true));
        assert_eq!(run("all", &[list("[]")]).unwrap(), Value::from(true));
        assert_eq!(run("any", &[list("[false, true]")]).unwrap(), Value::from(true));
        assert_eq!(run("any", &[list("[]")]).unwrap(), Value::from(false));
        assert_eq!(run("re_match", &[Value::from("^a+$"), Value::from("aaa")]).unwrap(), Value::from(true));
        assert_eq!(run("cast_string", &[Value::from("a")]).unwrap(), Value::from("a"));
        assert!(run("cast_string", &[Value::from(1)]).is_err());
        assert!(run("re_match", &[Value::from("("), Value::from("a")]).is_err());
        assert_eq!(run(COLLECTION, &[Value::from("str")]).unwrap(), Value::Undefined);
        assert!(run("set_diff", &[Value::from(1), Value::from(1)]).is_err());
    }
}
