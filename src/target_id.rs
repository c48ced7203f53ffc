//! What a target is called. A word of its own, since everything that is shown, remembered or logged
//! of a target carries it.

use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

/// Names a target: a job, and an address within it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TargetId {
    /// The job's name.
    pub scrape_job: Arc<str>,
    /// `host:port`, as configured.
    pub target: Arc<str>,
}
