//! Fetching what targets show, on our own clock: a tuner is a controller whose windows need a
//! steady pace.
//!
//! One task a target ([`schedule`]), one client a job ([`client`]), a closed set of failures
//! ([`failure`]). What comes out is text and nothing more; the pure core makes sense of it. A
//! target is never trusted: size, time and redirects have limits, and no secret follows a redirect
//! to another origin.

mod body;
pub mod client;
pub mod config;
pub mod failure;
pub mod plain;
pub mod schedule;
mod source;
mod spare;
mod tls;

pub use reqwest::Url;
