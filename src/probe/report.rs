//! What a probe found, and how it is shown.

use std::fmt::Write as _;

use serde_json::Map;
use serde_json::Value;
use serde_json::json;

use crate::signal::Signal;
use crate::units::Short;

/// The way to show what was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputFormat {
    /// One JSON object.
    Json,
    /// For people.
    Text,
}

#[derive(Debug)]
pub(super) struct Report {
    pub(super) url: String,
    pub(super) page_bytes: usize,
    pub(super) samples: usize,
    pub(super) bad_lines: usize,
    pub(super) bad_line: Option<String>,
    pub(super) profile: String,
    pub(super) detected: bool,
    pub(super) detect: Option<String>,
    pub(super) roles: Vec<RoleReport>,
    pub(super) caches: Vec<CacheReport>,
}

/// A role over the whole page.
#[derive(Debug)]
pub(super) struct RoleReport {
    pub(super) role: &'static str,
    pub(super) expression: String,
    pub(super) series: usize,
    /// The first of them.
    pub(super) found: Vec<(String, f64)>,
}

#[derive(Debug)]
pub(super) struct CacheReport {
    pub(super) cache: String,
    pub(super) values: Vec<(&'static str, Option<f64>)>,
    pub(super) signals: Vec<SignalReport>,
}

#[derive(Debug)]
pub(super) struct SignalReport {
    pub(super) signal: Signal,
    pub(super) value: Option<f64>,
    /// Why there is no value.
    pub(super) absent: Option<String>,
}

impl Report {
    pub(super) fn render(&self, format: OutputFormat) -> String {
        match format {
            OutputFormat::Json => format!("{}\n", self.json()),
            OutputFormat::Text => {
                let mut text = String::new();
                // Writing to a string cannot fail.
                let _ = self.text(&mut text);
                text
            }
        }
    }

    fn text(&self, out: &mut String) -> std::fmt::Result {
        let Self { url, page_bytes, samples, bad_lines, profile, .. } = self;
        writeln!(out, "url      {url}")?;
        writeln!(out, "page     {page_bytes} bytes, {samples} samples, {bad_lines} bad lines")?;
        if let Some(line) = &self.bad_line {
            writeln!(out, "         first bad line: {line}")?;
        }
        let how = match (&self.detect, self.detected) {
            (Some(detect), true) => format!("detected by {detect}"),
            _ => "as told".to_owned(),
        };
        writeln!(out, "profile  {profile} ({how})")?;
        writeln!(out, "\nroles")?;
        for role in &self.roles {
            role.text(out)?;
        }
        if self.caches.is_empty() {
            writeln!(out, "\nno cache: no role finds a series")?;
        }
        for cache in &self.caches {
            cache.text(out)?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let series = |(series, value): &(String, f64)| json!({"series": series, "value": value});
        let role = |role: &RoleReport| {
            json!({
                "role": role.role,
                "expression": role.expression,
                "series_found": role.series,
                "series": role.found.iter().map(series).collect::<Vec<_>>(),
            })
        };
        json!({
            "url": self.url,
            "page": {
                "bytes": self.page_bytes,
                "samples": self.samples,
                "bad_lines": self.bad_lines,
                "bad_line": self.bad_line,
            },
            "profile": self.profile,
            "detected": self.detected,
            "roles": self.roles.iter().map(role).collect::<Vec<_>>(),
            "caches": self.caches.iter().map(CacheReport::json).collect::<Vec<_>>(),
        })
    }
}

impl RoleReport {
    fn text(&self, out: &mut String) -> std::fmt::Result {
        let Self { role, expression, series, found } = self;
        let count = match series {
            0 => "no series".to_owned(),
            1 => "1 series".to_owned(),
            more => format!("{more} series"),
        };
        writeln!(out, "  {role:<20} {expression}  ({count})")?;
        for (series, value) in found {
            writeln!(out, "  {:<20}   {series} {}", "", Short(*value))?;
        }
        if *series > found.len() {
            writeln!(out, "  {:<20}   … and {} more", "", series - found.len())?;
        }
        Ok(())
    }
}

impl CacheReport {
    fn text(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "\ncache {}", self.cache)?;
        for (role, value) in &self.values {
            let value = value.map_or_else(|| "absent".to_owned(), |value| Short(value).to_string());
            writeln!(out, "  {role:<20} {value}")?;
        }
        writeln!(out, "  snapshot")?;
        for SignalReport { signal, value, absent } in &self.signals {
            let shown = match (value, absent) {
                (Some(value), _) => format!("{} {}", Short(*value), signal.unit()),
                (None, Some(why)) => format!("absent: {why}"),
                (None, None) => "absent".to_owned(),
            };
            writeln!(out, "    {:<20} {shown}", signal.name())?;
        }
        Ok(())
    }

    fn json(&self) -> Value {
        let signal = |report: &SignalReport| {
            let entry = json!({"value": report.value, "absent": report.absent});
            (report.signal.name().to_owned(), entry)
        };
        let values = self.values.iter().map(|(role, value)| ((*role).to_owned(), json!(value)));
        json!({
            "cache": self.cache,
            "roles": values.collect::<Map<_, _>>(),
            "snapshot": self.signals.iter().map(signal).collect::<Map<_, _>>(),
        })
    }
}
