//! The wall clock and the stop watch.
//!
//! Must never be read anywhere else, so that a run can be replayed.
#![expect(clippy::disallowed_methods, reason = "this is the one place that reads the clock")]

use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;

/// Tells the time.
pub trait Clock: Send + Sync {
    /// Returns the wall-clock time, whole seconds.
    fn now(&self) -> Timestamp;

    /// Returns the time since some fixed moment; only differences mean anything.
    fn elapsed(&self) -> Duration;

    /// Waits.
    fn sleep(&self, time: Duration);
}

/// The system's clock; with a fixed epoch (`SOURCE_DATE_EPOCH`) the wall clock stands still.
#[derive(Debug)]
pub struct SystemClock {
    start: Instant,
    fixed: Option<Timestamp>,
}

impl SystemClock {
    /// Returns a clock; `fixed` is the wall-clock time to show instead of the real one.
    pub fn new(fixed: Option<Timestamp>) -> Self {
        Self { start: Instant::now(), fixed }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        let seconds = || {
            let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            i64::try_from(since.as_secs()).ok().and_then(|s| Timestamp::from_second(s).ok())
        };
        self.fixed.or_else(seconds).unwrap_or_default()
    }

    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A clock that only moves when told to.
#[derive(Debug, Default)]
pub struct FakeClock {
    seconds: std::sync::atomic::AtomicI64,
}

impl FakeClock {
    /// Returns a clock that shows `seconds` after the epoch.
    pub fn at(seconds: i64) -> Self {
        Self { seconds: seconds.into() }
    }

    /// Moves the clock on.
    pub fn advance(&self, seconds: i64) {
        self.seconds.fetch_add(seconds, std::sync::atomic::Ordering::SeqCst);
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_second(self.seconds.load(std::sync::atomic::Ordering::SeqCst)).unwrap_or_default()
    }

    fn elapsed(&self) -> Duration {
        let seconds = self.seconds.load(std::sync::atomic::Ordering::SeqCst);
        Duration::from_secs(u64::try_from(seconds).unwrap_or_default())
    }

    fn sleep(&self, time: Duration) {
        self.advance(i64::try_from(time.as_secs()).unwrap_or(i64::MAX));
    }
}
