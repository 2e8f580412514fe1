//! Assembles verdicts into instructions.

use oci_spec::runtime::LinuxSeccompOperator as Operator;

use super::rule::{Test, Verdict};
use crate::sys::seccomp::{
    Instruction, and, answer, if_at_least, if_equal, if_greater, load, skip,
};

/// Offsets in `struct seccomp_data`.
const NUMBER: u32 = 0;
const ARCHITECTURE: u32 = 4;
const ARGUMENTS: u32 = 16;

/// `SECCOMP_RET_KILL_PROCESS`: for calls of an architecture that the profile has no rules for.
const KILL: u32 = 0x8000_0000;

/// Assembles the program from the ranges of each architecture.
pub(super) fn program(parts: &[(u32, Vec<(u32, Verdict)>)], default: u32) -> Vec<Instruction> {
    let mut program = vec![load(ARCHITECTURE)];
    for (architecture, ranges) in parts {
        let mut body = Vec::new();
        tree(ranges, default, &mut body);
        program.push(if_equal(*architecture, 1, 0));
        program.push(skip(length(&body) + 1));
        program.push(load(NUMBER));
        program.extend(body.into_iter().rev());
    }
    program.push(answer(KILL));
    program
}

fn length(code: &[Instruction]) -> u32 {
    u32::try_from(code.len()).unwrap_or(u32::MAX)
}

/// Halves the ranges until one is left. The accumulator holds the number. Writes the last
/// instruction first: a test jumps over what follows it, whose length is known then.
fn tree(ranges: &[(u32, Verdict)], default: u32, reversed: &mut Vec<Instruction>) {
    let (low, high) = match ranges {
        [] => return reversed.push(answer(default)),
        [(_, verdict)] => return reversed.extend(leaf(verdict, default).into_iter().rev()),
        _ => ranges.split_at(ranges.len() / 2),
    };
    let first = high.first().map_or(0, |(number, _)| *number);
    tree(high, default, reversed);
    let before = reversed.len();
    tree(low, default, reversed);
    let low = &reversed[before..];
    match u8::try_from(low.len()) {
        Ok(distance) => reversed.push(if_at_least(first, distance, 0)),
        // A test can jump over 255 instructions; beyond, it needs an unconditional jump.
        Err(_) => {
            let over = skip(length(low));
            reversed.extend([over, if_at_least(first, 0, 1)]);
        }
    }
}

/// Assembles one verdict; each path through it ends with a return.
fn leaf(verdict: &Verdict, default: u32) -> Vec<Instruction> {
    let rules = match verdict {
        Verdict::Answer(action) => return vec![answer(*action)],
        Verdict::Rules(rules) => rules,
    };
    let mut code = Vec::new();
    for (tests, action) in rules {
        // Six tests of at most six instructions each are within a jump's reach.
        let mut rule: Vec<Part> = tests.iter().flat_map(compare).collect();
        rule.push(Part::Always(answer(*action)));
        let end = rule.len();
        for (at, part) in rule.into_iter().enumerate() {
            let out = u8::try_from(end - at - 1).unwrap_or(u8::MAX);
            code.push(match part {
                Part::Always(instruction) => instruction,
                Part::FailsOtherwise(test) => Instruction { otherwise: out, ..test },
                Part::FailsThen(test) => Instruction { then: out, ..test },
            });
        }
    }
    code.push(answer(default));
    code
}

/// An instruction of a comparison; a test that fails jumps behind its rule.
enum Part {
    Always(Instruction),
    FailsOtherwise(Instruction),
    FailsThen(Instruction),
}

/// Assembles a comparison of 64 bits in two halves, as BPF has 32. Falling through means that the
/// test holds.
fn compare(test: &Test) -> Vec<Part> {
    use Part::{Always, FailsOtherwise, FailsThen};
    let half = |bits: u64| u32::try_from(bits & 0xffff_ffff).unwrap_or(0);
    // Both architectures are little-endian.
    let low = Always(load(ARGUMENTS + 8 * test.index));
    let high = Always(load(ARGUMENTS + 8 * test.index + 4));
    let (below, above) = (half(test.value), half(test.value >> 32));
    match test.operator {
        Operator::ScmpCmpEq => vec![
            high,
            FailsOtherwise(if_equal(above, 0, 0)),
            low,
            FailsOtherwise(if_equal(below, 0, 0)),
        ],
        Operator::ScmpCmpNe => {
            vec![high, Always(if_equal(above, 0, 2)), low, FailsThen(if_equal(below, 0, 0))]
        }
        Operator::ScmpCmpMaskedEq => vec![
            high,
            Always(and(above)),
            FailsOtherwise(if_equal(half(test.other >> 32), 0, 0)),
            low,
            Always(and(below)),
            FailsOtherwise(if_equal(half(test.other), 0, 0)),
        ],
        Operator::ScmpCmpGt | Operator::ScmpCmpGe => {
            let last = match test.operator {
                Operator::ScmpCmpGt => if_greater(below, 0, 0),
                _ => if_at_least(below, 0, 0),
            };
            vec![
                high,
                Always(if_greater(above, 3, 0)),
                FailsOtherwise(if_equal(above, 0, 0)),
                low,
                FailsOtherwise(last),
            ]
        }
        Operator::ScmpCmpLt | Operator::ScmpCmpLe => {
            let last = match test.operator {
                Operator::ScmpCmpLt => if_at_least(below, 0, 0),
                _ => if_greater(below, 0, 0),
            };
            vec![
                high,
                FailsThen(if_greater(above, 0, 0)),
                Always(if_equal(above, 0, 2)),
                low,
                FailsThen(last),
            ]
        }
    }
}
