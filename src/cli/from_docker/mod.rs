//! Translates Docker command lines into calls of the language. The words go through the same parser
//! as the verbs of lifebox. Nothing is executed, and neither files nor environment are read.

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

pub(crate) use translator::{DockerTranslator, read};
