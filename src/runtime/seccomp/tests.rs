//! Runs filters on a small BPF machine, and checks what they return.

use std::collections::HashMap;

use oci_spec::runtime::LinuxSeccomp;
use serde_json::{Value, json};

use super::compile::{AARCH64, ANSWER_ERRNO, Filter, I386, X86_64, compile};
use super::numbers::TABLE;
use crate::sys::seccomp::Instruction;

const ALLOW: u32 = 0x7fff_0000;
const KILL: u32 = 0x8000_0000;

fn errno(number: u32) -> u32 {
    ANSWER_ERRNO | number
}

/// Runs a program on a call (linux/filter.h).
fn run(filter: &Filter, architecture: u32, number: u32, arguments: [u64; 6]) -> u32 {
    let mut data = vec![number, architecture, 0, 0];
    data.extend(arguments.iter().flat_map(|a| [(*a & 0xffff_ffff) as u32, (*a >> 32) as u32]));
    let (mut at, mut accumulator) = (0, 0);
    loop {
        let Instruction { code, then, otherwise, value } = filter.program[at];
        let jump = |holds: bool| usize::from(if holds { then } else { otherwise });
        at += 1;
        match code {
            0x20 => accumulator = data[value as usize / 4],
            0x54 => accumulator &= value,
            0x06 => return value,
            0x05 => at += value as usize,
            0x15 => at += jump(accumulator == value),
            0x25 => at += jump(accumulator > value),
            0x35 => at += jump(accumulator >= value),
            _ => panic!("instruction {code:x}"),
        }
    }
}

fn compiled(profile: Value) -> Filter {
    let seccomp: LinuxSeccomp = serde_json::from_value(profile).unwrap();
    compile(&seccomp).unwrap()
}

/// What a profile with one rule for `read` (number 0) answers for this argument.
fn answers(operator: &str, value: u64, other: u64, argument: u64) -> bool {
    let filter = compiled(json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "syscalls": [{ "names": ["read"], "action": "SCMP_ACT_ALLOW", "args": [
            { "index": 2, "value": value, "valueTwo": other, "op": operator },
        ]}],
    }));
    match run(&filter, X86_64.audit, 0, [7, 7, argument, 7, 7, 7]) {
        ALLOW => true,
        other => {
            assert_eq!(other, errno(1));
            false
        }
    }
}

#[test]
fn arguments_are_compared_in_all_64_bits() {
    let big = 0x1_0000_0000;
    let values = [0, 1, 5, 6, 0xffff_ffff, big, big + 5, big + 6, 2 * big, u64::MAX];
    for value in values {
        for argument in values {
            let result = |operator| answers(operator, value, 0, argument);
            let of = format!("{argument:x} and {value:x}");
            assert_eq!(result("SCMP_CMP_EQ"), argument == value, "{of}");
            assert_eq!(result("SCMP_CMP_NE"), argument != value, "{of}");
            assert_eq!(result("SCMP_CMP_LT"), argument < value, "{of}");
            assert_eq!(result("SCMP_CMP_LE"), argument <= value, "{of}");
            assert_eq!(result("SCMP_CMP_GT"), argument > value, "{of}");
            assert_eq!(result("SCMP_CMP_GE"), argument >= value, "{of}");
            assert_eq!(answers("SCMP_CMP_MASKED_EQ", value, 5, argument), argument & value == 5);
        }
    }
}

#[test]
fn every_number_has_the_verdict_that_the_profile_says() {
    let names = ["read", "close", "brk", "mount", "openat", "statx", "futex_waitv"];
    let filter = compiled(json!({
        "defaultAction": "SCMP_ACT_ERRNO",
        "defaultErrnoRet": 13,
        "architectures": ["SCMP_ARCH_X86"],
        "syscalls": [
            { "names": names, "action": "SCMP_ACT_ALLOW" },
            { "names": ["reboot", "no_such_call"], "action": "SCMP_ACT_KILL_PROCESS" },
        ],
    }));
    for architecture in [X86_64, I386] {
        let mut known = HashMap::new();
        for line in TABLE.lines() {
            let fields: Vec<_> = line.split('\t').collect();
            known.extend(fields[architecture.column + 1].parse::<u32>().map(|n| (n, fields[0])));
        }
        for number in (0..600).chain([0x4000_0000, 0x4000_0001, u32::MAX]) {
            let expected = match known.get(&number) {
                Some(name) if names.contains(name) => ALLOW,
                Some(&"reboot") => KILL,
                Some(_) if number < 449 => errno(13),
                _ => errno(38),
            };
            assert_eq!(run(&filter, architecture.audit, number, [0; 6]), expected, "{number}");
        }
    }
    assert_eq!(run(&filter, AARCH64.audit, 0, [0; 6]), KILL);
}

#[test]
fn a_profile_that_allows_by_default_allows_what_it_does_not_know() {
    let filter = compiled(json!({
        "defaultAction": "SCMP_ACT_ALLOW",
        "syscalls": [{ "names": ["mount"], "action": "SCMP_ACT_ERRNO" }],
    }));
    assert_eq!(run(&filter, X86_64.audit, 165, [0; 6]), errno(1));
    assert_eq!(run(&filter, X86_64.audit, 9999, [0; 6]), ALLOW);
}

#[test]
fn what_cannot_be_done_is_refused() {
    let refused = |profile: Value| {
        let seccomp: LinuxSeccomp = serde_json::from_value(profile).unwrap();
        compile(&seccomp).unwrap_err().message().to_owned()
    };
    assert!(refused(json!({ "defaultAction": "SCMP_ACT_NOTIFY" })).contains("NOTIFY"));
    let errno = json!({ "defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 5000 });
    assert!(refused(errno).contains("not an error number"));
    let index = json!({ "defaultAction": "SCMP_ACT_ERRNO", "syscalls": [{
        "names": ["read"], "action": "SCMP_ACT_ALLOW",
        "args": [{ "index": 6, "value": 0, "op": "SCMP_CMP_EQ" }],
    }]});
    assert!(refused(index).contains("argument 6"));
}

#[test]
fn names_are_found_because_they_are_in_order() {
    let names: Vec<&str> = TABLE.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert!(names.is_sorted());
}
