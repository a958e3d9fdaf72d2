//! The builtins a rule may call: those whose result depends on their arguments alone, and stays in proportion to them.
//!
//! Must never let a rule read the time, the network, the environment or randomness: the same input gives the same verdict.

use regorus::{Engine, Value};

/// The builtins rules may call; anything else is refused by name when the rule is loaded.
const ALLOWED: &[&str] = &[
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "base64.decode",
    "base64.encode",
    "base64.is_valid",
    "ceil",
    "concat",
    "contains",
    "count",
    "endswith",
    "floor",
    "format_int",
    "glob.match",
    "glob.quote_meta",
    "hex.decode",
    "hex.encode",
    "indexof",
    "indexof_n",
    "intersection",
    "is_array",
    "is_boolean",
    "is_null",
    "is_number",
    "is_object",
    "is_set",
    "is_string",
    "json.filter",
    "json.is_valid",
    "json.marshal",
    "json.remove",
    "json.unmarshal",
    "lower",
    "max",
    "min",
    "numbers.range",
    "object.filter",
    "object.get",
    "object.keys",
    "object.remove",
    "object.subset",
    "object.union",
    "object.union_n",
    "print",
    "product",
    "regex.find_n",
    "regex.is_valid",
    "regex.match",
    "regex.replace",
    "regex.split",
    "replace",
    "round",
    "semver.compare",
    "semver.is_valid",
    "sort",
    "split",
    "sprintf",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "strings.count",
    "strings.replace_n",
    "strings.reverse",
    "substring",
    "sum",
    "to_number",
    "trace",
    "trim",
    "trim_left",
    "trim_prefix",
    "trim_right",
    "trim_space",
    "trim_suffix",
    "type_name",
    "union",
    "units.parse",
    "units.parse_bytes",
    "upper",
];

/// Builtins whose result depends on more than their arguments; a name that ends in `.` stands for all below it.
const WORLD: &[&str] = &["http.send", "net.lookup_ip_addr", "opa.runtime", "rand.", "time.", "uuid."];

/// The longest list `numbers.range` makes.
const MAX_RANGE: i64 = 100_000;

/// Tells why a builtin may not be called, to be read after its name; `None` when it may.
pub fn refusal(name: &str) -> Option<&'static str> {
    let is = |entry: &&str| name == *entry || (entry.ends_with('.') && name.starts_with(*entry));
    if ALLOWED.contains(&name) {
        None
    } else if WORLD.iter().any(is) {
        Some("reads the time, the network, the machine or chance, and a verdict depends on its input alone")
    } else {
        Some("is not a function of this rule, of its libraries or of this engine")
    }
}

/// Replaces builtins that make a huge value of a small one.
pub fn bound(engine: &mut Engine) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    engine.add_extension("numbers.range".into(), 2, Box::new(|args: Vec<Value>| Ok(range(&args)?)))?;
    Ok(())
}

/// Why a range was refused.
#[derive(Debug, thiserror::Error)]
enum RangeError {
    /// Not two whole numbers.
    #[error("numbers.range needs two whole numbers")]
    NotWhole,
    /// Too long.
    #[error("numbers.range makes at most {MAX_RANGE} numbers")]
    TooLong,
}

fn range(args: &[Value]) -> Result<Value, RangeError> {
    let whole = |at: usize| args.get(at).and_then(|v| v.as_i64().ok()).ok_or(RangeError::NotWhole);
    let (from, to) = (whole(0)?, whole(1)?);
    if from.checked_sub(to).is_none_or(|length| length.saturating_abs() >= MAX_RANGE) {
        return Err(RangeError::TooLong);
    }
    let numbers: Vec<Value> = if from <= to {
        (from..=to).map(Value::from).collect()
    } else {
        (to..=from).rev().map(Value::from).collect()
    };
    Ok(Value::from(numbers))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_reads_the_world_is_refused_as_such() {
        for name in ["http.send", "time.now_ns", "opa.runtime", "rand.intn", "uuid.rfc4122"] {
            assert!(refusal(name).is_some_and(|why| why.contains("verdict")), "{name}");
        }
        for name in ["crypto.sha256", "io.jwt.decode", "bits.lsh", "nonsense"] {
            assert!(refusal(name).is_some_and(|why| why.contains("engine")), "{name}");
        }
        assert_eq!(refusal("sprintf"), None);
    }

    #[test]
    fn the_list_is_sorted_and_regorus_has_every_builtin_in_it() {
        assert!(ALLOWED.is_sorted());
        for name in ALLOWED {
            let mut engine = Engine::new();
            // Wrong arguments on purpose: what must not come back is that the function does not exist.
            let error = engine.eval_query(format!("{name}(1, 2, 3, 4, 5)"), false).map(|_| ());
            let text = error.err().map(|e| e.to_string()).unwrap_or_default();
            assert!(!text.contains("could not find function"), "{name}: {text}");
        }
    }

    #[test]
    fn ranges_are_bounded() {
        let range = |from: i64, to: i64| range(&[Value::from(from), Value::from(to)]);
        assert_eq!(range(3, 1).unwrap(), Value::from(vec![Value::from(3), Value::from(2), Value::from(1)]));
        assert!(range(1, 1_000_000_000).is_err());
        assert!(range(i64::MIN, i64::MAX).is_err());
    }
}
