//! Signed statements: the key is trusted, and the statement says what the files say.

use serde_json::Value;

use crate::attest::{Bundle, StatementKind, main_kind};
use crate::proof::case::Case;
use crate::proof::outcome::Outcome;

pub(super) fn look(case: &Case<'_>) -> Outcome {
    let files = match case.opened.statements() {
        Ok(files) => files,
        Err(error) => return Outcome::failed(error.to_string()),
    };
    let (mut problems, mut signed, mut open) = (Vec::new(), Vec::new(), Vec::new());
    for (path, bytes) in &files {
        match statement(case, path, bytes) {
            Ok(Signed::By(name, key)) => signed.push((name, key)),
            Ok(Signed::Open(why)) => open.push(why),
            Err(why) => problems.push(why),
        }
    }
    if !problems.is_empty() {
        return Outcome::Failed { problems };
    }
    let needed = !case.keys.is_empty() || case.opened.kept;
    let not_measured = |why: String| Outcome::NotMeasured { why, needed };
    if files.is_empty() {
        let why = "no statement is signed; `orch attest sign` signs one".to_owned();
        return if case.keys.is_empty() { not_measured(why) } else { Outcome::failed(why) };
    }
    let main = main_kind(&case.opened).name;
    let Some((_, key)) = signed.iter().find(|(name, _)| *name == main) else {
        return match open.into_iter().next() {
            Some(why) => not_measured(why),
            None => Outcome::failed(format!("the statement `{main}` is not among those signed")),
        };
    };
    let names: Vec<&str> = signed.iter().map(|(name, _)| *name).collect();
    Outcome::held(format!("{} by the key {}", names.join(", "), &key[..16]))
}

/// What a statement that says the right things is worth.
enum Signed {
    /// A trusted key signed it.
    By(&'static str, String),
    /// Nobody can tell here who signed it.
    Open(String),
}

fn statement(case: &Case<'_>, path: &str, bytes: &[u8]) -> Result<Signed, String> {
    let bundle = Bundle::parse(path, bytes).map_err(|error| error.to_string())?;
    let statement = bundle.statement(path).map_err(|error| error.to_string())?;
    let kind = StatementKind::of(&statement.predicate_type)
        .filter(|kind| kind.path() == path)
        .ok_or_else(|| format!("`{path}` holds a statement of another kind: {}", statement.predicate_type))?;
    let signer = bundle.signer(case.keys);
    if signer.is_none() && !case.keys.is_empty() && !bundle.has_certificate() {
        return Err(format!("`{path}` is not signed by a key that is trusted here, or was changed"));
    }
    if signer.is_some_and(|key| !bundle.names_only(key)) {
        return Err(format!("`{path}` names another key than the one that signed it"));
    }
    let wanted = kind.make(&case.opened).map_err(|error| error.to_string())?;
    let wanted = match wanted {
        Some(wanted) => wanted,
        None if case.opened.kept => return Ok(opened(kind, signer)),
        None => return Err(format!("`{path}` says something this run does not say")),
    };
    if statement.statement_type != wanted.statement_type {
        return Err(format!("`{path}` holds another form of statement"));
    }
    let same = if case.opened.kept {
        let (few, all) = if bundle.has_certificate() {
            (&statement.subject, &wanted.subject)
        } else {
            (&wanted.subject, &statement.subject)
        };
        !few.is_empty()
            && few.iter().all(|subject| all.contains(subject))
            && fits(&statement.predicate, &wanted.predicate)
    } else if bundle.has_certificate() {
        statement.says(&wanted)
    } else {
        statement == wanted
    };
    if !same {
        let at = first_difference(&statement.predicate, &wanted.predicate, "")
            .unwrap_or_else(|| "/subject".into());
        return Err(format!("`{path}` says something else than the files of the run, at {at}"));
    }
    Ok(match (signer, bundle.has_certificate()) {
        (None, true) => Signed::Open(format!(
            "`{path}` is signed with a certificate; `gh attestation verify` or `cosign` checks it"
        )),
        (signer, _) => opened(kind, signer),
    })
}

fn opened(kind: &'static StatementKind, signer: Option<&crate::attest::PublicKey>) -> Signed {
    match signer {
        Some(key) => Signed::By(kind.name, key.id()),
        None => Signed::Open("it is signed, and no key was given to check it with; give --key FILE".into()),
    }
}

/// Where only a part of the run is here, what can be made again has to be in the statement as it is.
fn fits(found: &Value, wanted: &Value) -> bool {
    let (Value::Object(found), Value::Object(wanted)) = (found, wanted) else { return found == wanted };
    wanted.iter().all(|(name, value)| found.get(name) == Some(value))
}

/// Returns the pointer to the first difference of two documents.
fn first_difference(a: &Value, b: &Value, at: &str) -> Option<String> {
    if a == b {
        return None;
    }
    match (a, b) {
        (Value::Object(a), Value::Object(b)) => {
            let names: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            names.into_iter().find_map(|name| {
                let none = Value::Null;
                let (a, b) = (a.get(name).unwrap_or(&none), b.get(name).unwrap_or(&none));
                first_difference(a, b, &format!("{at}/{name}"))
            })
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            a.iter().zip(b).enumerate().find_map(|(n, (a, b))| first_difference(a, b, &format!("{at}/{n}")))
        }
        _ => Some(at.to_owned()),
    }
}
