//! The texts of scripts: parsing, sources, names and keywords.

pub(super) mod declared;
pub(super) mod incomplete;
pub(super) mod keyword;
pub(super) mod parser;
pub(super) mod scheme;
pub(super) mod sources;
