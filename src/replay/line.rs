//! One line of a recording: a JSON object that is a snapshot.

use serde_json::Map;
use serde_json::Number;
use serde_json::Value;

use crate::signal::Signal;
use crate::snapshot::PerformanceSnapshot;
use crate::units::Timestamp;

/// A line, read.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) cache: Option<String>,
    pub(super) snapshot: PerformanceSnapshot,
    /// As the input writes it, since a snapshot keeps milliseconds.
    pub(super) timestamp: Number,
    /// Keys that mean nothing here: probably slips.
    pub(super) unknown: Vec<String>,
}

/// Reads a line; what is wrong with it comes back in words.
pub(super) fn parse(text: &[u8]) -> Result<Line, String> {
    let object: Map<String, Value> = serde_json::from_slice(text)
        .map_err(|fault| format!("not a JSON object: {}", without_line(&fault)))?;
    let written = object.get("timestamp").ok_or("`timestamp` is missing")?;
    let instant = written.as_f64().and_then(Timestamp::from_unix_seconds);
    let (Value::Number(timestamp), Some(instant)) = (written, instant) else {
        return Err(format!("`timestamp` is not in unix seconds: `{written}`"));
    };
    let cache = match object.get("cache") {
        None | Some(Value::Null) => None,
        Some(Value::String(name)) => Some(name.clone()),
        Some(other) => return Err(format!("`cache` is not text: `{other}`")),
    };
    let mut snapshot = PerformanceSnapshot::empty(instant);
    for signal in Signal::ALL {
        let value = match object.get(signal.name()) {
            None | Some(Value::Null) => None,
            Some(value) => Some(
                value.as_f64().ok_or_else(|| format!("`{signal}` is not a number: `{value}`"))?,
            ),
        };
        snapshot.set(signal, value);
    }
    let known =
        |key: &String| key == "timestamp" || key == "cache" || Signal::from_name(key).is_some();
    let unknown = object.keys().filter(|key| !known(key)).cloned().collect();
    Ok(Line { cache, snapshot, timestamp: timestamp.clone(), unknown })
}

/// `serde_json` ends its messages with `at line 1 column 7`; the line is ours to tell.
fn without_line(fault: &serde_json::Error) -> String {
    let message = fault.to_string();
    let end = message.rfind(" at line ").unwrap_or(message.len());
    format!("{} at column {}", &message[..end], fault.column())
}
