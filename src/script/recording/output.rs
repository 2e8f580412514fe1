//! Keeps the beginning and the end of a script's output.

use std::collections::VecDeque;

use crate::model::observe::log::Stream;
use crate::model::script::recording::OutputChunk;

/// The number of bytes that are kept of the beginning, and of the end.
const KEPT: usize = 64 * 1024;

/// The size at which a chunk is full, so that dropping its first bytes stays cheap.
const PIECE: usize = 4096;

/// The first and the last bytes of the output.
#[derive(Debug, Default)]
pub struct OutputBuffer {
    first: Vec<(Stream, Vec<u8>)>,
    first_size: usize,
    last: VecDeque<(Stream, Vec<u8>)>,
    last_size: usize,
    left_out: u64,
}

impl OutputBuffer {
    pub(super) fn add(&mut self, stream: Stream, mut bytes: &[u8]) {
        let room = KEPT - self.first_size;
        if room > 0 && self.last.is_empty() {
            let (fits, rest) = bytes.split_at(room.min(bytes.len()));
            self.first_size += fits.len();
            let piece = append(self.first.last_mut(), stream, fits);
            self.first.extend(piece);
            bytes = rest;
        }
        if bytes.is_empty() {
            return;
        }
        self.last_size += bytes.len();
        let piece = append(self.last.back_mut().filter(|last| last.1.len() < PIECE), stream, bytes);
        self.last.extend(piece);
        while self.last_size > KEPT {
            let Some((_, oldest)) = self.last.front_mut() else { return };
            let over = (self.last_size - KEPT).min(oldest.len());
            oldest.drain(..over);
            let is_empty = oldest.is_empty();
            self.last_size -= over;
            self.left_out += over as u64;
            if is_empty {
                self.last.pop_front();
            }
        }
    }

    /// Returns the chunks, and how many bytes are missing after the first [`KEPT`].
    pub fn take(&mut self) -> (Vec<OutputChunk>, u64) {
        let kept = std::mem::take(self);
        let mut pieces: Vec<OutputChunk> = Vec::new();
        let gap = (kept.left_out > 0).then(|| (Stream::Stderr, GAP.as_bytes().to_vec()));
        for (stream, bytes) in kept.first.into_iter().chain(gap).chain(kept.last) {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            match pieces.last_mut().filter(|last| last.stream == stream) {
                Some(last) => last.text.push_str(&text),
                None => pieces.push(OutputChunk { stream, text }),
            }
        }
        (pieces, kept.left_out)
    }
}

/// The mark in the place of missing output.
const GAP: &str = "\n[...]\n";

/// Adds bytes to a chunk of the same stream, or returns a new chunk.
fn append(
    piece: Option<&mut (Stream, Vec<u8>)>,
    stream: Stream,
    bytes: &[u8],
) -> Option<(Stream, Vec<u8>)> {
    match piece.filter(|piece| piece.0 == stream) {
        Some(piece) => {
            piece.1.extend_from_slice(bytes);
            None
        }
        None => Some((stream, bytes.to_vec())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_and_the_end_of_a_long_output_are_kept() {
        let mut kept = OutputBuffer::default();
        kept.add(Stream::Stdout, b"first\n");
        for _ in 0..100_000 {
            kept.add(Stream::Stdout, b"0123456789\n");
        }
        kept.add(Stream::Stderr, b"last\n");
        let (pieces, left_out) = kept.take();
        let text: String = pieces.iter().map(|piece| piece.text.as_str()).collect();
        assert!(text.starts_with("first\n0123") && text.ends_with("9\nlast\n"), "{text}");
        assert_eq!(text.len(), 2 * KEPT + GAP.len());
        assert_eq!(left_out, 6 + 1_100_000 + 5 - 2 * KEPT as u64);
        assert_eq!(pieces.iter().filter(|piece| piece.text.contains("[...]")).count(), 1);
    }

    #[test]
    fn streams_stay_apart_and_in_order() {
        let mut kept = OutputBuffer::default();
        for (stream, text) in [(Stream::Stdout, "a"), (Stream::Stdout, "b"), (Stream::Stderr, "c")]
        {
            kept.add(stream, text.as_bytes());
        }
        let (pieces, left_out) = kept.take();
        assert_eq!(left_out, 0);
        assert_eq!(pieces[0], OutputChunk { stream: Stream::Stdout, text: "ab".to_owned() });
        assert_eq!(pieces[1], OutputChunk { stream: Stream::Stderr, text: "c".to_owned() });
    }
}
