//! `orch policy waive`: an entry for the file of waivers, checked before it is written.

use std::fs;
use std::path::Path;

use clap::Args;
use serde::Serialize;
use similar::TextDiff;

use crate::artifact::day::Day;
use crate::cli::CommandError;
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::session::Session;
use crate::diagnostic::explain::nearest;
use crate::ports::vcs::VcsRead as _;
use crate::stage::policy::aside::waivers::Waiver;
use crate::stage::policy::aside::{Codes, Standing, write};
use crate::stage::policy::bundle::{Bundle, Sources};

/// Waive findings of a rule until a day, for a reason
///
/// Adds an entry to the file of waivers and shows what changed. It counts once it is in the base commit, so somebody else reviews it.
#[derive(Debug, Args)]
pub struct WaiveArgs {
    /// The code of the findings, as `secrets/generic`
    code: String,
    /// Only findings in files this glob fits, from the root of the repository
    #[arg(long, value_name = "GLOB", required_unless_present = "fingerprint")]
    path: Option<String>,
    /// Only the finding with this fingerprint
    #[arg(long)]
    fingerprint: Option<String>,
    /// Only findings on these lines of the files, as 12 or 12-40
    #[arg(long, requires = "path")]
    lines: Option<String>,
    /// The last day it counts, at most a year ahead, as 2026-12-31
    #[arg(long, value_name = "DAY")]
    until: Day,
    /// Why the findings can be lived with
    #[arg(long, value_name = "TEXT")]
    reason: String,
    /// Who is to mend it
    #[arg(long, value_name = "NAME")]
    owner: Option<String>,
    /// Who approved it; your name in git when absent
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Where mending it is tracked
    #[arg(long)]
    ticket: Option<String>,
    /// Show what would change, and write nothing
    #[arg(long)]
    dry_run: bool,
}

#[derive(Serialize)]
struct Document<'a> {
    path: &'a str,
    written: bool,
    waiver: &'a Waiver,
    diff: &'a str,
}

/// Adds the entry.
pub fn run(args: &WaiveArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let session = Session::open(global)?;
    let head = session.vcs.head()?;
    let bundle = Bundle::parse(&Sources::gather(&session.vcs, &head.tree, &session.config.policy.packs)?);
    let codes = Codes::of(&bundle);
    check_code(&args.code, &codes)?;
    check_until(args.until, session.today()?)?;
    let by = args.by.clone().or_else(|| session.vcs.person()).ok_or_else(|| {
        usage("nobody is named who approves it", "Name a person with --by, or set `git config user.name`.")
    })?;
    let waiver = Waiver {
        code: args.code.clone(),
        path: args.path.clone(),
        fingerprint: args.fingerprint.clone(),
        lines: args.lines.clone(),
        until: args.until,
        reason: args.reason.trim().to_owned(),
        owner: args.owner.clone(),
        by,
        ticket: args.ticket.clone(),
        approved: None,
    };
    // Whoever stretches it later needs an approval anew.
    let waiver = Waiver { approved: waiver.digest(), ..waiver };
    let name = session.config.policy.waivers.as_str();
    let path = session.root.join(name);
    let before = read(&path)?;
    let after = write::add(&before, &waiver, &codes)
        .map_err(|why| usage(&format!("cannot add to {name}: {why}"), "Nothing was changed."))?;
    let diff = TextDiff::from_lines(&before, &after)
        .unified_diff()
        .context_radius(3)
        .header(&format!("a/{name}"), &format!("b/{name}"))
        .to_string();
    if !args.dry_run {
        replace(&path, &after)?;
    }
    let document = Document { path: name, written: !args.dry_run, waiver: &waiver, diff: &diff };
    output.show(&document, |out| {
        write!(out, "{diff}")?;
        if args.dry_run {
            Ok(())
        } else {
            writeln!(out, "Commit it: a waiver counts once it is in the base.")
        }
    })?;
    Ok(0)
}

fn usage(what: &str, help: &str) -> UsageError {
    UsageError { what: what.to_owned(), help: help.to_owned() }
}

fn check_code(code: &str, codes: &Codes) -> Result<(), UsageError> {
    match codes.standing(code) {
        Standing::Open => Ok(()),
        Standing::Locked => Err(usage(
            &format!("`{code}` is locked: it cannot be waived"),
            &format!("`orch policy explain {code}` tells why."),
        )),
        Standing::Own => Err(usage(
            &format!("`{code}` is of the policy stage itself: it cannot be waived"),
            "Mend what it names.",
        )),
        Standing::Unknown => {
            let near = nearest(code, codes.names());
            let help = match near.as_slice() {
                [] => "`orch policy explain` lists the rules.".to_owned(),
                near => format!("Did you mean `{}`?", near.join("` or `")),
            };
            Err(usage(&format!("no rule has the code `{code}`"), &help))
        }
    }
}

fn check_until(until: Day, today: Day) -> Result<(), UsageError> {
    if until < today {
        return Err(usage(&format!("{until} is past"), "Name a day that is still to come."));
    }
    if until > today.plus_year() {
        let help =
            format!("Name a day up to {}: what is waived is looked at once a year.", today.plus_year());
        return Err(usage(&format!("{until} is more than a year ahead"), &help));
    }
    Ok(())
}

pub(super) fn read(path: &Path) -> Result<String, CommandError> {
    match fs::read(path) {
        Ok(bytes) => String::from_utf8(bytes).map_err(|_| {
            usage(&format!("{} is not UTF-8 text", path.display()), "Nothing was changed.").into()
        }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(String::new()),
        Err(source) => Err(IoError { what: format!("read {}", path.display()), source }.into()),
    }
}

/// Writes a file beside and renames it; a link on the way is refused.
pub(super) fn replace(path: &Path, text: &str) -> Result<(), CommandError> {
    let fail = |source| CommandError::from(IoError { what: format!("write {}", path.display()), source });
    let folder = path.parent().unwrap_or(path);
    if path.is_symlink() || folder.is_symlink() {
        let help = "Remove the link; the file belongs into the repository.";
        return Err(usage(&format!("{} is reached through a symbolic link", path.display()), help).into());
    }
    fs::create_dir_all(folder).map_err(fail)?;
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(fail)?;
    std::io::Write::write_all(&mut file, text.as_bytes()).map_err(fail)?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = fs::metadata(path).map_or(0o644, |about| about.permissions().mode());
        file.as_file().set_permissions(fs::Permissions::from_mode(mode)).map_err(fail)?;
    }
    file.persist(path).map_err(|error| fail(error.error))?;
    Ok(())
}
