//! Migrations in the languages of frameworks: what their way forward drops.
//!
//! Must never look at the way back (`down`, `downgrade`, `rollback`).

use std::sync::LazyLock;

use regex::bytes::Regex;

use super::Each;

/// Tells whether a path in lower case is one of a migration.
pub fn is_migration(path: &str) -> bool {
    let (folders, name) = path.rsplit_once('/').unwrap_or(("", path));
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    let known = matches!(
        extension,
        "py" | "rb"
            | "js"
            | "ts"
            | "mjs"
            | "cjs"
            | "php"
            | "cs"
            | "xml"
            | "yml"
            | "yaml"
            | "json"
            | "sql"
            | "kt"
            | "java"
            | "go"
    );
    let flyway = name.starts_with('v') && name.contains("__") && extension == "sql";
    known
        && (flyway
            || folders.split('/').any(|folder| {
                matches!(
                    folder,
                    "migrations"
                        | "migration"
                        | "migrate"
                        | "versions"
                        | "changelog"
                        | "changelogs"
                        | "changes"
                )
            }))
        && !(folders.ends_with("versions") && extension != "py")
}

/// Tells whether the name says that the file is a way back.
pub fn undoes(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    [".down.", "_down.", "-down.", "rollback", "revert", "undo", "teardown", "uninstall"]
        .iter()
        .any(|word| name.contains(word))
        || name == "down.sql"
        || (name.starts_with('u')
            && name.contains("__")
            && name.as_bytes().get(1).is_some_and(u8::is_ascii_digit))
        || path.contains("/down/")
        || path.contains("/rollback/")
}

/// One form of dropping; the name is its first group.
struct Form {
    pattern: &'static str,
    kind: &'static str,
    says: &'static str,
}

const FORMS: [Form; 12] = [
    Form {
        pattern: r#"\bDeleteModel\(\s*(?:name\s*=\s*)?['"](\w+)"#,
        kind: "drop-table",
        says: "the table of the model `{}` is dropped with its data",
    },
    Form {
        pattern: r#"\bRemoveField\((?:[^)\n]*?\bname\s*=\s*)?['"]?(\w+)"#,
        kind: "drop-column",
        says: "the column `{}` is dropped with its data",
    },
    Form {
        pattern: r#"\b(?:op\.|queryInterface\.|queryRunner\.|migrationBuilder\.)?(?:drop_table|dropTable|dropTableIfExists|DropTable|drop_join_table)\b\s*\(?\s*(?:name:\s*)?[:'"`]?(\w+)"#,
        kind: "drop-table",
        says: "the table `{}` is dropped with its data",
    },
    Form {
        pattern: r#"\bSchema::(?:drop|dropIfExists)\(\s*['"](\w+)"#,
        kind: "drop-table",
        says: "the table `{}` is dropped with its data",
    },
    Form {
        pattern: r#"\b(?:remove_columns?|remove_reference|remove_belongs_to|drop_column|dropColumns?|removeColumn|DropColumn|remove_timestamps)\b\s*\(?\s*(?:name:\s*)?\[?[:'"`]?(\w+)"#,
        kind: "drop-column",
        says: "a column is dropped with its data (`{}`)",
    },
    Form {
        pattern: r#"<dropTable\b[^>]*\btableName\s*=\s*"([^"]+)"#,
        kind: "drop-table",
        says: "the table `{}` is dropped with its data",
    },
    Form {
        pattern: r#"<dropColumn\b[^>]*\bcolumnName\s*=\s*"([^"]+)"#,
        kind: "drop-column",
        says: "the column `{}` is dropped with its data",
    },
    Form {
        pattern: r#"^\s*-?\s*"?(dropTable|dropColumn|dropAllForeignKeyConstraints)"?\s*:"#,
        kind: "drop",
        says: "the change `{}` loses data",
    },
    Form {
        pattern: r#"(?i)['"`\s](drop\s+(?:table|database|schema)\b[^'"`\n;]{0,60})"#,
        kind: "drop-table",
        says: "the statement `{}` loses data",
    },
    Form {
        pattern: r#"(?i)['"`\s](alter\s+table\s+[^\n;]{1,80}?\bdrop\s+column\b[^`\n;]{0,60})"#,
        kind: "drop-column",
        says: "the statement `{}` loses data",
    },
    Form {
        pattern: r#"(?i)['"`](truncate\s[^'"`\n;]{0,60}|delete\s+from\s+[\w."]+\s*)['"`;]"#,
        kind: "delete-all",
        says: "the statement `{}` loses data",
    },
    Form {
        pattern: r"\b(?:change_column_null\s*\(?\s*:\w+\s*,\s*:(\w+)\s*,\s*false\s*\)?\s*$)",
        kind: "not-null",
        says: "the column `{}` must not be null from now on: it fails where rows lack a value",
    },
];

static COMPILED: LazyLock<Vec<Option<Regex>>> =
    LazyLock::new(|| FORMS.iter().map(|form| Regex::new(form.pattern).ok()).collect());

const MARKS: [&str; 12] = [
    "rop",
    "emove",
    "elete",
    "DROP",
    "TRUNCATE",
    "truncate",
    "DELETE",
    "delete",
    "REMOVE",
    "change_column_null",
    "Drop",
    "Delete",
];

static FINDER: LazyLock<Option<aho_corasick::AhoCorasick>> =
    LazyLock::new(|| aho_corasick::AhoCorasick::new(MARKS).ok());

/// Where a way forward or back starts.
static TURN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"(?x)^\s*(?:
            (?P<down>def\s+(?:self\.)?(?:down|downgrade|rollback|revert|reverse\w*|backwards?)\b | (?:export\s+)?(?:const|async\s+function|function)\s+down\b | (?:module\.)?exports\.down\b
                | (?:public\s+)?(?:async\s+)?(?:function\s+)?(?:override\s+)?down\s*[(:] | protected\s+override\s+void\s+Down\b | <rollback\b | -?\s*rollback\s*: | down\s+do\b | (?:public\s+)?function\s+down\b)
            | (?P<up>def\s+(?:self\.)?(?:up|upgrade|change|migrate|forwards?)\b | (?:export\s+)?(?:const|async\s+function|function)\s+up\b | (?:module\.)?exports\.up\b
                | (?:public\s+)?(?:async\s+)?(?:function\s+)?(?:override\s+)?up\s*[(:] | protected\s+override\s+void\s+Up\b | </rollback> | -?\s*changeSet\s*: | <changeSet\b | up\s+do\b | (?:public\s+)?function\s+up\b)
        )",
    )
    .ok()
});

/// Calls back with what the way forward drops.
pub fn scan(path: &str, text: &[u8], each: Each<'_>) {
    if undoes(path) || !FINDER.as_ref().is_some_and(|finder| finder.is_match(text)) {
        return;
    }
    let mut down = false;
    let mut start = 0;
    for line in text.split_inclusive(|b| *b == b'\n') {
        let at = start;
        start += line.len();
        let line = line.get(..line.len().min(600)).unwrap_or_default().trim_ascii_end();
        if let Some(turn) = TURN.as_ref().and_then(|turn| turn.captures(line)) {
            down = turn.name("down").is_some();
            continue;
        }
        let head = line.trim_ascii_start();
        let comment =
            [b"#".as_slice(), b"//", b"*", b"--", b"<!--"].iter().any(|mark| head.starts_with(mark));
        if down
            || comment
            || head.starts_with(b"reverse_sql")
            || !FINDER.as_ref().is_some_and(|finder| finder.is_match(line))
        {
            continue;
        }
        for (form, regex) in FORMS.iter().zip(COMPILED.iter()) {
            let Some(captures) = regex.as_ref().and_then(|regex| regex.captures(line)) else { continue };
            let (Some(whole), Some(name)) = (captures.get(0), captures.get(1)) else { continue };
            let name = String::from_utf8_lossy(name.as_bytes());
            each(at + whole.start()..at + whole.end(), form.kind, form.says.replace("{}", name.trim()));
            break;
        }
    }
}
