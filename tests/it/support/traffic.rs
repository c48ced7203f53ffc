//! Which keys a workload asks for: deterministic by seed, so that a test's figures repeat.

/// How requests spread over the working set.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Spread {
    /// Every key equally often.
    Uniform,
    /// Few keys most of the time: rank `keys * u^5` for uniform `u`, the shape of a Zipf law with
    /// exponent 0.8. Not exact, which no test needs.
    Zipf,
}

/// An endless stream of key numbers.
#[derive(Debug, Clone)]
pub(crate) struct Traffic {
    /// Size of the working set; may be changed between runs.
    pub(crate) keys: u32,
    pub(crate) spread: Spread,
    state: u64,
}

/// What the cache made of some requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Served {
    pub(crate) hits: u64,
    pub(crate) misses: u64,
}

// === impl Traffic ===

impl Traffic {
    pub(crate) fn new(keys: u32, spread: Spread, seed: u64) -> Self {
        Self { keys, spread, state: seed }
    }

    pub(crate) fn next_key(&mut self) -> u32 {
        let unit = self.next_unit();
        let rank = match self.spread {
            Spread::Uniform => unit,
            Spread::Zipf => unit.powi(5),
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 <= rank < 1, so the product is a u32 below `keys`"
        )]
        let key = (rank * f64::from(self.keys)) as u32;
        key
    }

    /// A uniform number, 0 included, 1 excluded, by splitmix64.
    fn next_unit(&mut self) -> f64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.state;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^= bits >> 31;
        (bits >> 11) as f64 / (1_u64 << 53) as f64
    }
}

impl Served {
    /// Hits of all requests; `None` without requests.
    pub(crate) fn hit_ratio(self) -> Option<f64> {
        let all = self.hits + self.misses;
        (all > 0).then(|| self.hits as f64 / all as f64)
    }
}
