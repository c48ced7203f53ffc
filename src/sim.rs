//! A simulated fleet of two-level caches, so that the exporter can be tried without a cache at
//! hand.
//!
//! The same code serves twice: as the built-in demo, which is scraped and tuned like any other
//! target, and as the ground truth of measurements, where a fork of a cache that was *not* tuned
//! tells what the tuning did. Both need exact repeatability, so nothing here reads a clock or a
//! source of randomness: time is a tick number, every random draw comes from a seed, and only
//! integer arithmetic and the floating-point operations that IEEE 754 fixes to the last bit are
//! used.

pub mod cache;
pub mod catalogue;
pub mod demo;
pub mod disturbance;
pub mod fleet;
pub mod lru;
pub mod rng;
pub mod shape;
mod statistics;
pub mod traffic;
pub mod truth;
pub mod workload;
pub mod zipf;
