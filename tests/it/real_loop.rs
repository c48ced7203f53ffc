//! The closed loop among real parts: caches that follow, a real Prometheus, a real Alertmanager, a
//! real Redis, and a program that is killed.

mod crash;
mod harm;
mod redis;
