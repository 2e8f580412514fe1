//! Commands of Docker said in the language: the words go through the same parser as the verbs of
//! lifebox, and what they mean becomes a call. Nothing is done, and nothing of this machine is
//! read: neither its files nor its environment.

mod containers;
mod exec;
mod files;
mod images;
#[cfg(test)]
mod tests;
mod translator;
mod unsupported;
mod volumes;
mod words;

pub(super) use translator::{DockerTranslator, read};
