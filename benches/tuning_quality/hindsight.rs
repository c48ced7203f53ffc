//! The best sizes that never change, found afterwards by trying a grid of them.

use super::measure;
use super::measure::Warm;
use super::options::Plan;
use super::policy::FixedSizes;
use super::tally::Figures;

/// As it is called in the report.
pub(crate) const NAME: &str = "best static sizes";

/// For each cache, the figures of the sizes that were best for it.
pub(crate) fn best_static_sizes(warm: &Warm, plan: &Plan) -> Vec<Figures> {
    let (l1_sizes, l2_sizes) = plan.grid;
    let mut best: Vec<Figures> = Vec::new();
    for (l1, l2) in l1_sizes.iter().flat_map(|l1| l2_sizes.iter().map(move |l2| (*l1, *l2))) {
        let tried = measure::run(warm, &mut FixedSizes::new(l1, l2), plan);
        if best.is_empty() {
            best = tried;
            continue;
        }
        for (best, tried) in best.iter_mut().zip(tried) {
            if tried.utility > best.utility {
                *best = tried;
            }
        }
    }
    best
}
