//! The thread that writes, and the order in which steps are reported.
//!
//! What is shown must never be ahead of what is stored, or the end of the process would take back
//! what was reported. So each step comes with a completion that shows it, run when the step is
//! stored, in order. While the disk is busy, steps gather in one [`Batch`] and are written in one
//! transaction next: nobody waits for room, and the more there is to do, the cheaper each step
//! gets.
//!
//! A store that fails stops nothing but storing: completions run all the same, what could not be
//! written is kept and tried again, and failures are counted. Neither does one that does not answer
//! at all (a disk that hangs): what waits longer than [`REPORT_DELAY_MAX`] is shown nevertheless.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::memory::Change;

use super::Batch;
use super::Store;
use super::WriteError;

/// How long a step may wait to be shown because the store does not answer. It bounds how many wait.
pub const REPORT_DELAY_MAX: Duration = Duration::from_secs(10);

/// How long after a failure the next attempt is made.
pub const RETRY_DELAY: Duration = Duration::from_secs(2);

/// Time from one transaction to the next, unless many steps wait. What is handed in meanwhile is
/// written at once: with a thousand targets a transaction for each scrape took a sixth of the
/// program's processor time. A step after a quiet time is not delayed by it.
const REST: Duration = Duration::from_millis(100);

/// Steps that do not wait for the rest to end.
const STEPS_GATHERED_MAX: u64 = 32;

/// How long the end of the program waits for the last step to be stored.
const STOP_PATIENCE: Duration = Duration::from_secs(5);

/// Shows a step. It must not hand in another one.
pub type Completion = Box<dyn FnOnce() + Send>;

/// Where steps are handed in. Dropping it writes what waits and closes the store.
#[derive(Debug)]
pub struct Writer {
    shared: Arc<Shared>,
    done: mpsc::Receiver<()>,
}

/// The end of the writer's thread.
#[derive(Debug)]
pub struct Ended(oneshot::Receiver<()>);

/// What the thread and those who hand in share. Where both locks are held, `pending` was taken
/// first.
#[derive(Debug)]
struct Shared {
    pending: Mutex<Pending>,
    wake: Condvar,
    reports: Mutex<Reports>,
    failures: Arc<AtomicU64>,
}

/// What the thread has not taken yet.
#[derive(Debug, Default)]
struct Pending {
    batch: Batch,
    /// Steps that were handed in so far.
    steps: u64,
    /// Steps that the thread took so far.
    taken: u64,
    is_closing: bool,
}

#[derive(Debug, Default)]
struct Reports {
    waiting: VecDeque<Waiting>,
    /// Whether the store is taken for hanging.
    is_stalled: bool,
}

/// A step that is not shown yet.
struct Waiting {
    step: u64,
    since: Instant,
    completion: Completion,
}

/// What the thread takes at once.
struct Taken {
    batch: Batch,
    /// Steps up to here are in it.
    steps: u64,
    is_closing: bool,
}

/// What the thread owns.
struct Keeper {
    store: Store,
    /// What could not be written yet.
    kept: Batch,
    /// When to try again; `None` while writing succeeds.
    retry_at: Option<Instant>,
    retry_delay: Duration,
    failures: Arc<AtomicU64>,
}

// === impl Writer ===

impl Writer {
    /// Starts the thread.
    ///
    /// # Errors
    /// If the system has no room for another thread.
    pub fn start(store: Store) -> io::Result<(Self, Ended)> {
        Self::start_with(store, RETRY_DELAY)
    }

    pub(super) fn start_with(store: Store, retry_delay: Duration) -> io::Result<(Self, Ended)> {
        let failures = Arc::new(AtomicU64::new(0));
        let shared = Arc::new(Shared {
            pending: Mutex::default(),
            wake: Condvar::new(),
            reports: Mutex::default(),
            failures: Arc::clone(&failures),
        });
        let keeper =
            Keeper { store, kept: Batch::default(), retry_at: None, retry_delay, failures };
        let (tell_done, done) = mpsc::sync_channel(1);
        let (tell_ended, ended) = oneshot::channel();
        let of_thread = Arc::clone(&shared);
        thread::Builder::new().name("store".to_owned()).spawn(move || {
            run(keeper, &of_thread);
            // Nobody may be left to hear it.
            let _ = tell_done.send(());
            let _ = tell_ended.send(());
        })?;
        Ok((Self { shared, done }, Ended(ended)))
    }

    /// Hands in a step. `completion` runs in the writer's thread when all of it is stored, or when
    /// it cannot be; after those of all steps before. Never waits for the disk.
    pub fn submit(&self, changes: impl IntoIterator<Item = Change>, completion: Completion) {
        let mut pending = lock(&self.shared.pending);
        pending.batch.extend(changes);
        pending.steps += 1;
        let step = pending.steps;
        let waiting = step - pending.taken;
        // Before the thread can take the step, so that it finds the completion.
        let mut reports = lock(&self.shared.reports);
        let now = monotonic_now();
        reports.waiting.push_back(Waiting { step, since: now, completion });
        drop(pending);
        // A step between the two changes nothing for the thread.
        if waiting == 1 || waiting == STEPS_GATHERED_MAX {
            self.shared.wake.notify_one();
        }
        if reports.relieve(now) {
            self.shared.failures.fetch_add(1, Ordering::Relaxed);
            tracing::error!("the store does not answer: what is shown is ahead of what is stored");
        }
    }

    /// Attempts to store that failed so far.
    pub fn failures(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.shared.failures)
    }

    /// Writes what waits, reports it, and closes the store; gives up on a disk that hangs after a
    /// few seconds. Blocks.
    pub fn stop(self) {
        drop(self);
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        lock(&self.shared.pending).is_closing = true;
        self.shared.wake.notify_one();
        if self.done.recv_timeout(STOP_PATIENCE).is_err() {
            tracing::error!("the store was not closed: the last steps may not be stored");
        }
    }
}

// === impl Ended ===

impl Ended {
    /// Waits until the thread has panicked; for ever where it does not.
    pub async fn panicked(self) {
        if self.0.await.is_ok() {
            std::future::pending::<()>().await;
        }
    }
}

// === impl Shared ===

impl Shared {
    /// Waits for steps, but for few of them until `rested_at`; for the end; or until `retry_at`.
    fn take(&self, rested_at: Instant, retry_at: Option<Instant>) -> Taken {
        let mut pending = lock(&self.pending);
        while !pending.is_closing {
            let until = match pending.steps - pending.taken {
                0 => retry_at,
                STEPS_GATHERED_MAX.. => break,
                _ => Some(rested_at),
            };
            pending = match until {
                None => self.wake.wait(pending).unwrap_or_else(PoisonError::into_inner),
                Some(at) => {
                    let left = at.saturating_duration_since(monotonic_now());
                    if left.is_zero() {
                        break;
                    }
                    let woken = self.wake.wait_timeout(pending, left);
                    woken.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
        pending.taken = pending.steps;
        Taken {
            batch: std::mem::take(&mut pending.batch),
            steps: pending.steps,
            is_closing: pending.is_closing,
        }
    }

    /// Shows the first `steps`.
    fn report(&self, steps: u64) {
        let mut reports = lock(&self.reports);
        if std::mem::take(&mut reports.is_stalled) {
            tracing::info!("the store answers again");
        }
        reports.run(steps);
    }
}

// === impl Reports ===

impl Reports {
    fn run(&mut self, steps: u64) {
        while self.waiting.front().is_some_and(|first| first.step <= steps)
            && let Some(first) = self.waiting.pop_front()
        {
            (first.completion)();
        }
    }

    /// Shows everything where the store hangs. True when that is news.
    fn relieve(&mut self, now: Instant) -> bool {
        let is_late = |first: &Waiting| now - first.since > REPORT_DELAY_MAX;
        let is_news = !self.is_stalled && self.waiting.front().is_some_and(is_late);
        if is_news || self.is_stalled {
            self.is_stalled = true;
            self.run(u64::MAX);
        }
        is_news
    }
}

impl std::fmt::Debug for Waiting {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Waiting").field("step", &self.step).finish_non_exhaustive()
    }
}

// === impl Keeper ===

impl Keeper {
    /// Writes what is new and what is kept, calls `report` as soon as it is stored or cannot be,
    /// and then does what nobody has to wait for.
    fn write(&mut self, batch: Batch, must_try: bool, report: impl FnOnce()) {
        self.kept.append(batch);
        let is_time = match self.retry_at {
            None => !self.kept.is_empty(),
            Some(at) => must_try || monotonic_now() >= at,
        };
        if !is_time {
            return report();
        }
        let written = self.store.write(&self.kept);
        report();
        match written {
            Ok(()) => {
                self.kept = Batch::default();
                let tidied = self.store.tidy();
                self.note(tidied);
            }
            Err(fault) => {
                // What comes and goes while nothing can be stored must not pile up.
                let store = &self.store;
                self.kept.retain_forgotten(|key| store.knows(key));
                self.note(Err(fault));
            }
        }
    }

    /// Counts a failure, and logs where failing begins or ends.
    fn note(&mut self, result: Result<(), WriteError>) {
        let was_failing = self.retry_at.is_some();
        match result {
            Ok(()) => {
                self.retry_at = None;
                if was_failing {
                    tracing::info!("the store works again: all that was kept is stored");
                }
            }
            Err(fault) => {
                self.failures.fetch_add(1, Ordering::Relaxed);
                self.retry_at = Some(monotonic_now() + self.retry_delay);
                if !was_failing {
                    tracing::error!(%fault, "cannot store: what is new is kept and tried again");
                }
            }
        }
    }

    /// Closes the store after a last attempt to write.
    fn close(self) {
        if !self.kept.is_empty() {
            tracing::error!("what was new since the store began to fail is not stored");
        }
        if let Err(fault) = self.store.close() {
            tracing::warn!(%fault, "the store's log stays, and is read at the next start");
        }
    }
}

/// The thread.
fn run(mut keeper: Keeper, shared: &Shared) {
    let mut rested_at = monotonic_now();
    loop {
        let taken = shared.take(rested_at, keeper.retry_at);
        rested_at = monotonic_now() + REST;
        keeper.write(taken.batch, taken.is_closing, || shared.report(taken.steps));
        if taken.is_closing {
            return keeper.close();
        }
    }
}

/// A completion that panicked has ended the thread, and soon ends the program; what the locks guard
/// is whole nevertheless.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "a disk takes real time")]
fn monotonic_now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_waits_too_long_is_shown_nevertheless() {
        let mut reports = Reports::default();
        let (report, reported) = mpsc::channel();
        let start = monotonic_now();
        let mut submit = |step: u64, seconds: u64| {
            let report = report.clone();
            let completion = Box::new(move || report.send(step).unwrap());
            let now = start + Duration::from_secs(seconds);
            reports.waiting.push_back(Waiting { step, since: now, completion });
            reports.relieve(now)
        };
        assert!(!submit(1, 0));
        assert!(!submit(2, 10));
        assert_eq!(reported.try_iter().count(), 0);
        assert!(submit(3, 11));
        assert!(reported.try_iter().eq(1..=3));
        assert!(!submit(4, 12), "it is told once");
        assert!(reported.try_iter().eq(4..=4), "and nothing waits while it hangs");
    }
}
