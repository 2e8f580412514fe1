//! Images built in scripts and from Dockerfiles.

pub mod context;
mod dockerfile;
mod interrupted;
mod mounts;
mod refused;
mod steps;
