//! The generated pages of `docs/reference` and the prepared pack: made from the code, committed, and checked for drift.
//!
//! Must never hold a fact of its own: every line comes from the definitions the program runs on.

use std::fmt::Write as _;

use super::guide;
use crate::artifact::kind::{ArtifactKind, slot};
use crate::artifact::schema::schema;
use crate::compile::caller;
use crate::config::{config_reference, env_reference};
use crate::diagnostic::{EXIT_CODES, explain};
use crate::stage::policy::bundle::Sources;
use crate::stage::policy::prepared;
use crate::stage::registry::STAGES;
use crate::stage::spec::StageSpec;

const NOTE: &str = "<!-- Made from the code; do not edit. `cargo run -- util generate` writes it. -->\n\n";

/// A generated page.
pub struct Page {
    /// Its path below the repository root.
    pub path: String,
    /// Its text.
    pub text: String,
}

/// Returns every generated page, sorted by path.
pub fn pages() -> Vec<Page> {
    let page = |path: &str, text: String| Page { path: format!("docs/reference/{path}"), text };
    let mut pages = vec![
        page("artifacts.md", artifacts()),
        page("cli.md", cli()),
        page("codes.md", codes()),
        page("config.md", config_reference()),
        page("environment.md", env_reference()),
        page("exit-codes.md", exit_codes()),
        page("rego-builtins.md", format!("{NOTE}{}", crate::rego::builtin::reference())),
        page("models.md", crate::agent::catalogue::reference()),
        page("stages.md", stages()),
        page("templates.md", templates()),
    ];
    for kind in ArtifactKind::ALL {
        if let Some(schema) = schema(*kind)
            && let Ok(text) = serde_json::to_string_pretty(&schema)
        {
            pages.push(page(&format!("schemas/{kind}.json"), text + "\n"));
        }
    }
    for name in crate::attest::kinds::SCHEMAS {
        let schema = crate::attest::kinds::schema(name);
        if let Some(Ok(text)) = schema.map(|schema| serde_json::to_string_pretty(&schema)) {
            pages.push(page(&format!("schemas/{name}.json"), text + "\n"));
        }
    }
    for kind in crate::upgrade::files::KINDS {
        let schema = crate::upgrade::files::schema(kind);
        if let Some(Ok(text)) = schema.map(|schema| serde_json::to_string_pretty(&schema)) {
            pages.push(page(&format!("schemas/{kind}.json"), text + "\n"));
        }
    }
    if let Some(text) = Sources::embedded().ok().and_then(|sources| prepared::text(&sources)) {
        pages.push(Page { path: prepared::PATH.into(), text });
    }
    pages.push(Page { path: "action.yml".into(), text: super::action::text() });
    for file in crate::compile::shipped(&crate::compile::Origin::Own).unwrap_or_default() {
        pages.push(Page { path: format!(".github/workflows/{}", file.name), text: file.text });
    }
    for caller in caller::templates(&format!("v{}", env!("CARGO_PKG_VERSION"))) {
        pages.push(Page {
            path: format!("workflow-templates/{}.properties.json", caller.name),
            text: caller::properties(&caller),
        });
        pages.push(Page { path: format!("workflow-templates/{}.yml", caller.name), text: caller.text });
    }
    pages.sort_by(|a, b| a.path.cmp(&b.path));
    pages
}

fn cli() -> String {
    let mut text = format!("{NOTE}# Command line\n");
    let mut root = guide::command().term_width(100);
    root.build();
    command(&mut root, &mut text);
    text
}

fn command(command: &mut clap::Command, text: &mut String) {
    if command.is_hide_set() || command.get_name() == "help" {
        return;
    }
    let name = command.get_bin_name().unwrap_or(command.get_name()).to_owned();
    let help = command.render_long_help().to_string();
    let help: Vec<&str> = help.lines().map(str::trim_end).collect();
    let _ = write!(text, "\n## `{name}`\n\n```text\n{}\n```\n", help.join("\n").trim());
    for inner in command.get_subcommands_mut() {
        self::command(inner, text);
    }
}

fn exit_codes() -> String {
    let mut text =
        format!("{NOTE}# Exit codes\n\nThey are part of the contract: a code never changes its meaning.\n\n");
    text += "| code | meaning |\n|---|---|\n";
    for exit in EXIT_CODES {
        let _ = writeln!(text, "| {} | {} |", exit.code, exit.meaning);
    }
    text
}

fn stages() -> String {
    let mut text = format!(
        "{NOTE}# Stages\n\nIn the order of the pipeline. No stage holds two of the powers key (may call a model), exec \
         (runs repository code) and write (holds a write token).\n\n| stage | power | what it does |\n|---|---|---|\n"
    );
    for spec in STAGES.iter().map(|stage| stage.spec()) {
        let _ = writeln!(text, "| [{0}](#{0}) | {1} | {2} |", spec.id, powers(spec), spec.summary);
    }
    for spec in STAGES.iter().map(|stage| stage.spec()) {
        stage(spec, &mut text);
    }
    text
}

fn stage(spec: &StageSpec, text: &mut String) {
    let list = |words: Vec<&str>| {
        if words.is_empty() { "none".to_owned() } else { format!("`{}`", words.join("`, `")) }
    };
    let _ = write!(text, "\n## {}\n\n{}.\n\n{}\n\n", spec.id, spec.summary, spec.about);
    let _ = writeln!(text, "- Reads: {}", list(spec.inputs.iter().map(|input| input.slot.path).collect()));
    let _ = writeln!(text, "- Writes: {}", list(spec.outputs.iter().map(|slot| slot.path).collect()));
    let _ =
        writeln!(text, "- Effects: {}", list(spec.effects.iter().map(|effect| effect.as_str()).collect()));
    let _ = writeln!(
        text,
        "- Token permissions: {}",
        list(spec.permissions.iter().map(|p| p.as_str()).collect())
    );
    let _ = writeln!(text, "- Config it depends on: {}", list(spec.config.to_vec()));
    let exits: Vec<String> = spec.exits.iter().map(ToString::to_string).collect();
    let own = if exits.is_empty() { String::new() } else { format!(", and {}", exits.join(", ")) };
    let _ = writeln!(text, "- Exit codes: 0, 1, 2, 75{own}");
}

fn powers(spec: &StageSpec) -> String {
    let powers: Vec<&str> = spec.powers().iter().map(|power| power.as_str()).collect();
    if powers.is_empty() { "none".into() } else { powers.join("+") }
}

fn artifacts() -> String {
    let mut text = format!(
        "{NOTE}# Artifacts\n\nThe files of a run folder. Round 1 stands at these paths, later rounds below `rounds/<n>/`. Records \
         hold times or raw output: the manifest seals them, but no stage depends on them.\n\n\
         | file | kind | record |\n|---|---|---|\n"
    );
    for slot in slot::ALL {
        let record = if slot.record { "yes" } else { "no" };
        let _ = writeln!(text, "| `{}` | {} | {record} |", slot.path, kind(slot.kind));
    }
    let _ = writeln!(text, "| `manifest/<stage>.json` | {} | no |", kind(ArtifactKind::Manifest));
    let _ = writeln!(text, "| `events/<stage>.jsonl` | {} | yes |", kind(ArtifactKind::Journal));
    text + "\n`orch schema KIND` prints the same schemas.\n"
}

fn kind(kind: ArtifactKind) -> String {
    if kind.is_json() {
        format!("[{kind} {}](schemas/{kind}.json)", kind.version())
    } else {
        kind.to_string()
    }
}

fn codes() -> String {
    let mut text = format!(
        "{NOTE}# Codes\n\nEvery finding and every reason has a stable code with a page; `orch explain CODE` prints it.\n\n"
    );
    for code in explain::codes() {
        let _ = writeln!(text, "- [{code}](../codes/{code}.md)");
    }
    text
}

fn templates() -> String {
    let mut text = format!(
        "{NOTE}# Templates\n\nWhat the built-in engine can do, without a model, a key or a network.\n\n"
    );
    let engine = crate::engine::template::TemplateEngine::new(Vec::new());
    for template in engine.templates().unwrap_or_default() {
        let _ = writeln!(text, "## {}\n\n{}\n", template.name(), template.manifest.summary);
        for example in &template.manifest.examples {
            let _ = writeln!(text, "- `orch run \"{example}\"`");
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}
