//! Workflows of all kinds, and what is said of them.

use proptest::prelude::*;

use super::*;
use crate::scan::{Source, Worker};

fn facts(
    path: &str,
    text: &str,
    changed: Option<&[std::ops::RangeInclusive<u32>]>,
) -> Vec<crate::scan::Fact> {
    let mut worker = Worker::new(&[&Workflows], None);
    worker.scan(&Source { changed, ..Source::new(path, text.as_bytes()) });
    let mut facts = worker.into_facts();
    facts.sort();
    facts
}

/// Returns the facts of a workflow as `line:column code confidence`.
fn said(text: &str) -> Vec<String> {
    facts(".github/workflows/a.yml", text, None)
        .iter()
        .filter(|fact| fact.code != UNPINNED)
        .map(|fact| {
            format!("{}:{} {} {:?}", fact.line, fact.column, fact.code, fact.confidence).to_lowercase()
        })
        .collect()
}

fn job(on: &str, steps: &str) -> String {
    format!(
        "on: {on}\npermissions: {{contents: read}}\njobs:\n  a:\n    runs-on: x\n    env: {{T: '${{{{ secrets.T }}}}'}}\n    steps:\n{steps}"
    )
}

const HEAD: &str =
    "      - uses: actions/checkout@v4\n        with: {ref: '${{ github.event.pull_request.head.sha }}'}\n";

#[test]
fn code_of_a_pull_request_that_is_run_with_rights() {
    for (on, steps) in [
        ("pull_request_target", format!("{HEAD}      - run: npm ci\n")),
        ("[push, pull_request_target]", format!("{HEAD}      - run: |\n          cd x\n          make\n")),
        ("{pull_request_target: {types: [opened]}}", format!("{HEAD}      - uses: ./.github/actions/x\n")),
        ("pull_request_target", "      - uses: actions/checkout@v4\n        with: {ref: 'refs/pull/${{ github.event.number }}/merge'}\n      - run: ./x.sh\n".into()),
        ("pull_request_target", "      - uses: actions/checkout@v4\n        env: {R: '${{ github.head_ref }}'}\n        with: {ref: '${{ env.R }}'}\n      - run: cargo test\n".into()),
        ("workflow_run", "      - uses: actions/checkout@v4\n        with: {ref: '${{ github.event.workflow_run.head_sha }}'}\n      - run: go test ./...\n".into()),
        ("issue_comment", "      - run: gh pr checkout 1 && npm ci\n".into()),
        ("pull_request_target", "      - run: git fetch origin pull/${{ github.event.number }}/head\n      - run: make\n".into()),
        ("pull_request_target", "      - env: {S: '${{ github.event.pull_request.head.sha }}'}\n        run: |\n          git fetch origin\n          git checkout $S\n          make\n".into()),
        ("issue_comment", "      - uses: actions/checkout@v7\n        with: {ref: '${{ steps.pr.outputs.head_sha }}'}\n      - run: make\n".into()),
        ("pull_request_target", "      - uses: actions/checkout@v7\n        with: {ref: '${{ github.head_ref }}', allow-unsafe-pr-checkout: true}\n      - run: make\n".into()),
    ] {
        let said = said(&job(on, &steps));
        assert!(said.iter().any(|fact| fact.ends_with("workflows/untrusted-checkout high")), "{on} {steps}: {said:?}");
    }
}

#[test]
fn code_of_a_pull_request_that_is_not_run_or_waits_for_a_person() {
    let surely = |on: &str, steps: &str| {
        said(&job(on, steps))
            .into_iter()
            .filter(|fact| fact.contains("untrusted-checkout"))
            .collect::<Vec<_>>()
    };
    for (on, steps, count) in [
        ("pull_request", format!("{HEAD}      - run: npm ci\n"), 0),
        ("pull_request_target", "      - uses: actions/checkout@v4\n      - run: npm ci\n".into(), 0),
        ("pull_request_target", format!("{HEAD}        if: github.event.pull_request.head.repo.full_name == github.repository\n      - run: npm ci\n"), 0),
        ("[push, pull_request_target]", format!("{HEAD}        if: github.event_name == 'push'\n      - run: npm ci\n"), 0),
        ("pull_request_target", format!("{HEAD}      - run: jq . x.json\n"), 1),
        ("pull_request_target", format!("{HEAD}        if: contains(github.event.pull_request.labels.*.name, 'ok')\n      - run: npm ci\n"), 1),
        ("pull_request_target", "      - uses: actions/checkout@v7\n        with: {ref: '${{ github.head_ref }}'}\n      - run: make\n".into(), 1),
        ("pull_request_target", "      - uses: actions/checkout@v4\n        with: {ref: '${{ github.head_ref }}', path: pr}\n      - run: make\n".into(), 1),
    ] {
        let said = surely(on, &steps);
        assert_eq!(said.len(), count, "{on} {steps}: {said:?}");
        assert!(said.iter().all(|fact| fact.ends_with("medium")), "{on} {steps}: {said:?}");
    }
    let readonly =
        job("pull_request_target", &format!("{HEAD}      - run: make\n")).replace("${{ secrets.T }}", "x");
    assert!(said(&readonly).iter().any(|fact| fact.contains("checkout high")));
}

#[test]
fn a_change_of_the_trigger_alone_is_seen() {
    let text = job("pull_request_target", &format!("{HEAD}      - run: npm ci\n"));
    for (line, count) in [(1, 1), (9, 1), (10, 1), (3, 0)] {
        let facts = facts(".github/workflows/a.yml", &text, Some(&[line..=line]));
        let of = facts.iter().filter(|fact| fact.code == CHECKOUT).collect::<Vec<_>>();
        assert_eq!(of.len(), count, "{line}: {facts:?}");
        assert!(of.iter().all(|fact| fact.line == line));
    }
}

#[test]
fn text_of_strangers_in_scripts() {
    let text = job(
        "issues",
        "      - run: |\n          echo ok\n          echo \"${{ github.event.issue.title }}\"\n      - run: echo $T\n        env: {T: '${{ github.event.issue.title }}'}\n",
    );
    assert_eq!(said(&text), ["10:17 workflows/injection high"]);
    let text = job("pull_request", "      - run: git push origin ${{ github.head_ref }}\n");
    assert_eq!(said(&text), ["8:30 workflows/injection medium"]);
    let text = job(
        "issues",
        "      - uses: actions/github-script@v7\n        with:\n          script: console.log(`${{ github.event.issue.body }}`)\n",
    );
    assert_eq!(said(&text), ["10:32 workflows/injection high"]);
    let text =
        job("issues", "      - run: echo ${{ env.B }}\n        env: {B: '${{ github.event.issue.body }}'}\n");
    assert_eq!(said(&text), ["8:19 workflows/injection high"]);
    let text = job(
        "pull_request_target",
        "      - id: x\n        env: {R: '${{ github.head_ref }}'}\n        run: echo \"ref=$R\" >> $GITHUB_OUTPUT\n      - run: echo ${{ steps.x.outputs.ref }}\n",
    );
    assert_eq!(said(&text), ["11:19 workflows/injection medium"]);
    for quiet in [
        "echo ${{ github.sha }}",
        "echo ${{ github.event.issue.number }}",
        "echo ${{ inputs.x }}",
        "echo ${{ steps.x.outputs.y }}",
    ] {
        assert_eq!(said(&job("issues", &format!("      - run: {quiet}\n"))), [] as [&str; 0]);
    }
}

#[test]
fn rights_secrets_machines_and_conditions() {
    for (text, want) in [
        ("on: push\npermissions: write-all\njobs: {}\n", "2:1 workflows/permissions high"),
        (
            "on: push\njobs:\n  a:\n    permissions:\n      contents: write\n",
            "5:7 workflows/permissions medium",
        ),
        ("on: push\njobs:\n  a:\n    steps:\n      - run: git push\n", "5:14 workflows/permissions medium"),
        ("on: pull_request_target\njobs:\n  a:\n    steps: []\n", "1:5 workflows/permissions medium"),
        (
            "on: push\npermissions: {}\njobs:\n  a:\n    uses: o/r/.github/workflows/x.yml@v1\n    secrets: inherit\n",
            "6:5 workflows/secrets high",
        ),
        (
            "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: x\n        env: {S: '${{ toJSON(secrets) }}'}\n",
            "7:19 workflows/secrets high",
        ),
        (
            "on: push\npermissions: {}\njobs:\n  a:\n    steps:\n      - run: login ${{ secrets.KEY }}\n",
            "6:20 workflows/secrets medium",
        ),
        (
            "on: pull_request\njobs:\n  a:\n    runs-on: [self-hosted, linux]\n",
            "4:5 workflows/self-hosted medium",
        ),
        (
            "on: issue_comment\npermissions: {}\njobs:\n  a:\n    if: github.actor == 'dependabot[bot]'\n",
            "5:5 workflows/expression-trust high",
        ),
        (
            "on: push\njobs:\n  a:\n    if: ${{ github.ref == 'x' }} && false\n",
            "4:5 workflows/expression-trust high",
        ),
        (
            "on: push\njobs:\n  a:\n    if: |\n      ${{ github.ref == 'x' }}\n",
            "4:5 workflows/expression-trust high",
        ),
        (
            "on: push\njobs:\n  a:\n    if: contains('main develop', github.ref_name)\n",
            "4:5 workflows/expression-trust medium",
        ),
        (
            "on: push\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n      - uses: actions/upload-artifact@v3\n        with: {path: .}\n",
            "7:22 workflows/artipacked high",
        ),
        (
            "on: release\njobs:\n  a:\n    steps:\n      - uses: actions/cache@v4\n      - run: npm publish\n",
            "5:15 workflows/cache-poisoning medium",
        ),
    ] {
        assert_eq!(said(text), [want], "{text}");
    }
    for quiet in [
        "on: push\njobs:\n  a:\n    uses: ./.github/workflows/x.yml\n    secrets: inherit\n",
        "on: push\njobs:\n  a:\n    if: ${{ github.ref == 'x' }}\n",
        "on: push\njobs:\n  a:\n    if: github.ref == 'x' && true\n",
        "on: push\njobs:\n  a:\n    runs-on: [self-hosted]\n",
        "on: pull_request\njobs:\n  a:\n    runs-on: ubuntu-24.04-arm\n",
        "on: push\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n      - uses: actions/upload-artifact@v4\n        with: {path: .}\n",
        "on: push\njobs:\n  a:\n    steps:\n      - uses: actions/checkout@v4\n        with: {persist-credentials: false}\n      - uses: actions/upload-artifact@v3\n        with: {path: .}\n",
        "on: push\njobs:\n  a:\n    steps:\n      - uses: actions/cache@v4\n      - run: npm publish\n",
        "on: push\npermissions: {contents: read}\njobs: {}\n",
    ] {
        assert_eq!(said(quiet), [] as [&str; 0], "{quiet}");
    }
}

#[test]
fn what_is_not_taken_by_a_commit() {
    let kinds = |uses: &str| {
        let text = format!("on: push\njobs:\n  a:\n    steps:\n      - uses: {uses}\n");
        facts(".github/workflows/a.yml", &text, None)
            .iter()
            .map(|fact| (fact.attributes["kind"].clone(), fact.confidence))
            .collect::<Vec<_>>()
    };
    assert_eq!(kinds("o/r@v1"), [("tag".into(), Confidence::Medium)]);
    assert_eq!(kinds("o/r@main"), [("branch".into(), Confidence::High)]);
    assert_eq!(kinds("actions/checkout@v4"), [("tag".into(), Confidence::Medium)]);
    assert_eq!(kinds("docker://alpine:3"), [("docker".into(), Confidence::Medium)]);
    for quiet in [
        "o/r@0123456789abcdef0123456789abcdef01234567 # v1",
        "./x",
        "$/x",
        "docker://alpine@sha256:00",
        "o/r/x@0123456789ABCDEF0123456789abcdef01234567",
    ] {
        assert_eq!(kinds(quiet), [], "{quiet}");
    }
}

#[test]
fn files_by_their_place() {
    let text = "on: push\npermissions: write-all\njobs: {}\n";
    for (path, confidence) in [
        (".github/workflows/a.yml", Some(Confidence::High)),
        (".github/workflows/a.YAML", Some(Confidence::High)),
        ("x/.github/workflows/a.yml", Some(Confidence::Medium)),
        (".github/a.yml", None),
        ("a.yml", None),
    ] {
        assert_eq!(facts(path, text, None).first().map(|fact| fact.confidence), confidence, "{path}");
    }
    let action =
        "runs:\n  using: composite\n  steps:\n    - run: echo ${{ github.head_ref }}\n      shell: bash\n";
    assert_eq!(facts("x/action.yml", action, None).len(), 1);
    let gitlab = "include:\n  - remote: https://x.y/z.yml\n  - local: /a.yml\na:\n  script:\n    - eval \"$CI_COMMIT_MESSAGE\"\n    - echo $CI_COMMIT_MESSAGE\n";
    assert_eq!(
        facts(".gitlab-ci.yml", gitlab, None).iter().map(|f| (f.line, f.code)).collect::<Vec<_>>(),
        [(2, UNPINNED), (6, INJECTION)]
    );
    assert_eq!(
        facts(".github/workflows/a.yml", "on: [", None).first().map(|fact| fact.code),
        Some(UNREADABLE)
    );
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut worker = Worker::new(&[&Workflows], None);
        worker.scan(&Source::new(".github/workflows/a.yml", &bytes));
    }

    #[test]
    fn pieces_of_workflows_never_panic(pieces in proptest::collection::vec(prop::sample::select(vec![
        "on: ", "pull_request_target", "\n", "jobs:\n", "  a:\n", "    steps:\n", "      - run: ", "uses: ", "actions/checkout@v4", "with: ", "{", "}", "[", "]",
        "${{ ", " }}", "github.head_ref", "if: ", "'", "\"", "|\n", "secrets: inherit", "&a ", "*a", "é", "permissions: write-all", "git checkout $", "env: ", ": ", "- ",
        "        ", "#", "\r\n", "steps.x.outputs.y", "\u{2028}",
    ]), 0..60)) {
        let text = pieces.concat();
        for path in [".github/workflows/a.yml", "action.yml", ".gitlab-ci.yml"] {
            let _ = facts(path, &text, None);
            let _ = facts(path, &format!("on: pull_request_target\njobs:\n  a:\n    steps:\n      - run: {text}"), None);
        }
    }
}
