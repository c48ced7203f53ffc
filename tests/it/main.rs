//! One integration binary.

// `cfg(test)` tells clippy that the helpers in there are tests too.
#[cfg(test)]
mod exposition_differential;
#[cfg(test)]
mod expr;
#[cfg(test)]
mod vectors;
