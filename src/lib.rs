//! A Prometheus exporter that watches caches and tunes them.

// Vocabulary: knows nothing else of the crate.
pub mod build_info;
pub mod cache_stats;
pub mod diag;
pub mod parameter;
pub mod reason;
pub mod secret;
pub mod signal;
pub mod stats;
pub mod suggest;
pub mod target_id;
pub mod units;
pub mod yaml;

// Core: no I/O, no async, no clock.
pub mod confidence;
pub mod engine;
pub mod exposition;
pub mod expr;
pub mod history;
pub mod judge;
pub mod memory;
pub mod outcome;
pub mod predict;
pub mod profile;
pub mod published;
pub mod reading;
pub mod rule;
pub mod sim;
pub mod snapshot;
pub mod tuner;
pub mod tuning_config;
pub mod tuning_parameters;

// Edges: I/O; they never import each other.
pub mod export;
pub mod scrape;
pub mod store;
pub mod web;

// Shell: arguments, commands, and the wiring.
pub mod app;
pub mod check;
pub mod cli;
pub mod command;
pub mod config;
pub mod demo;
pub mod logging;
pub mod probe;
pub mod replay;
