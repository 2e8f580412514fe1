//! System call filters: classic BPF (linux/filter.h) and seccomp(2).
//!
//! Only the instructions that a filter needs, as functions, and loading one.
#![allow(unsafe_code)]

use rustix::io::Errno;

use super::errno::last_errno;

/// The most instructions that the kernel takes (`BPF_MAXINSNS`).
pub const MAX_INSTRUCTIONS: usize = 4096;

/// `struct sock_filter`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// The operation (`BPF_*`).
    pub code: u16,
    /// How many instructions to skip if the test holds.
    pub then: u8,
    /// How many to skip if it does not.
    pub otherwise: u8,
    /// The operand.
    pub value: u32,
}

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const RETURN: u16 = 0x06;
const SKIP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_GREATER: u16 = 0x25;
const IF_AT_LEAST: u16 = 0x35;

const fn instruction(code: u16, value: u32) -> Instruction {
    Instruction { code, then: 0, otherwise: 0, value }
}

/// Loads the word at `offset` of `struct seccomp_data` into the accumulator.
pub const fn load(offset: u32) -> Instruction {
    instruction(LOAD, offset)
}

/// Masks the accumulator with `mask`.
pub const fn and(mask: u32) -> Instruction {
    instruction(AND, mask)
}

/// Returns `action`.
pub const fn answer(action: u32) -> Instruction {
    instruction(RETURN, action)
}

/// Skips `count` instructions.
pub const fn skip(count: u32) -> Instruction {
    instruction(SKIP, count)
}

/// Tests whether the accumulator is `value`.
pub const fn if_equal(value: u32, then: u8, otherwise: u8) -> Instruction {
    Instruction { code: IF_EQUAL, then, otherwise, value }
}

/// Tests whether the accumulator is greater than `value`.
pub const fn if_greater(value: u32, then: u8, otherwise: u8) -> Instruction {
    Instruction { code: IF_GREATER, then, otherwise, value }
}

/// Tests whether the accumulator is `value` or greater.
pub const fn if_at_least(value: u32, then: u8, otherwise: u8) -> Instruction {
    Instruction { code: IF_AT_LEAST, then, otherwise, value }
}

/// `struct sock_fprog`.
#[repr(C)]
struct Program {
    length: u16,
    instructions: *const Instruction,
}

/// Wraps `seccomp(SECCOMP_SET_MODE_FILTER)`: from now on `program` checks each system call of this
/// thread and of what it executes. Does not set no_new_privs: without that, CAP_SYS_ADMIN is
/// needed.
pub fn set(program: &[Instruction], flags: u32) -> Result<(), Errno> {
    const SET_MODE_FILTER: u32 = 1;
    let length = u16::try_from(program.len()).map_err(|_| Errno::INVAL)?;
    let program = Program { length, instructions: program.as_ptr() };
    // SAFETY: the program and its instructions live over the call, with their number.
    let result =
        unsafe { libc::syscall(libc::SYS_seccomp, SET_MODE_FILTER, flags, &raw const program) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}
