//! The laws of docs/ARCHITECTURE.md that can be tests.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use orch::artifact::id::StageId;
use orch::pipeline::{CHANGE, Pipeline};
use orch::stage::registry::STAGES;
use orch::stage::spec::EffectKind;

fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let (mut files, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path.strip_prefix(&root).unwrap().to_owned(), text));
            }
        }
    }
    files.sort();
    files
}

/// Law 4: no stage holds two of {model key, running repository code, write token}.
#[test]
fn no_stage_holds_two_powers() {
    for stage in STAGES {
        let spec = stage.spec();
        assert!(spec.powers().len() <= 1, "{} holds {:?}", spec.id, spec.powers());
    }
}

/// Law 4: only a stage that writes to the forge has a write permission.
#[test]
fn write_permissions_go_with_the_write_power() {
    for stage in STAGES {
        let spec = stage.spec();
        let writes = spec.permissions.iter().any(|p| p.as_str().ends_with("write"));
        assert_eq!(writes, spec.effects.contains(&EffectKind::ForgeWrite), "{}", spec.id);
    }
}

/// Law 3: every stage is registered once, in pipeline order, and writes files of its own.
#[test]
fn stages_are_registered_once_and_write_their_own_files() {
    let ids: Vec<StageId> = STAGES.iter().map(|s| s.spec().id).collect();
    assert_eq!(ids, StageId::ALL);
    let mut written = BTreeSet::new();
    for stage in STAGES {
        for slot in stage.spec().outputs {
            assert!(written.insert(slot.path), "{} is written twice", slot.path);
        }
    }
}

/// Law 3: config keys a stage names are keys of the config.
#[test]
fn stages_name_config_keys_that_exist() {
    for stage in STAGES {
        let spec = stage.spec();
        let slice = orch::config::Config::default().slice(spec.config);
        assert_eq!(slice.as_object().unwrap().len(), spec.config.len(), "{}", spec.id);
    }
}

/// The embedded pipeline holds every stage, and every required file is written before it is read.
#[test]
fn the_embedded_pipeline_is_valid_and_whole() {
    let pipeline = Pipeline::parse(CHANGE, "(embedded)").unwrap();
    let mut ids: Vec<StageId> = pipeline.stages().map(|(step, _)| step.stage).collect();
    // A release is a run of its own.
    ids.extend([StageId::ReleaseGate, StageId::Promote, StageId::Rollback, StageId::RollbackCommand]);
    ids.sort_unstable();
    assert_eq!(ids, StageId::ALL);
}

/// Layers, and those above each that it never names.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "diagnostic",
        &[
            "artifact",
            "ports",
            "config",
            "telemetry",
            "edit",
            "scan",
            "agent",
            "engine",
            "stage",
            "pipeline",
            "report",
            "cli",
        ],
    ),
    (
        "artifact",
        &[
            "ports",
            "config",
            "telemetry",
            "edit",
            "scan",
            "agent",
            "engine",
            "stage",
            "pipeline",
            "report",
            "cli",
        ],
    ),
    (
        "scan",
        &["ports", "config", "telemetry", "edit", "agent", "engine", "stage", "pipeline", "report", "cli"],
    ),
    (
        "syntax",
        &[
            "ports",
            "config",
            "telemetry",
            "edit",
            "scan",
            "index",
            "agent",
            "engine",
            "stage",
            "pipeline",
            "report",
            "cli",
        ],
    ),
    ("edit", &["ports", "config", "telemetry", "agent", "engine", "stage", "pipeline", "report", "cli"]),
    ("ports", &["telemetry", "agent", "engine", "stage", "pipeline", "report", "cli"]),
    ("config", &["telemetry", "agent", "engine", "stage", "pipeline", "report", "cli"]),
    ("upgrade", &["cli"]),
    ("telemetry", &["ports", "config", "edit", "agent", "engine", "stage", "pipeline", "report", "cli"]),
    ("agent", &["config", "telemetry", "engine", "stage", "pipeline", "report", "cli"]),
    ("index", &["config", "telemetry", "agent", "engine", "stage", "pipeline", "report", "cli"]),
    ("engine", &["telemetry", "stage", "pipeline", "report", "cli"]),
    (
        "rego",
        &[
            "ports",
            "config",
            "telemetry",
            "edit",
            "agent",
            "engine",
            "stage",
            "pipeline",
            "conftest",
            "report",
            "cli",
        ],
    ),
    ("stage", &["pipeline", "conftest", "conversation", "report", "lint", "compile", "cli"]),
    (
        "conversation",
        &["telemetry", "agent", "engine", "pipeline", "conftest", "report", "lint", "compile", "cli"],
    ),
    ("lint", &["ports", "config", "telemetry", "agent", "engine", "pipeline", "report", "compile", "cli"]),
    ("attest", &["config", "telemetry", "pipeline", "conftest", "replay", "proof", "report", "cli"]),
    ("proof", &["telemetry", "pipeline", "conftest", "replay", "report", "cli"]),
    (
        "sbom",
        &[
            "ports",
            "config",
            "telemetry",
            "edit",
            "agent",
            "engine",
            "stage",
            "pipeline",
            "conftest",
            "report",
            "cli",
        ],
    ),
    ("conftest", &["config", "telemetry", "agent", "engine", "stage", "pipeline", "report", "cli"]),
    (
        "verdicts",
        &["ports", "config", "telemetry", "edit", "agent", "engine", "stage", "pipeline", "report", "cli"],
    ),
    ("report", &["ports", "config", "edit", "agent", "engine", "stage", "pipeline", "cli"]),
];

/// Layers point one way: a lower layer never names a higher one.
#[test]
fn lower_layers_do_not_know_higher_ones() {
    let mut wrong = Vec::new();
    for (path, text) in sources() {
        let Some((_, higher)) = LAYERS.iter().find(|(layer, _)| path.starts_with(layer)) else { continue };
        // Tests of a layer may build on what lies above it.
        let code = text.split("#[cfg(test)]").next().unwrap_or_default();
        for name in *higher {
            if code.contains(&format!("crate::{name}::")) {
                wrong.push(format!("{} names crate::{name}", path.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Files read well between 150 and 500 lines; none grows past 700.
#[test]
fn no_file_grows_without_end() {
    let long: Vec<_> =
        sources().into_iter().filter(|(_, text)| text.lines().count() > 700).map(|(p, _)| p).collect();
    assert!(long.is_empty(), "{long:?}");
}

/// Every module says in its first line what it is.
#[test]
fn every_module_has_a_doc() {
    let bare: Vec<_> =
        sources().into_iter().filter(|(_, text)| !text.starts_with("//!")).map(|(p, _)| p).collect();
    assert!(bare.is_empty(), "{bare:?}");
}

/// Nothing is left for later, and no lint is silenced without a reason.
#[test]
fn nothing_is_left_for_later() {
    for (path, text) in sources() {
        for word in ["todo!(", "unimplemented!(", "#[allow(", "#![allow("] {
            assert!(!text.contains(word), "{} holds {word}", path.display());
        }
    }
}

/// Every test file is part of the one integration binary.
#[test]
fn no_test_file_is_forgotten() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it");
    let main = fs::read_to_string(folder.join("main.rs")).unwrap();
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("snapshots") {
            continue;
        }
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(name == "main" || main.contains(&format!("mod {name};")), "{name} is not in main.rs");
    }
}

/// Docs name only paths of this repository that exist; the pages of codes show paths of other people's.
#[test]
fn paths_in_the_docs_exist() {
    const FOLDERS: [&str; 8] =
        ["src/", "docs/", "tests/", "policies/", "templates/", "workflows/", "samples/", "benches/"];
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = Vec::new();
    for page in pages(root).into_iter().filter(|page| !page.starts_with(root.join("docs/codes"))) {
        let text = fs::read_to_string(&page).unwrap();
        for word in text.split('`').skip(1).step_by(2) {
            // A file of this repository has an ending; `tests/red-green` is a code and `src/` an example.
            let is_path = word.contains('.') && FOLDERS.iter().any(|folder| word.starts_with(folder));
            let is_pattern = word.contains(['<', '*', '{', ' ', '\n']);
            if is_path && !is_pattern && !root.join(word.trim_end_matches('/')).exists() {
                missing.push(format!("{}: {word}", page.strip_prefix(root).unwrap().display()));
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
}

#[test]
fn tests_named_in_the_laws_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = fs::read_to_string(root.join("docs/ARCHITECTURE.md")).unwrap();
    let laws = page.split("## ").find(|part| part.starts_with("The laws")).unwrap();
    let tests: String = crate::env::files_below(&root.join("tests/it"))
        .into_values()
        .map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
        .collect();
    let names: Vec<&str> = laws
        .split('`')
        .skip(1)
        .step_by(2)
        .filter(|word| word.contains('_') && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_'))
        .collect();
    assert!(names.len() > 10, "{names:?}");
    for name in names {
        assert!(tests.contains(&format!("fn {name}()")), "no test `{name}`");
    }
}

fn pages(root: &Path) -> Vec<PathBuf> {
    let (mut pages, mut folders) =
        (vec![root.join("README.md"), root.join("CONTRIBUTING.md")], vec![root.join("docs")]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "md") {
                pages.push(path);
            }
        }
    }
    pages
}
