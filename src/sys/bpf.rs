//! BPF programs for devices: bpf(2), linux/bpf.h.
//!
//! Only what a device filter needs: the instructions as functions, and loading and attaching.
#![allow(unsafe_code)]

use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd, RawFd};

use super::errno::last_errno;
use crate::model::{Error, Result};

/// The registers.
pub const R0: u8 = 0;
/// A register: the context at the start.
pub const R1: u8 = 1;
/// A register.
pub const R2: u8 = 2;
/// A register.
pub const R3: u8 = 3;
/// A register.
pub const R4: u8 = 4;
/// A register.
pub const R5: u8 = 5;

const JUMP_IF_NOT_EQUAL: u8 = 0x55;

/// `struct bpf_insn`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    code: u8,
    registers: u8,
    offset: i16,
    immediate: i32,
}

impl Instruction {
    fn new(code: u8, to: u8, from: u8, offset: i16, immediate: i32) -> Self {
        Instruction { code, registers: to | (from << 4), offset, immediate }
    }

    /// Returns whether it is a jump.
    pub fn is_jump(&self) -> bool {
        self.code == JUMP_IF_NOT_EQUAL
    }

    /// Sets how many instructions a jump skips.
    pub fn set_distance(&mut self, distance: usize) {
        self.offset = i16::try_from(distance).unwrap_or(i16::MAX);
    }
}

/// `to = *(u32 *)(from + offset)`
pub fn load_word(to: u8, from: u8, offset: i16) -> Instruction {
    Instruction::new(0x61, to, from, offset, 0)
}

/// `to = from`
pub fn copy(to: u8, from: u8) -> Instruction {
    Instruction::new(0xbf, to, from, 0, 0)
}

/// `to = value`
pub fn set(to: u8, value: i32) -> Instruction {
    Instruction::new(0xb7, to, 0, 0, value)
}

/// `to &= value`, on 32 bits.
pub fn and(to: u8, value: i32) -> Instruction {
    Instruction::new(0x54, to, 0, 0, value)
}

/// `to >>= bits`, on 32 bits, unsigned.
pub fn shift_right(to: u8, bits: i32) -> Instruction {
    Instruction::new(0x74, to, 0, 0, bits)
}

/// `if register != value` skip; the distance is set later.
pub fn jump_if_not_equal(register: u8, value: i32) -> Instruction {
    Instruction::new(JUMP_IF_NOT_EQUAL, register, 0, 0, value)
}

/// Return R0.
pub fn exit() -> Instruction {
    Instruction::new(0x95, 0, 0, 0, 0)
}

/// The part of `union bpf_attr` that `BPF_PROG_LOAD` reads here.
#[repr(C)]
#[derive(Default)]
struct Load {
    kind: u32,
    count: u32,
    instructions: u64,
    license: u64,
    log_level: u32,
    log_size: u32,
    log: u64,
    kernel_version: u32,
    flags: u32,
}

/// The part of `union bpf_attr` that `BPF_PROG_ATTACH` reads.
#[repr(C)]
#[derive(Default)]
struct Attach {
    target: u32,
    program: u32,
    kind: u32,
    flags: u32,
    replaced: u32,
}

const PROG_LOAD: i32 = 5;
const PROG_ATTACH: i32 = 8;
const TYPE_CGROUP_DEVICE: u32 = 15;
const ATTACH_CGROUP_DEVICE: u32 = 6;

/// Loads a `BPF_PROG_TYPE_CGROUP_DEVICE` program and attaches it to `cgroup`, where it stays as
/// long as the cgroup exists.
///
/// # Errors
/// When the kernel refuses; `denied` without CAP_SYS_ADMIN.
pub fn attach_device_program(cgroup: impl AsFd, program: &[Instruction]) -> Result<()> {
    let load = Load {
        kind: TYPE_CGROUP_DEVICE,
        count: u32::try_from(program.len()).unwrap_or(u32::MAX),
        instructions: program.as_ptr() as u64,
        license: c"Apache-2.0".as_ptr() as u64,
        ..Load::default()
    };
    // SAFETY: `load` and all that it points at live over the call; its size is given.
    let raw =
        unsafe { libc::syscall(libc::SYS_bpf, PROG_LOAD, &raw const load, size_of::<Load>()) };
    if raw < 0 {
        return Err(Error::from_errno(
            "bpf(BPF_PROG_LOAD, cgroup device)",
            last_errno().raw_os_error(),
        ));
    }
    // SAFETY: the kernel has just returned this descriptor; nothing else owns it.
    let loaded = unsafe { OwnedFd::from_raw_fd(RawFd::try_from(raw).unwrap_or(-1)) };
    let attach = Attach {
        target: cgroup.as_fd().as_raw_fd().cast_unsigned(),
        program: loaded.as_raw_fd().cast_unsigned(),
        kind: ATTACH_CGROUP_DEVICE,
        ..Attach::default()
    };
    // SAFETY: `attach` lives over the call; its size is given.
    let result = unsafe {
        libc::syscall(libc::SYS_bpf, PROG_ATTACH, &raw const attach, size_of::<Attach>())
    };
    if result < 0 {
        return Err(Error::from_errno(
            "bpf(BPF_PROG_ATTACH, cgroup device)",
            last_errno().raw_os_error(),
        ));
    }
    Ok(())
}
