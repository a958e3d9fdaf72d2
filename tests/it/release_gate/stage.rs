//! The stage from end to end: a real repository, a real run behind the release, files, a metrics server on loopback.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex};

use orch::artifact::digest::Digest;
use orch::artifact::envelope::Envelope;
use orch::artifact::types::release::{ReleaseDecision, ReleaseEvidence, SourceOutcome};

use crate::env::{TestEnv, said};

const TOKEN: &str = "metrics-token-0123456789";

/// A Prometheus that knows some queries, and what it was asked.
struct Metrics {
    url: String,
    seen: Arc<Mutex<Vec<String>>>,
}

fn metrics(answers: &[(&str, &str)]) -> Metrics {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let (kept, answers) =
        (Arc::clone(&seen), answers.iter().map(|(q, a)| (format!("query={q}&"), (*a).to_owned())));
    let answers: BTreeMap<String, String> = answers.collect();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut bytes = [0; 8192];
            let read = stream.read(&mut bytes).unwrap_or(0);
            let text = String::from_utf8_lossy(&bytes[..read]).into_owned();
            let found = answers.iter().find(|(query, _)| text.contains(query.as_str()));
            let body = found.map_or(
                "{\"status\":\"success\",\"data\":{\"resultType\":\"vector\",\"result\":[]}}".into(),
                |(_, result)| format!("{{\"status\":\"success\",\"data\":{result}}}"),
            );
            kept.lock().unwrap().push(text);
            let _ = write!(
                stream,
                "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
        }
    });
    Metrics { url, seen }
}

const EPOCH: i64 = 1_785_000_000;

fn config(url: &str) -> String {
    format!(
        "release:\n  prometheus: {url}\n  packs: [controls]\n  keys: []\n  calendars: [calendar.ics]\n  environments:\n    production:\n      checks: [\"github-actions:build\"]\n      approvals: 0\n      reviewed: false\n      tested: out/tested.txt\n      measures: [out/slo.json]\n      canary:\n        error-ratio:\n          tolerance: 0.002\n          min_samples: 3\n          canary: {{value: errors_canary, minutes: 5, statistic: mean}}\n          last_good: {{value: errors_good, minutes: 5}}\n      slo:\n        availability: {{better: higher, objective: \"0.999\"}}\n      error_budget: {{min_remaining: 0.1, query: budget}}\n      rollback: {{plan: ROLLBACK.md, rehearsed_days: 0}}\n      licences: {{deny: [GPL-3.0-only], sbom: out/sbom.json}}\n"
    )
}

/// A repository whose run is merged, with everything but a forge.
struct Site {
    env: TestEnv,
    root: PathBuf,
    base: String,
    metrics: Metrics,
}

fn site() -> Site {
    let env = TestEnv::new();
    let root = env.service("service");
    let points = |value: &str| {
        format!(
            "{{\"resultType\":\"matrix\",\"result\":[{{\"metric\":{{}},\"values\":[[{EPOCH},\"{value}\"],[{},\"{value}\"],[{},\"{value}\"]]}}]}}",
            EPOCH - 60,
            EPOCH - 120
        )
    };
    let moment = |value: &str| {
        format!(
            "{{\"resultType\":\"vector\",\"result\":[{{\"metric\":{{}},\"value\":[{EPOCH}.5,\"{value}\"]}}]}}"
        )
    };
    let (canary, good, budget) = (points("0.0012"), points("1e-3"), moment("0.42"));
    let metrics = metrics(&[("errors_canary", &canary), ("errors_good", &good), ("budget", &budget)]);
    let own = fs::read_to_string(root.join("orch.yml")).unwrap_or_default();
    fs::write(root.join("orch.yml"), format!("{own}\n{}", config(&metrics.url))).unwrap();
    for (path, text) in
        [("on-call.rego", super::own::ON_CALL), ("acme/data.json", "{\"on_call\": \"olga\"}\n")]
    {
        let file = root.join("controls").join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }
    fs::write(root.join("ROLLBACK.md"), "Deploy the release before.\n").unwrap();
    fs::create_dir_all(root.join(".orch")).unwrap();
    // No forge here: somebody answers for the checks, for a time.
    fs::write(
        root.join(".orch/release-waivers.yml"),
        "waivers:\n  - {control: release/checks, environment: production, reason: no forge in this test, owner: olga, expires: 2026-08-01}\n",
    )
    .unwrap();
    fs::write(root.join(".gitignore"), "out/\ncalendar.ics\nartifacts/\ntarget/\n").unwrap();
    env.git(&root, &["add", "-A"]);
    env.git(&root, &["commit", "-q", "-m", "chore: releases"]);
    env.git(&root, &["push", "-q", "origin", "main"]);
    let base = env.git(&root, &["rev-parse", "HEAD"]).trim().to_owned();
    env.orch(&root, &["run", "add a /health endpoint"]).exits(0);
    let branch = env.git(&root, &["branch", "--list", "feat/*", "--format", "%(refname:short)"]);
    env.git(&root, &["merge", "-q", "--ff-only", branch.trim()]);
    env.git(&root, &["push", "-q", "origin", "main"]);
    let site = Site { env, root, base, metrics };
    site.files();
    site
}

impl Site {
    fn files(&self) {
        let at = jiff::Timestamp::from_second(EPOCH - 60).unwrap();
        let put = |path: &str, text: &str| {
            let file = self.root.join(path);
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
        };
        put("out/tested.txt", &format!("{}  shop.tar.gz\n", Digest::of("shop").hex()));
        put(
            "out/slo.json",
            &format!(
                "{{\"measures\":[{{\"name\":\"availability\",\"of\":\"service\",\"value\":\"0.9995\",\"samples\":90000,\"statistic\":\"mean\",\"at\":\"{at}\"}}]}}"
            ),
        );
        put(
            "out/sbom.json",
            "{\"bomFormat\":\"CycloneDX\",\"specVersion\":\"1.6\",\"components\":[{\"name\":\"serde\",\"version\":\"1.0\",\"licenses\":[{\"expression\":\"MIT OR Apache-2.0\"}]}]}",
        );
        put(
            "calendar.ics",
            "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nSUMMARY:year end\r\nDTSTART;VALUE=DATE:20261224\r\nDTEND;VALUE=DATE:20270102\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n",
        );
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = self.env.orch_command(&self.root, words);
        command.env("ORCH_METRICS_TOKEN", TOKEN).env("SOURCE_DATE_EPOCH", EPOCH.to_string());
        command
    }

    fn gate(&self, more: &[&str]) -> crate::env::Said {
        let artifact = format!("shop.tar.gz={}", Digest::of("shop"));
        let words = [
            "stage",
            "release-gate",
            "--to",
            "production",
            "--last-good",
            &self.base,
            "--artifact",
            &artifact,
        ];
        said(self.command(&[&words[..], more].concat()))
    }

    fn folder(&self) -> PathBuf {
        let head = self.env.git(&self.root, &["rev-parse", "HEAD"]);
        self.root.join("artifacts").join(format!("release-production-{}", &head[..12]))
    }

    fn evidence(&self) -> ReleaseEvidence {
        read(&self.folder().join("release/evidence.json"))
    }
}

fn read<T: orch::artifact::envelope::Artifact>(path: &Path) -> T {
    Envelope::<T>::from_bytes(&fs::read(path).unwrap()).unwrap().body
}

#[test]
fn a_release_is_collected_judged_proven_and_judged_again_offline() {
    let site = site();
    let gone = site.gate(&[]).exits(0).says("PROMOTE");
    assert!(gone.stdout.contains("waived by olga until 2026-08-01"), "{}", gone.stdout);
    assert!(!gone.stdout.contains(TOKEN) && !gone.stderr.contains(TOKEN));
    let asked = site.metrics.seen.lock().unwrap().join("\n");
    assert!(asked.contains(&format!("Bearer {TOKEN}")), "{asked}");
    assert!(asked.contains("/api/v1/query_range?query=errors_canary&start="), "{asked}");

    let evidence = site.evidence();
    let facts = &evidence.facts;
    let change = &facts.changes.as_ref().unwrap()[0];
    assert_eq!(change.proof.result, orch::artifact::types::release::ProofResult::Held, "{change:#?}");
    assert_eq!(change.commits.len(), facts.commits.as_ref().unwrap().len());
    assert_eq!(facts.measures.as_ref().unwrap().len(), 3);
    assert_eq!(facts.error_budget.as_ref().unwrap().remaining.to_string(), "0.42");
    let open: Vec<_> = evidence.sources.iter().filter(|one| one.outcome == SourceOutcome::Failed).collect();
    assert!(open.is_empty(), "{open:#?}");
    for (_, bytes) in crate::env::files_below(&site.folder()) {
        assert!(!String::from_utf8_lossy(&bytes).contains(TOKEN));
    }

    // The same file, judged by itself: the same bytes, without repository, network or clock.
    let (file, out) = (site.folder().join("release/evidence.json"), site.env.path("decision.json"));
    let (file_text, out_text) = (file.display().to_string(), out.display().to_string());
    let nowhere = site.env.path("home");
    site.env.orch(&nowhere, &["release", "judge", &file_text, "--out", &out_text]).exits(0);
    assert_eq!(fs::read(&out).unwrap(), fs::read(site.folder().join("release/decision.json")).unwrap());

    let run = site.folder().file_name().unwrap().to_string_lossy().into_owned();
    site.env.orch(&site.root, &["verify", &run]).exits(0).says("`promote` follows from the evidence");
    site.env.orch(&site.root, &["replay", &run]).exits(0);
    site.env.orch(&site.root, &["report", &run]).exits(0);

    // Collected by itself, at the same moment, it is the same file.
    let artifact = format!("shop.tar.gz={}", Digest::of("shop"));
    let again = site.env.path("again.json").display().to_string();
    let words = [
        "release",
        "collect",
        "--to",
        "production",
        "--last-good",
        &site.base,
        "--artifact",
        &artifact,
        "--out",
        &again,
    ];
    said(site.command(&words)).exits(0);
    assert_eq!(fs::read(&again).unwrap(), fs::read(&file).unwrap());
}

#[test]
fn what_is_not_there_holds_and_says_what_to_do() {
    let site = site();
    let spoil = |path: &str, text: Option<&str>, want: &str, exit: i32| {
        let file = site.root.join(path);
        match text {
            Some(text) => fs::write(&file, text).unwrap(),
            None => fs::remove_file(&file).unwrap(),
        }
        let gone = site.gate(&[]).exits(exit);
        assert!(gone.stdout.contains(want), "{path}: {}", gone.stdout);
        site.files();
        site.gate(&[]).exits(0);
    };
    spoil("out/slo.json", None, "HOLD", 75);
    spoil(
        "out/slo.json",
        Some("{\"measures\":[{\"name\":\"availability\",\"value\":0.9995}]}"),
        "cannot be read",
        75,
    );
    spoil("out/sbom.json", Some("{}"), "neither CycloneDX nor SPDX", 75);
    spoil(
        "out/tested.txt",
        Some(&format!("{}  shop.tar.gz\n", Digest::of("other").hex())),
        "another digest",
        3,
    );
    spoil("calendar.ics", Some("BEGIN:VCALENDAR"), "cut off", 75);
    spoil("calendar.ics", None, "there is no `calendar.ics`", 75);

    // A canary that is out: the same numbers mean go back only where they are measured.
    let decision: ReleaseDecision = read(&site.folder().join("release/decision.json"));
    assert_eq!(decision.last_good.unwrap().commit.as_str(), site.base);
    site.env.orch(&site.root, &["stage", "release-gate"]).exits(2);
    site.env
        .orch(&site.root, &["stage", "release-gate", "--to", "nowhere"])
        .exits(2)
        .says("release.environments");
    site.env.orch(&site.root, &["stage", "plan", "--to", "production"]).exits(2);
}

#[test]
fn a_commit_by_hand_and_a_spoiled_run_do_not_go_out() {
    let site = site();
    fs::write(site.root.join("NOTES.md"), "by hand\n").unwrap();
    site.env.git(&site.root, &["add", "NOTES.md"]);
    site.env.git(&site.root, &["commit", "-q", "-m", "docs: by hand"]);
    site.gate(&[]).exits(3).says("is not on the branch");
    site.env.git(&site.root, &["push", "-q", "origin", "main"]);
    site.gate(&[]).exits(75).says("somebody made it by hand");
    site.env.git(&site.root, &["reset", "-q", "--hard", "HEAD~1"]);
    site.gate(&[]).exits(0);
    let runs = fs::read_dir(site.root.join("artifacts")).unwrap().map(|entry| entry.unwrap().path());
    let run = runs.into_iter().find(|path| path.join("policy/verdict.json").is_file()).unwrap();
    let verdict = run.join("policy/verdict.json");
    let bytes = fs::read(&verdict).unwrap();
    fs::write(&verdict, [&bytes[..], b" "].concat()).unwrap();
    site.gate(&[]).exits(3).says("does not hold");
    fs::write(&verdict, bytes).unwrap();
    site.gate(&[]).exits(0);
}
