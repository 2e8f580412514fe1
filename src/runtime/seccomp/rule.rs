//! What a filter decides for a system call.

use oci_spec::runtime::LinuxSeccompOperator;

/// The decision for a system call's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Always this answer.
    Answer(u32),
    /// The answer of the first rule whose tests all hold, else the default.
    Rules(Vec<(Vec<Test>, u32)>),
}

/// A comparison of an argument.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) index: u32,
    pub(super) value: u64,
    pub(super) other: u64,
    pub(super) operator: LinuxSeccompOperator,
}
