//! The HTTP side: the status page, the metrics page, the API, and the endpoints for orchestrators.
//!
//! A dozen routes are one `match`, so hyper alone serves them and no framework does. Everything
//! that a handler needs is in [`Site`], put there by whoever starts the server: handlers read no
//! clock, no configuration and no global, and a test serves a site of its own making on port 0.

mod answer;
mod api;
mod encoding;
mod format;
mod orders;
mod router;
mod server;
mod status;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use bytes::Bytes;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;

use crate::build_info::BuildInfo;
use crate::published::Board;
use crate::rule::Overrides;
use crate::rule::RuleSet;
use crate::units::Timestamp;

pub use encoding::Coding;
pub use orders::BODY_BYTES_MAX;
pub use orders::Deed;
pub use orders::Done;
pub use orders::Fetch;
pub use orders::Order;
pub use server::CONNECTION_AGE_MAX;
pub use server::CONNECTIONS_MAX;
pub use server::DRAIN_LIMIT;
pub use server::HEAD_BYTES_MAX;
pub use server::HEADER_READ_TIMEOUT;
pub use server::serve;

/// All that handlers need.
pub struct Site {
    /// What is shown.
    pub board: Arc<Board>,
    /// The metrics page in text format 0.0.4, encoded, in pieces; or why there is none. It is
    /// called on a thread that may block.
    pub metrics: Box<dyn Fn(Coding) -> Result<Vec<Bytes>, String> + Send + Sync>,
    /// Asks for a reload; the answer comes back over the channel that is sent. A request that finds
    /// this queue full is refused.
    pub reload: mpsc::Sender<oneshot::Sender<Result<(), String>>>,
    /// Takes what is decided by hand; the answer comes back with it. A request that finds this
    /// queue full is refused.
    pub orders: mpsc::Sender<Order>,
    /// Takes notes of caches that read their parameters. One that finds this queue full is lost:
    /// the cache counts as told the next time that it asks.
    pub fetched: mpsc::Sender<Fetch>,
    /// Whether the first round of scrapes has been tried.
    pub ready: Arc<AtomicBool>,
    /// What is shown of the configuration in use.
    pub shown: watch::Receiver<Arc<Shown>>,
    /// What is served, and where.
    pub options: Options,
    /// The clock.
    pub now: fn() -> Timestamp,
    /// What this program is.
    pub build: BuildInfo,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("options", &self.options).finish_non_exhaustive()
    }
}

/// What is served, and where: the `--web.*` flags.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Path of the metrics page; begins with `/`.
    pub telemetry_path: String,
    /// Whether `/-/reload` is served.
    pub enable_lifecycle: bool,
    /// Whether the API calls that change something are served.
    pub enable_admin_api: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            telemetry_path: "/metrics".to_owned(),
            enable_lifecycle: false,
            enable_admin_api: false,
        }
    }
}

/// What is shown of the configuration in use.
#[derive(Debug, Clone, Default)]
pub struct Shown {
    /// The configuration as YAML, secrets already replaced by `<secret>`.
    pub config_yaml: String,
    /// The rules with the thresholds of their files.
    pub rules: RuleSet,
    /// The thresholds that jobs override, by job.
    pub overrides: BTreeMap<String, Overrides>,
}
