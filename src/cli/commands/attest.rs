//! `orch attest`: keys, signed statements, and predicates for others to sign.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};
use serde::Serialize;

use crate::artifact::digest::canonical_json;
use crate::artifact::store::ArtifactStore as _;
use crate::attest::{Algorithm, AttestError, Bundle, KINDS, OpenRun, SigningKey, StatementKind, main_kind};
use crate::cli::args::Global;
use crate::cli::error::{IoError, UsageError};
use crate::cli::output::Output;
use crate::cli::session::FoundRun;
use crate::cli::{CommandError, session};
use crate::ports::credential::{SigningKeySpec, signing_key, vault};
use crate::ports::secret::Secret;

/// Sign what a run says, in the forms other tools read
///
/// Statements are in-toto Statement v1, signed as DSSE and put into Sigstore bundles v0.3, below `attest/` in the run folder.
/// `orch verify --key` checks them, and so does cosign.
#[derive(Debug, Args)]
pub struct AttestArgs {
    #[command(subcommand)]
    command: AttestCommand,
}

#[derive(Debug, Subcommand)]
enum AttestCommand {
    /// Make a key: FILE that only you can read, and FILE.pub for everybody
    Keygen {
        /// The file of the private key; it must not exist
        file: PathBuf,
        /// The algorithm
        #[arg(long, value_enum, default_value_t = AlgorithmName::Ed25519)]
        algorithm: AlgorithmName,
    },
    /// Sign the statements of a run with a key
    Sign {
        /// The run: its id, the start of its id, or its folder; absent: the newest
        run: Option<String>,
        /// The file of the private key, readable by you alone
        #[arg(long, value_name = "FILE", required_unless_present = "key_env")]
        key: Option<PathBuf>,
        /// The variable with the private key, as PEM; its name ends in _SECRET or _TOKEN
        #[arg(long, value_name = "NAME", conflicts_with = "key")]
        key_env: Option<String>,
        /// Only these statements; absent: all that the run has something to say in. `change`, of a release `release`, is always signed
        #[arg(long, value_name = "NAME")]
        only: Vec<String>,
    },
    /// Write predicates and subjects for another signer, as `actions/attest` in a workflow
    Predicate {
        /// The run: its id, the start of its id, or its folder; absent: the newest
        run: Option<String>,
        /// Which statement; absent: `change`, of a release `release`
        #[arg(long, value_name = "NAME")]
        kind: Option<String>,
        /// The folder to write `predicate.json`, `subjects.sha256` and `statement.json` into
        #[arg(long, value_name = "FOLDER")]
        out: PathBuf,
    },
    /// Put a bundle that another signer made into the run it is about, as that of `actions/attest`
    Add {
        /// The file of the bundle
        file: PathBuf,
        /// The run: its id, the start of its id, or its folder; absent: the newest
        run: Option<String>,
    },
    /// List the kinds of statements
    Kinds,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AlgorithmName {
    /// Ed25519
    Ed25519,
    /// ECDSA over P-256
    P256,
}

/// Makes keys, signs, writes predicates.
pub fn run(args: &AttestArgs, global: &Global, output: &Output) -> Result<u8, CommandError> {
    match &args.command {
        AttestCommand::Keygen { file, algorithm } => keygen(file, *algorithm, output),
        AttestCommand::Sign { run, key, key_env, only } => {
            let spec = match (key, key_env) {
                (Some(path), _) => SigningKeySpec::File(path.clone()),
                (None, Some(name)) => SigningKeySpec::Env(name.clone()),
                (None, None) => return Err(no_key().into()),
            };
            sign(run.as_deref(), &spec, only, global, output)
        }
        AttestCommand::Predicate { run, kind, out } => {
            predicate(run.as_deref(), kind.as_deref(), out, global, output)
        }
        AttestCommand::Add { file, run } => add(file, run.as_deref(), global, output),
        AttestCommand::Kinds => kinds(output),
    }
}

fn no_key() -> UsageError {
    UsageError {
        what: "no key was named".into(),
        help: "Give --key FILE; `orch attest keygen FILE` makes one.".into(),
    }
}

#[derive(Serialize)]
struct Made {
    key: PathBuf,
    public: PathBuf,
    id: String,
}

fn keygen(file: &Path, algorithm: AlgorithmName, output: &Output) -> Result<u8, CommandError> {
    let algorithm = match algorithm {
        AlgorithmName::Ed25519 => Algorithm::Ed25519,
        AlgorithmName::P256 => Algorithm::P256,
    };
    let text = SigningKey::generate(algorithm)?;
    let public = SigningKey::from_pem(&text, "that was made")?.public();
    let mut name = file.as_os_str().to_owned();
    name.push(".pub");
    let beside = PathBuf::from(name);
    write_private(file, &text)?;
    let failed = |source| IoError { what: format!("write {}", beside.display()), source };
    fs::write(&beside, public.to_pem()).map_err(failed)?;
    let made = Made { key: file.to_owned(), public: beside, id: public.id() };
    output.show(&made, |out| {
        writeln!(out, "{} signs; keep it to yourself.", made.key.display())?;
        writeln!(out, "{} verifies; its id is {}.", made.public.display(), made.id)
    })?;
    Ok(0)
}

/// Writes a new file that only its owner can read; never over another.
fn write_private(path: &Path, text: &Secret) -> Result<(), CommandError> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let written = options.open(path).and_then(|mut file| file.write_all(text.expose().as_bytes()));
    written.map_err(|source| {
        if source.kind() == std::io::ErrorKind::AlreadyExists {
            return UsageError {
                what: format!("{} is there already", path.display()),
                help: "Name a new file: a key is never written over.".into(),
            }
            .into();
        }
        IoError { what: format!("write {}", path.display()), source }.into()
    })
}

#[derive(Serialize)]
struct Signed {
    run: String,
    key: String,
    statements: Vec<String>,
}

/// Opens a run that may be spoken of: whole and unbroken.
fn open(found: &FoundRun) -> Result<OpenRun<'_>, CommandError> {
    let opened = OpenRun::open(&found.run, &found.store, false)?;
    if let Some(first) = opened.chain.breaks.first() {
        return Err(AttestError::Run {
            why: first.to_string(),
            help: "`orch artifacts verify` names everything that is wrong; nothing was signed.",
        }
        .into());
    }
    Ok(opened)
}

fn sign(
    run: Option<&str>,
    spec: &SigningKeySpec,
    only: &[String],
    global: &Global,
    output: &Output,
) -> Result<u8, CommandError> {
    let found = session::find_run(global, run)?;
    let opened = open(&found)?;
    let what = match spec {
        SigningKeySpec::File(path) => path.display().to_string(),
        SigningKeySpec::Env(name) => name.clone(),
    };
    let key = SigningKey::from_pem(&signing_key(spec, vault())?, &what)?;
    for name in only {
        named(name)?;
    }
    let mut statements = Vec::new();
    let main = main_kind(&opened).name;
    for kind in KINDS {
        if kind.name != main && !only.is_empty() && !only.iter().any(|name| name == kind.name) {
            continue;
        }
        if let Some(statement) = kind.make(&opened)? {
            found.store.write(&kind.path(), &Bundle::sign(&statement, &key)?.to_bytes()?)?;
            statements.push(kind.path());
        }
    }
    let signed = Signed { run: found.run.to_string(), key: key.public().id(), statements };
    output.show(&signed, |out| {
        signed.statements.iter().try_for_each(|path| writeln!(out, "signed {path}"))?;
        writeln!(out, "{} is signed with the key {}.", signed.run, &signed.key[..16])
    })?;
    Ok(0)
}

fn named(name: &str) -> Result<&'static StatementKind, UsageError> {
    StatementKind::named(name).ok_or_else(|| UsageError {
        what: format!("there is no statement `{name}`"),
        help: format!("There are {}.", KINDS.iter().map(|kind| kind.name).collect::<Vec<_>>().join(", ")),
    })
}

fn predicate(
    run: Option<&str>,
    kind: Option<&str>,
    folder: &Path,
    global: &Global,
    output: &Output,
) -> Result<u8, CommandError> {
    let kind = kind.map(named).transpose()?;
    let found = session::find_run(global, run)?;
    let opened = open(&found)?;
    let kind = kind.unwrap_or_else(|| main_kind(&opened));
    let Some(statement) = kind.make(&opened)? else {
        return Err(UsageError {
            what: format!("the run `{}` has nothing to say in `{}`", found.run, kind.name),
            help: "`orch attest kinds` tells what each is about.".into(),
        }
        .into());
    };
    let failed = |source| IoError { what: format!("write into {}", folder.display()), source };
    fs::create_dir_all(folder).map_err(failed)?;
    // As sha256sum writes them: what actions/attest takes as subject-checksums. A commit has no SHA-256; it is in the predicate.
    let sums: String = statement
        .subject
        .iter()
        .filter_map(|subject| Some(format!("{}  {}\n", subject.digest.get("sha256")?, subject.name)))
        .collect();
    for (name, bytes) in [
        ("predicate.json", json(&statement.predicate)?),
        ("statement.json", json(&statement)?),
        ("subjects.sha256", sums.into_bytes()),
    ] {
        fs::write(folder.join(name), bytes).map_err(failed)?;
    }
    output.show(&statement.predicate_type, |out| {
        writeln!(out, "predicate-type: {}", statement.predicate_type)?;
        writeln!(out, "predicate-path: {}", folder.join("predicate.json").display())?;
        writeln!(out, "subject-checksums: {}", folder.join("subjects.sha256").display())
    })?;
    Ok(0)
}

/// The largest bundle that is read, in bytes.
const MAX_BUNDLE: u64 = 16 << 20;

#[derive(Serialize)]
struct Taken {
    run: String,
    statement: String,
}

/// Takes a bundle only if it says what the run says; who signed it is asked when it is verified.
fn add(file: &Path, run: Option<&str>, global: &Global, output: &Output) -> Result<u8, CommandError> {
    let failed = |source: std::io::Error| UsageError {
        what: format!("{} cannot be read: {source}", file.display()),
        help: "Name the file with the bundle; `actions/attest` has it as its output bundle-path.".into(),
    };
    let mut bytes = Vec::new();
    fs::File::open(file).and_then(|open| open.take(MAX_BUNDLE).read_to_end(&mut bytes)).map_err(failed)?;
    let shown = file.display().to_string();
    let bundle = Bundle::parse(&shown, &bytes)?;
    let statement = bundle.statement(&shown)?;
    let unfit = |why: String| AttestError::Unreadable { path: shown.clone(), why };
    let kind = StatementKind::of(&statement.predicate_type)
        .ok_or_else(|| unfit(format!("is about something else: {}", statement.predicate_type)))?;
    let found = session::find_run(global, run)?;
    let wanted = kind.make(&open(&found)?)?;
    if !wanted.is_some_and(|wanted| statement.says(&wanted)) {
        return Err(unfit(format!("does not say what the run `{}` says", found.run)).into());
    }
    found.store.write(&kind.path(), &bytes)?;
    let taken = Taken { run: found.run.to_string(), statement: kind.path() };
    output.show(&taken, |out| writeln!(out, "{} of {} is there.", taken.statement, taken.run))?;
    Ok(0)
}

fn json<T: Serialize>(value: &T) -> Result<Vec<u8>, AttestError> {
    canonical_json(value).map_err(|_| AttestError::Sign("it has no canonical form"))
}

#[derive(Serialize)]
struct KindRow {
    name: &'static str,
    predicate_type: &'static str,
    about: &'static str,
}

fn kinds(output: &Output) -> Result<u8, CommandError> {
    let row =
        |kind: &StatementKind| KindRow { name: kind.name, predicate_type: kind.predicate, about: kind.about };
    let rows: Vec<KindRow> = KINDS.iter().map(row).collect();
    output.show(&rows, |out| {
        rows.iter().try_for_each(|row| {
            writeln!(out, "{:<12} {}\n{:<12} {}", row.name, row.about, "", row.predicate_type)
        })
    })?;
    Ok(0)
}
