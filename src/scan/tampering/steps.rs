//! Counts how often tokens, lines and bytes are looked at, so that a test can tell growth without a clock.
//!
//! Must never count outside tests: there it is nothing.

#[cfg(test)]
thread_local! {
    static STEPS: std::cell::Cell<usize> = const { std::cell::Cell::new(0) };
}

/// Counts steps.
#[cfg(test)]
pub fn count(steps: usize) {
    STEPS.with(|all| all.set(all.get() + steps));
}

/// Counts nothing.
#[cfg(not(test))]
#[inline]
pub const fn count(_steps: usize) {}

/// Returns how many steps something takes.
#[cfg(test)]
pub fn of(work: impl FnOnce()) -> usize {
    let before = STEPS.with(std::cell::Cell::get);
    work();
    STEPS.with(std::cell::Cell::get) - before
}
