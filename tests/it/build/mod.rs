//! Images built in scripts and from Dockerfiles.

pub mod context;
mod dockerfile;
mod interrupted;
mod mounts;
mod outputs;
mod refused;
mod steps;
