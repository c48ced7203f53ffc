//! The program as an operator meets it: started, asked, reloaded, stopped.

mod demo;
mod faults;
mod flags;
mod reload;
mod stop;
