//! What a process used so far, from `/proc`.

use std::fs;

use anyhow::Context as _;

/// Clock ticks a second in `/proc`; the same on every Linux that this runs on.
const TICKS_PER_SECOND: f64 = 100.0;

/// What a process used.
pub(crate) struct Usage {
    /// Seconds of processor time, of all threads.
    pub(crate) cpu: f64,
    pub(crate) resident_mib: f64,
    pub(crate) peak_mib: f64,
}

impl Usage {
    pub(crate) fn of(process: u32) -> anyhow::Result<Self> {
        let stat = fs::read_to_string(format!("/proc/{process}/stat"))?;
        // The name in brackets may have spaces.
        let (_, rest) = stat.rsplit_once(')').context("no process name")?;
        let mut fields = rest.split_whitespace().skip(11);
        let mut ticks = || fields.next()?.parse::<f64>().ok();
        let ticks = ticks().zip(ticks()).context("no times")?;
        let status = fs::read_to_string(format!("/proc/{process}/status"))?;
        let mib = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
            kib.map(|kib| kib / 1024.0)
        };
        Ok(Self {
            cpu: (ticks.0 + ticks.1) / TICKS_PER_SECOND,
            resident_mib: mib("VmRSS:").context("no memory")?,
            peak_mib: mib("VmHWM:").context("no memory")?,
        })
    }
}
