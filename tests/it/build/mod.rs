//! Images built in scripts and from Dockerfiles.

mod context;
mod dockerfile;
mod interrupted;
mod refused;
mod steps;
