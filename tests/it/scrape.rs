//! Scrapes of targets that behave and of targets that do not, over real sockets on free ports.

mod client;
mod server;
mod tls;
