//! What is to be measured.

use std::time::Duration;

/// How it is called.
pub(crate) const USAGE: &str = "usage: cargo bench --bench scale -- [--targets N] \
    [--caches-per-target M] [--interval SECONDS] [--duration SECONDS] [--only NAME]";

/// What is to be measured.
#[derive(Debug)]
pub(crate) struct Options {
    /// At most 60,000: each is an address of its own.
    pub(crate) targets: usize,
    /// 1 is a Redis, more an application with several caches; at most 200.
    pub(crate) caches_per_target: usize,
    pub(crate) interval: Duration,
    pub(crate) duration: Duration,
    /// The one program to run.
    pub(crate) only: Option<String>,
}

impl Options {
    /// `None` where they make no sense.
    pub(crate) fn read(args: impl Iterator<Item = String>) -> Option<Self> {
        let mut options = Self {
            targets: 1000,
            caches_per_target: 1,
            interval: Duration::from_secs(5),
            duration: Duration::from_secs(60),
            only: None,
        };
        let mut args = args;
        while let Some(arg) = args.next() {
            match arg.as_str() {
                // What cargo adds.
                "--bench" => {}
                "--test" => {
                    options.targets = 10;
                    options.interval = Duration::from_secs(1);
                    options.duration = Duration::from_secs(3);
                }
                "--targets" => options.targets = args.next()?.parse().ok()?,
                "--caches-per-target" => options.caches_per_target = args.next()?.parse().ok()?,
                "--interval" => options.interval = seconds(&args.next()?)?,
                "--duration" => options.duration = seconds(&args.next()?)?,
                "--only" => options.only = Some(args.next()?),
                _ => return None,
            }
        }
        let is_sensible = (1..=60_000).contains(&options.targets)
            && (1..=200).contains(&options.caches_per_target)
            && !options.interval.is_zero();
        is_sensible.then_some(options)
    }
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}
