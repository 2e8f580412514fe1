//! The numbers of system calls, read while this crate is compiled: each start looks up hundreds.

/// Name, then the numbers of x86_64, i386 and aarch64, `-` where there is none. From the kernel's
/// headers (asm/unistd_64.h, asm/unistd_32.h, asm-generic/unistd.h). In the order of the names'
/// bytes.
pub(super) const TABLE: &str = include_str!("numbers.tsv");

const COUNT: usize = {
    let (bytes, mut at, mut lines) = (TABLE.as_bytes(), 0, 0);
    while at < bytes.len() {
        lines += (bytes[at] == b'\n') as usize;
        at += 1;
    }
    lines
};

/// Where a name ends in the table, where it begins, and its numbers; [`NONE`] where it has none.
#[derive(Clone, Copy)]
struct Row {
    begin: u16,
    end: u16,
    numbers: [u16; 3],
}

const NONE: u16 = u16::MAX;

static ROWS: [Row; COUNT] = rows();

#[expect(clippy::cast_possible_truncation, reason = "the table is short, as is checked first")]
const fn rows() -> [Row; COUNT] {
    let bytes = TABLE.as_bytes();
    assert!(bytes.len() < NONE as usize);
    let mut rows = [Row { begin: 0, end: 0, numbers: [NONE; 3] }; COUNT];
    let (mut at, mut line) = (0, 0);
    while line < COUNT {
        rows[line].begin = at as u16;
        while bytes[at] != b'\t' {
            at += 1;
        }
        rows[line].end = at as u16;
        let mut column = 0;
        while column < 3 {
            // Behind the tab.
            at += 1;
            if bytes[at] == b'-' {
                at += 1;
            } else {
                let mut number = 0;
                while bytes[at].is_ascii_digit() {
                    number = number * 10 + (bytes[at] - b'0') as u16;
                    at += 1;
                }
                rows[line].numbers[column] = number;
            }
            column += 1;
        }
        assert!(bytes[at] == b'\n', "a line of numbers.tsv has three numbers");
        at += 1;
        line += 1;
    }
    rows
}

impl Row {
    fn name(&self) -> &'static [u8] {
        &TABLE.as_bytes()[usize::from(self.begin)..usize::from(self.end)]
    }

    fn number(&self, column: usize) -> Option<u32> {
        Some(self.numbers[column]).filter(|number| *number != NONE).map(u32::from)
    }
}

/// Returns the number of a system call in a column: 0 is x86_64, 1 is i386, 2 is aarch64.
pub(super) fn of(name: &str, column: usize) -> Option<u32> {
    let at = ROWS.binary_search_by(|row| row.name().cmp(name.as_bytes())).ok()?;
    ROWS[at].number(column)
}

/// Returns all numbers of a column, in no order.
pub(super) fn all(column: usize) -> impl Iterator<Item = u32> {
    ROWS.iter().filter_map(move |row| row.number(column))
}
