//! What the integration tests stand on: real servers, scripted targets, and ways to wait for them.
//!
//! Three rules hold for everything here. A test that lacks a program fails and names the package to
//! install; it never skips. Every server gets a free loopback port, its own directory, and dies
//! with the value that owns it, also on a panic; its log is printed when the test fails. Nothing
//! sleeps for a fixed time: a test waits for a fact with [`wait::eventually`].

pub(crate) mod chromium;
pub(crate) mod dashboard;
pub(crate) mod exporter;
pub(crate) mod fault;
pub(crate) mod followers;
pub(crate) mod http;
pub(crate) mod page;
pub(crate) mod process;
pub(crate) mod prometheus;
pub(crate) mod redis;
pub(crate) mod resp;
pub(crate) mod server;
pub(crate) mod tool;
pub(crate) mod toy;
pub(crate) mod traffic;
pub(crate) mod varnish;
pub(crate) mod wait;
pub(crate) mod watched;
pub(crate) mod webhook;
