//! `orch run`: the whole pipeline.

use std::borrow::Cow;
use std::fs;
use std::io::{self, Read as _, Write};
use std::path::{Path, PathBuf};

use clap::Args;

mod revert;

use crate::artifact::id::{RunId, StageId};
use crate::artifact::store::{ArtifactStore as _, DirStore};
use crate::artifact::types::task::{Assignment, Channel};
use crate::cli::CommandError;
use crate::cli::args::{Format, Global};
use crate::cli::assign::AssignArgs;
use crate::cli::desk::{self, Desk};
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::cli::session::{self, Session};
use crate::cli::verdict::{self, Showing};
use crate::config::env::Environment;
use crate::diagnostic::redact::redact;
use crate::pipeline::{Bounds, Pipeline, RunPlan, plan, walk};
use crate::ports::credential::vault;
use crate::ports::vcs::VcsRead as _;
use crate::report::{Report, render};
use crate::stage::Request;
use crate::stage::runner::Runner;
use crate::telemetry::Event;

/// Turn a request into a tested, judged branch
///
/// The same request on the same commit is the same run: what is finished is used again, so running twice changes nothing
/// and a killed run goes on where it stopped.
#[derive(Debug, Args)]
pub struct RunArgs {
    /// The request, as "add a /health endpoint"
    #[arg(value_name = "TEXT", conflicts_with_all = ["task_file", "from_artifacts", "revert"])]
    text: Option<String>,
    /// Read the request from a file; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["from_artifacts", "revert"])]
    task_file: Option<PathBuf>,
    /// Go on with the task of an existing run: its id, the start of its id, or its folder
    #[arg(long, value_name = "RUN")]
    from_artifacts: Option<String>,
    /// Take the change of a release back that was rolled back: the run of the release; a change with evidence of its own
    #[arg(long, value_name = "RUN", conflicts_with = "from_artifacts")]
    revert: Option<String>,
    /// Run this stage and everything after it again, even if nothing changed
    #[arg(long, value_name = "STAGE")]
    from: Option<StageId>,
    /// Stop after this stage
    #[arg(long, value_name = "STAGE")]
    until: Option<StageId>,
    /// Print the planned loop, its stages, powers and worst-case cost; call nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    assign: AssignArgs,
}

/// What is to be run: a request, or the task of a run that is there already.
struct Job {
    run: RunId,
    folder: PathBuf,
    request: Option<Request>,
    /// What the run was assigned to when it began, where it has begun.
    begun: Option<Assignment>,
}

impl Job {
    /// Opens the desk of the engine the job is given to.
    fn desk(&self, session: &Session, args: &AssignArgs, global: &Global) -> Result<Desk, CommandError> {
        let Some(assignment) =
            self.request.as_ref().map(|request| &request.assignment).or(self.begun.as_ref())
        else {
            return Err(UsageError {
                what: format!("the run `{}` has no task", self.run),
                help: "Start it with a request: orch run \"...\".".into(),
            }
            .into());
        };
        let records = desk::records(args, global)?;
        Desk::open(session, assignment, self.begun.as_ref(), args, records)
    }
}

/// Runs the pipeline.
pub fn run(args: &RunArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let session = Session::open(global)?;
    let (pipeline, _) = session::pipeline(&session.root)?;
    let bounds = bounds(args, &pipeline)?;
    let job = job(args, global, &session, output)?;
    let desk = job.desk(&session, &args.assign, global)?;
    if args.dry_run {
        let planned = plan(&pipeline, job.run, &desk, session.config.verify.rounds, bounds);
        output.show(&planned, |out| show_plan(&planned, out))?;
        return Ok(0);
    }
    for warning in desk.warnings() {
        output.note(&warning);
    }
    execute(&session, &pipeline, &job, &desk, bounds, output)
}

/// Runs a request in a session from start to end: what `orch demo` calls.
pub(super) fn run_request(
    session: &Session,
    request: Request,
    output: &Output,
) -> Result<(u8, RunId), CommandError> {
    let (pipeline, _) = session::pipeline(&session.root)?;
    let run = session.run_id(&request, &session.vcs.head()?)?;
    let desk = Desk::open(session, &request.assignment, None, &AssignArgs::default(), None)?;
    let job = Job { folder: session.folder(&run), run: run.clone(), request: Some(request), begun: None };
    Ok((execute(session, &pipeline, &job, &desk, Bounds::default(), output)?, run))
}

fn execute(
    session: &Session,
    pipeline: &Pipeline,
    job: &Job,
    desk: &Desk,
    bounds: Bounds,
    output: &Output,
) -> Result<u8, CommandError> {
    let _lock = session.lock(&job.run)?;
    let store = DirStore::new(&job.folder);
    store.sweep()?;
    let events = output.events();
    events.emit(&Event::RunStarted {
        run: job.run.clone(),
        pipeline: pipeline.name.to_string(),
        folder: job.folder.display().to_string(),
    });
    let workspaces = session.workspaces()?;
    let walked = desk.with_ports(session, &workspaces, |ports| {
        let runner =
            Runner { store: &store, run: &job.run, config: &session.config, ports, events: events.as_ref() };
        walk(pipeline, &runner, bounds, job.request.as_ref())
    })?;
    drop(events);
    let report = Report::read(&store, &job.run)?;
    let folder = job.folder.strip_prefix(&session.root).unwrap_or(&job.folder).display().to_string();
    match output.format {
        Format::Json => output.print_json_line(&serde_json::json!({
            "event": "run-finished", "run": job.run, "exit": walked.exit, "reason": walked.reason,
            "folder": job.folder, "report": report,
        }))?,
        Format::Human => {
            if !output.is_quiet() {
                output.print(|out| render::diff(&report, out))?;
            }
            if let Some(verdict) = report.verdict.as_ref().filter(|verdict| !verdict.findings.is_empty()) {
                output.print(|out| writeln!(out))?;
                verdict::show(verdict, Showing::default(), output)?;
            }
            output.print(|out| {
                writeln!(out)?;
                render::summary(&report, &folder, out)
            })?;
        }
    }
    Ok(walked.exit)
}

fn bounds(args: &RunArgs, pipeline: &Pipeline) -> Result<Bounds, CommandError> {
    let known: Vec<StageId> =
        pipeline.stages().filter(|(step, _)| step.only.is_none()).map(|(step, _)| step.stage).collect();
    for stage in [args.from, args.until].into_iter().flatten() {
        if !known.contains(&stage) {
            let names: Vec<_> = known.iter().map(|s| s.as_str()).collect();
            return Err(UsageError {
                what: format!("the pipeline `{}` has no stage `{stage}`", pipeline.name),
                help: format!("Its stages are {}.", names.join(", ")),
            }
            .into());
        }
    }
    let place = |stage| known.iter().position(|id| Some(*id) == stage);
    if let (Some(from), Some(until)) = (place(args.from), place(args.until))
        && from > until
    {
        return Err(UsageError {
            what: format!("`{}` comes after `{}`, so nothing would run", known[from], known[until]),
            help: "Give --until the stage of --from, or one after it.".into(),
        }
        .into());
    }
    Ok(Bounds { from: args.from, until: args.until })
}

fn job(args: &RunArgs, global: &Global, session: &Session, output: &Output) -> Result<Job, CommandError> {
    if let Some(name) = &args.from_artifacts {
        let found = session::find_run(global, Some(name))?;
        let begun = desk::begun(&found.store)?;
        return Ok(Job { run: found.run, folder: found.folder, request: None, begun });
    }
    if let Some(name) = &args.revert {
        let request = revert::request(global, session, name)?;
        let run = session.run_id(&request, &session.vcs.head()?)?;
        return Ok(Job { folder: session.folder(&run), run, request: Some(request), begun: None });
    }
    let mut request =
        request(args.text.as_deref(), args.task_file.as_ref(), Assignment::to_engine("template"), output)?;
    let run = session.run_id(&request, &session.vcs.head()?)?;
    let folder = session.folder(&run);
    let begun = desk::begun(&DirStore::new(&folder))?;
    request.assignment = desk::assign(session, begun.as_ref(), &args.assign)?;
    Ok(Job { folder, run, request: Some(request), begun })
}

/// The largest task file that is read; intake has a limit of its own, well below.
const TASK_FILE_BYTES: u64 = 1 << 20;

/// Reads a task file, or standard input, and never more than it may hold.
fn read_task(path: &Path) -> Result<Vec<u8>, CommandError> {
    let mut bytes = Vec::new();
    let read = if path.as_os_str() == "-" {
        vault().task_reads_stdin();
        io::stdin().take(TASK_FILE_BYTES + 1).read_to_end(&mut bytes)
    } else {
        fs::File::open(path).and_then(|file| file.take(TASK_FILE_BYTES + 1).read_to_end(&mut bytes))
    };
    let problem = match read {
        Err(error) => format!("cannot be read: {error}"),
        Ok(_) if bytes.len() as u64 > TASK_FILE_BYTES => "is larger than 1 MiB".into(),
        Ok(_) => return Ok(bytes),
    };
    Err(UsageError {
        what: format!("the task file {} {problem}", path.display()),
        help: "Name a text file that says what to do, or `-` for standard input.".into(),
    }
    .into())
}

/// Returns the request given as words or as a file, with every secret masked before anything is made from it.
pub(super) fn request(
    text: Option<&str>,
    file: Option<&PathBuf>,
    assignment: Assignment,
    output: &Output,
) -> Result<Request, CommandError> {
    let mut request = given(text, file, assignment)?;
    // Nobody sits at a runner: the words are those of an event, or of whoever wrote the workflow.
    if Environment::of_process().is_github() {
        request.channel = Channel::Workflow;
    }
    if let Cow::Owned(masked) = redact(&request.text) {
        request.text = masked;
        output.note("the request held something that looks like a credential; it is masked and goes nowhere");
    }
    Ok(request)
}

fn given(
    text: Option<&str>,
    file: Option<&PathBuf>,
    assignment: Assignment,
) -> Result<Request, CommandError> {
    if let Some(path) = file {
        let bytes = read_task(path)?;
        let text = String::from_utf8(bytes).map_err(|_| UsageError {
            what: format!("the task file {} is not UTF-8 text", path.display()),
            help: "Save it as UTF-8.".into(),
        })?;
        return Ok(Request::new(text, Channel::TaskFile, assignment));
    }
    match text {
        Some(text) => Ok(Request::new(text, Channel::CommandLine, assignment)),
        None => Err(UsageError {
            what: "there is no request".into(),
            help: "Say what to do: orch run \"add a /health endpoint\", or --task-file FILE.".into(),
        }
        .into()),
    }
}

fn show_plan(plan: &RunPlan, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "pipeline {}, engine {}, run {}\n", plan.pipeline, plan.engine, plan.run)?;
    writeln!(out, "  {:<13} {:<7} {:<6} {:>12}  writes", "stage", "rounds", "power", "at most")?;
    for stage in &plan.stages {
        let powers: Vec<_> = stage.powers.iter().map(|p| p.as_str()).collect();
        let power = if powers.is_empty() { "-".to_owned() } else { powers.join("+") };
        let rounds = if stage.rounds > 1 { format!("1..{}", stage.rounds) } else { "1".into() };
        let cost = stage.worst_case_nano_usd.map_or_else(|| "unknown".into(), |cost| cost.to_string());
        let writes = stage.writes.join(", ");
        writeln!(out, "  {:<13} {rounds:<7} {power:<6} {cost:>12}  {writes}", stage.stage)?;
        if let Some(when) = &stage.when {
            let exits: Vec<_> = when.exits.iter().map(ToString::to_string).collect();
            writeln!(out, "  {:<13} only when {} ended with {}", "", when.stage, exits.join(" or "))?;
        }
    }
    match (plan.worst_case_nano_usd, plan.ceiling_nano_usd) {
        (None, _) => {
            writeln!(
                out,
                "\nAt most an unknown amount in all: a price is not known, or no model can be asked. Nothing was called."
            )
        }
        (Some(cost), Some(ceiling)) if cost > ceiling => writeln!(
            out,
            "\nAt most {cost} in all, of which {ceiling} may be spent: a call that could go over it is not made, and \
             the run stops there. Nothing was called."
        ),
        (Some(cost), _) => writeln!(out, "\nAt most {cost} in all; nothing was called."),
    }
}
