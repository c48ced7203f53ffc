//! One integration binary.

// `cfg(test)` tells clippy that the helpers in there are tests too.
#[cfg(test)]
mod exposition_differential;
#[cfg(test)]
mod exposition_golden;
#[cfg(test)]
mod exposition_invariants;
#[cfg(test)]
mod exposition_print;
#[cfg(test)]
mod expr;
#[cfg(test)]
mod fuzz_corpus;
#[cfg(test)]
mod prop_exposition;
#[cfg(test)]
mod vectors;
