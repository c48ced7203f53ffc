//! Scrapes of targets that behave and of targets that do not, over real sockets on free ports.

mod client;
mod connections;
mod schedule;
mod server;
mod tls;
