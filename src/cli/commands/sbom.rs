//! `orch sbom`: the bill of materials of a commit.

use clap::Args;

use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::output::Output;
use crate::cli::session;
use crate::diagnostic::text::plain;
use crate::ports::vcs::{EntryKind, GitRepository, VcsChanges as _, VcsRead as _};
use crate::sbom::{Bill, Form, Subject, gather, render, takes};
use crate::scan::licences::published;

/// List the packages a commit uses, as a bill of materials
///
/// Reads the lock files of npm, pnpm, Yarn, Poetry, uv, Pipenv, Cargo and Go as the commit has them; manifests and requirements
/// where there is no lock file. Nothing is fetched and nothing is run: a package is in the bill because a file names it, with
/// the version the file names. The same commit gives the same bytes. Files of tests and of what was vendored are left out.
/// Ends with 78 where no file names a package, and with 3 under --whole where something may be missing.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  orch sbom > app.cdx.json\n  orch sbom --as spdx --at v1.2.0 > app.spdx.json\n  orch sbom --whole --at HEAD > /dev/null"
)]
pub struct SbomArgs {
    /// The commit, branch or tag; HEAD when absent
    #[arg(long, value_name = "COMMIT", default_value = "HEAD")]
    at: String,
    /// The form
    #[arg(long = "as", value_enum, value_name = "FORM", default_value = "cyclonedx")]
    form: Form,
    /// What the repository is called in the bill; the name of its folder when absent
    #[arg(long, value_name = "NAME")]
    name: Option<String>,
    /// End with 3 where a file could not be read, or a manifest has no lock file
    #[arg(long)]
    whole: bool,
}

/// Makes the bill and prints it.
pub fn run(args: &SbomArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let folder = session::folder(global)?;
    let vcs = GitRepository::open(folder)?;
    let at = vcs.commit_named(&args.at)?;
    let mut files = Vec::new();
    for entry in vcs.entries(&at.tree)?.iter() {
        let Some((path, format)) = entry.utf8_path().and_then(|path| Some((path, takes(path)?))) else {
            continue;
        };
        let regular = matches!(entry.kind, EntryKind::File | EntryKind::Executable);
        let bytes = if regular { vcs.file(&at.tree, path)? } else { None };
        files.push((path.to_owned(), format, bytes));
    }
    let bill = gather(&files);
    let named = || vcs.root().file_name().map(|name| name.to_string_lossy().into_owned());
    let subject = Subject {
        name: args.name.clone().or_else(named).unwrap_or_else(|| "repository".into()),
        commit: at.commit,
        time: at.time,
        licence: published(&|path| vcs.file(&at.tree, path).ok().flatten()),
    };
    output.print_json(&render(&bill, &subject, args.form))?;
    tell(&bill, output);
    Ok(match &bill {
        bill if args.whole && !bill.is_whole() => 3,
        bill if bill.packages.is_empty() => 78,
        _ => 0,
    })
}

/// Says beside the bill what is not in it.
fn tell(bill: &Bill, output: &Output) {
    for (path, why) in &bill.unread {
        output.note(&format!("{} is not in the bill: {why}", plain(path)));
    }
    for file in bill.files.iter().filter(|file| !file.whole) {
        output.note(&format!(
            "{} names what is asked for, not what was chosen: commit a lock file beside it",
            plain(&file.path)
        ));
    }
}
