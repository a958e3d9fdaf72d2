//! `requirements.txt`: pip's files of requirements and constraints.
//!
//! Must never follow `-r`: another file speaks for itself.

#![expect(
    clippy::case_sensitive_file_extension_comparisons,
    reason = "what is compared has been lowered, or the tool itself knows but this case"
)]

use super::{Dependency, Ecosystem, Kind, Manifest, Role, Source, spec};

/// Reads a file of requirements.
pub fn read(text: &str) -> Manifest {
    let mut out = Manifest::new(Ecosystem::Pypi, Role::Manifest);
    let mut whole = String::new();
    for line in text.lines() {
        let line = line.trim_end();
        let (body, goes_on) = match line.strip_suffix('\\') {
            Some(body) => (body, true),
            None => (line, false),
        };
        whole.push_str(body);
        whole.push(' ');
        if !goes_on {
            requirement(&whole, &mut out);
            whole.clear();
        }
    }
    requirement(&whole, &mut out);
    out
}

fn requirement(line: &str, out: &mut Manifest) {
    let line = line.trim();
    let line = if line.starts_with('#') { "" } else { line.split(" #").next().unwrap_or_default().trim() };
    if line.is_empty() {
        return;
    }
    if line.starts_with('-') {
        option(line, out);
        return;
    }
    let integrity = line.contains("--hash=");
    let asked = line.split(" --").next().unwrap_or_default();
    if let Some((name, version, source, pinned)) = spec::python(asked) {
        out.dependencies.push(Dependency {
            source,
            pinned: pinned || integrity,
            integrity,
            ..Dependency::new(name, version, Kind::Normal)
        });
    } else if asked.contains("://") {
        out.dependencies.extend(address(asked).map(|d| Dependency {
            pinned: d.pinned || integrity,
            integrity,
            ..d
        }));
    }
}

fn option(line: &str, out: &mut Manifest) {
    let (name, value) = line.split_once([' ', '=']).unwrap_or((line, ""));
    let value = value.trim();
    match name {
        "-e" | "--editable" => {
            if let Some((name, version, source, pinned)) = spec::python(value).filter(|_| value.contains('@'))
            {
                out.dependencies.push(Dependency {
                    source,
                    pinned,
                    ..Dependency::new(name, version, Kind::Normal)
                });
            } else if value.contains("://") {
                out.dependencies.extend(address(value));
            }
        }
        "-i" | "--index-url" | "--extra-index-url" | "-f" | "--find-links" if !value.is_empty() => {
            out.indexes.push(value.to_owned());
        }
        "--trusted-host" => out.indexes.push(format!("http://{value}")),
        _ => {}
    }
}

/// Reads a requirement that is only an address; the name is what the address says.
fn address(asked: &str) -> Option<Dependency> {
    let url = asked.split([' ', ';']).next().unwrap_or_default();
    let (source, pinned) = spec::python_url(url);
    if matches!(source, Source::Path(_)) {
        return None;
    }
    let egg = url.split(['#', '&']).find_map(|part| part.strip_prefix("egg="));
    let path = url.split(['#', '?']).next().unwrap_or_default().trim_end_matches('/');
    let last = path.rsplit('/').next().unwrap_or_default();
    let stem = last.split('@').next().unwrap_or_default().trim_end_matches(".git");
    let stem = if last.ends_with(".whl") { stem.split('-').next().unwrap_or_default() } else { stem };
    let name = egg.unwrap_or(stem).split('[').next().unwrap_or_default();
    Some(Dependency { source, pinned, ..Dependency::new(spec::python_name(name), "", Kind::Normal) })
}
