//! What this program was built from, and with: said on the metrics page, in the API and on the
//! command line, which must never tell it differently.

/// Version, revision and compiler of a build.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BuildInfo {
    /// The crate's version: `0.1.0`.
    pub version: &'static str,
    /// The git commit; `unknown` where it was not built from a checkout.
    pub revision: &'static str,
    /// The compiler's version: `1.90.0`.
    pub rust_version: &'static str,
}

impl BuildInfo {
    /// Of this very program.
    pub const CURRENT: Self = Self {
        version: env!("CARGO_PKG_VERSION"),
        revision: env!("CACHE_TUNER_REVISION"),
        rust_version: env!("CACHE_TUNER_RUST_VERSION"),
    };
}
