//! Waiting for a fact instead of for a time.
//!
//! Tests with real servers have no virtual clock, so they poll. The one place that sleeps and reads
//! the clock is here; a test states what it waits for, and the failure repeats it.

use std::thread;
use std::time::Duration;
use std::time::Instant;

/// Pause between two polls: short against every server's start, long enough not to load two cores.
const POLL_PAUSE: Duration = Duration::from_millis(20);

/// Longest wait for a real program on a loaded machine; a healthy one takes a tenth of it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Polls `probe` until it gives a value.
///
/// # Panics
///
/// When `timeout` has passed without one; the message names `what`.
#[track_caller]
pub(crate) fn eventually<T>(
    timeout: Duration,
    what: &str,
    mut probe: impl FnMut() -> Option<T>,
) -> T {
    let deadline = Deadline::after(timeout);
    loop {
        if let Some(value) = probe() {
            return value;
        }
        assert!(!deadline.has_passed(), "waited {timeout:?} in vain: {what}");
        thread::sleep(POLL_PAUSE);
    }
}

/// A moment in real time after which a wait is given up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(timeout: Duration) -> Self {
        Self(now() + timeout)
    }

    pub(crate) fn has_passed(self) -> bool {
        now() >= self.0
    }
}

#[expect(clippy::disallowed_methods, reason = "waiting for real programs takes real time")]
fn now() -> Instant {
    Instant::now()
}
