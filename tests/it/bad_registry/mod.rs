//! Registries that break off, lie, stall or send elsewhere: a small server of the tests' own.

mod credentials;
mod pull;
mod push;
mod server;
mod tags;
