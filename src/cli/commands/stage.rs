//! `orch stage`: one stage, run or explained.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args;

use super::judge::{self, JudgeArgs};
use super::policy::FormArgs;
use super::stages::StageDocument;
use crate::artifact::chain::Chain;
use crate::artifact::envelope::Envelope;
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::{Slot, slot};
use crate::artifact::store::{ArtifactStore as _, DirStore};
use crate::artifact::types::event::{Event, Intent};
use crate::artifact::types::pull_request::PullRequest;
use crate::artifact::types::release::ReleaseDecision;
use crate::artifact::types::review::Review;
use crate::artifact::types::task::{After, Assignment, Channel, Follows, Task};
use crate::cli::CommandError;
use crate::cli::args::{Format, Global};
use crate::cli::assign::AssignArgs;
use crate::cli::desk::{self, Desk};
use crate::cli::error::UsageError;
use crate::cli::event::{self, EventArgs};
use crate::cli::output::Output;
use crate::cli::outputs;
use crate::cli::release::{self, ReleaseArgs};
use crate::cli::session::{self, FoundRun, Session};
use crate::cli::step_summary;
use crate::cli::verdict;
use crate::config::Config;
use crate::config::env::Environment;
use crate::diagnostic::EXIT_CODES;
use crate::diagnostic::text::plain;
use crate::engine::template;
use crate::ports::vcs::VcsRead as _;
use crate::report::Report;
use crate::stage::Request;
use crate::stage::registry;
use crate::stage::runner::{Position, RunError, Runner, StageRun};
use crate::stage::spec::{EffectKind, StageSpec};

/// Run one stage of a run, or explain it
///
/// The stage reads the run folder of the newest run, or of the one named with --run; `intake` starts a run and takes the
/// request instead. `policy` also judges what no run made: any change that git has, or every file.
#[derive(Debug, Args)]
pub struct StageArgs {
    /// The stage; `orch stages` lists them
    stage: String,
    /// Tell what the stage does, reads, writes and may do; run nothing
    #[arg(long)]
    explain: bool,
    /// The run: its id, the start of its id, or its folder; absent: the newest
    #[arg(long, value_name = "RUN")]
    run: Option<String>,
    /// The round of a stage in a loop; absent: the newest the run has
    #[arg(long, value_name = "N")]
    round: Option<u32>,
    /// The request, for intake
    #[arg(long, value_name = "TEXT", conflicts_with = "task_file")]
    task: Option<String>,
    /// Read the request from a file, for intake; `-` is standard input
    #[arg(long, value_name = "FILE")]
    task_file: Option<PathBuf>,
    #[command(flatten)]
    event: EventArgs,
    /// Make the request of the findings in the review.json of this run, for intake
    #[arg(long, value_name = "RUN", conflicts_with_all = ["task", "task_file", "event"])]
    from_review: Option<String>,
    /// Approve what has this digest, for approve; without it, what is to be approved is shown
    #[arg(long, value_name = "DIGEST", conflicts_with = "event")]
    digest: Option<String>,
    /// Take the approval of the deployment environment this job waited for, for approve
    #[arg(long, conflicts_with_all = ["digest", "event"])]
    environment: bool,
    #[command(flatten)]
    release: ReleaseArgs,
    #[command(flatten)]
    judge: JudgeArgs,
    #[command(flatten)]
    assign: AssignArgs,
}

/// Runs or explains the stage.
pub fn run(args: &StageArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let id = stage_id(&args.stage)?;
    let Some(stage) = registry::stage(id) else { return Err(unknown(&args.stage)) };
    if args.explain {
        let spec = stage.spec();
        output.show(&StageDocument::from(spec), |out| explain(spec, out))?;
        return Ok(0);
    }
    if judges_alone(args, id, global)? {
        return judge::run(&args.judge, global, output);
    }
    let session = Session::open(global)?;
    let (pipeline, _) = session::pipeline(&session.root)?;
    let named = if id == StageId::ReleaseGate { args.release.request(&session)? } else { None };
    let asked = named.map(|asked| release::stage_request(&asked)).transpose()?;
    let mut request = match &asked {
        Some((request, _)) => Some(request.clone()),
        None => said(args, id, &session, global, output)?,
    };
    let (run, folder) = match &request {
        _ if let Some((_, run)) = &asked => (run.clone(), session.folder(run)),
        Some(request) if id == StageId::Intake => {
            let run = session.run_id(request, &session.vcs.head()?)?;
            (run.clone(), session.folder(&run))
        }
        None if id == StageId::Intake => return Err(no_request()),
        _ => {
            let found = session::find_run(global, args.run.as_deref())?;
            (found.run, found.folder)
        }
    };
    let _lock = session.lock(&run)?;
    let store = DirStore::new(&folder);
    store.sweep()?;
    let events = output.events();
    let workspaces = session.workspaces()?;
    let begun = desk::begun(&store)?;
    let assignment = match &mut request {
        Some(request) if id == StageId::Intake => {
            request.assignment = desk::assign(&session, begun.as_ref(), &args.assign)?;
            request.assignment.clone()
        }
        _ => begun.clone().unwrap_or_else(|| Assignment::to_engine(template::NAME)),
    };
    let records = desk::records(&args.assign, global)?;
    // A stage that asks no model needs none to be there: its job has no key.
    let asks = stage.spec().effects.contains(&EffectKind::Model);
    let assignment = if asks { assignment } else { Assignment::to_engine(template::NAME) };
    let desk = Desk::open(&session, &assignment, begun.as_ref().filter(|_| asks), &args.assign, records)?;
    let done = desk.with_ports(&session, &workspaces, |ports| {
        let runner =
            Runner { store: &store, run: &run, config: &session.config, ports, events: events.as_ref() };
        let at = position(args.round, pipeline.is_looped(id), runner.chain()?.last_round())?;
        Ok::<_, CommandError>(runner.run(stage, at, request.as_ref())?)
    });
    drop(events);
    let done = done.inspect_err(|error| {
        outputs::write(error.exit_code(), Some(&error.text()), &store, &run, output);
    })?;
    outputs::write(done.exit, done.reason.as_deref(), &store, &run, output);
    step_summary::add(&step_summary::of_stage(&done, &run, &store), output);
    if id == StageId::Approve
        && let Some(page) = store.read(slot::APPROVAL_TEXT.path)?
    {
        step_summary::add(&String::from_utf8_lossy(&page), output);
    }
    let form = args.judge.form();
    if id == StageId::Policy && (output.format == Format::Human || form.is_named()) {
        judged(&store, &run, form, output)?;
    }
    if id == StageId::Approve && output.format == Format::Human {
        let text = store.read(slot::APPROVAL_TEXT.path)?.unwrap_or_default();
        output.print(|out| writeln!(out, "{}", String::from_utf8_lossy(&text)))?;
    }
    if id == StageId::ReleaseGate && output.format == Format::Human {
        decided(&store, output)?;
    }
    // A form for programs stands alone.
    if id != StageId::Policy || !form.is_named() {
        show(&done, &folder, output)?;
    }
    Ok(done.exit)
}

/// Returns what somebody said to the stage: a request, an event, an approval.
fn said(
    args: &StageArgs,
    id: StageId,
    session: &Session,
    global: &Global,
    output: &Output,
) -> Result<Option<Request>, CommandError> {
    only_for(args, id)?;
    let environment = Environment::of_process();
    let assignment = Assignment::to_engine(template::NAME);
    if args.task.is_some() || args.task_file.is_some() {
        let text = args.task.as_deref();
        return super::run::request(text, args.task_file.as_ref(), assignment, output).map(Some);
    }
    if let Some(name) = &args.from_review {
        return findings(&session::find_run(global, Some(name))?, assignment).map(Some);
    }
    if let Some(digest) = &args.digest {
        if environment.is_github() {
            return Err(UsageError {
                what: "a workflow cannot approve by itself".into(),
                help: "Let a person comment `/orch approve DIGEST`, or use --environment in a job behind a deployment \
                       environment with required reviewers."
                    .into(),
            }
            .into());
        }
        return Ok(Some(Request::new(digest.clone(), Channel::CommandLine, assignment)));
    }
    if args.environment {
        let run = environment.github_run().unwrap_or_default();
        return Ok(Some(Request::new(run, Channel::Environment, assignment)));
    }
    if !matches!(id, StageId::Intake | StageId::Approve) {
        return Ok(None);
    }
    let event = match event::find(&args.event, &environment, &session.config, output) {
        // A kind of event that is not read starts a job that shows what is to be approved.
        Err(error) if id == StageId::Approve && error.exit_code() == 78 => None,
        found => found?,
    };
    // Any other event lets a job run that shows what is to be approved.
    let takes = |event: &Event| {
        id == StageId::Intake || matches!(event.intent, Intent::Approve { .. } | Intent::Unknown { .. })
    };
    Ok(event.filter(takes).map(|event| event::request(event, assignment)))
}

/// Refuses flags of another stage.
fn only_for(args: &StageArgs, id: StageId) -> Result<(), CommandError> {
    if args.release.is_given() && id != StageId::ReleaseGate {
        return Err(UsageError {
            what: format!("the stage {id} takes no release"),
            help: "--to and what goes with it are for `orch stage release-gate`.".into(),
        }
        .into());
    }
    let wrong = match id {
        StageId::Intake => args.digest.is_some() || args.environment,
        StageId::Approve => args.task.is_some() || args.task_file.is_some() || args.from_review.is_some(),
        _ => {
            args.digest.is_some()
                || args.environment
                || args.from_review.is_some()
                || args.event.event.is_some()
        }
    };
    if !wrong {
        return Ok(());
    }
    Err(UsageError {
        what: format!("the stage {id} does not take all of these flags"),
        help: "--task, --task-file and --from-review go with intake, --digest and --environment with approve, --event with \
               both."
            .into(),
    }
    .into())
}

/// Returns the findings of a run's review as a request of the next round.
fn findings(found: &FoundRun, assignment: Assignment) -> Result<Request, CommandError> {
    let missing = || UsageError {
        what: "the run has no findings of a review to mend".into(),
        help: "`orch stage review-gate` writes them; it did not run, or nothing speaks against the change."
            .into(),
    };
    if let Some(first) = Chain::read(&found.store, &found.run)?.breaks.into_iter().next() {
        return Err(RunError::Broken { first, more: 0 }.into());
    }
    let read = |slot: Slot| found.store.read(slot.path)?.ok_or_else(|| CommandError::from(missing()));
    let review = Envelope::<Review>::from_bytes(&read(slot::REVIEW)?).map_err(|_| missing())?.body;
    let task = Envelope::<Task>::from_bytes(&read(slot::TASK)?).map_err(|_| missing())?.body;
    let text = String::from_utf8_lossy(&read(slot::REVIEW_TASK)?).into_owned();
    let pull = Envelope::<PullRequest>::from_bytes(&read(slot::PULL_REQUEST)?).map_err(|_| missing())?.body;
    let follows = pull.commits.last().map(|last| Follows {
        branch: pull.branch.clone(),
        head: last.id.clone(),
        target: pull.target.clone(),
        number: pull.hosted.as_ref().and_then(|hosted| hosted.number),
    });
    let after = After { round: review.round, requester: task.requester, source: task.source, follows };
    Ok(Request { after: Some(after), ..Request::new(text, Channel::Review, assignment) })
}

/// Tells whether policy is to judge what no run made: when flags say so, or when there is no run.
fn judges_alone(args: &StageArgs, id: StageId, global: &Global) -> Result<bool, CommandError> {
    match (id, args.judge.is_asked()) {
        (StageId::Policy, true) => Ok(true),
        (StageId::Policy, false) => {
            let names_a_run = args.run.is_some() || args.round.is_some() || args.task.is_some();
            Ok(!names_a_run && args.task_file.is_none() && session::runs(global)?.is_empty())
        }
        (_, false) => Ok(false),
        (_, true) => Err(UsageError {
            what: format!("the stage {id} works on a run only"),
            help: "--staged, --work, --diff, --pr, --all, --stdin and --save go with `orch stage policy`."
                .into(),
        }
        .into()),
    }
}

fn show(done: &StageRun, folder: &std::path::Path, output: &Output) -> Result<(), CommandError> {
    match output.format {
        Format::Json => output.print_json_line(&serde_json::json!({
            "event": "stage-result", "stage": done.stage, "round": done.round, "exit": done.exit,
            "reason": done.reason, "reused": done.reused, "folder": folder,
        })),
        Format::Human => output.print(|out| {
            let how = if done.reused { "was finished already" } else { "ended" };
            let why = done.reason.as_deref().map(|why| format!(": {}", plain(why))).unwrap_or_default();
            writeln!(
                out,
                "{} {how} with exit code {}{why}. Its files are in {}.",
                done.stage,
                done.exit,
                folder.display()
            )
        }),
    }
}

/// Shows what policy found, where it came as far as a verdict.
fn judged(store: &DirStore, run: &RunId, form: &FormArgs, output: &Output) -> Result<(), CommandError> {
    match Report::read(store, run).ok().and_then(|report| report.verdict) {
        Some(verdict) => verdict::show(&verdict, form.showing(), output),
        None => Ok(()),
    }
}

/// Shows what was decided of a release.
fn decided(store: &DirStore, output: &Output) -> Result<(), CommandError> {
    let bytes = store.read(slot::RELEASE_DECISION.path)?.unwrap_or_default();
    match Envelope::<ReleaseDecision>::from_bytes(&bytes) {
        Ok(decision) => release::show(&decision.body, output),
        // The check of the chain names a damaged file.
        Err(_) => Ok(()),
    }
}

/// A stage outside a loop reads the newest round; one in a loop works in the round asked for, or the newest.
fn position(asked: Option<u32>, looped: bool, last: Round) -> Result<Position, CommandError> {
    match (asked.map(Round::new), looped) {
        (Some(None), _) | (Some(_), false) => Err(UsageError {
            what: "the round is wrong".into(),
            help: "Rounds count from 1, and only stages in a loop have more than one.".into(),
        }
        .into()),
        (Some(Some(round)), true) => Ok(Position { round, horizon: round }),
        (None, true) => Ok(Position { round: last, horizon: last }),
        (None, false) => Ok(Position { round: Round::FIRST, horizon: last }),
    }
}

fn stage_id(name: &str) -> Result<StageId, CommandError> {
    name.parse().map_err(|_| unknown(name))
}

fn unknown(name: &str) -> CommandError {
    let names: Vec<_> = registry::STAGES.iter().map(|stage| stage.spec().id.as_str()).collect();
    let nearest =
        names.iter().max_by(|a, b| strsim::jaro_winkler(a, name).total_cmp(&strsim::jaro_winkler(b, name)));
    if name.is_empty() {
        return UsageError {
            what: "no stage is named".into(),
            help: format!("In a workflow, set the input `stage` of the action: one of {}.", names.join(", ")),
        }
        .into();
    }
    let hint = nearest.map(|n| format!("Did you mean `{n}`? ")).unwrap_or_default();
    UsageError {
        what: format!("there is no stage `{name}`"),
        help: format!("{hint}The stages are {}.", names.join(", ")),
    }
    .into()
}

fn no_request() -> CommandError {
    UsageError {
        what: "intake has no request".into(),
        help: "Say what to do: orch stage intake --task \"add a /health endpoint\", or --task-file FILE; in a workflow, the \
               input `task` of the action."
            .into(),
    }
    .into()
}

fn explain(spec: &StageSpec, out: &mut dyn Write) -> io::Result<()> {
    let join = |words: Vec<&str>| if words.is_empty() { "none".to_owned() } else { words.join(", ") };
    writeln!(out, "{} (version {}): {}\n", spec.id, spec.version, spec.summary)?;
    writeln!(out, "{}\n", spec.about)?;
    for input in spec.inputs {
        let note = match (input.required, input.previous_round) {
            (_, true) => "  (of the round before, if there was one)",
            (false, _) => "  (if there is one)",
            (true, false) => "",
        };
        writeln!(out, "  reads        {:<28} {}{note}", input.slot.path, input.slot.kind)?;
    }
    for slot in spec.outputs {
        writeln!(out, "  writes       {:<28} {}", slot.path, slot.kind)?;
    }
    writeln!(out, "  power        {}", join(spec.powers().iter().map(|p| p.as_str()).collect()))?;
    writeln!(out, "  effects      {}", join(spec.effects.iter().map(|e| e.as_str()).collect()))?;
    writeln!(out, "  permissions  {}", join(spec.permissions.iter().map(|p| p.as_str()).collect()))?;
    writeln!(out, "  config       {}", join(spec.config.to_vec()))?;
    for exit in EXIT_CODES.iter().filter(|e| [0, 1, 2, 75].contains(&e.code) || spec.exits.contains(&e.code))
    {
        writeln!(out, "  exit {:<7} {}", exit.code, exit.meaning)?;
    }
    let defaults = serde_json::to_string(&Config::default().slice(spec.config)).unwrap_or_default();
    writeln!(
        out,
        "\nIt is reused while its version, its files, and these config keys are the same; the defaults are"
    )?;
    writeln!(out, "{defaults}")
}
