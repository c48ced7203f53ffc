//! How much memory the process had at most, from `/proc`.

use std::fs;

/// Memory in use now, in bytes.
pub(crate) fn resident() -> u64 {
    status("VmRSS:")
}

/// Most memory in use since [`forget_peak`], in bytes.
pub(crate) fn peak() -> u64 {
    status("VmHWM:")
}

/// From now on another peak counts. Where the kernel has no such thing, the peak stays what it was.
pub(crate) fn forget_peak() {
    if let Err(fault) = fs::write("/proc/self/clear_refs", "5") {
        tracing::warn!(error = %fault, "peaks are those of the whole run");
    }
}

fn status(name: &str) -> u64 {
    let text = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib = line.and_then(|line| line.trim().split(' ').next()?.parse::<u64>().ok());
    kib.unwrap_or(0) * 1024
}
