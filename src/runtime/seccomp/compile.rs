//! Compiles a profile: its rules as ranges of numbers with verdicts.

use oci_spec::runtime::{Arch, LinuxSeccomp, LinuxSeccompAction, LinuxSeccompFilterFlag};

use super::assemble;
use super::numbers;
use super::rule::{Test, Verdict};
use crate::model::{Error, Kind, Result};
use crate::sys::seccomp::{Instruction, MAX_INSTRUCTIONS};

/// The filter as the kernel takes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter {
    /// The program.
    pub program: Vec<Instruction>,
    /// `SECCOMP_FILTER_FLAG_*`.
    pub flags: u32,
}

const ENOSYS: u32 = 38;
const EPERM: u32 = 1;

pub(super) const ANSWER_ERRNO: u32 = 0x0005_0000;

/// A filtered architecture: its `AUDIT_ARCH_*` and its column of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Architecture {
    pub(super) audit: u32,
    pub(super) column: usize,
}

pub(super) const X86_64: Architecture = Architecture { audit: 0xc000_003e, column: 0 };
pub(super) const I386: Architecture = Architecture { audit: 0x4000_0003, column: 1 };

pub(super) const AARCH64: Architecture = Architecture { audit: 0xc000_00b7, column: 2 };
const NATIVE: Architecture = if cfg!(target_arch = "aarch64") { AARCH64 } else { X86_64 };

/// Compiles the filter of `seccomp`.
///
/// # Errors
/// [`Kind::Unsupported`] for a feature that lifebox does not have, [`Kind::Invalid`] for an invalid
/// rule.
pub(in crate::runtime) fn compile(seccomp: &LinuxSeccomp) -> Result<Filter> {
    let default = answer(seccomp.default_action(), seccomp.default_errno_ret())?;
    let mut architectures = vec![NATIVE];
    let listed = seccomp.architectures().iter().flatten();
    // Architectures that this kernel does not run need no rules: their calls end the process.
    if NATIVE == X86_64 && listed.clone().any(|arch| *arch == Arch::ScmpArchX86) {
        architectures.push(I386);
    }
    let mut parts = Vec::new();
    for architecture in architectures {
        parts.push((architecture.audit, verdicts(seccomp, architecture, default)?));
    }
    let program = assemble::program(&parts, default);
    if program.len() > MAX_INSTRUCTIONS {
        let message = format!(
            "the seccomp profile has {} instructions, more than {MAX_INSTRUCTIONS}",
            program.len()
        );
        return Err(Error::new(Kind::Invalid, message).hint("remove rules from the profile"));
    }
    Ok(Filter { program, flags: flags(seccomp)? })
}

fn flags(seccomp: &LinuxSeccomp) -> Result<u32> {
    let bit = |flag: &LinuxSeccompFilterFlag| match flag {
        LinuxSeccompFilterFlag::SeccompFilterFlagTsync => Ok(1),
        LinuxSeccompFilterFlag::SeccompFilterFlagLog => Ok(2),
        LinuxSeccompFilterFlag::SeccompFilterFlagSpecAllow => Ok(4),
        other => {
            let message = format!("seccomp flag `{other}` is not supported");
            Err(Error::new(Kind::Unsupported, message))
        }
    };
    seccomp.flags().iter().flatten().try_fold(0, |flags, flag| Ok(flags | bit(flag)?))
}

/// Returns the kernel's return value (`SECCOMP_RET_*`) of an action.
fn answer(action: LinuxSeccompAction, errno: Option<u32>) -> Result<u32> {
    use LinuxSeccompAction as Action;
    let data = errno.unwrap_or(EPERM);
    if data > 4095 {
        let message = format!("seccomp: {data} is not an error number");
        return Err(Error::new(Kind::Invalid, message).hint("use a number from 0 to 4095"));
    }
    Ok(match action {
        Action::ScmpActKill | Action::ScmpActKillThread => 0,
        Action::ScmpActKillProcess => 0x8000_0000,
        Action::ScmpActTrap => 0x0003_0000,
        Action::ScmpActErrno => ANSWER_ERRNO | data,
        Action::ScmpActTrace => 0x7ff0_0000 | data,
        Action::ScmpActLog => 0x7ffc_0000,
        Action::ScmpActAllow => 0x7fff_0000,
        Action::ScmpActNotify => {
            return Err(Error::new(
                Kind::Unsupported,
                "seccomp action SCMP_ACT_NOTIFY is not supported",
            ));
        }
    })
}

/// Returns the first number of each range, and its verdict; the last range has no end.
fn verdicts(
    seccomp: &LinuxSeccomp,
    architecture: Architecture,
    default: u32,
) -> Result<Vec<(u32, Verdict)>> {
    // By number; none where the profile has no rule.
    let mut judged: Vec<Option<Verdict>> = Vec::new();
    for rule in seccomp.syscalls().iter().flatten() {
        let answer = answer(rule.action(), rule.errno_ret())?;
        let tests = tests(rule.args().as_deref().unwrap_or_default())?;
        // Names of other architectures and kernels are skipped, as all runtimes do.
        for number in rule.names().iter().filter_map(|name| numbers::of(name, architecture.column))
        {
            let at = number as usize;
            judged.resize_with(judged.len().max(at + 1), || None);
            let verdict = judged[at].get_or_insert_with(|| Verdict::Rules(Vec::new()));
            match verdict {
                _ if tests.is_empty() => *verdict = Verdict::Answer(answer),
                Verdict::Rules(rules) => rules.push((tests.clone(), answer)),
                Verdict::Answer(_) => {}
            }
        }
    }
    let strict =
        [0, 0x8000_0000, 0x0003_0000].contains(&default) || default & 0xffff_0000 == ANSWER_ERRNO;
    let unknown = if strict { ANSWER_ERRNO | ENOSYS } else { default };
    for number in numbers::all(architecture.column) {
        if let Some(verdict) = judged.get_mut(number as usize) {
            verdict.get_or_insert(Verdict::Answer(default));
        }
    }
    let mut ranges: Vec<(u32, Verdict)> = Vec::new();
    for (number, verdict) in (0..).zip(judged.into_iter().chain([None])) {
        let verdict = verdict.unwrap_or(Verdict::Answer(unknown));
        if ranges.last().is_none_or(|(_, before)| *before != verdict) {
            ranges.push((number, verdict));
        }
    }
    Ok(ranges)
}

fn tests(arguments: &[oci_spec::runtime::LinuxSeccompArg]) -> Result<Vec<Test>> {
    let test = |argument: &oci_spec::runtime::LinuxSeccompArg| {
        let index = u32::try_from(argument.index()).ok().filter(|index| *index < 6);
        let index = index.ok_or_else(|| {
            let message = format!("seccomp: no system call has an argument {}", argument.index());
            Error::new(Kind::Invalid, message).hint("use an index from 0 to 5")
        })?;
        let other = argument.value_two().unwrap_or(0);
        Ok(Test { index, value: argument.value(), other, operator: argument.op() })
    };
    arguments.iter().map(test).collect()
}
