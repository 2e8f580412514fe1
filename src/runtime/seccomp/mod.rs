//! OCI's `linux.seccomp` -> a BPF program that checks system calls.
//!
//! Pure. The rules are ranges of numbers with one verdict each, and the program is a tree of
//! comparisons over them, because it runs at each system call of the container. Numbers that the
//! profile cannot know (newer ones, gaps, x32's) return ENOSYS: libraries then use a fallback,
//! while EPERM would make them fail.

mod assemble;
mod compile;
mod numbers;
mod rule;
#[cfg(test)]
mod tests;

pub use self::compile::Filter;
pub(super) use self::compile::compile;
