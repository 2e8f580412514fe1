//! The devices that a container may use: `devices.allow` in v1, a BPF program in v2.

use std::fs;
use std::path::Path;

use oci_spec::runtime::{LinuxDeviceCgroup, LinuxDeviceType};

use super::file::write;
use crate::model::Result;
use crate::model::error::Context;
use crate::sys::bpf::{self, Instruction};

/// Denies all devices, then allows those of the rules (cgroup-v1/devices.rst).
pub(super) fn apply_v1(directory: &Path, rules: &[LinuxDeviceCgroup]) -> Result<()> {
    for rule in rules {
        let (file, text) = match (rule.allow(), rule.typ()) {
            (false, None) => ("devices.deny", "a".to_owned()),
            (true, None) => ("devices.allow", "a".to_owned()),
            (allow, kind) => {
                let number = |n: Option<i64>| n.map_or_else(|| "*".to_owned(), |n| n.to_string());
                let letter = if kind == Some(LinuxDeviceType::B) { 'b' } else { 'c' };
                let access = rule.access().as_deref().unwrap_or("rwm");
                let file = if allow { "devices.allow" } else { "devices.deny" };
                (
                    file,
                    format!("{letter} {}:{} {access}", number(rule.major()), number(rule.minor())),
                )
            }
        };
        write(directory, file, &text)?;
    }
    Ok(())
}

/// Attaches a program that returns 1 for what the rules allow and 0 for the rest; none if all is
/// allowed.
pub(super) fn apply_v2(directory: &Path, rules: &[LinuxDeviceCgroup]) -> Result<()> {
    if rules.iter().any(|rule| rule.allow() && rule.typ().is_none()) {
        return Ok(());
    }
    let cgroup = fs::File::open(directory).context(|| format!("open `{}`", directory.display()))?;
    bpf::attach_device_program(&cgroup, &program(rules))
}

/// `BPF_DEVCG_DEV_BLOCK` and `BPF_DEVCG_DEV_CHAR`, in the low half of `access_type`.
const BLOCK: i32 = 1;
const CHARACTER: i32 = 2;
/// `BPF_DEVCG_ACC_*`, in its high half.
const MKNOD: i32 = 1;
const READ: i32 = 2;
const WRITE: i32 = 4;

/// Returns the program. Its context is `struct bpf_cgroup_dev_ctx { u32 access_type, major, minor
/// }` in register 1. After the first rule, which denies all, rules only allow, so the first match
/// decides.
fn program(rules: &[LinuxDeviceCgroup]) -> Vec<Instruction> {
    use bpf::{R1, R2, R3, R4, R5};
    let mut code = vec![
        bpf::load_word(R2, R1, 0),
        bpf::copy(R3, R2),
        bpf::and(R2, 0xffff),
        bpf::shift_right(R3, 16),
        bpf::load_word(R4, R1, 4),
        bpf::load_word(R5, R1, 8),
    ];
    for rule in rules.iter().filter(|rule| rule.allow()) {
        let kind = if rule.typ() == Some(LinuxDeviceType::B) { BLOCK } else { CHARACTER };
        let access = rule.access().as_deref().unwrap_or("rwm").chars().fold(0, |set, c| {
            set | match c {
                'r' => READ,
                'w' => WRITE,
                'm' => MKNOD,
                _ => 0,
            }
        });
        let number = |n: Option<i64>| n.and_then(|n| i32::try_from(n).ok());
        // A test that fails jumps over the rest of the rule; the distances are set below.
        let mut tests = vec![bpf::jump_if_not_equal(R2, kind)];
        // R1 is no longer needed: it gets the requested access beyond `access`.
        tests.push(bpf::copy(R1, R3));
        tests.push(bpf::and(R1, !access & (MKNOD | READ | WRITE)));
        tests.push(bpf::jump_if_not_equal(R1, 0));
        tests.extend(number(rule.major()).map(|major| bpf::jump_if_not_equal(R4, major)));
        tests.extend(number(rule.minor()).map(|minor| bpf::jump_if_not_equal(R5, minor)));
        let length = tests.len() + 2;
        for (at, test) in tests.iter_mut().enumerate().filter(|(_, test)| test.is_jump()) {
            test.set_distance(length - at - 1);
        }
        code.extend(tests);
        code.extend([bpf::set(bpf::R0, 1), bpf::exit()]);
    }
    code.extend([bpf::set(bpf::R0, 0), bpf::exit()]);
    code
}
