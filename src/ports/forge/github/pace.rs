//! Time between requests: asked and waited through a port of its own, so that tests wait for nothing.
//!
//! Must never be longer than the deadline of the call that waits.

use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, Instant, SystemTime};

/// Tells the time and lets it pass.
pub trait Pace: Send + Sync {
    /// Returns the time since some fixed moment.
    fn elapsed(&self) -> Duration;

    /// Returns the seconds since 1970, as rate limits count.
    fn epoch(&self) -> u64;

    /// Waits.
    fn wait(&self, time: Duration);
}

/// The real one.
#[derive(Debug)]
pub struct SystemPace(Instant);

impl SystemPace {
    /// Starts.
    pub fn new() -> Self {
        Self(Instant::now())
    }
}

impl Default for SystemPace {
    fn default() -> Self {
        Self::new()
    }
}

impl Pace for SystemPace {
    fn elapsed(&self) -> Duration {
        self.0.elapsed()
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "the end of a rate limit is wall time, also where the run's clock stands still"
    )]
    fn epoch(&self) -> u64 {
        SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs()
    }

    fn wait(&self, time: Duration) {
        std::thread::sleep(time);
    }
}

/// A pace at which waiting takes no time, and is kept.
#[derive(Debug, Default)]
pub struct FakePace {
    waits: Mutex<Vec<Duration>>,
}

impl FakePace {
    /// Returns every wait so far.
    pub fn waits(&self) -> Vec<Duration> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Pace for FakePace {
    fn elapsed(&self) -> Duration {
        self.waits().iter().sum()
    }

    fn epoch(&self) -> u64 {
        1_800_000_000 + self.elapsed().as_secs()
    }

    fn wait(&self, time: Duration) {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner).push(time);
    }
}
