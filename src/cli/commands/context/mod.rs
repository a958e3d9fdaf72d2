//! `orch context`: which files a request concerns.

mod embeddings;

use std::path::{Path, PathBuf};

use clap::Args;
use serde::Serialize;

use crate::agent::context::TreeSource;
use crate::agent::context::pack::{Pack, Want, pack};
use crate::artifact::id::{CommitId, TreeId};
use crate::cli::CommandError;
use crate::cli::args::{Format, Global};
use crate::cli::error::UsageError;
use crate::cli::output::Output;
use crate::cli::session;
use crate::diagnostic::text::plain;
use crate::index::meaning::LOOKED_AT;
use crate::index::over::{Changes, Worktree};
use crate::index::{Found, Index, Indexed, Told};
use crate::ports::vcs::{GitRepository, Span, VcsChanges as _, VcsRead};

/// Tell which files a request concerns
///
/// Ranks the files of a commit by what they say, what they define, their paths, and what past commits of similar messages
/// touched. Nothing leaves the machine and no model is asked, unless one of embeddings is named. The index is kept below the
/// git folder and brought up to date; what is not committed is seen with --worktree only.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  orch context \"fix(css): source maps are off by one\"\n  orch context --limit 5 --explain retry with backoff\n  \
    git log -1 --format=%B | orch context --at HEAD~1 -\n  orch context --pack 8000 update the policy in auth\n  orch context --format json where are tokens refreshed"
)]
#[expect(clippy::struct_excessive_bools, reason = "they are flags, of which clap takes one")]
pub struct ContextArgs {
    /// The request: a sentence, an issue's text, a commit message; `-` reads it from standard input
    #[arg(required = true, value_name = "QUERY")]
    query: Vec<String>,
    /// How many files to show
    #[arg(long, default_value_t = 10, value_name = "N")]
    limit: usize,
    /// The commit to look at; HEAD when absent
    #[arg(long, value_name = "COMMIT")]
    at: Option<String>,
    /// Look at the working tree instead, with files that git does not ignore; its past is that of HEAD
    #[arg(long, conflicts_with = "at")]
    worktree: bool,
    /// Show the pack a model would see instead: whole functions with their tests and users, of at most so many tokens
    #[arg(long, value_name = "TOKENS", value_parser = clap::value_parser!(u32).range(100..=1_000_000), conflicts_with_all = ["limit", "explain"])]
    pack: Option<u32>,
    /// Show what each signal adds to each score
    #[arg(long)]
    explain: bool,
    /// The same as --format json
    #[arg(long)]
    json: bool,
    /// Where the index is kept; below the git folder when absent
    #[arg(long, value_name = "FILE")]
    cache: Option<PathBuf>,
    /// Make the index anew and keep nothing
    #[arg(long, conflicts_with = "cache")]
    no_cache: bool,
    /// Ask this model of embeddings how near the first 50 files are to the request; it is sent the request, and path,
    /// first lines and definitions of each file
    #[arg(long, value_name = "PROVIDER/MODEL", conflicts_with = "pack")]
    embeddings: Option<String>,
    /// Refuse to ask when it could cost more than this, in US dollars
    #[arg(long, value_name = "USD", default_value = "0.05", requires = "embeddings")]
    max_cost: String,
}

/// What was found, for programs.
#[derive(Serialize)]
struct Answer<'a> {
    /// `commit` or `working-tree`.
    of: &'static str,
    commit: &'a CommitId,
    query: &'a str,
    index: &'a Told,
    /// Absent where no model was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    embeddings: Option<&'a embeddings::Told>,
    files: &'a [Found],
}

/// A pack, for programs.
#[derive(Serialize)]
struct PackAnswer<'a> {
    /// `commit` or `working-tree`.
    of: &'static str,
    commit: &'a CommitId,
    query: &'a str,
    ceiling: u32,
    #[serde(flatten)]
    pack: &'a Pack,
}

/// The most bytes of a request that are read.
const MAX_REQUEST: u64 = 256 * 1024;

/// Ranks the files.
pub fn run(args: &ContextArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let query = request(&args.query)?;
    let vcs = GitRepository::open(session::folder(global)?)?;
    let (commit, tree) = match &args.at {
        Some(name) => vcs.commit_named(name).map(|named| (named.commit, named.tree))?,
        None => vcs.head().map(|head| (head.commit, head.tree))?,
    };
    let cache = match &args.cache {
        _ if args.no_cache => None,
        Some(path) => Some(path.clone()),
        None => Some(vcs.common_dir().join("orch").join("index.bin")),
    };
    let changes = if args.worktree { Some(worktree(&vcs, output)?) } else { None };
    let index = match &changes {
        Some(changes) => Index::over(&vcs.past(), &commit, cache.as_deref(), changes)?,
        None => opened(&vcs, &commit, cache.as_deref(), output)?,
    };
    if let Some(ceiling) = args.pack {
        let under = Indexed::with(vcs, commit.clone(), index);
        let source: Box<dyn VcsRead> = match changes {
            Some(changes) => Box::new(Worktree { under, changes }),
            None => Box::new(under),
        };
        return packed(args, &query, source.as_ref(), (&commit, &tree), ceiling, output);
    }
    let (files, asked) = match &args.embeddings {
        None => (index.rank(&query, args.limit), None),
        Some(model) => {
            let mut found = index.rank(&query, LOOKED_AT.max(args.limit));
            let near = embeddings::Near {
                model,
                max_cost: &args.max_cost,
                folder: cache.as_deref().and_then(Path::parent),
                content: &|path| match changes.as_ref().and_then(|changes| changes.content(path)) {
                    Some(content) => Ok(content.map(<[u8]>::to_vec)),
                    None => vcs.file(&tree, path),
                },
            };
            let (told, again) = near.order(&query, found, global, output)?;
            found = again;
            found.truncate(args.limit);
            (found, Some(told))
        }
    };
    if args.json || output.format == Format::Json {
        output.print_json(&Answer {
            of: of(args),
            commit: &commit,
            query: &query,
            index: index.told(),
            embeddings: asked.as_ref(),
            files: &files,
        })?;
    } else {
        show(args, &index, &files, output)?;
        said(args, &commit, output);
    }
    Ok(if files.is_empty() { 78 } else { 0 })
}

/// Returns the index at a commit, brought up to date and kept.
fn opened(
    vcs: &GitRepository,
    commit: &CommitId,
    cache: Option<&Path>,
    output: &Output,
) -> Result<Index, CommandError> {
    let index = Index::open(&vcs.past(), commit, cache)?;
    if let Some(why) = &index.told().rebuilt {
        output.note(&format!("the index was made anew: {why}"));
    }
    if let Some(path) = cache {
        index.save(path)?;
    }
    Ok(index)
}

/// Returns what the working tree has over HEAD; what cannot be read is said and looked at as HEAD has it.
pub(super) fn worktree(vcs: &GitRepository, output: &Output) -> Result<Changes, CommandError> {
    let (changes, unread) = Changes::of(vcs.deltas(&Span::Work)?);
    for (path, why) in unread {
        output.note(&format!("{} is seen as HEAD has it: {why}", plain(&path)));
    }
    Ok(changes)
}

const fn of(args: &ContextArgs) -> &'static str {
    if args.worktree { "working-tree" } else { "commit" }
}

/// Says what the answer is of.
fn said(args: &ContextArgs, commit: &CommitId, output: &Output) {
    if !output.is_quiet() {
        let short = commit.as_str().get(..12).unwrap_or(commit.as_str());
        output.note(&if args.worktree {
            format!("of the working tree over the commit {short}")
        } else {
            format!("of the commit {short}; what is not committed is not seen (--worktree sees it)")
        });
    }
}

/// Shows the pack of a request as a model sees it.
fn packed(
    args: &ContextArgs,
    query: &str,
    source: &dyn VcsRead,
    (commit, tree): (&CommitId, &TreeId),
    ceiling: u32,
    output: &Output,
) -> Result<u8, CommandError> {
    let tree = TreeSource::of(source, tree)?.at(commit);
    let pack = pack(&Want { text: query, ceiling, shown: &[] }, &tree)?;
    if args.json || output.format == Format::Json {
        output.print_json(&PackAnswer { of: of(args), commit, query, ceiling, pack: &pack })?;
    } else {
        output.print(|out| write!(out, "{}", pack.text()))?;
        for out in &pack.left_out {
            output.note(&format!("left out: {}: {}", plain(&out.what), plain(&out.why)));
        }
        if !output.is_quiet() {
            output.note(&format!("{} pieces, about {} of {ceiling} tokens", pack.parts.len(), pack.tokens));
        }
        said(args, commit, output);
    }
    Ok(if pack.parts.is_empty() { 78 } else { 0 })
}

fn show(args: &ContextArgs, index: &Index, files: &[Found], output: &Output) -> Result<(), CommandError> {
    if files.is_empty() {
        output.note("no file has anything to do with that; try words of the code, or a longer sentence");
    }
    output.print(|out| {
        for (at, found) in files.iter().enumerate() {
            let lines =
                found.chunk.as_ref().and_then(|chunk| chunk.rsplit_once(':')).map_or("", |(_, lines)| lines);
            let place = if lines.is_empty() { found.path.clone() } else { format!("{}:{lines}", found.path) };
            writeln!(
                out,
                "{:>3}  {:>5.2}  {:<8} {}",
                at + 1,
                found.score,
                found.kind.name(),
                crate::diagnostic::text::plain(&place)
            )?;
            if args.explain {
                let parts = found
                    .parts
                    .iter()
                    .filter(|part| part.adds >= 0.005)
                    .map(|part| format!("{} {:.2}", part.signal, part.adds));
                writeln!(out, "       {}", parts.collect::<Vec<_>>().join(", "))?;
            }
        }
        Ok(())
    })?;
    let told = index.told();
    if !output.is_quiet() {
        let left = if told.left_out.is_empty() {
            String::new()
        } else {
            format!(", {} by path only", told.left_out.len())
        };
        output.note(&format!(
            "{} files{left}, {} commits; {} files and {} commits read now",
            told.files, told.commits, told.read, told.commits_read
        ));
    }
    Ok(())
}

fn request(words: &[String]) -> Result<String, CommandError> {
    use std::io::Read as _;
    if words != ["-"] {
        return Ok(words.join(" "));
    }
    let mut bytes = Vec::new();
    std::io::stdin().take(MAX_REQUEST).read_to_end(&mut bytes).map_err(|source| UsageError {
        what: format!("standard input cannot be read: {source}"),
        help: "Give the request as words instead.".into(),
    })?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
