//! What earlier attempts of a stage spent, for an attempt on another machine: the ledger, out of what those attempts handed over.
//!
//! Must never take anything but the ledger: whoever could put a part beside the others could otherwise write the plan. Must never
//! take the smaller of two sums.

use crate::agent::budget::{LedgerError, ReadLedger};
use crate::artifact::id::{Round, RunId, StageId};
use crate::artifact::kind::StageFile;

use super::parts::PartFiles;

/// Returns the ledger of the attempt that spent the most, which is the newest: each goes on with the one before.
pub fn ledger(
    files: &PartFiles,
    run: &RunId,
    (stage, round): (StageId, Round),
) -> Result<Option<(String, Vec<u8>)>, LedgerError> {
    let path = StageFile::Ledger.path(stage, round);
    let own = format!("{run}/{path}");
    let mut newest: Option<(ReadLedger, &Vec<u8>)> = None;
    for (name, bytes) in files {
        let is_own = *name == own || name.strip_suffix(&own).is_some_and(|part| part.ends_with('/'));
        if !is_own {
            continue;
        }
        let ledger = ReadLedger::parse(&path, None, (stage, round), bytes)?;
        if newest.as_ref().is_none_or(|(other, _)| sum(&ledger) > sum(other)) {
            newest = Some((ledger, bytes));
        }
    }
    Ok(newest.map(|(_, bytes)| (path, bytes.clone())))
}

/// What one ledger is more than another by.
fn sum(ledger: &ReadLedger) -> (crate::artifact::money::NanoUsd, u64, usize) {
    (ledger.spent.nano_usd, ledger.spent.tokens, ledger.lines.len())
}
