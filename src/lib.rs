//! A Prometheus exporter that watches caches and tunes them.
