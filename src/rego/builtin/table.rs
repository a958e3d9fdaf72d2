//! Which builtin of OPA is whose, as data; the reference page is made from it.
//!
//! Must never list as native what regorus has not: a test asks it for every name.

use std::fmt::Write as _;

use super::ours;

/// Builtins that regorus has and that answer from their arguments alone.
const NATIVE: &[&str] = &[
    "abs",
    "array.concat",
    "array.reverse",
    "array.slice",
    "base64.decode",
    "base64.encode",
    "base64.is_valid",
    "base64url.decode",
    "base64url.encode",
    "base64url.encode_no_pad",
    "bits.and",
    "bits.lsh",
    "bits.negate",
    "bits.or",
    "bits.rsh",
    "bits.xor",
    "ceil",
    "concat",
    "contains",
    "count",
    "endswith",
    "floor",
    "format_int",
    "glob.quote_meta",
    "graph.reachable",
    "graph.reachable_paths",
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
    "json.marshal_with_options",
    "json.match_schema",
    "json.patch",
    "json.remove",
    "json.unmarshal",
    "json.verify_schema",
    "lower",
    "max",
    "min",
    "net.cidr_contains",
    "net.cidr_expand",
    "net.cidr_is_valid",
    "object.filter",
    "object.get",
    "object.keys",
    "object.remove",
    "object.subset",
    "object.union",
    "object.union_n",
    "print",
    "product",
    "regex.find_all_string_submatch_n",
    "regex.find_n",
    "regex.is_valid",
    "regex.replace",
    "regex.split",
    "regex.template_match",
    "replace",
    "round",
    "semver.compare",
    "semver.is_valid",
    "sort",
    "split",
    "startswith",
    "strings.any_prefix_match",
    "strings.any_suffix_match",
    "strings.count",
    "strings.replace_n",
    "strings.reverse",
    "substring",
    "sum",
    "time.add_date",
    "time.clock",
    "time.date",
    "time.diff",
    "time.format",
    "time.parse_duration_ns",
    "time.parse_ns",
    "time.parse_rfc3339_ns",
    "time.weekday",
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
    "urlquery.decode",
    "urlquery.decode_object",
    "urlquery.encode",
    "urlquery.encode_object",
    "uuid.parse",
    "walk",
    "yaml.is_valid",
    "yaml.marshal",
    "yaml.unmarshal",
];

/// Builtins that regorus has and that read more than their arguments: only a test and `eval` may call them.
pub const WORLD: &[(&str, &str)] =
    &[("time.now_ns", "reads the clock, and a verdict depends on its input alone: give the time as data")];

/// Builtins that are replaced while a module is read.
const AT_LOAD: &[(&str, &str)] = &[
    ("rego.metadata.chain", "the annotations are read at load and stand there as a value"),
    ("rego.metadata.rule", "the annotations are read at load and stand there as a value"),
];

/// Builtins that are refused, and why; a name that ends in `.` stands for all below it.
pub const REFUSED: &[(&str, &str)] = &[
    ("crypto.parse_private_keys", "would read private keys"),
    ("crypto.x509.", "is not here: certificates are not parsed"),
    ("graphql.", "is not here: GraphQL is not parsed"),
    ("http.send", "reads the network, and a verdict depends on its input alone"),
    ("internal.", "is for OPA itself"),
    ("io.jwt.decode_verify", "is not here: use `io.jwt.decode` with the `io.jwt.verify_*` of one algorithm"),
    ("io.jwt.encode_sign", "would sign, and a policy has no key"),
    ("io.jwt.encode_sign_raw", "would sign, and a policy has no key"),
    ("io.jwt.verify_es512", "is not here: P-521 is not supported"),
    ("net.lookup_ip_addr", "reads the network, and a verdict depends on its input alone"),
    ("object.rename", "is no builtin of OPA"),
    ("opa.runtime", "reads the machine, and a verdict depends on its input alone"),
    ("parse_config", "is not here: give the file as input"),
    ("parse_config_file", "is not here: give the file as input"),
    ("parse_combined_config_files", "is not here: give the files as input, with `--combine`"),
    ("providers.aws.", "would sign requests to a service"),
    ("rand.intn", "is chance, and a verdict depends on its input alone"),
    ("regex.globs_match", "is not here"),
    ("rego.parse_module", "is not here: OPA's syntax tree is not made"),
    ("uuid.rfc4122", "is chance, and a verdict depends on its input alone"),
];

/// Tells whether regorus answers a builtin, or it is replaced at load.
pub fn native(name: &str) -> bool {
    NATIVE.contains(&name) || WORLD.iter().any(|(n, _)| *n == name) || AT_LOAD.iter().any(|(n, _)| *n == name)
}

/// Returns the reference page.
pub fn reference() -> String {
    let mut text = String::from(
        "# Rego builtins\n\nFor every rule: those of `orch stage policy` and policies of your own (`orch policy check`, `test`, `eval`). *native* is regorus, *ours* is added by \
         `orch`, *refused* is named with the rule that calls it when the policies are loaded, and that rule denies. Operators are not \
         listed; all are there.\n\n| builtin | whose | note |\n|---|---|---|\n",
    );
    let mut rows: Vec<(String, &str, &str)> = Vec::new();
    rows.extend(
        NATIVE.iter().filter(|n| !ours().any(|b| b.name == **n)).map(|n| ((*n).to_owned(), "native", "")),
    );
    rows.extend(
        ours().filter(|b| !b.name.starts_with("__")).map(|b| (b.name.to_owned(), "ours", note(b.name))),
    );
    rows.extend(
        WORLD.iter().map(|(n, why)| ((*n).to_owned(), "native in tests and `eval`, else refused", *why)),
    );
    rows.extend(AT_LOAD.iter().map(|(n, why)| ((*n).to_owned(), "ours", *why)));
    rows.extend(
        REFUSED.iter().map(|(n, why)| {
            (if n.ends_with('.') { format!("{n}*") } else { (*n).to_owned() }, "refused", *why)
        }),
    );
    rows.sort();
    for (name, whose, note) in rows {
        let _ = writeln!(text, "| `{name}` | {whose} | {note} |");
    }
    text
}

fn note(name: &str) -> &'static str {
    match name {
        "sprintf" => "as Go's `fmt`: a wrong number of arguments is told in the text",
        "strings.render_template" => "`{{.name}}` only; any other action is an error",
        "all" | "any" | "re_match" | "set_diff" => "Rego v0 only in OPA",
        _ if name.starts_with("cast_") => "Rego v0 only in OPA",
        _ if name.starts_with("io.jwt.verify_") && !name.contains("_hs") => "the key as a PEM `PUBLIC KEY`",
        "numbers.range" | "numbers.range_step" => "at most a million numbers",
        _ => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regorus_has_every_native_builtin() {
        for name in NATIVE {
            let mut engine = regorus::Engine::new();
            // Wrong arguments on purpose: what must not come back is that the function does not exist.
            let error = engine.eval_query(format!("{name}(1, 2, 3, 4, 5)"), false).err();
            let text = error.map(|e| e.to_string()).unwrap_or_default();
            assert!(!text.contains("could not find function"), "{name}: {text}");
        }
    }

    #[test]
    fn nothing_is_in_two_places() {
        for builtin in ours() {
            assert!(!native(builtin.name), "{}", builtin.name);
            assert!(!REFUSED.iter().any(|(n, _)| *n == builtin.name), "{}", builtin.name);
        }
        assert!(super::super::refusal("time.now_ns", true).is_none());
        assert!(super::super::refusal("time.now_ns", false).is_some_and(|why| why.contains("verdict")));
        assert!(super::super::refusal("http.send", true).is_some_and(|why| why.contains("network")));
        assert!(super::super::refusal("crypto.x509.parse_certificates", true).is_some());
        assert!(super::super::refusal("nonsense", true).is_some_and(|why| why.contains("no builtin")));
    }
}
