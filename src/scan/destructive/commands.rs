//! Commands that delete without asking, in scripts, CI files, make files and images.
//!
//! Must never report what only writes about a command: comments and what `echo` says.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;
use regex::bytes::Regex;

use super::Confidence;

/// Tells whether commands are written in such a file.
pub fn is_script(name: &str, extension: &str, path: &str, text: &[u8]) -> bool {
    matches!(extension, "sh" | "bash" | "zsh" | "fish" | "ps1" | "bat" | "cmd" | "mk" | "just")
        || name.contains("Dockerfile")
        || matches!(
            name,
            "Makefile"
                | "makefile"
                | "GNUmakefile"
                | "justfile"
                | "Justfile"
                | "Jenkinsfile"
                | "Containerfile"
                | "package.json"
                | "Procfile"
                | "Taskfile.yml"
                | "Taskfile.yaml"
                | ".gitlab-ci.yml"
                | "azure-pipelines.yml"
                | "cloudbuild.yaml"
        )
        || (matches!(extension, "yml" | "yaml")
            && (path.contains(".github/")
                || path.contains(".circleci/")
                || path.contains(".buildkite/")
                || name == "action.yml"))
        || (extension.is_empty() && text.starts_with(b"#!"))
}

/// One form of deleting.
struct Form {
    /// What a text has to hold to be looked at.
    mark: &'static str,
    pattern: &'static str,
    kind: &'static str,
    says: &'static str,
    sure: bool,
}

const fn form(
    mark: &'static str,
    pattern: &'static str,
    kind: &'static str,
    says: &'static str,
    sure: bool,
) -> Form {
    Form { mark, pattern, kind, says, sure }
}

const FORMS: [Form; 25] = [
    form(
        "rm -",
        r#"\brm\s+(?:-\S+\s+)*-\w*[rR]\w*\s+(?:-\S+\s+)*["']?(?:/|/\*|~/?|~/\*|\$\{?HOME\}?["']?/?\*?|/(?:bin|boot|dev|etc|home|lib|opt|root|sbin|srv|sys|usr|var)/?\*?|--no-preserve-root\b[^\n]*|\*|\.\*?/?)["']?(?:\s*$|\s*[;&|)]|\s+[^-\s])"#,
        "rm",
        "a whole system, home or working folder is deleted",
        true,
    ),
    form(
        "rm -",
        r#"\brm\s+(?:-\S+\s+)*-\w*[rR]\w*\s+(?:-\S+\s+)*(?:["']?\$\{?\w+\}?["']?/\*?["']?|\$\{?\w+\}?/\*)(?:\s*$|\s*[;&|)])"#,
        "rm-variable",
        "everything is deleted where the variable is empty",
        false,
    ),
    form(
        "-auto-approve",
        r"\b(?:terraform|tofu|terragrunt)\b[^\n;|&]*\bdestroy\b[^\n;|&]*-auto-approve|\b(?:terraform|tofu|terragrunt)\b[^\n;|&]*\bapply\b[^\n;|&]*-destroy[^\n;|&]*-auto-approve",
        "terraform",
        "infrastructure is destroyed without asking",
        true,
    ),
    form(
        "pulumi",
        r"\bpulumi\s+(?:destroy|down)\b[^\n;|&]*(?:--yes|-y)\b",
        "pulumi",
        "infrastructure is destroyed without asking",
        true,
    ),
    form(
        "cdk destroy",
        r"\bcdk\s+destroy\b[^\n;|&]*(?:--force|-f)\b",
        "cdk",
        "infrastructure is destroyed without asking",
        true,
    ),
    form(
        "kubectl",
        r"\bkubectl\b[^\n;|&]*\bdelete\b[^\n;|&]*(?:\bnamespaces?\b|\bns\b|\s--all\b|\bcrds?\b|\bpvc?\b|\bpersistentvolume)",
        "kubectl",
        "a namespace, volumes or all of a kind are deleted",
        true,
    ),
    form(
        "aws s3",
        r"\baws\s+s3\s+(?:rb\b[^\n;|&]*--force|rm\b[^\n;|&]*--recursive)",
        "s3",
        "a bucket is deleted with all it holds",
        true,
    ),
    form(
        "aws ",
        r"\baws\s+(?:rds\s+delete-db-\w+|dynamodb\s+delete-table|cloudformation\s+delete-stack|ec2\s+terminate-instances|kms\s+schedule-key-deletion)\b",
        "aws",
        "a cloud resource is deleted with its data",
        true,
    ),
    form(
        "gcloud",
        r"\bgcloud\b[^\n;|&]*\b(?:projects|sql\s+(?:instances|databases)|container\s+clusters|compute\s+(?:instances|disks))\s+delete\b",
        "gcloud",
        "a cloud resource is deleted with its data",
        true,
    ),
    form(
        "gsutil",
        r"\bgsutil\s+(?:-m\s+)?(?:rm\s+-r|rb\b)",
        "gsutil",
        "a bucket is deleted with all it holds",
        true,
    ),
    form(
        "az ",
        r"\baz\s+(?:group|sql\s+db|storage\s+account|aks|vm)\s+delete\b",
        "azure",
        "a cloud resource is deleted with its data",
        true,
    ),
    form(
        "push",
        r"\bgit\s+(?:-\S+\s+)*push\b[^\n;|&]*(?:\s--force\b|\s-f\b)[^\n;|&]*\b(?:main|master|trunk|release|production)\b|\bgit\s+(?:-\S+\s+)*push\b[^\n;|&]*\s\+(?:HEAD:)?(?:refs/heads/)?(?:main|master)\b|\bgit\s+(?:-\S+\s+)*push\b[^\n;|&]*\b(?:main|master|trunk)\b[^\n;|&]*(?:\s--force(?:\s|$)|\s-f\b)",
        "force-push",
        "the history of the main branch is rewritten",
        true,
    ),
    form(
        "push",
        r"\bgit\s+(?:-\S+\s+)*push\b[^\n;|&]*\s--mirror\b",
        "force-push",
        "the whole remote repository is overwritten",
        true,
    ),
    form(
        "of=/dev/",
        r"\bdd\b[^\n;|&]*\bof=/dev/(?:sd|hd|nvme|vd|xvd|disk|mmcblk)",
        "dd",
        "a disk is overwritten",
        true,
    ),
    form("mkfs", r"\bmkfs(?:\.\w+)?\s+(?:-\S+\s+)*/dev/", "mkfs", "a disk is formatted", true),
    form("wipefs", r"\bwipefs\b[^\n;|&]*/dev/", "mkfs", "a disk is wiped", true),
    form(
        "chmod",
        r#"\bchmod\s+(?:-\S+\s+)*-?\w*R\w*\s+(?:-\S+\s+)*(?:0?777|a\+rwx|ugo\+rwx)\s+["']?(?:/|/\*|/(?:etc|usr|var|bin|lib|home|opt|root)/?)["']?(?:\s|$)"#,
        "chmod",
        "everybody may write a system folder",
        true,
    ),
    form("dropdb", r"\bdropdb\b\s", "drop-database", "a database is dropped", true),
    form("drop database", r"(?i)\bdrop\s+database\b", "drop-database", "a database is dropped", true),
    form("DROP DATABASE", r"\bDROP\s+DATABASE\b", "drop-database", "a database is dropped", true),
    form("flushall", r"(?i)\bredis-cli\b[^\n;|&]*\bflush(?:all|db)\b", "flush", "a store is emptied", true),
    form("FLUSHALL", r"(?i)\bredis-cli\b[^\n;|&]*\bflush(?:all|db)\b", "flush", "a store is emptied", true),
    form(
        "db:drop",
        r"\b(?:rails|rake)\b[^\n;|&]*\bdb:(?:drop|reset|purge)\b",
        "drop-database",
        "a database is dropped",
        false,
    ),
    form(
        "migrate reset",
        r"\bprisma\s+migrate\s+reset\b[^\n;|&]*--force|\bprisma\s+db\s+push\b[^\n;|&]*--accept-data-loss",
        "drop-database",
        "a database is dropped",
        true,
    ),
    form(
        "Remove-Item",
        r#"(?i)\bRemove-Item\b[^\n;|]*-Recurse\b[^\n;|]*["'\s](?:[A-Z]:\\?|\$env:(?:USERPROFILE|SystemRoot|HOMEDRIVE)\\?)["']?(?:\s|$)"#,
        "rm",
        "a whole system or home folder is deleted",
        true,
    ),
];

static FINDER: LazyLock<Option<AhoCorasick>> =
    LazyLock::new(|| AhoCorasick::new(FORMS.iter().map(|form| form.mark)).ok());
static COMPILED: LazyLock<Vec<std::sync::OnceLock<Option<Regex>>>> =
    LazyLock::new(|| FORMS.iter().map(|_| std::sync::OnceLock::new()).collect());

/// How much of a line is looked at.
const WIDEST: usize = 1_000;

/// Calls back with every command that deletes without asking.
pub fn scan(text: &[u8], each: &mut dyn FnMut(Range<usize>, &'static str, String, Confidence)) {
    let Some(finder) = FINDER.as_ref() else { return };
    let mut done = 0;
    for hit in finder.find_iter(text) {
        if hit.start() < done {
            continue;
        }
        let from = hit.start().saturating_sub(WIDEST);
        let start = memchr::memrchr(b'\n', &text[from..hit.start()])
            .map_or(from, |offset| from + offset + 1)
            .max(done);
        let to = text.len().min(hit.start() + WIDEST);
        let end = memchr::memchr(b'\n', &text[hit.start()..to]).map_or(to, |offset| hit.start() + offset);
        done = end;
        let line = text.get(start..end).unwrap_or_default();
        if is_said(line) {
            continue;
        }
        for (form, slot) in FORMS.iter().zip(COMPILED.iter()) {
            if memchr::memmem::find(line, form.mark.as_bytes()).is_none() {
                continue;
            }
            let regex = slot.get_or_init(|| Regex::new(&format!("(?-u){}", form.pattern)).ok());
            let Some(found) = regex.as_ref().and_then(|regex| regex.find(line)) else { continue };
            let confidence = if form.sure { Confidence::High } else { Confidence::Medium };
            let found =
                start + found.start()..start + found.start() + found.as_bytes().trim_ascii_end().len();
            each(found, form.kind, form.says.to_owned(), confidence);
            break;
        }
    }
}

/// Tells whether a line only speaks of commands.
fn is_said(line: &[u8]) -> bool {
    let head = line.trim_ascii_start();
    let head = head.strip_prefix(b"@").unwrap_or(head);
    let head = head.strip_prefix(b"- ").unwrap_or(head).trim_ascii_start();
    [
        b"#".as_slice(),
        b"//",
        b"echo ",
        b"printf ",
        b"REM ",
        b"rem ",
        b"::",
        b"name:",
        b"description:",
        b"Write-Host",
    ]
    .iter()
    .any(|mark| head.starts_with(mark))
}
