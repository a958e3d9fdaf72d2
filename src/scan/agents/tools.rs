//! Settings that give agents and editors tools, rights and commands of their own.
//!
//! Must never take a setting for harmless because the file has comments or commas a strict reader refuses.

use super::super::View;
use super::super::yaml::{self, Node};
use super::text::{loads, sends};
use super::{Confidence, Kind, Note, TOOLS};

/// Looks at a file of settings.
pub fn scan(kind: Kind, view: &View<'_>, add: &mut dyn FnMut(Note)) {
    let strict = matches!(kind, Kind::PreCommit | Kind::Lefthook);
    let text = if strict { view.text.to_vec() } else { without_comments(&view.text) };
    let Some(root) = yaml::read(&text) else {
        if !text.trim_ascii().is_empty() {
            let message = "the settings cannot be read".into();
            add(Note {
                code: TOOLS,
                range: 0..0,
                kind: "unreadable",
                message,
                key: String::new(),
                confidence: Confidence::Medium,
            });
        }
        return;
    };
    let mut say = |node: &Node, kind, message: String, confidence| {
        let key = node.text().map_or_else(|| message.clone(), str::to_owned);
        add(Note { code: TOOLS, range: node.range.clone(), kind, message, key, confidence });
    };
    match kind {
        Kind::Mcp => servers(&root, &mut say),
        Kind::ClaudeSettings => claude(&root, &mut say),
        Kind::Tasks => tasks(&root, &mut say),
        Kind::EditorSettings => editor(&root, &mut say),
        Kind::DevContainer => container(&root, &mut say),
        Kind::PreCommit => pre_commit(&root, &mut say),
        _ => lefthook(&root, &mut say),
    }
}

type Say<'s> = &'s mut dyn FnMut(&Node, &'static str, String, Confidence);

/// Blanks out comments and tabs of JSON that has them; every byte stays where it is.
fn without_comments(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    let (mut at, mut quoted) = (0, false);
    while at < out.len() {
        match (quoted, out[at], out.get(at + 1)) {
            (true, b'\\', _) => at += 1,
            (_, b'"', _) => quoted = !quoted,
            (false, b'\t', _) => out[at] = b' ',
            (false, b'/', Some(b'/')) => {
                while at < out.len() && out[at] != b'\n' {
                    out[at] = b' ';
                    at += 1;
                }
            }
            (false, b'/', Some(b'*')) => {
                let end = memchr::memmem::find(&out[at..], b"*/").map_or(out.len(), |offset| at + offset + 2);
                out[at..end].iter_mut().filter(|b| **b != b'\n').for_each(|b| *b = b' ');
                at = end.saturating_sub(1);
            }
            _ => {}
        }
        at += 1;
    }
    out
}

/// Returns a command with its arguments as one line.
fn line(node: &Node) -> String {
    let mut words = Vec::new();
    node.each_text(&mut |_, text| words.push(text.to_owned()));
    words.join(" ")
}

/// Says how bad a command is that runs by itself.
fn command(node: &Node, what: &str, say: Say<'_>, least: Option<Confidence>) {
    let line = line(node);
    if loads(line.as_bytes()).is_some() {
        say(node, "auto-run", format!("{what} runs what it downloads"), Confidence::High);
    } else if sends(line.as_bytes()).is_some() {
        say(node, "sends", format!("{what} sends secrets away"), Confidence::High);
    } else if let Some(confidence) = least {
        let shown: String = line.chars().take(60).collect();
        say(node, "command", format!("{what} runs `{}`", shown.replace(['`', '\n'], " ")), confidence);
    }
}

fn servers(root: &Node, say: Say<'_>) {
    for list in ["mcpServers", "servers", "mcp"] {
        let Some(list) = root.get(list) else { continue };
        let list = list.get("servers").unwrap_or(list);
        for (key, server) in list.entries() {
            let what = format!("the tool server `{}`", key.text().unwrap_or_default());
            if let Some(url) =
                server.get("url").or_else(|| server.get("serverUrl")).or_else(|| server.get("httpUrl"))
            {
                let address = url.text().unwrap_or_default();
                let local =
                    ["://localhost", "://127.0.0.1", "://[::1]"].iter().any(|host| address.contains(host));
                if !local {
                    let plain = if address.starts_with("http://") { " over an open connection" } else { "" };
                    say(
                        url,
                        "server",
                        format!("{what} is at `{}`{plain}", address.replace('`', " ")),
                        Confidence::Medium,
                    );
                }
            } else if server.get("command").is_some() {
                command(server, &what, say, None);
                if let Some(node) = server.get("command") {
                    let line = line(server);
                    if loads(line.as_bytes()).is_none() {
                        let shown: String = line.chars().take(60).collect();
                        say(
                            node,
                            "server",
                            format!("{what} runs `{}`", shown.replace(['`', '\n'], " ")),
                            Confidence::Medium,
                        );
                    }
                }
            }
        }
    }
}

fn claude(root: &Node, say: Say<'_>) {
    for entry in root.at(&["permissions", "allow"]).map(Node::items).unwrap_or_default() {
        let Some(rule) = entry.text() else { continue };
        let rule = rule.replace(' ', "");
        let every = matches!(
            rule.as_str(),
            "*" | "Bash" | "Bash(*)" | "Bash(:*)" | "Bash(**)" | "PowerShell" | "PowerShell(*)"
        );
        let risky = [
            "Bash(sudo:",
            "Bash(rm:",
            "Bash(curl:",
            "Bash(bash:",
            "Bash(sh:",
            "Bash(eval:",
            "Bash(python:*",
            "Bash(node:*",
        ];
        if every {
            say(
                entry,
                "allow",
                format!("an agent may run every command unasked (`{rule}`)"),
                Confidence::High,
            );
        } else if risky.iter().any(|start| rule.starts_with(start)) {
            say(
                entry,
                "allow",
                format!("an agent may run `{rule}` unasked, which can run anything"),
                Confidence::Medium,
            );
        }
    }
    let mode = root.at(&["permissions", "defaultMode"]).or_else(|| root.get("defaultMode"));
    if let Some(mode) = mode.filter(|mode| matches!(mode.text(), Some("bypassPermissions" | "yolo"))) {
        say(mode, "bypass", "an agent is never asked before it acts".into(), Confidence::High);
    }
    for key in [
        "dangerouslySkipPermissions",
        "skipDangerousModePermissionPrompt",
        "enableAllProjectMcpServers",
        "autoAccept",
    ] {
        if let Some(node) = root.get(key).filter(|node| node.text() == Some("true")) {
            say(node, "bypass", format!("`{key}` lets an agent act unasked"), Confidence::High);
        }
    }
    for (key, value) in root.get("env").map(Node::entries).unwrap_or_default() {
        let name = key.text().unwrap_or_default();
        let remote = value.text().is_some_and(|text| {
            text.starts_with("http") && !text.contains("://localhost") && !text.contains("://127.")
        });
        if name.ends_with("_BASE_URL") && remote {
            say(
                value,
                "base-url",
                format!("`{name}` sends what an agent says, with its key, to another place"),
                Confidence::High,
            );
        }
    }
    for key in ["apiKeyHelper", "awsAuthRefresh", "awsCredentialExport", "otelHeadersHelper"] {
        if let Some(node) = root.get(key) {
            command(node, &format!("`{key}`"), say, Some(Confidence::Medium));
        }
    }
    if let Some(node) = root.at(&["statusLine", "command"]) {
        command(node, "the status line", say, Some(Confidence::Medium));
    }
    for (event, matchers) in root.get("hooks").map(Node::entries).unwrap_or_default() {
        let what = format!("the hook `{}`", event.text().unwrap_or_default());
        for hook in matchers
            .items()
            .iter()
            .flat_map(|matcher| matcher.get("hooks").map(Node::items).unwrap_or_default())
        {
            if let Some(node) = hook.get("command") {
                command(node, &what, say, Some(Confidence::Medium));
            }
        }
    }
    servers(root, say);
}

fn tasks(root: &Node, say: Say<'_>) {
    for task in root.get("tasks").map(Node::items).unwrap_or_default() {
        let open = task.at(&["runOptions", "runOn"]).filter(|node| node.text() == Some("folderOpen"));
        let Some(open) = open else { continue };
        let label = task.get("label").and_then(Node::text).unwrap_or_default();
        let what = format!("the task `{}`, which starts when the folder is opened,", label.replace('`', " "));
        if loads(line(task).as_bytes()).is_some() || sends(line(task).as_bytes()).is_some() {
            command(task, &what, say, None);
        } else {
            say(open, "auto-run", format!("{what} runs a command unasked"), Confidence::Medium);
        }
    }
}

fn editor(root: &Node, say: Say<'_>) {
    for (key, value) in root.entries() {
        let name = key.text().unwrap_or_default();
        let on = value.text() == Some("true") || value.text() == Some("on");
        if on && matches!(name, "chat.tools.autoApprove" | "chat.tools.global.autoApprove") {
            say(value, "bypass", format!("`{name}` lets an agent act unasked"), Confidence::High);
        } else if on && name == "task.allowAutomaticTasks" {
            say(value, "auto-run", "tasks run when the folder is opened".into(), Confidence::Medium);
        }
    }
}

fn container(root: &Node, say: Say<'_>) {
    if let Some(node) = root.get("initializeCommand") {
        command(
            node,
            "`initializeCommand`, on the machine of whoever opens it,",
            say,
            Some(Confidence::Medium),
        );
    }
    let args = root.get("runArgs").map(Node::items).unwrap_or_default();
    for arg in args.iter().filter(|arg| arg.text() == Some("--privileged")) {
        say(arg, "privileged", "the container may do everything on the machine".into(), Confidence::Medium);
    }
    if let Some(node) = root.get("privileged").filter(|node| node.text() == Some("true")) {
        say(node, "privileged", "the container may do everything on the machine".into(), Confidence::Medium);
    }
    for mount in root.get("mounts").map(Node::items).unwrap_or_default() {
        let text = line(mount);
        if text.contains("docker.sock") || text.contains("/.ssh") || text.contains("/.aws") {
            say(
                mount,
                "mount",
                "the container is given the machine's keys or its containers".into(),
                Confidence::Medium,
            );
        }
    }
    for key in [
        "onCreateCommand",
        "updateContentCommand",
        "postCreateCommand",
        "postStartCommand",
        "postAttachCommand",
    ] {
        if let Some(node) = root.get(key).filter(|node| loads(line(node).as_bytes()).is_some()) {
            say(
                node,
                "auto-run",
                format!("`{key}` runs what it downloads, in the container"),
                Confidence::Medium,
            );
        }
    }
}

fn pre_commit(root: &Node, say: Say<'_>) {
    for repository in root.get("repos").map(Node::items).unwrap_or_default() {
        let Some(from) = repository.get("repo") else { continue };
        let address = from.text().unwrap_or_default();
        if matches!(address, "local" | "meta") {
            for hook in repository.get("hooks").map(Node::items).unwrap_or_default() {
                if let Some(entry) = hook.get("entry") {
                    command(entry, "a hook that runs on every commit", say, None);
                }
            }
            continue;
        }
        let moving = repository
            .get("rev")
            .filter(|rev| matches!(rev.text(), Some("main" | "master" | "HEAD" | "develop" | "latest")));
        if let Some(rev) = moving {
            say(
                rev,
                "unpinned",
                format!("hooks of `{}` are taken from a branch", address.replace('`', " ")),
                Confidence::Medium,
            );
        } else if address.starts_with("http://") || address.starts_with("git://") {
            say(
                from,
                "unpinned",
                format!("hooks of `{}` are got over an open connection", address.replace('`', " ")),
                Confidence::Medium,
            );
        }
    }
}

fn lefthook(root: &Node, say: Say<'_>) {
    for remote in root.get("remotes").map(Node::items).unwrap_or_default() {
        if let Some(from) = remote.get("git_url") {
            say(
                from,
                "remote",
                format!("hooks come from `{}`", from.text().unwrap_or_default().replace('`', " ")),
                Confidence::Medium,
            );
        }
    }
    root.each_text(&mut |node, text| {
        if loads(text.as_bytes()).is_some() {
            say(
                node,
                "auto-run",
                "a hook that runs by itself runs what it downloads".into(),
                Confidence::High,
            );
        }
    });
}
