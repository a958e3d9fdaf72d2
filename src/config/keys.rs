//! Every key of `orch.yml`: its path, what it takes and what it is for; reading, checking and the reference page use this list.
//!
//! Must never hold a default: those are in `Config::default` and, for people, in `default.yml`.

/// What a key takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Takes {
    /// Text.
    Text,
    /// `true` or `false`.
    Flag,
    /// A whole number in a range.
    Number {
        /// The smallest that makes sense.
        min: u64,
        /// The largest that is sane.
        max: u64,
    },
    /// One of some words.
    Choice(&'static [&'static str]),
    /// A list of texts; one text is a list of one.
    Texts,
    /// A list of commands, each one text or a list of words; one text is a list of one.
    Commands,
    /// An amount in dollars, as text or number.
    Amount,
    /// A decimal, as text or number.
    Decimal,
    /// A list of policy packs: a folder as text, or a bundle as a map.
    Packs,
    /// A map from rule codes to levels.
    Levels,
    /// A map from setting names to anything.
    Settings,
}

impl Takes {
    /// Returns the words of the reference page and of errors, to be read after `must be`.
    pub fn describe(self) -> String {
        match self {
            Self::Text => "text".into(),
            Self::Flag => "true or false".into(),
            Self::Number { min, max } if min == max => format!("the number {min}"),
            Self::Number { min, max } => format!("a whole number from {min} to {max}"),
            Self::Choice(words) => one_of(words),
            Self::Texts => "a list of texts".into(),
            Self::Commands => "a list of commands, each a text or a list of words".into(),
            Self::Amount => "an amount in dollars, as 0.50".into(),
            Self::Decimal => "a decimal, as 0.005".into(),
            Self::Packs => "a list of packs, each a folder or a map with `git`, `ref` and `folder`, or with `file` and `sha256`".into(),
            Self::Levels => format!("a map from rule codes to {}", one_of(LEVELS)),
            Self::Settings => "a map from setting names to values".into(),
        }
    }
}

fn one_of(words: &[&str]) -> String {
    let quoted: Vec<_> = words.iter().map(|w| format!("`{w}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The path, with dots; `*` stands for a name that the file chooses.
    pub path: &'static str,
    /// What it takes.
    pub takes: Takes,
    /// What it is for.
    pub about: &'static str,
}

/// The words a level can be.
pub const LEVELS: &[&str] = &["off", "shadow", "warn", "require-approval", "deny"];

const MIB_MAX: u64 = 1024 * 1024;

const MAX_TOKENS: u64 = 1_000_000_000;

const fn key(path: &'static str, takes: Takes, about: &'static str) -> Key {
    Key { path, takes, about }
}

const fn number(path: &'static str, min: u64, max: u64, about: &'static str) -> Key {
    Key { path, takes: Takes::Number { min, max }, about }
}

/// Every key, in the order of the reference page.
#[rustfmt::skip]
pub static KEYS: &[Key] = &[
    number("version", 1, 1, "The version of this file's form; may be left out."),
    key("service", Takes::Text, "The service changes belong to, part of branch names: lower-case letters, digits and inner hyphens. Left out: the name of the repository's folder."),
    key("engine", Takes::Choice(&["auto", "model", "template"]), "Who writes changes. `auto` takes models where a provider has its credential, else templates; `model` insists on models; `template` is the built-in one, which needs no model, no key and no network."),
    key("models.file", Takes::Text, "The file with more providers, models, prices and routes, relative to the repository root; it may be absent. Its form is in the reference page of models."),
    key("models.notes", Takes::Text, "A committed file with notes on the project that models may read, relative to the repository root; it may be absent."),
    key("models.critics", Takes::Texts, "Names of roles that answer each submitted change besides the Architect, as `security-architect`."),
    key("budget.max_cost_usd", Takes::Amount, "The most a run may spend on models, in dollars. No call starts that could go over it."),
    number("budget.max_tokens", 1, MAX_TOKENS, "The most tokens a run may use, input and output together."),
    number("budget.ttl_minutes", 1, 10_080, "How long the stages that call models may work, all together, in minutes."),
    key("budget.allow_unknown_cost", Takes::Flag, "Whether models without a known price may be called; their cost then shows as unknown and only `budget.max_tokens` holds them."),
    key("budget.stages.plan.max_cost_usd", Takes::Amount, "The most `plan` may spend, in dollars; none: what the run has left."),
    number("budget.stages.plan.max_tokens", 1, MAX_TOKENS, "The most tokens `plan` may use."),
    number("budget.stages.plan.ttl_minutes", 1, 10_080, "How long `plan` may work, in minutes."),
    key("budget.stages.test-write.max_cost_usd", Takes::Amount, "The most `test-write` may spend, in dollars; none: what the run has left."),
    number("budget.stages.test-write.max_tokens", 1, MAX_TOKENS, "The most tokens `test-write` may use."),
    number("budget.stages.test-write.ttl_minutes", 1, 10_080, "How long `test-write` may work, in minutes."),
    key("budget.stages.generate.max_cost_usd", Takes::Amount, "The most `generate` may spend over all rounds, in dollars; none: what the run has left."),
    number("budget.stages.generate.max_tokens", 1, MAX_TOKENS, "The most tokens `generate` may use over all rounds."),
    number("budget.stages.generate.ttl_minutes", 1, 10_080, "How long one round of `generate` may work, in minutes."),
    key("commands.setup", Takes::Commands, "Prepare a clean copy (install dependencies). The only commands that may reach the network, and only if `sandbox.setup_network` says so."),
    key("commands.build", Takes::Commands, "Build."),
    key("commands.lint", Takes::Commands, "Lint."),
    key("commands.test", Takes::Commands, "Run the tests. No commands at all: those found by looking at the repository are used."),
    key("paths.allow", Takes::Texts, "Globs of the files a change may touch; empty: all."),
    key("paths.protect", Takes::Texts, "Globs of the files a change may touch only with a person's approval."),
    key("paths.deny", Takes::Texts, "Globs of the files a change must never touch."),
    number("verify.rounds", 1, 10, "Rounds of generate and verify before the run is given up."),
    number("verify.flake_runs", 0, 20, "Runs of the tests beyond the first that must give the same result; 0 switches the probe off."),
    key("verify.revert_probe", Takes::Flag, "Whether the tests run once more without the edits, and must be red again."),
    key("sandbox.required", Takes::Flag, "Refuse to run repository code without protection of files, network and privileges. With `false` it runs with what the machine gives, and the verdict says so."),
    key("sandbox.setup_network", Takes::Flag, "Whether `commands.setup` may reach the network."),
    key("sandbox.env", Takes::Texts, "Names of variables passed on to commands from the environment. Tokens and keys are refused."),
    key("sandbox.read", Takes::Texts, "Absolute paths commands may read, besides system and tool-chain folders."),
    key("sandbox.write", Takes::Texts, "Absolute paths of folders commands may write, besides their copy."),
    number("sandbox.limits.seconds", 1, 86_400, "Wall time of one command."),
    number("sandbox.limits.output_mb", 1, 4096, "Output before a command is stopped, MiB."),
    number("sandbox.limits.disk_mb", 1, MIB_MAX, "Disk a command may take, MiB."),
    number("sandbox.limits.file_mb", 1, MIB_MAX, "Size of one file, MiB."),
    number("sandbox.limits.memory_mb", 16, MIB_MAX, "Memory of all processes of a command together, MiB."),
    number("sandbox.limits.processes", 1, 65_536, "Processes of a command at once."),
    number("sandbox.limits.open_files", 16, MIB_MAX, "Open files of one process."),
    key("policy.packs", Takes::Packs, "More rules: folders relative to the repository root, read from the base commit; bundles of an organisation by commit id (`git`, `ref`, `folder`) or by digest (`file`, `sha256`), which `orch policy fetch` puts by."),
    key("policy.waivers", Takes::Text, "The committed file with findings that are waived, relative to the repository root; it may be absent. `orch policy waive` writes it."),
    key("policy.baseline", Takes::Text, "The committed file with findings that were there before, relative to the repository root; it may be absent. `orch policy baseline` writes it."),
    key("policy.levels", Takes::Levels, "Another level for a rule, by its code."),
    key("policy.settings", Takes::Settings, "Settings of rules, by name."),
    key("pr.forge", Takes::Choice(&["auto", "local", "github"]), "Where pull requests go. `github` opens one through GitHub's API, with commits GitHub signs; `local` writes the branch and pushes it to `pr.remote`; `auto` takes `github` where the remote is on GitHub and a token is there."),
    key("pr.branch", Takes::Text, "The branch's name; `{type}`, `{service}`, `{scope}` and `{date}` are filled in."),
    key("pr.remote", Takes::Text, "The name of the remote to push to; unknown to the repository: the branch stays local."),
    key("pr.push", Takes::Flag, "Whether to push."),
    key("pr.labels", Takes::Texts, "Labels of the pull request."),
    key("pr.assignees", Takes::Texts, "Logins the pull request is assigned to."),
    key("pr.reviewers", Takes::Texts, "Logins that are asked for a review; a team of the organization as `team:NAME`."),
    key("pr.check", Takes::Flag, "Whether the verdict becomes the check run `orch / policy` on the last commit, with findings as annotations; a commit status where the token is no App's."),
    key("pr.auto_merge", Takes::Choice(&["off", "merge", "squash", "rebase"]), "How the pull request merges by itself once everything required is there; only after policy and the review gate allow it (`auto-merge`)."),
    key("pr.sarif", Takes::Flag, "Whether the findings go to the security page of GitHub, for the branch of the pull request; its job needs `security-events: write`."),
    key("pr.author.name", Takes::Text, "The name commits are written under."),
    key("pr.author.email", Takes::Text, "The mail address commits are written under."),
    key("artifacts.folder", Takes::Text, "The folder that holds the run folders, relative to the repository root."),
    key("templates.folders", Takes::Texts, "Folders with templates, relative to the repository root; they win over built-in ones of the same name."),
    key("intake.allow", Takes::Choice(&["write", "maintain", "admin"]), "The least permission, asked from the forge, of who may ask for a change by an issue, a comment or a dispatch."),
    key("intake.bots", Takes::Texts, "Numbers of the accounts of programs that may ask; a name that ends in `[bot]` is nothing to go by."),
    key("intake.labels", Takes::Texts, "Labels that start a change when they are put on an issue."),
    key("intake.tenants", Takes::Texts, "Tenants that a `repository_dispatch` may speak for; empty: any, or none."),
    key("intake.scheduled", Takes::Text, "The request that a schedule starts; empty: a schedule starts nothing."),
    key("approve.allow", Takes::Choice(&["write", "maintain", "admin"]), "The least permission, asked from the forge, of who may approve a change."),
    number("approve.ttl_hours", 1, 720, "How long an approval holds, in hours."),
    key("approve.environment", Takes::Text, "The deployment environment whose approval counts; empty: none does."),
    key("review.reviewers", Takes::Texts, "The programs that are asked for a review: `copilot`, `coderabbit`."),
    number("review.answers", 1, 10, "How many must have answered at the head commit: programs that were asked, and people who approved. Silence is no answer."),
    number("review.approvals", 0, 10, "How many people, not counting the author and the requester, must have approved the head commit."),
    key("review.checks", Takes::Texts, "Checks that must be green at the head commit, as `github-actions:build`: the app that makes it, and its name."),
    number("review.wait_minutes", 0, 300, "How long to wait for answers; 0: look once."),
    number("review.rounds", 0, 10, "How often the findings of reviews may become another round."),
    key("release.packs", Takes::Packs, "More controls: folders relative to the repository root, read from the released commit; bundles of an organisation by commit id or by digest, which `orch policy fetch` puts by."),
    key("release.waivers", Takes::Text, "The file of the released commit with waivers of release controls, relative to the repository root; it may be absent."),
    key("release.freezes.*.from", Takes::Text, "The start of a time without releases, as `2026-12-23T17:00:00Z`."),
    key("release.freezes.*.to", Takes::Text, "Its end, not included."),
    key("release.freezes.*.environments", Takes::Texts, "The environments it is for; empty: all."),
    key("release.freezes.*.reason", Takes::Text, "Why, for people who are held up by it."),
    key("release.calendars", Takes::Texts, "Files with more times without releases, iCalendar (`.ics`) or JSON, relative to the repository root; each one that is named has to be there."),
    key("release.prometheus", Takes::Text, "The address of the Prometheus server that queries go to, https or this machine; empty: none. `ORCH_METRICS_TOKEN` is the credential, where it wants one."),
    key("release.keys", Takes::Texts, "Files with public keys (PEM) that statements of runs may be signed with, relative to the repository root."),
    key("release.environments.*.checks", Takes::Texts, "Checks that must be green at the commit, as `github-actions:build`: the app that makes it, by its short name or its number, and its name. None at all is never a pass."),
    key("release.environments.*.may_skip", Takes::Texts, "Those of `checks` that may be skipped or neutral."),
    key("release.environments.*.proven", Takes::Flag, "Whether every commit since the last good release must come from a run whose evidence holds (`orch verify`). Default: true."),
    key("release.environments.*.signed", Takes::Flag, "Whether the statement of each run must be signed by a key of `release.keys`. Default: false."),
    key("release.environments.*.reviewed", Takes::Flag, "Whether `review-gate` must have passed for each run. Default: true."),
    number("release.environments.*.approvals", 0, 10, "How many people must have approved the head of each pull request: with write access, no program, not who opened it, wrote it or asked for it. Default: 1."),
    number("release.environments.*.approval_hours", 1, 8760, "How long an approval counts, in hours. Default: 720."),
    key("release.environments.*.same_artifacts", Takes::Flag, "Whether the digests of what was tested must be those of what is promoted. Default: true."),
    key("release.environments.*.tested", Takes::Text, "The file with the digests of what was tested: JSON, or lines as `sha256sum` writes them; an earlier step makes it."),
    key("release.environments.*.soak.environment", Takes::Text, "The environment the commit must have run in before."),
    number("release.environments.*.soak.minutes", 0, 525_600, "For how many minutes, without a failure. Default: 60."),
    key("release.environments.*.measures", Takes::Texts, "Files with measures and the error budget, which an earlier step makes."),
    number("release.environments.*.measures_minutes", 1, 10_080, "How old a measure may be, in minutes. Default: 60."),
    key("release.environments.*.canary.*.better", Takes::Choice(&["lower", "higher"]), "Which way a measure of the canary is good. Default: lower."),
    key("release.environments.*.canary.*.tolerance", Takes::Decimal, "How much worse than the last good release it may be. Default: 0."),
    number("release.environments.*.canary.*.min_samples", 1, 1_000_000_000, "How many samples must be behind each side; with fewer, nothing is concluded. Default: 100."),
    key("release.environments.*.canary.*.canary.value", Takes::Text, "The query for the canary's value; none: it comes from a file."),
    key("release.environments.*.canary.*.canary.samples", Takes::Text, "The query for how many samples are behind it; none: the points of the range are counted."),
    key("release.environments.*.canary.*.canary.events", Takes::Text, "Of a ratio: the query for how many of the samples are events. With it, a difference that chance explains concludes nothing."),
    number("release.environments.*.canary.*.canary.minutes", 0, 10_080, "How many minutes back a range goes; 0: the value at this moment."),
    key("release.environments.*.canary.*.canary.statistic", Takes::Choice(STATISTICS), "What becomes of the points of a range. Default: mean."),
    key("release.environments.*.canary.*.last_good.value", Takes::Text, "As `canary.value`, for the last good release."),
    key("release.environments.*.canary.*.last_good.samples", Takes::Text, "As `canary.samples`."),
    key("release.environments.*.canary.*.last_good.events", Takes::Text, "As `canary.events`."),
    number("release.environments.*.canary.*.last_good.minutes", 0, 10_080, "As `canary.minutes`."),
    key("release.environments.*.canary.*.last_good.statistic", Takes::Choice(STATISTICS), "As `canary.statistic`."),
    key("release.environments.*.slo.*.better", Takes::Choice(&["lower", "higher"]), "Which way a measure of the service is good. Default: lower."),
    key("release.environments.*.slo.*.objective", Takes::Decimal, "What it must reach."),
    number("release.environments.*.slo.*.min_samples", 1, 1_000_000_000, "How many samples must be behind it. Default: 1."),
    key("release.environments.*.slo.*.query.value", Takes::Text, "The query for its value; none: it comes from a file."),
    key("release.environments.*.slo.*.query.samples", Takes::Text, "The query for how many samples are behind it; none: the points of the range are counted."),
    key("release.environments.*.slo.*.query.events", Takes::Text, "Of a ratio: the query for how many of the samples are events."),
    number("release.environments.*.slo.*.query.minutes", 0, 10_080, "How many minutes back a range goes; 0: the value at this moment."),
    key("release.environments.*.slo.*.query.statistic", Takes::Choice(STATISTICS), "What becomes of the points of a range. Default: mean."),
    key("release.environments.*.error_budget.min_remaining", Takes::Decimal, "The part of the error budget that must be left, from 0 to 1. Default: 0."),
    key("release.environments.*.error_budget.query", Takes::Text, "The query for the part that is left; none: it comes from a file."),
    number("release.environments.*.error_budget.window_days", 1, 366, "The days of its window. Default: 30."),
    key("release.environments.*.deltas.*.better", Takes::Choice(&["lower", "higher"]), "Which way a measure is good that is compared with the last good release, as `coverage`. Default: higher."),
    key("release.environments.*.deltas.*.tolerance", Takes::Decimal, "How much worse it may become. Default: 0."),
    key("release.environments.*.deltas_file", Takes::Text, "The file with these measures before and after, which an earlier step makes."),
    key("release.environments.*.rollback.plan", Takes::Text, "The file of the released commit with the plan to go back; empty: none is asked for. Default: `ROLLBACK.md`."),
    number("release.environments.*.rollback.rehearsed_days", 0, 3650, "How many days ago that very plan may have been rehearsed; 0: it need not have been. Default: 90."),
    key("release.environments.*.rollback.rehearsals", Takes::Text, "The file with rehearsals, which an earlier step makes."),
    key("release.environments.*.licences.deny", Takes::Texts, "SPDX ids of licences that no component may need."),
    key("release.environments.*.licences.unknown", Takes::Flag, "Whether components without a known licence are let through. Default: false."),
    key("release.environments.*.licences.sbom", Takes::Text, "The file with the list of components, CycloneDX or SPDX JSON, which an earlier step makes."),
    key("promote.acts", Takes::Texts, "What promotion means, of `merge`, `tag`, `deployment`, `release`; done in this order, whatever the order here. A release brings its tag along."),
    key("promote.state", Takes::Choice(&["success", "in-progress"]), "What the deployment is said to be: `success` where its record is what is deployed from, `in-progress` where another program carries it out and says how it went."),
    key("promote.from", Takes::Text, "The environment of which a good deployment has to name the same commit and digests, for all but itself; empty: none."),
    key("promote.url", Takes::Text, "Where people find the environment, `{environment}` is filled in; empty: not told."),
    key("promote.tag", Takes::Text, "The name of the tag; `{environment}`, `{commit}` and `{date}`, the day of the decision, are filled in. A tag that is there is never moved."),
    key("promote.merge", Takes::Choice(&["off", "merge", "squash", "rebase"]), "How the pull request is merged, for the act `merge`."),
    number("promote.max_age_minutes", 1, 10_080, "How old a decision of the release gate may be."),
    key("rollback.revert", Takes::Choice(&["run", "propose", "none"]), "How the branch is put back: `run` by a run with tests, verdict and evidence of its own, and at once only what a run could not make; `propose` by a pull request made from the trees at once; `none` not at all."),
    key("rollback.commands", Takes::Commands, "Commands of the repository that carry the way back out, run by `rollback-command` without a token, on the files of the last good release."),
    key("rollback.network", Takes::Flag, "Whether those commands may reach the network."),
    key("rollback.env", Takes::Texts, "Variables with credentials to deploy, handed to those commands and to nothing else; keys of models and tokens of forges cannot be."),
    number("rollback.max_age_minutes", 1, 10_080, "How old a decision to go back may be."),
    number("upgrade.runs", 1, 1_000, "How many recorded runs have to be compared before a candidate can become the default."),
    number("upgrade.worse", 0, 1_000, "How many runs may end worse: denied instead of allowed, or without a change."),
    number("upgrade.tests", 0, 1_000, "How many runs may lose their passing tests."),
    number("upgrade.refusals", 0, 1_000, "How many runs more may end without a change, because models refuse or do not agree."),
    number("upgrade.cost_percent", 0, 1_000, "How much more the runs may cost, all together, in percent."),
    number("upgrade.looser", 0, 1_000, "How many recorded decisions other rules may make looser."),
    number("upgrade.stricter", 0, 1_000, "How many recorded decisions other rules may make stricter."),
];

const STATISTICS: &[&str] = &["mean", "median", "max", "min", "last"];

/// Returns the key at a path.
pub fn find(path: &str) -> Option<&'static Key> {
    KEYS.iter().find(|k| below(path, k.path) == Some(""))
}

/// Tells whether a path holds other keys; the root is the empty path.
pub fn is_section(path: &str) -> bool {
    path.is_empty() || KEYS.iter().any(|k| below(path, k.path).is_some_and(|rest| !rest.is_empty()))
}

/// Returns what is left of a key's path below a section, empty for the key itself; a `*` in the path is any name.
fn below<'a>(section: &str, path: &'a str) -> Option<&'a str> {
    let mut left = path;
    for name in section.split('.').filter(|_| !section.is_empty()) {
        let (first, rest) = left.split_once('.').unwrap_or((left, ""));
        if first.is_empty() || name.is_empty() || (first != "*" && first != name) {
            return None;
        }
        left = rest;
    }
    Some(left)
}

/// Returns the names right below a section, in order.
pub fn names_in(section: &str) -> Vec<&'static str> {
    let mut names: Vec<&'static str> = Vec::new();
    for key in KEYS {
        let rest = below(section, key.path).filter(|rest| !rest.is_empty());
        let Some(name) = rest.and_then(|rest| rest.split('.').next()) else { continue };
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Returns the path of the known key that is most like an unknown one: a sibling, else one elsewhere of the same name.
pub fn nearest(section: &str, name: &str) -> Option<String> {
    let join = |name: &str| if section.is_empty() { name.to_owned() } else { format!("{section}.{name}") };
    let folded = name.to_lowercase().replace('-', "_");
    if let Some(found) = most_like(&folded, names_in(section).into_iter(), 0.8) {
        return Some(join(found));
    }
    let last = |path: &'static str| path.rsplit('.').next().unwrap_or(path);
    KEYS.iter().find(|k| last(k.path) == folded).map(|k| k.path.to_owned())
}

/// Returns the word most like another, if any is like enough (0 to 1).
pub fn most_like<'a>(word: &str, known: impl Iterator<Item = &'a str>, enough: f64) -> Option<&'a str> {
    known
        .map(|k| (strsim::jaro_winkler(word, k), k))
        .filter(|(score, _)| *score >= enough)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, k)| k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_key_is_a_sibling_or_a_namesake() {
        for (section, name, expected) in [
            ("sandbox.limits", "secs", Some("sandbox.limits.seconds")),
            ("", "artefacts", Some("artifacts")),
            ("verify", "flake-runs", Some("verify.flake_runs")),
            ("", "test", Some("commands.test")),
            ("", "zzzz", None),
        ] {
            assert_eq!(nearest(section, name).as_deref(), expected, "{section} {name}");
        }
    }

    #[test]
    fn sections_know_their_names() {
        assert!(is_section("") && is_section("sandbox") && is_section("pr.author"));
        assert!(!is_section("sand") && !is_section("service") && !is_section("policy.levels"));
        assert_eq!(
            names_in("pr"),
            [
                "forge",
                "branch",
                "remote",
                "push",
                "labels",
                "assignees",
                "reviewers",
                "check",
                "auto_merge",
                "sarif",
                "author"
            ]
        );
    }
}
