//! The verdicts of a filter.

use oci_spec::runtime::LinuxSeccompOperator;

/// The decision for a system call's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Always this return value.
    Answer(u32),
    /// The return value of the first rule whose tests all hold, else the default.
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
