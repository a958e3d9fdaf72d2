//! Files that steer coding agents and what runs when a repository is opened: instructions, tools, hooks, tasks.
//!
//! Must never report that such a file changed: a rule over paths does; this says what about it is unusual.

mod text;
mod tools;

use std::ops::Range;

use super::{Confidence, Found, Scanner, Sink, View};

/// Text for agents that they should not be told; attribute `kind`.
pub const INSTRUCTIONS: &str = "agents/instructions";
/// Tools and commands that agents or editors run by themselves; attribute `kind`.
pub const TOOLS: &str = "agents/tools";

/// Finds what steers agents.
#[derive(Clone, Copy, Debug)]
pub struct Agents;

impl Scanner for Agents {
    fn name(&self) -> &'static str {
        "agents"
    }

    fn codes(&self) -> &'static [&'static str] {
        &[INSTRUCTIONS, TOOLS]
    }

    fn scan(&self, view: &View<'_>, sink: &mut Sink<'_>) {
        if view.binary || view.text.is_empty() {
            return;
        }
        let Some(kind) = Kind::of(view.lower()) else { return };
        let place = view.place().name();
        let mut add = |note: Note| {
            let start = note.range.start.min(view.text.len());
            let range = start..note.range.end.clamp(start, view.text.len());
            let key = format!("{}\0{}", note.kind, note.key);
            let found = Found::plain(note.code, range, note.message, &key, note.confidence);
            sink.add(found.with("kind", note.kind).with("where", place));
        };
        match kind {
            Kind::Instructions => text::scan(&view.text, true, &mut add),
            Kind::Prose => text::scan(&view.text, false, &mut add),
            Kind::Script => text::script(&view.text, &mut add),
            _ => tools::scan(kind, view, &mut add),
        }
    }
}

/// One fact on its way.
struct Note {
    code: &'static str,
    range: Range<usize>,
    kind: &'static str,
    message: String,
    key: String,
    confidence: Confidence,
}

/// What a file is to an agent or an editor.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Instructions,
    /// Any other text an agent may read.
    Prose,
    /// A script that git or the shell runs by itself.
    Script,
    Mcp,
    ClaudeSettings,
    Tasks,
    EditorSettings,
    DevContainer,
    PreCommit,
    Lefthook,
}

impl Kind {
    /// Looks at a path in lower case.
    fn of(path: &str) -> Option<Self> {
        let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
        let (_, extension) = name.rsplit_once('.').unwrap_or((name, ""));
        let folder = |wanted: &str| folders == wanted || folders.ends_with(&format!("/{wanted}"));
        // All of those begin with a dot, and few folders do.
        let dotted = folders.starts_with('.') || folders.contains("/.");
        let within = |wanted: &str| {
            dotted
                && (folder(wanted)
                    || folders.starts_with(&format!("{wanted}/"))
                    || folders.contains(&format!("/{wanted}/")))
        };
        Some(match name {
            "claude.md"
            | "claude.local.md"
            | "agents.md"
            | "agents.override.md"
            | "agent.md"
            | "gemini.md"
            | "skill.md"
            | ".cursorrules"
            | ".windsurfrules"
            | ".clinerules"
            | ".goosehints"
            | "copilot-instructions.md" => Self::Instructions,
            ".mcp.json" | "mcp.json" | "mcp_config.json" | "claude_desktop_config.json" => Self::Mcp,
            "settings.json" | "settings.local.json" if folder(".claude") || folder(".gemini") => {
                Self::ClaudeSettings
            }
            "tasks.json" if folder(".vscode") => Self::Tasks,
            "settings.json" if folder(".vscode") || folder(".cursor") => Self::EditorSettings,
            "devcontainer.json" | ".devcontainer.json" => Self::DevContainer,
            ".pre-commit-config.yaml" | ".pre-commit-config.yml" => Self::PreCommit,
            "lefthook.yml" | "lefthook.yaml" | ".lefthook.yml" | ".lefthook.yaml" => Self::Lefthook,
            ".envrc" => Self::Script,
            _ if (within(".husky") || within(".githooks")) && !matches!(extension, "md" | "gitignore") => {
                Self::Script
            }
            _ if [
                ".cursor/rules",
                ".windsurf/rules",
                ".clinerules",
                ".github/instructions",
                ".github/agents",
                ".github/prompts",
                ".claude/commands",
                ".claude/agents",
                ".claude/skills",
                ".roo",
            ]
            .iter()
            .any(|wanted| within(wanted))
                && matches!(extension, "md" | "mdc" | "mdx" | "txt" | "") =>
            {
                Self::Instructions
            }
            _ if matches!(extension, "md" | "mdx" | "mdc" | "rst") => Self::Prose,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests;
