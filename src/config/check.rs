//! A raw config becomes a valid one: defaults filled in, every value checked, every problem told at once.
//!
//! Must never look at the machine: whether a folder or a program is there is for `orch doctor`.

mod acts;

use crate::artifact::id::Slug;
use crate::artifact::money::Usd;
use crate::artifact::path::RepoPath;
use crate::diagnostic::Problem;

use super::keys;
use super::raw::{
    Raw, RawApprove, RawBudget, RawCommand, RawIntake, RawLimits, RawModels, RawPack, RawPolicy, RawPr,
    RawReview, RawSandbox, RawStageLimits,
};
use super::valid::{
    Budget, Command, Commands, Config, Models, Pack, Paths, Policy, Pr, Sandbox, SandboxLimits, StageBudgets,
    StageLimits, Verify,
};
use super::walk;

/// Checks a raw config; `text` is what it was parsed from and gives the places.
pub(super) fn check(raw: Raw, text: &str) -> Result<Config, Vec<Problem>> {
    let mut check = Check { text, problems: Vec::new() };
    let defaults = Config::default();
    let commands = raw.commands.unwrap_or_default();
    let paths = raw.paths.unwrap_or_default();
    let verify = raw.verify.unwrap_or_default();
    let config = Config {
        service: raw.service.and_then(|s| check.service(&s)),
        engine: raw.engine.unwrap_or_default(),
        models: check.models(raw.models.unwrap_or_default(), defaults.models),
        budget: check.budget(raw.budget.unwrap_or_default(), defaults.budget),
        commands: Commands {
            setup: check.commands("setup", commands.setup),
            build: check.commands("build", commands.build),
            lint: check.commands("lint", commands.lint),
            test: check.commands("test", commands.test),
        },
        paths: Paths {
            allow: check.each("paths.allow", paths.allow, glob_fault),
            protect: check.each("paths.protect", paths.protect, glob_fault),
            deny: check.each("paths.deny", paths.deny, glob_fault),
        },
        verify: Verify {
            rounds: verify.rounds.unwrap_or(defaults.verify.rounds),
            flake_runs: verify.flake_runs.unwrap_or(defaults.verify.flake_runs),
            revert_probe: verify.revert_probe.unwrap_or(defaults.verify.revert_probe),
        },
        sandbox: check.sandbox(raw.sandbox.unwrap_or_default(), defaults.sandbox),
        policy: check.policy(raw.policy.unwrap_or_default(), defaults.policy),
        pr: check.pr(raw.pr.unwrap_or_default(), defaults.pr),
        artifacts: super::Artifacts {
            folder: check.text(
                "artifacts.folder",
                raw.artifacts.unwrap_or_default().folder,
                defaults.artifacts.folder,
                artifacts_fault,
            ),
        },
        templates: super::Templates {
            folders: check.each("templates.folders", raw.templates.unwrap_or_default().folders, folder_fault),
        },
        intake: check.intake(raw.intake.unwrap_or_default(), super::Intake::default()),
        approve: check.approve(raw.approve.unwrap_or_default(), super::Approve::default()),
        review: check.review(raw.review.unwrap_or_default(), super::Review::default()),
        release: super::check_release::release(
            &mut check,
            raw.release.unwrap_or_default(),
            super::Release::default(),
        ),
        promote: check.promote(raw.promote.unwrap_or_default(), super::Promote::default()),
        rollback: check.rollback(raw.rollback.unwrap_or_default(), super::GoBack::default()),
        upgrade: super::Upgrade::of(&raw.upgrade.unwrap_or_default()),
    };
    if check.problems.is_empty() { Ok(config) } else { Err(check.problems) }
}

/// Why a value cannot be taken, to be read after the key, and what to do next.
pub(super) type Fault = Option<(String, String)>;

pub(super) struct Check<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

impl Check<'_> {
    pub(super) fn complain(&mut self, path: &str, fault: (String, String)) {
        let list = path.split('[').next().unwrap_or(path);
        let place = walk::locate(self.text, path).or_else(|| walk::locate(self.text, list));
        self.problems.push(Problem {
            place,
            what: format!("`{}` {}", path.escape_debug(), fault.0),
            help: Some(fault.1),
        });
    }

    pub(super) fn text(
        &mut self,
        path: &str,
        value: Option<String>,
        default: String,
        fault: fn(&str) -> Fault,
    ) -> String {
        let Some(value) = value else { return default };
        if let Some(fault) = fault(&value) {
            self.complain(path, fault);
        }
        value
    }

    pub(super) fn each(
        &mut self,
        path: &str,
        values: Option<Vec<String>>,
        fault: fn(&str) -> Fault,
    ) -> Vec<String> {
        let values = values.unwrap_or_default();
        for (at, value) in values.iter().enumerate() {
            if let Some(fault) = fault(value) {
                self.complain(&format!("{path}[{at}]"), fault);
            }
        }
        values
    }

    fn service(&mut self, text: &str) -> Option<Slug> {
        let slug = text.parse().ok();
        if slug.is_none() {
            let help =
                "Use lower-case letters, digits and inner hyphens, up to 60, as `billing-api`.".to_owned();
            self.complain("service", (format!("cannot be {text:?}"), help));
        }
        slug
    }

    fn commands(&mut self, role: &str, list: Option<Vec<RawCommand>>) -> Vec<Command> {
        let mut commands = Vec::new();
        for (at, raw) in list.unwrap_or_default().iter().enumerate() {
            match super::command::words(raw) {
                Ok(command) => commands.push(command),
                Err(fault) => self.complain(&format!("commands.{role}[{at}]"), fault),
            }
        }
        commands
    }

    fn models(&mut self, raw: RawModels, default: Models) -> Models {
        let critics = self.each("models.critics", raw.critics, role_fault);
        Models {
            file: self.text("models.file", raw.file, default.file, file_fault),
            notes: self.text("models.notes", raw.notes, default.notes, file_fault),
            critics: critics.iter().filter_map(|role| role.parse().ok()).collect(),
        }
    }

    fn amount(&mut self, path: &str, text: Option<String>) -> Option<Usd> {
        let text = text?;
        let amount = text.parse().ok();
        if amount.is_none() {
            let help = "Write dollars with a point and up to nine digits after it, as `0.50`.".into();
            self.complain(path, (format!("is no amount in dollars: {:?}", text.escape_debug()), help));
        }
        amount
    }

    fn stage_limits(&mut self, stage: &str, raw: Option<RawStageLimits>) -> StageLimits {
        let raw = raw.unwrap_or_default();
        StageLimits {
            max_cost_usd: self.amount(&format!("budget.stages.{stage}.max_cost_usd"), raw.max_cost_usd),
            max_tokens: raw.max_tokens,
            ttl_minutes: raw.ttl_minutes,
        }
    }

    fn budget(&mut self, raw: RawBudget, default: Budget) -> Budget {
        let stages = raw.stages.unwrap_or_default();
        Budget {
            max_cost_usd: self
                .amount("budget.max_cost_usd", raw.max_cost_usd)
                .unwrap_or(default.max_cost_usd),
            max_tokens: raw.max_tokens.unwrap_or(default.max_tokens),
            ttl_minutes: raw.ttl_minutes.unwrap_or(default.ttl_minutes),
            allow_unknown_cost: raw.allow_unknown_cost.unwrap_or(default.allow_unknown_cost),
            stages: StageBudgets {
                plan: self.stage_limits("plan", stages.plan),
                test_write: self.stage_limits("test-write", stages.test_write),
                generate: self.stage_limits("generate", stages.generate),
            },
        }
    }

    fn sandbox(&mut self, raw: RawSandbox, default: Sandbox) -> Sandbox {
        Sandbox {
            required: raw.required.unwrap_or(default.required),
            setup_network: raw.setup_network.unwrap_or(default.setup_network),
            env: self.each("sandbox.env", raw.env, variable_fault),
            read: self.each("sandbox.read", raw.read, outside_fault),
            write: self.each("sandbox.write", raw.write, outside_fault),
            limits: limits(&raw.limits.unwrap_or_default(), &default.limits),
        }
    }

    fn policy(&mut self, raw: RawPolicy, default: Policy) -> Policy {
        let levels = raw.levels.unwrap_or_default();
        for code in levels.keys().filter(|code| !is_code(code)) {
            let help =
                "Codes look like `paths/protected`; `orch explain CODE` tells what one means.".to_owned();
            self.complain(&format!("policy.levels.{code}"), ("is not the code of a rule".into(), help));
        }
        Policy {
            packs: self.packs("policy.packs", raw.packs),
            waivers: self.text("policy.waivers", raw.waivers, default.waivers, file_fault),
            baseline: self.text("policy.baseline", raw.baseline, default.baseline, file_fault),
            levels,
            settings: raw.settings.unwrap_or_default(),
        }
    }

    pub(super) fn packs(&mut self, path: &str, raw: Option<Vec<RawPack>>) -> Vec<Pack> {
        let mut packs = Vec::new();
        for (at, raw) in raw.unwrap_or_default().into_iter().enumerate() {
            match super::pack::pack(raw) {
                Ok(pack) => packs.push(pack),
                Err((key, why, help)) => self.complain(&format!("{path}[{at}]{key}"), (why, help)),
            }
        }
        packs
    }

    fn pr(&mut self, raw: RawPr, default: Pr) -> Pr {
        let author = raw.author.unwrap_or_default();
        Pr {
            forge: raw.forge.unwrap_or(default.forge),
            branch: self.text("pr.branch", raw.branch, default.branch, branch_fault),
            remote: self.text("pr.remote", raw.remote, default.remote, remote_fault),
            push: raw.push.unwrap_or(default.push),
            labels: self.each("pr.labels", raw.labels, label_fault),
            assignees: self.each("pr.assignees", raw.assignees, login_fault),
            reviewers: self.each("pr.reviewers", raw.reviewers, person_fault),
            check: raw.check.unwrap_or(default.check),
            auto_merge: raw.auto_merge.unwrap_or(default.auto_merge),
            sarif: raw.sarif.unwrap_or(default.sarif),
            author: super::Author {
                name: self.text("pr.author.name", author.name, default.author.name, identity_fault),
                email: self.text("pr.author.email", author.email, default.author.email, identity_fault),
            },
        }
    }
}

impl Check<'_> {
    fn intake(&mut self, raw: RawIntake, default: super::Intake) -> super::Intake {
        let bots = self.each("intake.bots", raw.bots, number_fault);
        let tenants = self.each("intake.tenants", raw.tenants, tenant_fault);
        super::Intake {
            allow: raw.allow.unwrap_or(default.allow),
            bots: bots.iter().filter_map(|number| number.parse().ok()).collect(),
            labels: raw
                .labels
                .map_or(default.labels, |labels| self.each("intake.labels", Some(labels), line_fault)),
            tenants: tenants.iter().filter_map(|name| name.parse().ok()).collect(),
            scheduled: raw.scheduled.unwrap_or(default.scheduled),
        }
    }

    fn approve(&mut self, raw: RawApprove, default: super::Approve) -> super::Approve {
        let environment = raw.environment.filter(|name| !name.is_empty());
        super::Approve {
            allow: raw.allow.unwrap_or(default.allow),
            ttl_hours: raw.ttl_hours.unwrap_or(default.ttl_hours),
            environment: self.text("approve.environment", environment, default.environment, line_fault),
        }
    }

    fn review(&mut self, raw: RawReview, default: super::Review) -> super::Review {
        let reviewers = raw.reviewers.map_or(default.reviewers, |names| {
            let names = self.each("review.reviewers", Some(names), program_fault);
            names.iter().filter_map(|name| name.parse().ok()).collect()
        });
        super::Review {
            reviewers,
            answers: raw.answers.unwrap_or(default.answers),
            approvals: raw.approvals.unwrap_or(default.approvals),
            checks: self.each("review.checks", raw.checks, check_fault),
            wait_minutes: raw.wait_minutes.unwrap_or(default.wait_minutes),
            rounds: raw.rounds.unwrap_or(default.rounds),
        }
    }
}

fn number_fault(text: &str) -> Fault {
    let _error = text.parse::<u64>().err()?;
    fault(
        "is not the number of an account",
        "Ask for it with `gh api users/NAME%5Bbot%5D --jq .id`; a name can be taken by somebody else.",
    )
}

fn tenant_fault(name: &str) -> Fault {
    let error = name.parse::<Slug>().err()?;
    fault(format!("is not the name of a tenant: {error}"), "Name a tenant as `team-a`.")
}

pub(super) fn line_fault(text: &str) -> Fault {
    if text.trim().is_empty() || text.len() > 200 || text.chars().any(char::is_control) {
        return fault("is empty, too long, or holds a control character", "Write it as the forge shows it.");
    }
    None
}

fn program_fault(name: &str) -> Fault {
    match name.parse::<super::ReviewProgram>() {
        Ok(_) => None,
        Err(()) => fault("is not a reviewer orch knows", "Known are `copilot` and `coderabbit`."),
    }
}

pub(super) fn check_fault(text: &str) -> Fault {
    let ok = text.split_once(':').is_some_and(|(app, name)| {
        !app.is_empty() && app.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-') && !name.is_empty()
    });
    if ok && !text.chars().any(char::is_control) {
        return None;
    }
    fault(
        "does not say which app makes the check",
        "Write `app:name`, as `github-actions:build`; any app may use any name.",
    )
}

fn limits(raw: &RawLimits, default: &SandboxLimits) -> SandboxLimits {
    SandboxLimits {
        seconds: raw.seconds.unwrap_or(default.seconds),
        output_mb: raw.output_mb.unwrap_or(default.output_mb),
        disk_mb: raw.disk_mb.unwrap_or(default.disk_mb),
        file_mb: raw.file_mb.unwrap_or(default.file_mb),
        memory_mb: raw.memory_mb.unwrap_or(default.memory_mb),
        processes: raw.processes.unwrap_or(default.processes),
        open_files: raw.open_files.unwrap_or(default.open_files),
    }
}

fn label_fault(label: &str) -> Fault {
    let plain = (1..=50).contains(&label.chars().count()) && !label.chars().any(char::is_control);
    if plain && label.trim() == label {
        return None;
    }
    fault("is no label", "Write its name as GitHub shows it, up to 50 characters.")
}

fn login_fault(login: &str) -> Fault {
    if login.parse::<crate::ports::forge::Login>().is_ok() {
        return None;
    }
    fault("is no login", "Write the account's name without `@`, as `octocat`.")
}

fn person_fault(name: &str) -> Fault {
    let team = name.strip_prefix("team:");
    let slug = |team: &str| {
        (1..=100).contains(&team.len())
            && team.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b))
    };
    match team {
        Some(team) if slug(team) => None,
        Some(_) => fault("is no team", "Write its short name, without the organization, as `team:backend`."),
        None => login_fault(name),
    }
}

#[expect(clippy::unnecessary_wraps, reason = "every caller returns a `Fault`")]
pub(super) fn fault(why: impl Into<String>, help: impl Into<String>) -> Fault {
    Some((why.into(), help.into()))
}

pub(crate) fn is_code(code: &str) -> bool {
    let part = |p: &str| {
        !p.is_empty() && p.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    code.split_once('/').is_some_and(|(category, rule)| part(category) && part(rule))
}

pub(crate) fn glob_fault(glob: &str) -> Fault {
    const HELP: &str = "Write it relative to the repository root with `/`, as `src/**` or `*.md`.";
    if glob.trim().is_empty() {
        return fault("is empty", HELP);
    }
    if glob.starts_with('/') || glob.ends_with('/') {
        return fault(
            "starts or ends with `/`, and would match no file",
            "Write a folder's files as `docs/**`.",
        );
    }
    if glob.starts_with('!') {
        return fault(
            "starts with `!`",
            "Leave the `!` out, and use `paths.allow` and `paths.deny` together.",
        );
    }
    if glob.contains('\\') || glob.chars().any(char::is_control) {
        return fault("holds a backslash or a control character", HELP);
    }
    if glob.split('/').any(|part| part == ".." || part == ".") {
        return fault("has a part `.` or `..`", HELP);
    }
    // The same crate and setting the rules match with.
    let built = globset::GlobBuilder::new(glob).literal_separator(true).build();
    built.err().and_then(|error| fault(format!("is no glob: {}", error.kind()), HELP))
}

pub(super) fn folder_fault(folder: &str) -> Fault {
    let error = folder.parse::<RepoPath>().err()?;
    fault(
        format!("is not a folder of the repository: {error}"),
        "Write it relative to the repository root with `/`, as `tools/rules`, without a slash at the end.",
    )
}

pub(super) fn file_fault(path: &str) -> Fault {
    let error = path.parse::<RepoPath>().err()?;
    fault(
        format!("is not a file of the repository: {error}"),
        "Write it relative to the repository root with `/`, as `.orch/models.toml`.",
    )
}

fn role_fault(role: &str) -> Fault {
    let error = role.parse::<Slug>().err()?;
    fault(format!("is not the name of a role: {error}"), "Name a role as `security-architect`.")
}

fn artifacts_fault(folder: &str) -> Fault {
    if let Some(fault) = folder_fault(folder) {
        return Some(fault);
    }
    if folder.split('/').any(|part| part.starts_with('.')) {
        return fault(
            "is hidden",
            "Choose a name without a dot in front: CI systems drop hidden files on upload.",
        );
    }
    None
}

/// Variables that carry credentials or change which code runs; no command of a repository gets them.
fn variable_fault(name: &str) -> Fault {
    let well_formed = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        && name.bytes().next().is_some_and(|b| !b.is_ascii_digit());
    if !well_formed {
        return fault(
            "is not the name of a variable",
            "Write names only, as `LANG`; values come from the environment.",
        );
    }
    let upper = name.to_ascii_uppercase();
    let is_secret =
        ["TOKEN", "SECRET", "PASSWORD", "PASSWD", "API_KEY", "APIKEY", "PRIVATE_KEY", "CREDENTIAL"]
            .iter()
            .any(|part| upper.contains(part));
    let is_ours = upper.starts_with("ACTIONS_") || upper.starts_with("ORCH_") || upper == "SSH_AUTH_SOCK";
    let is_loader = upper.starts_with("LD_") || upper.starts_with("DYLD_") || upper == "BASH_ENV";
    if is_secret || is_ours || is_loader {
        return fault(
            format!("names `{name}`, which may carry a credential or change which code runs"),
            "Repository code must not hold it; give tests a value of their own under another name.",
        );
    }
    None
}

fn outside_fault(path: &str) -> Fault {
    const HELP: &str = "Write the full path, as `/opt/data`; `~` and variables are not filled in.";
    let windows = path.as_bytes().get(1..3).is_some_and(|b| b == b":\\" || b == b":/");
    if !(path.starts_with('/') || windows) {
        return fault("is not an absolute path", HELP);
    }
    if path.chars().any(char::is_control) || path.split(['/', '\\']).any(|part| part == "..") {
        return fault("has a part `..` or a control character", HELP);
    }
    if path.trim_end_matches(['/', '\\']).len() < 2 || (windows && path.len() <= 3) {
        return fault("is the whole file system", "Name the folder that is needed.");
    }
    None
}

const PLACEHOLDERS: &[&str] = &["type", "service", "scope", "date"];

fn branch_fault(pattern: &str) -> Fault {
    let known = "Known: `{type}`, `{service}`, `{scope}` and `{date}`.";
    let mut filled = String::new();
    let mut rest = pattern;
    while let Some(open) = rest.find(['{', '}']) {
        filled.push_str(&rest[..open]);
        let Some((name, after)) = rest[open..].strip_prefix('{').and_then(|r| r.split_once('}')) else {
            return fault("has a brace that is not closed or opens nothing", known);
        };
        if !PLACEHOLDERS.contains(&name) {
            let help = keys::most_like(name, PLACEHOLDERS.iter().copied(), 0.7)
                .map_or_else(|| known.to_owned(), |n| format!("Did you mean `{{{n}}}`? {known}"));
            return fault(format!("has the unknown placeholder `{{{}}}`", name.escape_debug()), help);
        }
        filled.push_str("feat");
        rest = after;
    }
    filled.push_str(rest);
    let full = format!("refs/heads/{filled}");
    if filled.starts_with('-')
        || filled == "HEAD"
        || gix::validate::reference::name(full.as_str().into()).is_err()
    {
        return fault(
            "is not a name git takes for a branch",
            "Use letters, digits, `-`, `_`, `.` and `/` between parts.",
        );
    }
    if !filled.is_ascii() || filled.len() > 200 {
        return fault(
            "is not plain ASCII of up to 200 bytes",
            "Use letters, digits, `-`, `_`, `.` and `/` between parts.",
        );
    }
    None
}

fn remote_fault(remote: &str) -> Fault {
    let full = format!("refs/remotes/{remote}/x");
    if remote.starts_with('-')
        || remote.contains('/')
        || gix::validate::reference::name(full.as_str().into()).is_err()
    {
        return fault(
            "is not the name of a remote",
            "Write the name as `git remote` shows it, not an address; `pr.push: false` keeps the branch local.",
        );
    }
    None
}

fn identity_fault(text: &str) -> Fault {
    if text.trim().is_empty() || text.chars().any(|c| c.is_control() || matches!(c, '<' | '>')) {
        return fault("is empty or holds a line end, `<` or `>`", "Write plain text on one line.");
    }
    if text.len() > 200 { fault("is longer than 200 bytes", "Shorten it.") } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs() {
        for good in ["src/**", "*.md", "a/[ab]/{x,y}.rs", "docs/**", "**/*.md", ".github/**", "[[]x", "a]"] {
            assert_eq!(glob_fault(good), None, "{good}");
        }
        for bad in ["", " ", "!x", "/x", "docs/", "a\\b", "../x", "a/./b", "a[b", "a{b", "a}", "a\nb"] {
            assert!(glob_fault(bad).is_some(), "{bad:?}");
        }
    }

    #[test]
    fn folders() {
        for good in ["artifacts", "out/runs"] {
            assert_eq!(artifacts_fault(good), None, "{good}");
        }
        for bad in ["", ".", "..", "/tmp/x", ".git/x", ".runs", "a/.b", "a/", "C:/x", "a\\b"] {
            assert!(artifacts_fault(bad).is_some(), "{bad:?}");
        }
        assert_eq!(folder_fault(".orch/policies"), None);
    }

    #[test]
    fn branches() {
        for good in ["{type}/{service}/{scope}/{date}", "orch/{scope}", "bot-{scope}.{date}"] {
            assert_eq!(branch_fault(good), None, "{good}");
        }
        for bad in [
            "", "{typ}/x", "{scope", "scope}", "{}", "-x", "a..b", "a b", "a~b", "/x", "x/", "x.lock",
            "a//b", "HEAD", "ü",
        ] {
            assert!(branch_fault(bad).is_some(), "{bad:?}");
        }
        assert!(branch_fault("{scop}").unwrap().1.contains("{scope}"));
    }

    #[test]
    fn remotes_variables_paths_and_names() {
        for (good, bad) in [("origin", "https://x/y"), ("up-stream", "-x"), ("a.b", "a b"), ("x", "")] {
            assert_eq!(remote_fault(good), None, "{good}");
            assert!(remote_fault(bad).is_some(), "{bad}");
        }
        for (good, bad) in
            [("LANG", "GITHUB_TOKEN"), ("DATABASE_URL", "A=b"), ("_x", "1x"), ("CI", "LD_PRELOAD")]
        {
            assert_eq!(variable_fault(good), None, "{good}");
            assert!(variable_fault(bad).is_some(), "{bad}");
        }
        for (good, bad) in [("/opt/x", "~/x"), ("/srv", "/"), ("C:\\data", "C:\\"), ("/a/b/", "/a/../b")] {
            assert_eq!(outside_fault(good), None, "{good}");
            assert!(outside_fault(bad).is_some(), "{bad}");
        }
        for (good, bad) in [("orch", "a\nb"), ("A B", "x <y>"), ("a@b.example", " ")] {
            assert_eq!(identity_fault(good), None, "{good}");
            assert!(identity_fault(bad).is_some(), "{bad}");
        }
    }
}
