//! The Dockerfile language: text becomes instructions, without reading files or running anything.

pub(crate) mod instructions;
pub(crate) mod lines;
pub(crate) mod parser;
pub(crate) mod words;

pub(crate) use parser::{Dockerfile, Flag, Instruction, Item, Line, MAX_LENGTH, parse, parse_one};
