//! The governed change pipeline for coding agents.
//!
//! `orch` turns a request into a tested, judged branch. It runs stages; each stage reads artifact files and writes artifact
//! files; the CI system schedules the stages and keeps the files. `docs/ARCHITECTURE.md` is the map with its laws.
//!
//! # Layout, bottom up
//!
//! - [`diagnostic`]: what went wrong, who must act
//! - [`artifact`]: kinds, envelopes, digests, schemas, manifests, the store; knows nothing above it
//! - [`scan`]: scanners: bytes of files in, facts out
//! - [`ports`]: the outside world as capabilities: trait, real one, fake
//! - [`config`]: `orch.yml`, raw then valid
//! - [`telemetry`]: events of a run and who listens
//! - [`edit`]: file changes: checked, applied, shown as a patch
//! - [`agent`]: talking to models under contract: budgets, records, debates
//! - [`index`]: which files a request concerns
//! - [`engine`]: who proposes plans, tests and edits
//! - [`stage`]: the stages, their specs, the runner
//! - [`pipeline`]: the order, rounds and conditions, as data
//! - [`rego`]: Rego modules: read, mended, evaluated
//! - [`conftest`]: configuration files against Rego policies
//! - [`replay`]: a finished run, run again from its record and compared
//! - [`lint`]: workflows and actions against what is known to go wrong
//! - [`compile`]: workflows of GitHub made from pipeline definitions
//! - [`attest`]: signed statements about a run, in the forms other tools read
//! - [`proof`]: whether a change is what its evidence says
//! - [`sbom`]: which packages the lock files of a commit chose, in the forms other tools read
//! - [`report`]: a run rendered from its artifacts
//! - [`upgrade`]: a candidate tried over recorded runs before it becomes the default
//! - [`doctor`]: what this machine and repository have and lack
//! - [`cli`]: words in, request out, exit code out

pub mod agent;
pub mod artifact;
pub mod attest;
pub mod cli;
pub mod compile;
pub mod config;
pub mod conftest;
pub mod conversation;
pub mod diagnostic;
pub mod doctor;
pub mod edit;
pub mod engine;
pub mod index;
pub mod lint;
pub mod pipeline;
pub mod ports;
pub mod proof;
pub mod rego;
pub mod replay;
pub mod report;
pub mod sbom;
pub mod scan;
pub mod stage;
pub mod syntax;
pub mod telemetry;
pub mod upgrade;
pub mod verdicts;
