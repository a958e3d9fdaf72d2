//! What a file names of other files: imports, by language, line by line.
//!
//! Must never resolve anything: a name is a guess at paths, and which of them is there the graph knows.

/// A guess at the path of another file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Guess {
    /// A path from the folder of the file itself, without an ending that must be there.
    Near(String),
    /// The end of a path, anywhere.
    Anywhere(String),
    /// All files of a folder whose path ends so.
    Folder(String),
}

/// Returns what a file names, in the order of its lines.
pub fn of(path: &str, text: &str) -> Vec<Guess> {
    let end = path.rsplit_once('.').map_or("", |(_, end)| end);
    let read: fn(&str, &str) -> Vec<Guess> = match end {
        "py" | "pyi" => python,
        "js" | "jsx" | "ts" | "tsx" | "mjs" | "cjs" | "mts" | "cts" | "vue" | "svelte" => script,
        "rs" => rust,
        "go" => go,
        "java" | "kt" | "kts" | "scala" | "groovy" => java,
        "c" | "cc" | "cpp" | "cxx" | "h" | "hh" | "hpp" | "m" | "mm" => include,
        "rb" => ruby,
        "php" => php,
        _ => return Vec::new(),
    };
    text.lines().flat_map(|line| read(path, line.trim())).collect()
}

fn quoted(text: &str) -> Option<&str> {
    let start = text.find(['"', '\'', '`'])?;
    let quote = text[start..].chars().next()?;
    let rest = &text[start + 1..];
    rest.find(quote).map(|end| &rest[..end])
}

fn python(_: &str, line: &str) -> Vec<Guess> {
    if let Some(rest) = line.strip_prefix("import ") {
        let names = rest.split(',').filter_map(|name| name.split_whitespace().next());
        return names.map(|name| Guess::Anywhere(name.replace('.', "/"))).collect();
    }
    let Some((from, names)) = line.strip_prefix("from ").and_then(|rest| rest.split_once(" import ")) else {
        return Vec::new();
    };
    let from = from.trim();
    let dots = from.len() - from.trim_start_matches('.').len();
    let place = from[dots..].replace('.', "/");
    let up = if dots == 0 { String::new() } else { "../".repeat(dots - 1) };
    let guess =
        |path: String| if dots == 0 { Guess::Anywhere(path) } else { Guess::Near(format!("{up}{path}")) };
    let names =
        names.trim_matches(['(', ')', ' ']).split(',').filter_map(|name| name.split_whitespace().next());
    let mut found: Vec<Guess> = names
        .filter(|name| name.chars().all(|c| c.is_alphanumeric() || c == '_'))
        .map(|name| guess(if place.is_empty() { name.to_owned() } else { format!("{place}/{name}") }))
        .collect();
    if !place.is_empty() {
        found.push(guess(place));
    }
    found
}

fn script(_: &str, line: &str) -> Vec<Guess> {
    let at = ["from ", "require(", "import(", "import "]
        .iter()
        .find_map(|word| Some(line.find(word)? + word.len()));
    let name = at.and_then(|at| quoted(&line[at..]));
    name.filter(|name| name.starts_with('.')).map(|name| Guess::Near(name.to_owned())).into_iter().collect()
}

fn rust(path: &str, line: &str) -> Vec<Guess> {
    let line = line.strip_prefix("pub ").unwrap_or(line);
    let line = line.strip_prefix("pub(crate) ").or_else(|| line.strip_prefix("pub(super) ")).unwrap_or(line);
    let name = path.rsplit('/').next().unwrap_or(path);
    let stem = name.trim_end_matches(".rs");
    let own = if matches!(stem, "mod" | "lib" | "main") { String::new() } else { format!("{stem}/") };
    if let Some(module) = line.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
        return vec![Guess::Near(format!("{own}{}", module.trim()))];
    }
    let Some(used) = line.strip_prefix("use ") else { return Vec::new() };
    let used =
        used.split(['{', ';', ' ']).next().unwrap_or_default().trim_end_matches("::").replace("::", "/");
    let guess: fn(String) -> Guess = if used.starts_with("crate/") { Guess::Anywhere } else { Guess::Near };
    let (base, rest) = if let Some(rest) = used.strip_prefix("crate/") {
        ("src/".to_owned(), rest)
    } else if let Some(rest) = used.strip_prefix("super/") {
        let ups = 1 + rest.matches("super/").count();
        let steps = if own.is_empty() { ups } else { ups - 1 };
        ("../".repeat(steps), rest.trim_start_matches("super/"))
    } else if let Some(rest) = used.strip_prefix("self/") {
        (own, rest)
    } else {
        return Vec::new();
    };
    // The last parts may be names within the file.
    let mut parts: Vec<&str> = rest.split('/').collect();
    let mut found = Vec::new();
    while !parts.is_empty() {
        found.push(guess(format!("{base}{}", parts.join("/"))));
        parts.pop();
    }
    found
}

fn go(_: &str, line: &str) -> Vec<Guess> {
    let line = line.strip_prefix("import ").unwrap_or(line);
    let alone = line.split_whitespace().count() <= 2 && line.ends_with('"');
    let name = quoted(line).filter(|name| alone && name.contains('/'));
    name.map(|name| Guess::Folder(name.to_owned())).into_iter().collect()
}

fn java(_: &str, line: &str) -> Vec<Guess> {
    let Some(rest) = line.strip_prefix("import ") else { return Vec::new() };
    let name = rest
        .trim_start_matches("static ")
        .trim_end_matches(';')
        .split_whitespace()
        .next()
        .unwrap_or_default();
    let name = name.replace('.', "/");
    let outer = name.rsplit_once('/').map(|(outer, _)| Guess::Anywhere(outer.to_owned()));
    std::iter::once(Guess::Anywhere(name)).chain(outer).collect()
}

fn include(_: &str, line: &str) -> Vec<Guess> {
    let name = line.strip_prefix('#').map(str::trim_start).and_then(|rest| rest.strip_prefix("include"));
    let name = name.and_then(quoted);
    name.map(|name| vec![Guess::Near(name.to_owned()), Guess::Anywhere(name.to_owned())]).unwrap_or_default()
}

fn ruby(_: &str, line: &str) -> Vec<Guess> {
    if let Some(rest) = line.strip_prefix("require_relative") {
        return quoted(rest).map(|name| Guess::Near(name.to_owned())).into_iter().collect();
    }
    let name = line.strip_prefix("require ").and_then(quoted);
    name.map(|name| Guess::Anywhere(name.to_owned())).into_iter().collect()
}

fn php(_: &str, line: &str) -> Vec<Guess> {
    let name = line.strip_prefix("use ").map(|rest| rest.split([';', ' ']).next().unwrap_or_default());
    name.filter(|name| name.contains('\\'))
        .map(|name| Guess::Anywhere(name.replace('\\', "/")))
        .into_iter()
        .collect()
}
