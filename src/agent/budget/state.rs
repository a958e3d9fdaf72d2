//! The arithmetic of a budget, without any file: what may be reserved, what is spent, what is left.
//!
//! Must never touch the world, and must never let spent, reserved and set-aside amounts together pass a ceiling in force.

use std::collections::BTreeMap;
use std::fmt;

use crate::artifact::money::NanoUsd;
use crate::artifact::types::ledger::{Ceiling, LedgerLimits, Totals};
use crate::diagnostic::text::wall_time;
use crate::diagnostic::{Class, Failure};

/// The worst case of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Worst {
    /// Money; absent: the price is not known.
    pub cost: Option<NanoUsd>,
    /// Tokens, input and output together.
    pub tokens: u64,
}

/// Whose limit it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The run's.
    Run,
    /// The stage's.
    Stage,
    /// That of a partition.
    Slice(String),
}

/// What is limited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Billionths of a US dollar.
    Money,
    /// Tokens.
    Tokens,
    /// Milliseconds.
    Time,
}

/// The next call does not fit a limit; it was not made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "{scope} has {} left of its {}, and the next call could take {}",
    self.measure.show(self.left), self.measure.show(self.limit), self.measure.show(self.wanted)
)]
pub struct Exhausted {
    /// Whose limit.
    pub scope: Scope,
    /// Of what.
    pub measure: Measure,
    /// The limit.
    pub limit: u64,
    /// What is left of it.
    pub left: u64,
    /// What the call could take.
    pub wanted: u64,
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run => f.write_str("the run"),
            Self::Stage => f.write_str("the stage"),
            Self::Slice(name) => write!(f, "the subtask `{name}`"),
        }
    }
}

impl Measure {
    fn show(self, amount: u64) -> String {
        match self {
            Self::Money => NanoUsd(amount).to_string(),
            Self::Tokens => format!("{amount} tokens"),
            Self::Time => wall_time(amount),
        }
    }
}

impl Failure for Exhausted {
    fn class(&self) -> Class {
        Class::Exhausted
    }

    fn help(&self) -> Option<String> {
        let missing = self.measure.show(self.wanted.saturating_sub(self.left));
        Some(format!(
            "Raise the limit by at least {missing} and run again: what is finished and paid for is used again; \
             `orch cost` tells where it went."
        ))
    }
}

/// A reservation that is neither settled, kept nor released.
#[derive(Clone, Debug)]
struct Reserved {
    worst: Worst,
    slice: Option<String>,
}

/// A part of the budget set aside for a subtask.
#[derive(Clone, Copy, Debug, Default)]
struct Slice {
    max_cost: Option<u64>,
    max_tokens: Option<u64>,
    spent: Totals,
}

/// The budget of a stage within its run.
#[derive(Clone, Debug)]
pub struct Budget {
    limits: LedgerLimits,
    run_before: Totals,
    stage_before: Totals,
    own: Totals,
    open: BTreeMap<u64, Reserved>,
    slices: BTreeMap<String, Slice>,
    next: u64,
}

impl Budget {
    /// Returns a budget; `run_before` is spent elsewhere in the run, `stage_before` the part of it of this stage, and
    /// `own` with the ids up to `last` stands in the stage's own ledger already.
    pub const fn new(
        limits: LedgerLimits,
        run_before: Totals,
        stage_before: Totals,
        own: Totals,
        last: u64,
    ) -> Self {
        Self {
            limits,
            run_before,
            stage_before,
            own,
            open: BTreeMap::new(),
            slices: BTreeMap::new(),
            next: last.saturating_add(1),
        }
    }

    /// Returns the limits in force.
    pub const fn limits(&self) -> &LedgerLimits {
        &self.limits
    }

    /// Returns what the stage's own ledger holds as spent.
    pub const fn own(&self) -> Totals {
        self.own
    }

    /// Returns what the whole run has spent.
    pub fn spent(&self) -> Totals {
        self.run_before + self.own
    }

    /// Returns the sum of the open reservations.
    pub fn reserved(&self) -> Totals {
        self.open_where(|_| true)
    }

    /// Puts the worst case of a call aside and returns the number of the reservation.
    pub fn reserve(&mut self, worst: Worst, slice: Option<&str>) -> Result<u64, Exhausted> {
        self.fits(worst, slice)?;
        let id = self.next;
        self.next = self.next.saturating_add(1);
        self.open.insert(id, Reserved { worst, slice: slice.map(str::to_owned) });
        Ok(id)
    }

    /// Tells whether a call fits every limit.
    pub fn fits(&self, worst: Worst, slice: Option<&str>) -> Result<(), Exhausted> {
        let cost = worst.cost.map_or(0, |c| c.0);
        let mut set_aside = self.set_aside();
        if let Some(name) = slice {
            let scope = || Scope::Slice(name.to_owned());
            let Some(part) = self.slices.get(name) else {
                return check(&scope(), Measure::Tokens, Some(0), 0, worst.tokens.max(1));
            };
            let (used_cost, used_tokens) = self.used_of(name, part);
            check(&scope(), Measure::Money, part.max_cost, used_cost, cost)?;
            check(&scope(), Measure::Tokens, part.max_tokens, used_tokens, worst.tokens)?;
            // What a partition uses comes out of what was set aside for it.
            set_aside.0 = set_aside.0.saturating_sub(part.max_cost.map_or(0, |_| cost));
            set_aside.1 = set_aside.1.saturating_sub(part.max_tokens.map_or(0, |_| worst.tokens));
        }
        let open = self.reserved();
        for (scope, ceiling, before) in [
            (Scope::Run, self.limits.run, self.run_before),
            (Scope::Stage, self.limits.stage, self.stage_before),
        ] {
            let used = before + self.own + open;
            let money = used.nano_usd.0.saturating_add(set_aside.0);
            check(&scope, Measure::Money, ceiling.max_nano_usd.map(|m| m.0), money, cost)?;
            let tokens = used.tokens.saturating_add(set_aside.1);
            check(&scope, Measure::Tokens, ceiling.max_tokens, tokens, worst.tokens)?;
        }
        Ok(())
    }

    /// Tells how long a call may take when the stage has worked for so long, and refuses one that cannot be wrapped up.
    ///
    /// `None` is without limit; `least` is what a call must have.
    pub fn time_left(&self, worked_ms: u64, least: u64) -> Result<Option<u64>, Exhausted> {
        let mut left: Option<u64> = None;
        for (scope, ceiling, before) in
            [(Scope::Run, self.limits.run, self.run_before.took_ms), (Scope::Stage, self.limits.stage, 0)]
        {
            check(&scope, Measure::Time, ceiling.ttl_ms, before.saturating_add(worked_ms), least)?;
            let here = ceiling.ttl_ms.map(|ttl| ttl.saturating_sub(before).saturating_sub(worked_ms));
            left = match (left, here) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
        }
        Ok(left)
    }

    /// Records what a call used; an unknown cost counts as a call of unknown cost.
    pub fn settle(&mut self, id: u64, tokens: u64, cost: Option<NanoUsd>, took_ms: u64) {
        let spent = Totals {
            nano_usd: cost.unwrap_or_default(),
            kept_nano_usd: NanoUsd::ZERO,
            tokens,
            took_ms,
            calls: 1,
            unknown: u64::from(cost.is_none()),
        };
        self.charge(id, |_| spent);
    }

    /// Counts a whole reservation as spent.
    pub fn keep(&mut self, id: u64, took_ms: u64) {
        self.charge(id, |worst| kept(worst, took_ms));
    }

    /// Frees a reservation.
    pub fn release(&mut self, id: u64, took_ms: u64) {
        self.charge(id, |_| Totals { took_ms, ..Totals::default() });
    }

    fn charge(&mut self, id: u64, spent: impl FnOnce(Worst) -> Totals) {
        let Some(reserved) = self.open.remove(&id) else { return };
        let spent = spent(reserved.worst);
        self.own = self.own + spent;
        if let Some(part) = reserved.slice.and_then(|name| self.slices.get_mut(&name)) {
            part.spent = part.spent + spent;
        }
    }

    /// Sets a part aside for a subtask; what is absent is all that is left, where there is a limit.
    pub fn allot(
        &mut self,
        name: &str,
        cost: Option<NanoUsd>,
        tokens: Option<u64>,
    ) -> Result<(Option<NanoUsd>, Option<u64>), Exhausted> {
        let (left_cost, left_tokens) = self.left();
        let (cost, tokens) = (cost.map(|c| c.0).or(left_cost), tokens.or(left_tokens));
        self.fits(Worst { cost: cost.map(NanoUsd), tokens: tokens.unwrap_or_default() }, None)?;
        let part = Slice { max_cost: cost, max_tokens: tokens, spent: Totals::default() };
        self.slices.insert(name.to_owned(), part);
        Ok((cost.map(NanoUsd), tokens))
    }

    /// Ends a partition: what is left of it is free again; returns what it spent.
    pub fn give_back(&mut self, name: &str) -> Totals {
        self.slices.remove(name).map(|part| part.spent).unwrap_or_default()
    }

    /// Returns what is left of money and tokens for calls outside of partitions, the smaller of run and stage.
    pub fn left(&self) -> (Option<u64>, Option<u64>) {
        let (open, set_aside) = (self.reserved(), self.set_aside());
        let of = |ceiling: Ceiling, before: Totals| {
            let used = before + self.own + open;
            let rest = |max: u64, used: u64, aside: u64| max.saturating_sub(used).saturating_sub(aside);
            (
                ceiling.max_nano_usd.map(|max| rest(max.0, used.nano_usd.0, set_aside.0)),
                ceiling.max_tokens.map(|max| rest(max, used.tokens, set_aside.1)),
            )
        };
        let (run, stage) = (of(self.limits.run, self.run_before), of(self.limits.stage, self.stage_before));
        let least = |a: Option<u64>, b: Option<u64>| a.into_iter().chain(b).min();
        (least(run.0, stage.0), least(run.1, stage.1))
    }

    fn open_where(&self, wanted: impl Fn(Option<&str>) -> bool) -> Totals {
        let open = self.open.values().filter(|r| wanted(r.slice.as_deref()));
        open.map(|r| kept(r.worst, 0)).fold(Totals::default(), |a, b| a + b)
    }

    fn used_of(&self, name: &str, part: &Slice) -> (u64, u64) {
        let used = part.spent + self.open_where(|slice| slice == Some(name));
        (used.nano_usd.0, used.tokens)
    }

    /// Returns what partitions have not used yet.
    fn set_aside(&self) -> (u64, u64) {
        self.slices.iter().fold((0, 0), |(cost, tokens), (name, part)| {
            let used = self.used_of(name, part);
            (
                cost.saturating_add(part.max_cost.map_or(0, |max| max.saturating_sub(used.0))),
                tokens.saturating_add(part.max_tokens.map_or(0, |max| max.saturating_sub(used.1))),
            )
        })
    }
}

/// Returns a whole reservation as spent.
pub(super) fn kept(worst: Worst, took_ms: u64) -> Totals {
    let cost = worst.cost.unwrap_or_default();
    Totals {
        nano_usd: cost,
        kept_nano_usd: cost,
        tokens: worst.tokens,
        took_ms,
        calls: 1,
        unknown: u64::from(worst.cost.is_none()),
    }
}

fn check(
    scope: &Scope,
    measure: Measure,
    limit: Option<u64>,
    used: u64,
    wanted: u64,
) -> Result<(), Exhausted> {
    match limit {
        Some(limit) if used.saturating_add(wanted) > limit && wanted > 0 => {
            Err(Exhausted { scope: scope.clone(), measure, limit, left: limit.saturating_sub(used), wanted })
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(max: u64, tokens: u64) -> Budget {
        let run =
            Ceiling { max_nano_usd: Some(NanoUsd(max)), max_tokens: Some(tokens), ttl_ms: Some(10_000) };
        let limits = LedgerLimits { run, ..LedgerLimits::default() };
        Budget::new(limits, Totals::default(), Totals::default(), Totals::default(), 0)
    }

    const fn worst(cost: u64, tokens: u64) -> Worst {
        Worst { cost: Some(NanoUsd(cost)), tokens }
    }

    #[test]
    fn the_ceiling_itself_may_be_reached_and_not_passed() {
        let mut budget = budget(100, 1000);
        let first = budget.reserve(worst(60, 10), None).unwrap();
        let second = budget.reserve(worst(40, 10), None).unwrap();
        let full = budget.reserve(worst(1, 1), None).unwrap_err();
        assert_eq!((full.left, full.wanted, full.scope, full.measure), (0, 1, Scope::Run, Measure::Money));
        budget.settle(first, 5, Some(NanoUsd(10)), 7);
        budget.release(second, 3);
        assert_eq!(budget.spent().nano_usd, NanoUsd(10));
        assert_eq!((budget.own().took_ms, budget.own().calls), (10, 1));
        let third = budget.reserve(worst(90, 10), None).unwrap();
        budget.keep(third, 0);
        assert_eq!(budget.left(), (Some(0), Some(985)));
        assert_eq!(budget.own().kept_nano_usd, NanoUsd(90));
        // What costs nothing still fits.
        assert!(budget.reserve(worst(0, 1), None).is_ok());
    }

    #[test]
    fn tokens_time_and_stages_have_limits_of_their_own() {
        let mut budget = budget(1_000_000, 100);
        let full = budget.reserve(worst(1, 101), None).unwrap_err();
        assert_eq!(
            full.to_string(),
            "the run has 100 tokens left of its 100 tokens, and the next call could take 101 tokens"
        );
        assert!(full.help().unwrap().contains("at least 1 tokens"));
        assert_eq!(budget.time_left(4000, 1000).unwrap(), Some(6000));
        assert_eq!(budget.time_left(9500, 1000).unwrap_err().left, 500);
        budget.limits.stage.max_nano_usd = Some(NanoUsd(10));
        assert_eq!(budget.reserve(worst(11, 1), None).unwrap_err().scope, Scope::Stage);
    }

    #[test]
    fn a_subtask_spends_its_slice_and_nobody_elses() {
        let mut budget = budget(100, 1000);
        budget.allot("a", Some(NanoUsd(30)), Some(100)).unwrap();
        assert_eq!(budget.allot("b", Some(NanoUsd(60)), Some(100)).unwrap(), (Some(NanoUsd(60)), Some(100)));
        assert!(budget.reserve(worst(11, 1), None).is_err(), "90 of 100 are set aside");
        assert!(budget.reserve(worst(31, 1), Some("a")).is_err());
        assert!(budget.reserve(worst(1, 1), Some("nobody")).is_err());
        let id = budget.reserve(worst(30, 10), Some("a")).unwrap();
        assert_eq!(budget.left(), (Some(10), Some(800)));
        budget.settle(id, 5, Some(NanoUsd(20)), 0);
        assert_eq!(budget.give_back("a").nano_usd, NanoUsd(20));
        assert_eq!(budget.left(), (Some(20), Some(895)));
        budget.give_back("b");
        assert_eq!(budget.left(), (Some(80), Some(995)));
    }
}
