//! `orch stage policy` without a run: any change that git has, or the whole tree, judged here and now.
//!
//! Must never let a change alter its own judge: rules, levels and settings come from the base it is made on.

mod fix;
mod save;
mod subject;

use std::path::{Path, PathBuf};

use clap::Args;

use crate::artifact::types::policy_input::PolicyInput;
use crate::artifact::types::verdict::{Decision, Verdict};
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::cli::{session, verdict};
use crate::config::Config;
use crate::config::env::Environment;
use crate::config::load::{FILE_NAME, MAX_BYTES, load, parse};
use crate::diagnostic::{Class, Failure};
use crate::index::Indexed;
use crate::ports::clock::{Clock as _, SystemClock};
use crate::ports::vcs::{EntryKind, GitRepository, Side, VcsChanges, WorkFile};
use crate::stage::policy::alone::{self, Options};
use crate::stage::policy::aside::Lists;
use crate::stage::policy::bundle::{Bundle, Sources};
use crate::stage::policy::cfg::PolicyConfig;
use crate::stage::policy::check;
use crate::stage::policy::engine::Limits;
use crate::stage::policy::reach::Wanted;

use super::policy::FormArgs;
use fix::Fixing;
pub(super) use subject::ends;
use subject::{Asked, Found, RulesFrom};

/// What to judge when it is not a run.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "What policy judges, when it is not a run")]
#[group(skip)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags, of which clap takes one")]
pub struct JudgeArgs {
    /// What is staged, against HEAD
    #[arg(long, group = "subject", conflicts_with_all = CONFLICTS)]
    staged: bool,
    /// The working tree with files that git does not ignore, against HEAD
    #[arg(long, group = "subject", conflicts_with_all = CONFLICTS)]
    work: bool,
    /// What one commit has over another: BASE..HEAD, BASE...HEAD (from where they parted), or BASE alone for BASE..HEAD
    #[arg(long, value_name = "RANGE", group = "subject", conflicts_with_all = CONFLICTS)]
    diff: Option<String>,
    /// What a pull request brings: of the GitHub event, or HEAD against the default branch of the remote
    #[arg(long, group = "subject", conflicts_with_all = CONFLICTS)]
    pr: bool,
    /// Every file of the working tree that git does not ignore
    #[arg(long, group = "subject", conflicts_with_all = CONFLICTS)]
    all: bool,
    /// A patch on standard input, as git writes it, on top of HEAD
    #[arg(long, group = "subject", conflicts_with_all = CONFLICTS)]
    stdin: bool,
    /// Write policy/input.json and policy/verdict.json into this folder
    #[arg(long, value_name = "FOLDER", conflicts_with_all = CONFLICTS)]
    save: Option<PathBuf>,
    /// Show what can be mended by itself, with --staged or --work; `--fix=apply` does it
    #[arg(long, value_enum, value_name = "HOW", num_args = 0..=1, require_equals = true, default_missing_value = "show", conflicts_with_all = CONFLICTS)]
    fix: Option<Fixing>,
    #[command(flatten)]
    form: FormArgs,
}

const CONFLICTS: [&str; 4] = ["run", "round", "task", "task_file"];

impl JudgeArgs {
    /// Returns what is asked for, if anything is.
    fn asked(&self) -> Option<Asked> {
        let flags = [
            (self.staged, Asked::Staged),
            (self.work, Asked::Work),
            (self.pr, Asked::PullRequest),
            (self.all, Asked::Tree),
            (self.stdin, Asked::Patch),
        ];
        let flag = flags.into_iter().find(|(set, _)| *set).map(|(_, asked)| asked);
        flag.or_else(|| self.diff.clone().map(Asked::Diff))
    }

    /// Tells whether any of these flags is there.
    pub fn is_asked(&self) -> bool {
        self.asked().is_some() || self.save.is_some() || self.fix.is_some()
    }

    /// Returns the form the verdict is to have.
    pub fn form(&self) -> &FormArgs {
        &self.form
    }
}

/// A document or a verdict that has no form as a file.
#[derive(Debug, thiserror::Error)]
#[error("the verdict cannot be written down")]
struct Unwritable(#[source] Box<dyn std::error::Error + Send + Sync>);

impl Failure for Unwritable {
    fn class(&self) -> Class {
        Class::Internal
    }
}

/// What was judged, and how.
struct Judged {
    input: PolicyInput,
    verdict: Verdict,
}

/// Judges what is asked for; the working tree where nothing is.
pub fn run(args: &JudgeArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let environment = Environment::of_process();
    let vcs = GitRepository::open(session::folder(global)?)?;
    let explicit = global.config.clone().or(environment.config_file());
    let asked = args.asked().unwrap_or(Asked::Work);
    let today = SystemClock::new(environment.fixed_time()?).now().to_string();
    if args.fix.is_some() {
        fix::check(&asked)?;
    }
    let found = subject::find(&asked, &vcs, &environment)?;
    let base = found.rules.tree().clone();
    let judged = judge(&vcs, found, explicit.as_deref(), today.get(..10), output)?;
    if let Some(folder) = &args.save {
        save::save(folder, &judged.input, &judged.verdict)?;
    }
    verdict::show(&judged.verdict, args.form.showing(), output)?;
    if let Some(how) = args.fix {
        fix::run(how, &judged.verdict, &vcs, &base, output)?;
    }
    Ok(exit(judged.verdict.decision))
}

const fn exit(decision: Decision) -> u8 {
    match decision {
        Decision::Allow => 0,
        Decision::Deny => 3,
        Decision::NeedsApproval => 4,
    }
}

fn judge(
    vcs: &GitRepository,
    found: Found,
    explicit: Option<&Path>,
    today: Option<&str>,
    output: &Output,
) -> Result<Judged, CommandError> {
    let config = config(vcs, &found.rules, explicit, output)?;
    let bundle = Bundle::parse(&Sources::gather(vcs, found.rules.tree(), &config.policy.packs)?);
    let judge = PolicyConfig::new(&config, &bundle)?.with_lists(lists(vcs, &found, &config, &bundle)?);
    let options = Options {
        settings: judge.settings.clone(),
        today: today.map(str::to_owned),
        reach: Wanted::of(&bundle, &judge),
    };
    let input = match found.change {
        Some((base, deltas)) => {
            alone::of_change(&Indexed::of(vcs.clone()), found.subject, &base, deltas, options)?
        }
        None => alone::of_tree(vcs, found.subject, options)?,
    };
    let verdict = check(&judge, &bundle, &input, today, Limits::default())
        .map_err(|error| Unwritable(Box::new(error)))?;
    Ok(Judged { input, verdict })
}

/// Returns waivers and baseline: of the working tree for the working tree, else of the base, with what the change makes of them.
fn lists(
    vcs: &GitRepository,
    found: &Found,
    config: &Config,
    bundle: &Bundle,
) -> Result<Lists, CommandError> {
    let Some((_, deltas)) = &found.change else {
        return Ok(Lists::read(&config.policy, bundle, |path| vcs.working_file(path))?);
    };
    let lists = Lists::of_tree(&config.policy, bundle, vcs, found.rules.tree())?;
    Ok(lists.with_change(|path| {
        let delta = deltas.iter().find(|delta| delta.path == path.as_bytes())?;
        // What could not be read is a finding of its own.
        Some(delta.after.as_ref().map(|side| side.content.clone().unwrap_or_default()))
    }))
}

/// Returns the config that judges: the one that was named, that of the working tree for the working tree, else that of the
/// base, however much the change would like another.
fn config(
    vcs: &GitRepository,
    rules: &RulesFrom,
    explicit: Option<&Path>,
    output: &Output,
) -> Result<Config, CommandError> {
    let (RulesFrom::Base { name, tree }, None) = (rules, explicit) else {
        return Ok(load(vcs.root(), explicit)?.config);
    };
    let at_base = vcs.side(tree, FILE_NAME.as_bytes())?;
    let file = WorkFile { path: FILE_NAME.into(), kind: EntryKind::File, unread: None };
    let mut here = Vec::new();
    let is_here = vcs.read_working(&file, &mut here) != Ok(false);
    let bytes = match at_base {
        None => None,
        Some(Side { kind: EntryKind::File | EntryKind::Executable, content: Ok(bytes) })
            if bytes.len() as u64 <= MAX_BYTES =>
        {
            Some(bytes)
        }
        Some(_) => {
            return Err(UsageError {
                what: format!("{FILE_NAME} of {name} is no file of at most {} KiB", MAX_BYTES / 1024),
                help: "Name another config with --config, and mend that one.".into(),
            }
            .into());
        }
    };
    if bytes.as_ref() != is_here.then_some(&here) {
        output.note(&format!(
            "{FILE_NAME} in the working tree differs from that of {name}, which is the one that judges"
        ));
    }
    Ok(bytes.map(|bytes| parse(&bytes, &format!("{FILE_NAME} of {name}"))).transpose()?.unwrap_or_default())
}
