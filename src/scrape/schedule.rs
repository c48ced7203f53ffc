//! When a target is scraped: on its own steady beat.
//!
//! As in Prometheus, a target's beat is a slot in its interval that follows from its job and
//! address: many targets spread over the interval, and a restart finds the same slots. A beat that
//! passes while a scrape still runs, or while nobody asks for the next one, is skipped and never
//! made up for, so beats do not drift and nothing queues.

use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use tokio::time::Instant;

use crate::scrape::Url;
use crate::scrape::client::Body;
use crate::scrape::client::Client;
use crate::scrape::client::ScrapeRequest;
use crate::scrape::failure::ScrapeError;
use crate::scrape::plain::Kept;
use crate::units::Timestamp;

/// The first scrapes after a start are spread over so much, if intervals are longer.
pub const FIRST_SPREAD_MAX: Duration = Duration::from_millis(150);

/// One target and its beat.
#[derive(Debug, Clone)]
pub struct TargetSpec {
    /// Its job's name; it decides the slot together with `url`.
    pub job: String,
    /// What to fetch.
    pub url: Url,
    /// From one scrape to the next; above zero.
    pub interval: Duration,
    /// Deadline of a scrape; above zero, at most `interval`.
    pub timeout: Duration,
    /// Scrape once right after the start, so that nobody waits an interval for the first word of a
    /// target.
    pub first_at_once: bool,
}

/// What came of one scrape.
#[derive(Debug, Clone)]
pub struct Scraped {
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub duration: Duration,
    /// The body, or why there is none.
    pub result: Result<Body, ScrapeError>,
}

/// The scrapes of a target, one after the other.
#[derive(Debug)]
pub struct Scrapes {
    client: Arc<Client>,
    request: ScrapeRequest,
    kept: Kept,
    beat: Beat,
}

impl Scrapes {
    /// The beat of `target` begins now.
    pub fn new(target: &TargetSpec, client: Arc<Client>) -> Self {
        let request = ScrapeRequest { url: target.url.clone(), timeout: target.timeout };
        let beat = Beat::new(plan(target, wall_clock()), target.interval);
        Self { client, request, kept: Kept::default(), beat }
    }

    /// Takes a body's memory back, once it has been read.
    pub fn reuse(&self, body: Body) {
        self.client.reuse(body);
    }

    /// Waits for the next beat and scrapes. Dropped at any moment it leaves nothing behind: the
    /// connection closes with the request.
    pub async fn next(&mut self) -> Scraped {
        self.beat.next().await;
        let at = wall_clock();
        let start = Instant::now();
        // On the heap, so that a target that waits for its beat takes no memory for it.
        let scraping = Box::pin(self.client.scrape(&self.request, &mut self.kept));
        let result = scraping.await;
        Scraped { at, duration: start.elapsed(), result }
    }
}

/// Says when to scrape: the plan's first time, then every interval. (`tokio::time::interval` makes
/// up for a missed beat at once, which puts two scrapes close together; over such a gap rates say
/// little.)
#[derive(Debug)]
struct Beat {
    first: Option<Instant>,
    next: Instant,
    interval: Duration,
}

impl Beat {
    fn new(plan: Plan, interval: Duration) -> Self {
        let start = Instant::now();
        Self { first: plan.first.map(|wait| start + wait), next: start + plan.beat, interval }
    }

    async fn next(&mut self) {
        if let Some(first) = self.first.take() {
            return tokio::time::sleep_until(first).await;
        }
        let behind = Instant::now().saturating_duration_since(self.next);
        let beat = self.next + skipped(behind, self.interval);
        self.next = beat + self.interval;
        tokio::time::sleep_until(beat).await;
    }
}

/// The whole intervals to skip for one that comes `behind` its beat. Up to a tenth of an interval
/// late is still on the beat, so that a scrape that takes its whole interval does not cost the next
/// one.
fn skipped(behind: Duration, interval: Duration) -> Duration {
    let nanos = interval.as_nanos().max(1);
    let beats = behind.saturating_sub(interval / 10).as_nanos().div_ceil(nanos);
    interval.saturating_mul(u32::try_from(beats).unwrap_or(u32::MAX))
}

/// Waits after the start: until a first scrape outside the beat, if any, and until the beat sets
/// in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    first: Option<Duration>,
    beat: Duration,
}

/// The plan of a target that starts `now`. A first scrape and the beat are at least half an
/// interval apart: over less, rates say little. So the second scrape comes after half an interval
/// to one and a half.
fn plan(target: &TargetSpec, now: Timestamp) -> Plan {
    let interval = target.interval;
    let hash = spread_hash(&target.job, target.url.as_str());
    let slot = until_slot(now, share(hash, interval), interval);
    if !target.first_at_once {
        return Plan { first: None, beat: slot };
    }
    let first = share(hash, interval.min(FIRST_SPREAD_MAX));
    let beat = if slot < first + interval / 2 { slot + interval } else { slot };
    let beat = if beat < first + interval / 2 { beat + interval } else { beat };
    Plan { first: Some(first), beat }
}

/// The part of `span` that `hash` falls on, from zero to just below `span`.
fn share(hash: u64, span: Duration) -> Duration {
    let nanos = u64::try_from(span.as_nanos()).unwrap_or(u64::MAX);
    // The hash is read as a fraction: `hash / 2^64 * span`. A remainder would tie the slots of
    // intervals that divide one another.
    let part = (u128::from(hash) * u128::from(nanos)) >> 64;
    Duration::from_nanos(u64::try_from(part).unwrap_or(nanos))
}

/// Time from `now` to the next instant that lies `offset` past a whole multiple of `interval` since
/// the epoch; zero if that is now.
fn until_slot(now: Timestamp, offset: Duration, interval: Duration) -> Duration {
    let since = Duration::from_millis(u64::try_from(now.as_millis()).unwrap_or(0));
    let interval_nanos = interval.as_nanos().max(1);
    let phase = since.as_nanos() % interval_nanos;
    let wait = (offset.as_nanos() + interval_nanos - phase) % interval_nanos;
    Duration::from_nanos(u64::try_from(wait).unwrap_or(u64::MAX))
}

/// FNV-1a, finished as in `SplitMix64` so that every bit counts in the upper ones. The standard
/// library's hasher may change from release to release, and the slots with it.
fn spread_hash(job: &str, url: &str) -> u64 {
    let mut hash: u64 = 0xcbf2_9ce4_8422_2325;
    for byte in job.bytes().chain([0xff]).chain(url.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    hash = (hash ^ (hash >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    hash ^ (hash >> 31)
}

/// The time of day; a clock before 1970 counts as 1970.
fn wall_clock() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this edge says when a scrape began")]
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn target(n: u64, first_at_once: bool) -> TargetSpec {
        TargetSpec {
            job: "sessions".to_owned(),
            url: Url::parse(&format!("http://cache-{n}:9121/metrics")).unwrap(),
            interval: 15 * SECOND,
            timeout: 10 * SECOND,
            first_at_once,
        }
    }

    #[track_caller]
    fn check_slot(now_ms: i64, offset_ms: u64, interval_ms: u64, want_ms: u64) {
        let ms = Duration::from_millis;
        let wait = until_slot(Timestamp::from_millis(now_ms), ms(offset_ms), ms(interval_ms));
        assert_eq!(wait, ms(want_ms), "{now_ms} {offset_ms} {interval_ms}");
    }

    #[test]
    fn slots_lie_on_a_grid_of_wall_time() {
        check_slot(0, 0, 1000, 0);
        check_slot(1, 0, 1000, 999);
        check_slot(0, 400, 1000, 400);
        check_slot(1_700_000_000_399, 400, 1000, 1);
        check_slot(1_700_000_000_400, 400, 1000, 0);
        check_slot(1_700_000_000_401, 400, 1000, 999);
        check_slot(-5, 400, 1000, 400);
    }

    #[test]
    fn slots_spread_evenly_over_the_interval() {
        let mut tenths = [0; 10];
        for n in 0..1000 {
            let wait = plan(&target(n, false), Timestamp::from_millis(0)).beat;
            assert!(wait < 15 * SECOND);
            tenths[usize::try_from(wait.as_millis() / 1500).unwrap()] += 1;
        }
        assert!(tenths.iter().all(|count| (70..=130).contains(count)), "{tenths:?}");
    }

    #[test]
    fn slots_survive_a_restart() {
        let at = |ms| plan(&target(7, true), Timestamp::from_millis(ms)).beat.as_millis();
        let slot =
            |ms: u64| (u128::from(ms) + at(i64::try_from(ms).unwrap())) % (15 * SECOND).as_millis();
        assert_eq!(slot(0), slot(1_700_000_123_456));
        // A hash that changes moves every slot: this one is written down.
        assert_eq!(
            spread_hash("sessions", "http://cache:9121/metrics"),
            13_984_696_327_888_187_419
        );
    }

    #[test]
    fn the_first_scrape_comes_soon_and_the_second_not_too_soon() {
        for n in 0..1000 {
            let now = Timestamp::from_millis(i64::try_from(n).unwrap() * 997);
            let plan = plan(&target(n, true), now);
            let first = plan.first.unwrap();
            assert!(first < FIRST_SPREAD_MAX, "{plan:?}");
            let gap = plan.beat.checked_sub(first).unwrap();
            assert!(gap >= 15 * SECOND / 2 && gap <= 15 * SECOND * 3 / 2, "{plan:?}");
        }
    }

    /// Seconds after the start at which scrapes begin that take so many seconds.
    #[track_caller]
    fn check_beat(first: Option<u64>, scrapes: &[u64], want: &[u64]) {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let got = runtime.block_on(async {
            let start = Instant::now();
            let first = first.map(Duration::from_secs);
            let mut beat = Beat::new(Plan { first, beat: 10 * SECOND }, 15 * SECOND);
            let mut begun = Vec::new();
            for seconds in scrapes {
                beat.next().await;
                begun.push(start.elapsed());
                tokio::time::sleep(Duration::from_secs(*seconds)).await;
            }
            begun
        });
        // The timer counts in milliseconds and may be one late; what counts is that this never adds
        // up.
        assert_eq!(got.len(), want.len());
        for (got, want) in got.into_iter().zip(want) {
            let late = got.checked_sub(Duration::from_secs(*want)).unwrap();
            assert!(late <= Duration::from_millis(2), "{got:?} for {want}");
        }
    }

    #[test]
    fn beats_do_not_drift() {
        check_beat(None, &[0, 0, 0], &[10, 25, 40]);
        check_beat(Some(1), &[0, 0, 0], &[1, 10, 25]);
        check_beat(None, &[14, 3, 7, 0], &[10, 25, 40, 55]);
        let want: Vec<_> = (0..2000).map(|n| 10 + 15 * n).collect();
        check_beat(None, &[2; 2000], &want);
    }

    #[test]
    fn missed_beats_are_skipped_and_not_made_up_for() {
        // The scrape from 10 to 36 passes over the beat at 25.
        check_beat(None, &[26, 0, 0], &[10, 40, 55]);
        check_beat(None, &[100, 0, 0], &[10, 115, 130]);
        // Just late is not missed, and moves nothing.
        check_beat(None, &[16, 0, 0], &[10, 26, 40]);
    }

    #[test]
    fn shares_stay_below_the_span() {
        assert_eq!(share(0, SECOND), Duration::ZERO);
        assert_eq!(share(1 << 63, SECOND), SECOND / 2);
        assert!(share(u64::MAX, SECOND) < SECOND);
        assert_eq!(share(u64::MAX, Duration::ZERO), Duration::ZERO);
    }
}
