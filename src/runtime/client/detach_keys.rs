//! The keys that detach from a container, found in what is typed.

/// A search for the detach keys in input.
#[derive(Debug)]
pub(super) struct Keys {
    sequence: Vec<u8>,
    /// The number of them that were typed last.
    seen: usize,
}

impl Keys {
    pub(super) fn new(sequence: Vec<u8>) -> Self {
        Keys { sequence, seen: 0 }
    }

    /// Returns the part of `typed` to pass on, and whether the keys are complete. A possible
    /// beginning of the keys is held back.
    pub(super) fn pass(&mut self, typed: &[u8]) -> (Vec<u8>, bool) {
        let mut passed = Vec::with_capacity(typed.len());
        for byte in typed {
            if self.sequence.get(self.seen) != Some(byte) {
                passed.extend_from_slice(&self.sequence[..self.seen]);
                self.seen = 0;
            }
            if self.sequence.get(self.seen) == Some(byte) {
                self.seen += 1;
                if self.seen == self.sequence.len() {
                    return (passed, true);
                }
            } else {
                passed.push(*byte);
            }
        }
        (passed, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_detach_keys_are_found_wherever_they_are_cut() {
        let mut keys = Keys::new(vec![16, 17]);
        let mut check = |typed: &[u8], passed: &[u8], detached: bool| {
            assert_eq!(keys.pass(typed), (passed.to_vec(), detached), "{typed:?}");
        };
        check(b"ls\r", b"ls\r", false);
        check(b"a\x10", b"a", false);
        check(b"b", b"\x10b", false);
        check(b"\x10\x10", b"\x10", false);
        check(b"\x11", b"", true);
        assert_eq!(Keys::new(vec![16, 17]).pass(b"ls\n\x10\x11x"), (b"ls\n".to_vec(), true));
        assert_eq!(Keys::new(Vec::new()).pass(b"\x10\x11"), (b"\x10\x11".to_vec(), false));
    }
}
