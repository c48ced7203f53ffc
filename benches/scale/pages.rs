//! Pages whose counters move: a real page, and how fast each of its counters grows.

use std::fmt::Write as _;

const REDIS: &str = include_str!("../../tests/pages/redis_1.txt");
const MICROMETER: &str = include_str!("../pages/micrometer_200.txt");

/// Different growths of counters, per second.
const GROWTHS: u64 = 97;

/// A page at any time.
pub(crate) struct Template(Vec<Line>);

enum Line {
    Fixed(String),
    /// What stands before the value, the value at first, and its growth per second.
    Counter(String, f64, f64),
}

impl Template {
    /// A page with that many caches.
    pub(crate) fn new(caches: usize) -> Self {
        let page = if caches == 1 { REDIS } else { MICROMETER };
        let mut is_counter = false;
        let mut number = 0;
        let mut lines = Vec::new();
        for line in page.lines().filter(|line| cache_of(line).is_none_or(|cache| cache < caches)) {
            if let Some(kind) = line.strip_prefix("# TYPE ") {
                is_counter = kind.ends_with(" counter");
            }
            let sample = line.rsplit_once(' ').filter(|_| is_counter && !line.starts_with('#'));
            let sample = sample.and_then(|(series, value)| Some((series, value.parse().ok()?)));
            lines.push(match sample {
                Some((series, value)) => {
                    number += 1;
                    Line::Counter(format!("{series} "), value, (number * 31 % GROWTHS) as f64)
                }
                None => Line::Fixed(format!("{line}\n")),
            });
        }
        Self(lines)
    }

    /// The page after some seconds.
    pub(crate) fn page(&self, seconds: f64) -> String {
        let mut page = String::new();
        for line in &self.0 {
            match line {
                Line::Fixed(text) => page.push_str(text),
                Line::Counter(series, value, growth) => {
                    page.push_str(series);
                    let value = (value + growth * seconds).floor();
                    // A string takes everything.
                    let _ = writeln!(page, "{value}");
                }
            }
        }
        page
    }
}

/// The number of the cache that a line is about: `cache="c17"`.
fn cache_of(line: &str) -> Option<usize> {
    let (_, rest) = line.split_once("cache=\"c")?;
    rest.split_once('"')?.0.parse().ok()
}
