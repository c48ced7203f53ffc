//! Targets of every kind, good and bad, seen through what the running program shows of them.

mod closed_loop;
mod failures;
mod pages;
mod recovery;
