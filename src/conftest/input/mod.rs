//! Inputs of a check as JSON values, in the shapes conftest gives them.
//!
//! Must never panic on any bytes, and never take half a file for the whole: what cannot be read to its end is an error.

mod dockerfile;
mod hcl;
mod ini;
mod lines;
mod xml;
mod yaml;

use serde_json::Value;

/// What reads an input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Parser {
    /// YAML, of one document or several.
    Yaml,
    /// JSON.
    Json,
    /// JSON with comments.
    Jsonc,
    /// TOML.
    Toml,
    /// INI.
    Ini,
    /// HCL 2, as Terraform has it.
    Hcl2,
    /// A Dockerfile.
    Dockerfile,
    /// `.env`.
    Dotenv,
    /// Java properties.
    Properties,
    /// `.gitignore` and the like.
    Ignore,
    /// XML.
    Xml,
}

impl Parser {
    /// Every parser.
    pub const ALL: [Self; 11] = [
        Self::Yaml,
        Self::Json,
        Self::Jsonc,
        Self::Toml,
        Self::Ini,
        Self::Hcl2,
        Self::Dockerfile,
        Self::Dotenv,
        Self::Properties,
        Self::Ignore,
        Self::Xml,
    ];

    /// Returns the name `--parser` takes.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Yaml => "yaml",
            Self::Json => "json",
            Self::Jsonc => "jsonc",
            Self::Toml => "toml",
            Self::Ini => "ini",
            Self::Hcl2 => "hcl2",
            Self::Dockerfile => "dockerfile",
            Self::Dotenv => "dotenv",
            Self::Properties => "properties",
            Self::Ignore => "ignore",
            Self::Xml => "xml",
        }
    }

    /// Returns the parser of a name.
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|p| p.name() == name)
    }

    /// Returns the parser a path asks for; standard input is YAML.
    pub fn of(path: &str) -> Result<Self, String> {
        if path == "-" {
            return Ok(Self::Yaml);
        }
        let name = path.rsplit(['/', '\\']).next().unwrap_or(path).to_lowercase();
        let extension = name.rsplit_once('.').map_or("", |(_, e)| e);
        Ok(match extension {
            _ if name == "dockerfile" || name.starts_with("dockerfile.") => Self::Dockerfile,
            "dockerfile" => Self::Dockerfile,
            "yml" | "yaml" => Self::Yaml,
            "hcl" | "tf" | "tfvars" => Self::Hcl2,
            "gitignore" | "dockerignore" => Self::Ignore,
            _ if name.starts_with(".env.") => Self::Dotenv,
            "env" => Self::Dotenv,
            other => Self::named(other).ok_or_else(|| format!("there is no parser for `{path}`"))?,
        })
    }
}

/// Reads bytes; several documents are an array.
pub fn parse(parser: Parser, bytes: &[u8]) -> Result<Value, String> {
    let text = std::str::from_utf8(bytes)
        .map_err(|e| format!("it is not UTF-8 from byte {} on", e.valid_up_to()))?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    match parser {
        Parser::Yaml => yaml::parse(text),
        Parser::Json => serde_json::from_str(text).map_err(|e| e.to_string()),
        Parser::Jsonc => serde_json::from_str(&lines::without_comments(text)).map_err(|e| e.to_string()),
        Parser::Toml => {
            toml::from_str::<toml::Value>(text).map(toml_value).map_err(|e| e.message().to_owned())
        }
        Parser::Ini => ini::parse(text),
        Parser::Hcl2 => hcl::parse(text),
        Parser::Dockerfile => dockerfile::parse(text),
        Parser::Dotenv => lines::dotenv(text),
        Parser::Properties => Ok(lines::properties(text)),
        Parser::Ignore => Ok(lines::ignore(text)),
        Parser::Xml => xml::parse(text),
    }
}

/// Reads bytes as a value of Rego; JSON goes there straight.
pub fn parse_value(parser: Parser, bytes: &[u8]) -> Result<regorus::Value, String> {
    if parser == Parser::Json
        && let Ok(text) = std::str::from_utf8(bytes)
    {
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        return regorus::Value::from_json_str(text).map_err(|e| e.to_string());
    }
    parse(parser, bytes).map(regorus::Value::from)
}

fn toml_value(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(n) => n.into(),
        toml::Value::Float(n) => n.into(),
        toml::Value::Boolean(b) => b.into(),
        toml::Value::Datetime(time) => time.to_string().into(),
        toml::Value::Array(items) => items.into_iter().map(toml_value).collect(),
        toml::Value::Table(fields) => {
            Value::Object(fields.into_iter().map(|(key, value)| (key, toml_value(value))).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(parser: Parser, text: &str) -> Value {
        parse(parser, text.as_bytes()).unwrap_or_else(|why| panic!("{text}: {why}"))
    }

    #[test]
    fn a_path_names_its_parser() {
        for (path, want) in [
            ("-", "yaml"),
            ("a/Dockerfile", "dockerfile"),
            ("Dockerfile.debug", "dockerfile"),
            ("dev.Dockerfile", "dockerfile"),
            ("x.YML", "yaml"),
            ("main.tf", "hcl2"),
            (".gitignore", "ignore"),
            (".env", "dotenv"),
            (".env.prod", "dotenv"),
            ("prod.env", "dotenv"),
            ("pom.xml", "xml"),
            ("a.properties", "properties"),
        ] {
            assert_eq!(Parser::of(path).map(Parser::name), Ok(want), "{path}");
        }
        assert!(Parser::of("README.md").is_err());
        assert!(Parser::of("Makefile").is_err());
    }

    #[test]
    fn shapes_are_those_of_conftest() {
        assert_eq!(read(Parser::Yaml, "a: 1\n---\nb: 2\n"), json!([{ "a": 1 }, { "b": 2 }]));
        assert_eq!(
            read(Parser::Toml, "a = 1.5\n[b]\nc = [true]\n"),
            json!({ "a": 1.5, "b": { "c": [true] } })
        );
        assert_eq!(
            read(Parser::Ini, "top = 1\n[s]\na = 1\nb: yes\nc = true ; no\n# x\nd = \"q\"\n"),
            json!({ "s": { "a": 1.0, "b": "yes", "c": true, "d": "q" } })
        );
        assert_eq!(
            read(
                Parser::Hcl2,
                "resource \"aws_x\" \"n\" {\n  a = 1\n  b = var.c\n  d = \"x-${var.e}\"\n  f { g = [true] }\n}\n"
            ),
            json!({ "resource": { "aws_x": { "n": [{ "a": 1, "b": "${var.c}", "d": "x-${var.e}", "f": [{ "g": [true] }] }] } } })
        );
        assert_eq!(
            read(Parser::Dotenv, "# c\nexport A=1\nB=\"x y\" # z\nC='q'\nD=\n"),
            json!({ "A": "1", "B": "x y", "C": "q", "D": "" })
        );
        assert_eq!(
            read(Parser::Properties, "a=1\nb : two\\\n  lines\n! c\n"),
            json!({ "a": "1", "b": "twolines" })
        );
        assert_eq!(read(Parser::Jsonc, "{ // x\n \"a\": \"//\" /* y */ }"), json!({ "a": "//" }));
        assert_eq!(
            read(Parser::Xml, "<a x=\"1\"><b>t</b><b>u</b><c/></a>"),
            json!({ "a": { "-x": "1", "b": ["t", "u"], "c": "" } })
        );
        let docker = read(
            Parser::Dockerfile,
            "# hi\nFROM a AS b\nRUN x \\\n  && y\nCMD [\"p\", \"q\"]\nCOPY --from=b c d\nFROM e\nENV k=v\n",
        );
        let shown: Vec<String> = docker[0]
            .as_array()
            .unwrap()
            .iter()
            .map(|c| format!("{} {} {}", c["Cmd"], c["Value"], c["Stage"]))
            .collect();
        assert_eq!(
            shown,
            [
                r#""comment" ["hi"] 0"#,
                r#""from" ["a","AS","b"] 0"#,
                r#""run" ["x   && y"] 0"#,
                r#""cmd" ["p","q"] 0"#,
                r#""copy" ["c","d"] 0"#,
                r#""from" ["e"] 1"#,
                r#""env" ["k","v","="] 1"#,
            ]
        );
        assert_eq!(docker[0][4]["Flags"], json!(["--from=b"]));
    }

    #[test]
    fn what_is_broken_is_an_error() {
        for (parser, text) in [
            (Parser::Json, "{"),
            (Parser::Yaml, "a: [1"),
            (Parser::Toml, "a = "),
            (Parser::Ini, "[s"),
            (Parser::Hcl2, "a {"),
            (Parser::Dockerfile, "NOPE x\n"),
            (Parser::Dotenv, "no equals sign\n"),
            (Parser::Xml, "<a>"),
        ] {
            assert!(parse(parser, text.as_bytes()).is_err(), "{}", parser.name());
        }
        assert!(parse(Parser::Yaml, &[0xff, 0xfe]).is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_a_parser_panic(bytes: Vec<u8>, text in "[\\[\\]{}<>\"'=:#;/\\\\a-c \n$-]{0,64}") {
            for parser in Parser::ALL {
                let _ = parse(parser, &bytes);
                let _ = parse(parser, text.as_bytes());
            }
        }
    }
}
