//! `sprintf` as OPA has it, that is as Go's `fmt` has it, and `strings.render_template`.
//!
//! Must never fail on a wrong number of arguments: Go says so in the text, and a deny keeps its message. A verb it does not
//! know in Go's way is an error, never another text.

use std::fmt::Write as _;

use regorus::Value;

use super::crypto::hex;
use super::{Builtin, Wrong, builtin, kind_name, text};

/// The builtins of this file.
pub(super) const ALL: &[Builtin] = &[
    builtin("sprintf", 2, |args| {
        let format = text(args, 0)?;
        let Some(Value::Array(values)) = args.get(1) else {
            return Err(Wrong(format!(
                "needs an array as argument 2, and got {}",
                args.get(1).map_or("nothing", kind_name)
            )));
        };
        sprintf(format, values.as_slice()).map(Value::from)
    }),
    builtin("strings.render_template", 2, |args| {
        let template = text(args, 0)?;
        render(template, &args[1]).map(Value::from)
    }),
];

/// The most places a width or a precision may ask for.
const WIDEST: usize = 10_000;

/// A value as Go sees it.
enum Operand {
    Int(i128),
    Float(f64),
    Text(String),
}

impl Operand {
    fn of(value: &Value) -> Self {
        match value {
            Value::Number(_) => {
                let shown = value.to_string();
                if let Ok(int) = shown.parse::<i128>() {
                    return Self::Int(int);
                }
                value.as_f64().map_or(Self::Text(shown), Self::Float)
            }
            Value::String(text) => Self::Text(text.to_string()),
            other => Self::Text(shown(other)),
        }
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Int(_) => "int",
            Self::Float(_) => "float64",
            Self::Text(_) => "string",
        }
    }

    fn plain(&self) -> String {
        match self {
            Self::Int(n) => n.to_string(),
            Self::Float(f) => general(*f, None),
            Self::Text(t) => t.clone(),
        }
    }
}

/// Returns a value as OPA writes it.
pub fn shown(value: &Value) -> String {
    match value {
        Value::String(_) => value.to_string(),
        Value::Array(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("[{}]", items.join(", "))
        }
        Value::Set(items) if items.is_empty() => "set()".into(),
        Value::Set(items) => {
            let items: Vec<String> = items.iter().map(shown).collect();
            format!("{{{}}}", items.join(", "))
        }
        Value::Object(fields) => {
            let fields: Vec<String> =
                fields.iter_sorted().map(|(k, v)| format!("{}: {}", shown(k), shown(v))).collect();
            format!("{{{}}}", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// Writes a float as `%v` does: the shortest text, with an exponent below 1e-4 and from 1e21 on.
fn general(f: f64, precision: Option<usize>) -> String {
    if let Some(precision) = precision {
        return f.to_string().parse::<f64>().map_or_else(|_| f.to_string(), |_| significant(f, precision));
    }
    let exponent = if f == 0.0 { 0.0 } else { f.abs().log10().floor() };
    if (-4.0..21.0).contains(&exponent) { f.to_string() } else { exponent_form(&format!("{f:e}")) }
}

fn significant(f: f64, precision: usize) -> String {
    let precision = precision.max(1);
    let scientific = format!("{f:.*e}", precision - 1);
    let exponent: i32 = scientific.split('e').nth(1).and_then(|e| e.parse().ok()).unwrap_or_default();
    let places = i32::try_from(precision).unwrap_or(i32::MAX);
    if exponent < -4 || exponent >= places {
        let (digits, e) = scientific.split_once('e').unwrap_or((&scientific, "0"));
        return exponent_form(&format!("{}e{e}", trimmed(digits)));
    }
    let decimals = usize::try_from(places - 1 - exponent).unwrap_or_default();
    trimmed(&format!("{f:.decimals$}")).to_owned()
}

fn trimmed(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// Turns Rust's `1e7` into Go's `1e+07`.
fn exponent_form(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once('e') else { return text.to_owned() };
    let (sign, exponent) = exponent.strip_prefix('-').map_or(('+', exponent), |rest| ('-', rest));
    format!("{digits}e{sign}{exponent:0>2}")
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a character of a format")]
struct Flags {
    plus: bool,
    minus: bool,
    sharp: bool,
    space: bool,
    zero: bool,
    width: Option<usize>,
    precision: Option<usize>,
}

fn sprintf(format: &str, values: &[Value]) -> Result<String, Wrong> {
    let mut out = String::with_capacity(format.len() + 32);
    let mut chars = format.chars().peekable();
    let (mut next, mut reordered) = (0, false);
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flags = Flags::default();
        while let Some(flag) = chars.next_if(|c| "+-# 0".contains(*c)) {
            match flag {
                '+' => flags.plus = true,
                '-' => flags.minus = true,
                '#' => flags.sharp = true,
                ' ' => flags.space = true,
                _ => flags.zero = true,
            }
        }
        if chars.peek() == Some(&'[') {
            chars.next();
            let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
            let index = digits.parse::<usize>().ok().filter(|n| *n > 0 && *n <= values.len());
            if chars.next() != Some(']') {
                return Err(Wrong(format!("got the format `{format}` with an index that does not end")));
            }
            let Some(index) = index else {
                let verb = chars.next().unwrap_or('%');
                let _ = write!(out, "%!{verb}(BADINDEX)");
                continue;
            };
            (next, reordered) = (index - 1, true);
        }
        let number = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>, next: &mut usize| {
            if chars.next_if_eq(&'*').is_some() {
                let value = values.get(*next).and_then(|v| v.as_i64().ok());
                *next += 1;
                let value = value.and_then(|n| usize::try_from(n).ok());
                return value
                    .map(Some)
                    .ok_or_else(|| Wrong("got a `*` without a whole number for it".into()));
            }
            let digits: String = std::iter::from_fn(|| chars.next_if(char::is_ascii_digit)).collect();
            Ok(digits.parse().ok())
        };
        flags.width = number(&mut chars, &mut next)?;
        if chars.next_if_eq(&'.').is_some() {
            flags.precision = Some(number(&mut chars, &mut next)?.unwrap_or(0));
        }
        if flags.width.max(flags.precision).is_some_and(|n| n > WIDEST) {
            return Err(Wrong(format!(
                "got the format `{format}`, which asks for more than {WIDEST} places"
            )));
        }
        match chars.next() {
            None => out += "%!(NOVERB)",
            Some('%') => out.push('%'),
            Some(verb) => match values.get(next) {
                None => drop(write!(out, "%!{verb}(MISSING)")),
                Some(value) => {
                    next += 1;
                    out += &padded(&one(verb, &Operand::of(value), &flags)?, &flags);
                }
            },
        }
    }
    if !reordered && next < values.len() {
        let extra: Vec<String> = values[next..]
            .iter()
            .map(|v| {
                let operand = Operand::of(v);
                format!("{}={}", operand.kind(), operand.plain())
            })
            .collect();
        let _ = write!(out, "%!(EXTRA {})", extra.join(", "));
    }
    Ok(out)
}

fn padded(text: &str, flags: &Flags) -> String {
    let width = flags.width.unwrap_or(0);
    let missing = width.saturating_sub(text.chars().count());
    if missing == 0 {
        text.to_owned()
    } else if flags.minus {
        text.to_owned() + &" ".repeat(missing)
    } else if flags.zero {
        let (sign, digits) = if text.starts_with(['-', '+']) { text.split_at(1) } else { ("", text) };
        format!("{sign}{}{digits}", "0".repeat(missing))
    } else {
        " ".repeat(missing) + text
    }
}

fn one(verb: char, operand: &Operand, flags: &Flags) -> Result<String, Wrong> {
    let signed = |text: String| {
        if text.starts_with('-') {
            text
        } else if flags.plus {
            format!("+{text}")
        } else if flags.space {
            format!(" {text}")
        } else {
            text
        }
    };
    let cut =
        |text: &str| flags.precision.map_or_else(|| text.to_owned(), |p| text.chars().take(p).collect());
    Ok(match (verb, operand) {
        // OPA knows 101.00 from 101 and says `%!f(int=101)` of the second; here both are whole numbers by now, and a
        // policy that asks for decimals gets them.
        ('f' | 'F' | 'e' | 'E' | 'g' | 'G', Operand::Int(n)) => {
            #[expect(clippy::cast_precision_loss, reason = "decimals were asked for")]
            let float = Operand::Float(*n as f64);
            one(verb, &float, flags)?
        }
        ('T', operand) => operand.kind().to_owned(),
        ('v', Operand::Text(t)) if flags.sharp => quoted(t),
        ('v' | 'd', Operand::Int(n)) => signed(n.to_string()),
        ('v' | 'g' | 'G', Operand::Float(f)) => signed(general(*f, flags.precision)),
        ('v' | 's', Operand::Text(t)) => cut(t),
        ('q', Operand::Text(t)) => quoted(&cut(t)),
        ('q', Operand::Int(n)) => {
            u32::try_from(*n).ok().and_then(char::from_u32).map_or("'\u{fffd}'".into(), |c| format!("'{c}'"))
        }
        ('x', Operand::Int(n)) => radix(*n, flags, "0x", |n| format!("{n:x}")),
        ('X', Operand::Int(n)) => radix(*n, flags, "0X", |n| format!("{n:X}")),
        ('o', Operand::Int(n)) => radix(*n, flags, "0", |n| format!("{n:o}")),
        ('b', Operand::Int(n)) => radix(*n, flags, "0b", |n| format!("{n:b}")),
        ('c', Operand::Int(n)) => {
            u32::try_from(*n).ok().and_then(char::from_u32).unwrap_or('\u{fffd}').to_string()
        }
        ('U', Operand::Int(n)) => format!("U+{n:04X}"),
        ('x', Operand::Text(t)) => hex(t.as_bytes()),
        ('X', Operand::Text(t)) => hex(t.as_bytes()).to_uppercase(),
        ('f' | 'F', Operand::Float(f)) => signed(format!("{f:.*}", flags.precision.unwrap_or(6))),
        ('e', Operand::Float(f)) => signed(exponent_form(&format!("{f:.*e}", flags.precision.unwrap_or(6)))),
        ('E', Operand::Float(f)) => {
            signed(exponent_form(&format!("{f:.*e}", flags.precision.unwrap_or(6))).to_uppercase())
        }
        ('w' | 'p', _) => return Err(Wrong(format!("got the verb `%{verb}`, which is not for values"))),
        (verb, operand) => format!("%!{verb}({}={})", operand.kind(), operand.plain()),
    })
}

fn radix(n: i128, flags: &Flags, prefix: &str, digits: fn(u128) -> String) -> String {
    let sign = if n < 0 { "-" } else { "" };
    format!("{sign}{}{}", if flags.sharp { prefix } else { "" }, digits(n.unsigned_abs()))
}

/// Quotes a text as Go's `strconv.Quote` does.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out += "\\\"",
            '\\' => out += "\\\\",
            '\n' => out += "\\n",
            '\r' => out += "\\r",
            '\t' => out += "\\t",
            '\u{7}' => out += "\\a",
            '\u{8}' => out += "\\b",
            '\u{c}' => out += "\\f",
            '\u{b}' => out += "\\v",
            c if (c as u32) < 0x20 || c as u32 == 0x7f => drop(write!(out, "\\x{:02x}", c as u32)),
            c => out.push(c),
        }
    }
    out + "\""
}

/// Fills in `{{.name}}`; anything more of Go's templates is an error.
fn render(template: &str, values: &Value) -> Result<String, Wrong> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, inside)) = rest.split_once("{{") {
        out += before;
        let (action, after) =
            inside.split_once("}}").ok_or_else(|| Wrong("got a template with `{{` and no `}}`".into()))?;
        let path = action.trim().strip_prefix('.').filter(|p| {
            p.is_empty()
                || p.split('.')
                    .all(|part| part.chars().all(|c| c.is_alphanumeric() || c == '_') && !part.is_empty())
        });
        let path = path.ok_or_else(|| {
            Wrong(format!("got the template action `{action}`; only `{{{{.name}}}}` is known"))
        })?;
        let mut value = values;
        for part in path.split('.').filter(|p| !p.is_empty()) {
            value = &value[part];
        }
        match value {
            Value::Undefined => {
                return Err(Wrong(format!("got a template that asks for `{path}`, which is not there")));
            }
            Value::String(text) => out += text,
            Value::Array(_) | Value::Object(_) | Value::Set(_) => {
                return Err(Wrong(format!(
                    "got a template that asks for `{path}`, which is {}",
                    kind_name(value)
                )));
            }
            other => out += &other.to_string(),
        }
        rest = after;
    }
    Ok(out + rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(format: &str, values: &str) -> String {
        let values = Value::from_json_str(values).unwrap();
        sprintf(format, values.as_array().unwrap().as_slice()).unwrap_or_else(|e| format!("error: {e}"))
    }

    #[test]
    fn texts_are_those_of_go() {
        for (format, values, want) in [
            ("%s", r#"["a", "b"]"#, "a%!(EXTRA string=b)"),
            ("%s %s", r#"["a"]"#, "a %!s(MISSING)"),
            ("%s", "[1]", "%!s(int=1)"),
            ("%d", r#"["x"]"#, "%!d(string=x)"),
            ("%v %v %v", r#"[true, null, {"b": [1, "x"], "a": 2}]"#, r#"true null {"a": 2, "b": [1, "x"]}"#),
            ("%t", "[true]", "%!t(string=true)"),
            ("%d%%", "[5]", "5%"),
            ("%5d|%-5d|%05d|%+d", "[1, 2, 3, 4]", "    1|2    |00003|+4"),
            ("%.2f %v %g", "[1.5, 1.5, 0.1]", "1.50 1.5 0.1"),
            ("%f %.2f %.1e %g", "[1, 101.00, 10, 7]", "1.000000 101.00 1.0e+01 7"),
            ("%x %X %o %b %c", "[255, 255, 8, 5, 65]", "ff FF 10 101 A"),
            ("%q %10s|%-4s|%.1s", r#"["a\"b", "x", "y", "zz"]"#, r#""a\"b"          x|y   |z"#),
            ("%[2]s %[1]s", r#"["a", "b"]"#, "b a"),
            ("%", "[]", "%!(NOVERB)"),
            ("%!", r#"["a"]"#, "%!!(string=a)"),
            ("no verb", "[]", "no verb"),
        ] {
            assert_eq!(say(format, values), want, "{format} {values}");
        }
        assert!(say("%99999999d", "[1]").starts_with("error"));
        assert_eq!(say("%*d", "[4, 1]"), "   1");
    }

    #[test]
    fn templates_are_filled_in_or_refused() {
        let values = Value::from_json_str(r#"{"a": "x", "b": {"c": 1}}"#).unwrap();
        assert_eq!(render("{{.a}}-{{ .b.c }}", &values).unwrap(), "x-1");
        for template in ["{{", "{{.nope}}", "{{range .a}}{{end}}", "{{.b}}"] {
            assert!(render(template, &values).is_err(), "{template}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_format_makes_it_panic(format: String, values: Vec<i64>) {
            let values: Vec<Value> = values.into_iter().map(Value::from).collect();
            let _ = sprintf(&format, &values);
            let _ = render(&format, &Value::new_object());
        }
    }
}
