//! Hard budgets: the worst case of a call is reserved before it, in a file, and settled after it.
//!
//! Must never let a call begin that could pass a ceiling, forget a reservation that may be billed, or count money in floats.

mod cost;
pub mod estimate;
mod ledger;
mod read;
mod spend;
mod state;

pub use ledger::{Ledger, LedgerError, Reservation, ReserveError};
pub use read::{ReadLedger, RunLedgers};
pub use spend::{Dear, Part, Spend};
pub use state::{Budget, Exhausted, Measure, Scope, Worst};

#[cfg(test)]
mod schedules;
