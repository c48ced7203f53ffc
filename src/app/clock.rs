//! The wall clock, read in one place so that everything else can be given another one.

use std::time::SystemTime;
use std::time::UNIX_EPOCH;

use crate::units::Timestamp;

/// The instant that it is.
pub fn now() -> Timestamp {
    #[expect(clippy::disallowed_methods, reason = "this is the one place that reads it")]
    let now = SystemTime::now();
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_millis(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}
