//! `orch util scan`: what the scanners see in a folder.

use std::path::PathBuf;
use std::sync::Mutex;

use clap::{Args, ValueEnum};
use ignore::WalkState;

use crate::cli::CommandError;
use crate::cli::args::Format;
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::scan::{Confidence, SCANNERS, Scanner, Source, Worker, merge};

/// Show what the scanners see in a folder, without judging it
#[derive(Debug, Args)]
pub struct ScanArgs {
    /// The folder; everything below it is looked at, ignored files too
    folder: PathBuf,
    /// Leave out facts that are less sure
    #[arg(long, value_enum, default_value = "medium")]
    confidence: Sure,
    /// Run only these scanners
    #[arg(long = "scanner", value_name = "NAME")]
    scanners: Vec<String>,
    /// How many threads; as many as there are cores when absent
    #[arg(long)]
    threads: Option<usize>,
    /// The day on which allow comments are judged, such as 2026-12-31
    #[arg(long)]
    today: Option<String>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Sure {
    Low,
    Medium,
    High,
}

/// Files beyond this size are data.
const LARGEST: u64 = 64 << 20;

/// Scans the folder.
pub fn run(args: &ScanArgs, output: &Output) -> Result<u8, CommandError> {
    let scanners: Vec<&dyn Scanner> = if args.scanners.is_empty() {
        SCANNERS.to_vec()
    } else {
        args.scanners.iter().map(|name| find(name)).collect::<Result<_, _>>()?
    };
    if !args.folder.is_dir() {
        return Err(UsageError {
            what: format!("there is no folder {}", args.folder.display()),
            help: "Name a folder to scan.".into(),
        }
        .into());
    }
    let least = match args.confidence {
        Sure::Low => Confidence::Low,
        Sure::Medium => Confidence::Medium,
        Sure::High => Confidence::High,
    };
    let threads =
        args.threads.or_else(|| std::thread::available_parallelism().ok().map(Into::into)).unwrap_or(1);
    let parts = Mutex::new(Vec::new());
    let unread = Mutex::new(0usize);
    let walk =
        ignore::WalkBuilder::new(&args.folder).standard_filters(false).threads(threads).build_parallel();
    walk.run(|| {
        let mut visit = Visit {
            worker: Some(Worker::new(&scanners, args.today.as_deref()).at_least(least)),
            parts: &parts,
            buffer: Vec::new(),
        };
        let unread = &unread;
        Box::new(move |entry| {
            let read = entry.is_ok_and(|entry| {
                !entry.file_type().is_some_and(|kind| kind.is_file()) || visit.file(&entry, &args.folder)
            });
            if !read && let Ok(mut count) = unread.lock() {
                *count += 1;
            }
            WalkState::Continue
        })
    });
    let facts = merge(parts.into_inner().unwrap_or_default());
    output.print(|out| {
        for fact in &facts {
            match output.format {
                Format::Json => {
                    let mut line = serde_json::to_value(fact).unwrap_or_default();
                    line["file"] = line["path"].clone();
                    writeln!(out, "{line}")?;
                }
                Format::Human => {
                    writeln!(
                        out,
                        "{}:{}:{}: {} {}: {}",
                        fact.path, fact.line, fact.column, fact.code, fact.message, fact.evidence
                    )?;
                }
            }
        }
        Ok(())
    })?;
    let unread = unread.into_inner().unwrap_or(0);
    if unread > 0 {
        return Err(UsageError {
            what: format!("{unread} files could not be read or are larger than {} MiB", LARGEST >> 20),
            help: "Make them readable, or scan a folder without them; the facts above are of the others."
                .into(),
        }
        .into());
    }
    Ok(0)
}

fn find(name: &str) -> Result<&'static dyn Scanner, UsageError> {
    SCANNERS.iter().copied().find(|scanner| scanner.name() == name).ok_or_else(|| UsageError {
        what: format!("there is no scanner `{name}`"),
        help: format!("There are: {}.", SCANNERS.iter().map(|s| s.name()).collect::<Vec<_>>().join(", ")),
    })
}

/// One thread's worker; hands in its facts when the walk drops it.
struct Visit<'a> {
    worker: Option<Worker<'a>>,
    parts: &'a Mutex<Vec<Vec<crate::scan::Fact>>>,
    buffer: Vec<u8>,
}

impl Visit<'_> {
    fn file(&mut self, entry: &ignore::DirEntry, root: &std::path::Path) -> bool {
        use std::io::Read as _;
        let Ok(mut file) = std::fs::File::open(entry.path()) else { return false };
        self.buffer.clear();
        if file.by_ref().take(LARGEST + 1).read_to_end(&mut self.buffer).is_err()
            || self.buffer.len() as u64 > LARGEST
        {
            return false;
        }
        let path = entry.path().strip_prefix(root).unwrap_or(entry.path()).to_string_lossy();
        let path = if std::path::MAIN_SEPARATOR == '/' { path } else { path.replace('\\', "/").into() };
        if let Some(worker) = &mut self.worker {
            worker.scan(&Source::new(&path, &self.buffer));
        }
        true
    }
}

impl Drop for Visit<'_> {
    fn drop(&mut self) {
        if let (Some(worker), Ok(mut parts)) = (self.worker.take(), self.parts.lock()) {
            parts.push(worker.into_facts());
        }
    }
}
