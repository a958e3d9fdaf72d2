//! Releases run to their end: a commit promoted and taken back by `release-change`, and this program's own `release.yml`.
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere, its helpers too")]

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use orch::artifact::digest::Digest;
use orch::artifact::id::CommitId;
use orch::ports::vcs::{GitRepository, VcsRead as _};
use serde_json::{Value, json};

use super::place::{Place, log, names, ran};
use super::root;
use crate::release_acts::cli::{FILES, inputs, runs, seed};
use crate::release_acts::{NOW, digests};

/// A service whose last good release runs in production, and the commit that follows it.
struct Service {
    place: Place,
    good: CommitId,
    subject: CommitId,
}

impl Service {
    fn new() -> Option<Self> {
        let place = Place::on_github(FILES, |_| {})?;
        let (env, root) = (&place.env, &place.source);
        let good = GitRepository::open(root).unwrap().head().unwrap().commit;
        fs::write(root.join("src/main.txt"), "main, faster\n").unwrap();
        env.git(root, &["commit", "-qam", "faster"]);
        env.git(root, &["push", "-q", "origin", "main"]);
        let vcs = GitRepository::open(root).unwrap();
        let subject = vcs.head().unwrap().commit;
        let mut state = place.github().state();
        state.take(&vcs, &[good.as_str()]);
        seed(&mut state, &good, &subject);
        drop(state);
        Some(Self { place, good, subject })
    }

    /// What the identity of the workflow signed says what the run says, and is kept with what was known, decided and done.
    fn is_signed_and_kept(&self, act: &str) {
        let remote = self.place.env.path("shop.git");
        let kept = self.place.env.git(&remote, &["ls-tree", "-r", "--name-only", "refs/orch/runs"]);
        for file in ["attest/release.json", "release/evidence.json", "release/decision.json", act] {
            assert!(kept.lines().any(|path| path.ends_with(file)), "{file}: {kept}");
        }
    }

    /// Runs the workflow with what a build and a canary left: how often the canary failed, and the last good release.
    fn run(&self, canary: &str, good: &str) -> Value {
        let folder = self.place.env.path("measured");
        inputs(&folder, NOW - 60, (&self.subject, (canary, 4000)), (&self.good, (good, 4000)));
        let hex = digests("new")[0].digest.as_str().trim_start_matches("sha256:").to_owned();
        fs::write(folder.join("digests.txt"), format!("{hex}  ghcr.io/acme/app\n")).unwrap();
        let given = json!({
            "environment": "production", "branch": "main", "deployed": "true", "files": "900",
            "artifacts-file": "release-inputs/digests.txt",
        });
        self.place.run(
            "release-change.yml",
            Some(&json!({ "repository": { "full_name": "acme/shop", "visibility": "public" } })),
            &json!({
                "event_name": "workflow_dispatch", "inputs": given, "env": { "SOURCE_DATE_EPOCH": NOW.to_string() },
                "artifacts": [{ "id": "900", "name": "measured", "folder": folder }],
            }),
        )
    }
}

#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn a_release_is_promoted_by_its_workflow() {
    let Some(service) = Service::new() else { return };
    let done = service.run("0.010", "0.010");
    assert_eq!(names(&done), ["release-gate", "promote", "proof", "result"]);
    let end = &done["end"]["outputs"];
    assert_eq!((&end["decision"], &end["exit"]), (&json!("promote"), &json!("0")), "{}", log(&done));
    let state = service.place.github().state();
    assert_eq!((state.tags.len(), state.releases.len()), (1, 1));
    let last = state.deployments.last().unwrap();
    assert_eq!(last["sha"], json!(service.subject));
    let id = last["id"].as_u64().unwrap();
    assert_eq!(state.newest_status(id).as_deref(), Some("success"));
    drop(state);
    service.place.keeps_to_its_rights(&done);
    service.is_signed_and_kept("promotion.json");
}

#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn a_release_whose_canary_is_worse_is_taken_back_by_its_workflow() {
    let Some(service) = Service::new() else { return };
    runs(&mut service.place.github().state(), &service.subject);
    let done = service.run("0.040", "0.010");
    let jobs: Vec<String> = ran(&done).into_iter().map(|(job, _)| job).collect();
    assert_eq!(jobs, ["release-gate", "rollback", "rollback-command", "proof", "result"], "{}", log(&done));
    let end = &done["end"]["outputs"];
    assert_eq!((&end["decision"], &end["exit"]), (&json!("rollback"), &json!("3")), "{}", log(&done));
    for job in ["rollback", "rollback-command"] {
        assert_eq!(done["jobs"][job]["outputs"]["exit"], "0", "{job}: {}", log(&done));
    }
    let state = service.place.github().state();
    let restored = state.deployments.last().unwrap();
    assert_eq!(
        (&restored["sha"], &restored["payload"]["artifacts"]),
        (&json!(service.good), &json!(digests("good")))
    );
    assert_eq!(state.newest_status(1001).as_deref(), Some("failure"));
    assert_eq!(state.pulls.len(), 1);
    drop(state);
    service.place.keeps_to_its_rights(&done);
    service.is_signed_and_kept("rollback.json");
    // The repository's own command ran on the last good files.
    let artifacts = done["artifacts"].as_array().unwrap();
    let part =
        artifacts.iter().find(|one| one["name"].as_str().unwrap().ends_with("-rollback-command-r1-a1"));
    let files = crate::env::files_below(Path::new(part.unwrap()["folder"].as_str().unwrap()));
    let said = files.iter().find(|(path, _)| path.ends_with("rollback-command.log")).unwrap().1;
    assert!(String::from_utf8_lossy(said).contains(&format!("production {}", service.good)));
}

/// Programs that stand in the place of the tools a release needs of others: the compiler's, and GitHub's own client.
fn tools(place: &Place) -> PathBuf {
    let folder = place.env.path("shims");
    fs::create_dir_all(&folder).unwrap();
    let log = place.env.path("gh.log").display().to_string();
    let cargo = "case \"$1\" in\n\
        build)\n  while [ \"$1\" != --target ]; do shift; done\n  ending=; case \"$2\" in *windows*) ending=.exe ;; esac\n  \
        mkdir -p \"${CARGO_TARGET_DIR:-target}/$2/dist\"\n  printf '#!/bin/sh\\necho \"orch 0.1.0 %s\"\\n' \"$2\" >\"${CARGO_TARGET_DIR:-target}/$2/dist/orch$ending\"\n  \
        chmod +x \"${CARGO_TARGET_DIR:-target}/$2/dist/orch$ending\" ;;\n\
        cyclonedx) echo '{\"bomFormat\":\"CycloneDX\"}' >orch.cdx.json ;;\n\
        install) ;;\n*) exit 9 ;;\nesac\n";
    let told = format!("printf '%s\\n' \"$*\" >>{log}\n");
    for (name, text) in [("cargo", cargo), ("rustup", "exit 0\n"), ("gh", told.as_str())] {
        let file = folder.join(name);
        fs::write(&file, format!("#!/bin/sh\n{text}")).unwrap();
        fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    folder
}

/// This repository as far as its release looks at it.
fn own() -> Option<Place> {
    let read = |path: &str| fs::read_to_string(root().join(path)).unwrap();
    let files = ["Cargo.toml", ".ci/dist", "action/binaries.txt"].map(|path| (path, read(path)));
    let files: Vec<(&str, &str)> = files.iter().map(|(path, text)| (*path, text.as_str())).collect();
    let place = Place::new(&files)?;
    place.env.git(&place.source, &["update-index", "--chmod=+x", ".ci/dist"]);
    place.env.git(&place.source, &["commit", "-qm", "modes"]);
    place.env.git(&place.source, &["push", "-q", "origin", "main"]);
    Some(place)
}

/// Every step of the release is run but the compiler: what is published is what was built twice the same, and its digests are in the
/// commit that is tagged.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn the_release_of_this_program_tags_the_digests_of_what_it_built() {
    let Some(place) = own() else { return };
    let (env, remote) = (&place.env, place.env.path("shop.git"));
    let version = env!("CARGO_PKG_VERSION");
    let more = |version: &str| {
        json!({ "inputs": { "version": version }, "path": [tools(&place)], "token": "ghs_testtokenthatnobodymaysee0123456789",
            "env": { "GITHUB_REPOSITORY": "acme/none" } })
    };
    let done = place.run("release.yml", None, &more(version));
    let jobs = names(&done);
    for job in ["version", "build", "build/5", "reproduce", "materials", "attest", "publish"] {
        assert!(jobs.contains(&job.to_owned()), "{job}: {jobs:?}");
    }
    let tag = format!("v{version}");
    let major = format!("v{}", version.split('.').next().unwrap());
    let at = |name: &str| env.git(&remote, &["rev-parse", &format!("refs/tags/{name}")]);
    assert_eq!(at(&tag), at(&major));
    // The branch stays as it was: who pins the tag's commit pins the programs.
    assert_eq!(
        env.git(&remote, &["rev-parse", &format!("{tag}^")]),
        env.git(&remote, &["rev-parse", "main"])
    );
    let listed = env.git(&remote, &["show", &format!("{tag}:action/binaries.txt")]);
    assert!(listed.contains(&format!("repository acme/none\nversion {version}\n")), "{listed}");
    let mut programs = 0;
    for artifact in done["artifacts"].as_array().unwrap() {
        for (file, bytes) in crate::env::files_below(Path::new(artifact["folder"].as_str().unwrap())) {
            let Some(target) = file.strip_prefix("orch-").map(|name| name.trim_end_matches(".exe")) else {
                continue;
            };
            let line = format!("{target} {} {file}\n", Digest::of(&bytes).hex());
            assert!(listed.contains(&line), "{line} in\n{listed}");
            programs += 1;
        }
    }
    assert_eq!(programs, 6, "{listed}");
    let attested = done["kept"].as_array().unwrap().iter().filter(|one| one["by"] == "attest").count();
    assert_eq!(attested, 2);
    let told = fs::read_to_string(env.path("gh.log")).unwrap();
    assert!(
        told.starts_with(&format!("release create {tag} --verify-tag")) && told.contains("SHA256SUMS"),
        "{told}"
    );
    // The job that writes is the only one that may.
    for token in done["tokens"].as_array().unwrap() {
        let writes = token["may"]
            .as_object()
            .unwrap()
            .iter()
            .any(|(right, level)| right == "contents" && level == "write");
        assert_eq!(writes, token["job"] == "publish", "{token}");
    }
    // Another version than the one in Cargo.toml, or none, is not released.
    for wrong in ["9.9.9", "0.1", "0.1.0; touch x"] {
        let done = place.run("release.yml", None, &more(wrong));
        assert_eq!(ran(&done), [("version".to_owned(), "failure".to_owned())], "{wrong}");
    }
}

/// Three requests at once: each is a run of its own, and one that cannot be done keeps none of the others.
#[test]
#[ignore = "needs the stand-in workflow-linters"]
fn each_of_many_requests_ends_on_its_own() {
    let Some(place) = Place::new(&[("README.md", "A shop.\n"), ("orch.yml", "service: shop\n")]) else {
        return;
    };
    let canary = place.env.path("canary");
    let bad = format!(
        "$(touch {0}) `touch {0}` ${{{{ github.token }}}}\n::set-output name=exit::0",
        canary.display()
    );
    let requests = json!(["add an MIT license for \"ACME Inc.\"", bad, "add an .editorconfig file"]);
    let done = place.run("change-many.yml", None, &json!({ "inputs": { "requests": requests.to_string() } }));
    let exit = |at: usize| {
        done["jobs"][format!("each/{at}/result")]["outputs"]["exit"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!((exit(0).as_str(), exit(2).as_str()), ("0", "0"), "{}", log(&done));
    assert!(!["0", ""].contains(&exit(1).as_str()), "{}", log(&done));
    assert_eq!(place.branches().len(), 2, "{:?}", place.branches());
    assert!(!canary.exists());
    let commands = done["commands"].as_array().unwrap();
    assert!(commands.iter().all(|one| one["name"] != "set-output"), "{commands:?}");
}
