//! `orch policy explain`: the rules that judge here, with their levels, days and settings.

use std::io::{self, Write};

use clap::Args;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::artifact::day::Day;
use crate::artifact::types::verdict::{Effect, Severity};
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::config::Level;
use crate::diagnostic::explain;
use crate::ports::vcs::VcsRead as _;
use crate::stage::policy::bundle::{Bundle, Sources};
use crate::stage::policy::cfg::PolicyConfig;
use crate::stage::policy::rule::Rule;

/// Tell which rules judge changes here, and how each is taken
///
/// Rules are those of this binary and of the packs in `orch.yml`, as HEAD has them. With a code: its page too.
#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The code of a rule, as `paths/protected`
    code: Option<String>,
}

/// A rule as it is taken here.
#[derive(Serialize)]
struct Row<'a> {
    code: &'a str,
    title: &'a str,
    why: &'a str,
    help: &'a str,
    severity: Severity,
    /// The strictest effect the rule has by itself.
    effect: Effect,
    /// How it is taken: the effect, or what orch.yml sets.
    level: String,
    /// `rule` or `orch.yml`.
    level_from: &'static str,
    locked: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    effective_on: Option<Day>,
    in_force: bool,
    /// The parts of the input it needs beyond facts.
    needs: Vec<&'static str>,
    settings: Map<String, Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<&'a str>,
    source: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    page: Option<String>,
}

#[derive(Serialize)]
struct Document<'a> {
    rules: Vec<Row<'a>>,
    broken: Vec<Broken<'a>>,
}

#[derive(Serialize)]
struct Broken<'a> {
    file: &'a str,
    why: &'a str,
}

/// Prints the rules, or one of them.
pub fn run(args: &ExplainArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let session = Session::open(global)?;
    let today = session.today()?;
    let head = session.vcs.head()?;
    let bundle = Bundle::parse(&Sources::gather(&session.vcs, &head.tree, &session.config.policy.packs)?);
    let config = PolicyConfig::new(&session.config, &bundle)?;
    let rows = bundle.rules.iter().map(|rule| row(rule, &config, today));
    let Some(code) = &args.code else {
        let broken = bundle.broken.iter().map(|b| Broken { file: &b.file, why: &b.why }).collect();
        let document = Document { rules: rows.collect(), broken };
        output.show(&document, |out| list(&document, out))?;
        return Ok(0);
    };
    let Some(mut row) = rows.into_iter().find(|row| row.code == code) else {
        // A code that no rule has may still have a page: of the stage itself, of plans, of tests.
        return crate::cli::commands::explain::page(code, output).map_err(|_| {
            let near = explain::nearest(code, bundle.rules.iter().map(|rule| rule.metadata.code.as_str()));
            let help = match near.as_slice() {
                [] => "`orch policy explain` without a code lists the rules.".into(),
                near => format!("Did you mean `{}`?", near.join("` or `")),
            };
            UsageError { what: format!("no rule has the code `{code}`"), help }.into()
        });
    };
    row.page = explain::explain(code).ok();
    output.show(&row, |out| one(&row, out))?;
    Ok(0)
}

fn row<'a>(rule: &'a Rule, config: &PolicyConfig, today: Day) -> Row<'a> {
    let metadata = &rule.metadata;
    let code = metadata.code.as_str();
    let level = config.levels.get(code).copied();
    let setting = |name: &String| (name.clone(), config.settings.get(name).cloned().unwrap_or(Value::Null));
    Row {
        code,
        title: &metadata.title,
        why: &metadata.description,
        help: &metadata.help,
        severity: metadata.severity,
        effect: metadata.effect,
        level: level.map_or_else(|| word(&metadata.effect), |level| word(&level)),
        level_from: if level.is_some() { "orch.yml" } else { "rule" },
        locked: metadata.locked,
        effective_on: metadata.effective_on,
        in_force: !matches!(level, Some(Level::Off | Level::Shadow))
            && metadata.effective_on.is_none_or(|day| day <= today),
        needs: rule.needs.iter().copied().collect(),
        settings: rule.settings.iter().map(setting).collect(),
        since: metadata.since.as_deref(),
        source: &rule.file,
        page: None,
    }
}

fn word(value: &impl Serialize) -> String {
    serde_json::to_value(value).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}

fn state(row: &Row<'_>) -> String {
    let mut state = row.level.clone();
    if row.level_from == "orch.yml" {
        state.push_str(" (orch.yml)");
    }
    if let Some(day) = row.effective_on {
        state.push_str(if row.in_force { ", since " } else { ", from " });
        state.push_str(&day.to_string());
    }
    if row.locked {
        state.push_str(", locked");
    }
    state
}

fn list(document: &Document<'_>, out: &mut dyn Write) -> io::Result<()> {
    let width = document.rules.iter().map(|row| row.code.len()).max().unwrap_or(0);
    for row in &document.rules {
        writeln!(out, "{:width$}  {}: {}", row.code, state(row), row.title)?;
    }
    for broken in &document.broken {
        writeln!(out, "{}  cannot be used, and denies: {}", broken.file, broken.why)?;
    }
    writeln!(out, "\n`orch policy explain CODE` tells more of one.")
}

fn one(row: &Row<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {}\n", row.code, row.title)?;
    writeln!(out, "  level     {}", state(row))?;
    writeln!(out, "  severity  {}", row.severity.as_str())?;
    let needs = if row.needs.is_empty() { "facts alone".to_owned() } else { row.needs.join(", ") };
    writeln!(out, "  needs     {needs}")?;
    writeln!(out, "  source    {}", row.source)?;
    writeln!(out, "  to do     {}", row.help)?;
    for (name, value) in &row.settings {
        writeln!(out, "  setting   {name} = {value}")?;
    }
    match &row.page {
        Some(page) => write!(out, "\n{page}"),
        None if row.why.is_empty() => Ok(()),
        None => writeln!(out, "\n{}", row.why),
    }
}
