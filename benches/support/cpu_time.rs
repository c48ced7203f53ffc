//! Time that others on the machine do not add to.

use std::time::Duration;

use rustix::time::ClockId;
use rustix::time::clock_gettime;

/// The time that this thread had a processor.
pub(crate) fn cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(time.tv_sec.unsigned_abs(), time.tv_nsec.try_into().unwrap_or(0))
}
