//! What a row of the table of metrics says. Kind and unit are data, so that a test can hold every
//! name to them.

/// What kind of metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows; its name ends in `_total`.
    Counter,
    /// Goes up and down.
    Gauge,
}

impl Kind {
    /// As on the page.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// What a metric is about, and so which labels its series begin with. Those of a cache or target
/// also have the labels of its `static_configs`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// One cache.
    Cache,
    /// One scraped target.
    Target,
    /// This program.
    Exporter,
}

impl Scope {
    /// The labels that each series begins with.
    pub const fn labels(self) -> &'static [&'static str] {
        match self {
            Self::Cache => &["scrape_job", "target", "cache"],
            Self::Target => &["scrape_job", "target"],
            Self::Exporter => &[],
        }
    }
}

/// The unit of a metric's values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A number of things, or a number without a unit of its own.
    None,
    /// Per second.
    PerSecond,
    /// Ratio; 0 to 1 unless the help says otherwise.
    Ratio,
    /// Seconds.
    Seconds,
    /// Seconds since the Unix epoch.
    TimestampSeconds,
}

impl Unit {
    /// What the name of a metric of this unit ends in, before a counter's `_total`.
    pub const fn suffix(self) -> &'static str {
        match self {
            Self::None => "",
            Self::PerSecond => "_per_second",
            Self::Ratio => "_ratio",
            Self::Seconds => "_seconds",
            Self::TimestampSeconds => "_timestamp_seconds",
        }
    }
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name.
    pub name: &'static str,
    /// Its kind.
    pub kind: Kind,
    /// What it is about.
    pub scope: Scope,
    /// Its labels beyond those of the scope.
    pub labels: &'static [&'static str],
    /// The unit of its values.
    pub unit: Unit,
    /// What it means: a sentence.
    pub help: &'static str,
}

impl Metric {
    pub(super) const fn gauge(
        name: &'static str,
        scope: Scope,
        unit: Unit,
        help: &'static str,
    ) -> Self {
        Self { name, kind: Kind::Gauge, scope, labels: &[], unit, help }
    }

    pub(super) const fn counter(name: &'static str, scope: Scope, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, scope, labels: &[], unit: Unit::None, help }
    }

    pub(super) const fn labels(self, labels: &'static [&'static str]) -> Self {
        Self { labels, ..self }
    }
}
