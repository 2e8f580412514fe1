//! gzip and zstd, recognized by their first bytes.
//!
//! Media types and file names are ignored: archives and registries get them wrong, and the
//! digests of the content are checked in any case.

use std::io::{self, Read, Write};

use flate2::read::MultiGzDecoder;

use super::limits::guarded;
use crate::image::tar::error::stream_error;
pub(crate) use crate::model::image::Compression;
use crate::model::{Error, Kind, Result};

const BUFFER: usize = 64 * 1024;

fn buffered<R: Read>(stream: R) -> io::BufReader<R> {
    io::BufReader::with_capacity(BUFFER, stream)
}

/// A writer with or without compression.
pub(crate) enum Compressor<W: Write> {
    Plain(W),
    Gzip(flate2::write::GzEncoder<W>),
    Zstd(zstd::stream::write::Encoder<'static, W>),
}

/// Compresses what is written to `out`. Equal content gives equal bytes: no name and no
/// time is written.
pub(crate) fn compress<W: Write>(
    out: W,
    compression: Option<Compression>,
) -> Result<Compressor<W>> {
    Ok(match compression {
        None => Compressor::Plain(out),
        Some(Compression::Gzip) => {
            let level = flate2::Compression::default();
            Compressor::Gzip(flate2::write::GzEncoder::new(out, level))
        }
        Some(Compression::Zstd) => {
            let encoder = zstd::stream::write::Encoder::new(out, zstd::DEFAULT_COMPRESSION_LEVEL);
            Compressor::Zstd(encoder.map_err(|error| Error::from_io("start zstd", &error))?)
        }
    })
}

impl<W: Write> Compressor<W> {
    /// Writes the buffered bytes, and the end of the compression.
    pub(crate) fn finish(self) -> Result<()> {
        let mut out = match self {
            Compressor::Plain(out) => Ok(out),
            Compressor::Gzip(encoder) => encoder.finish(),
            Compressor::Zstd(encoder) => encoder.finish(),
        }
        .map_err(|error| Error::from_io("write the end of the compression", &error))?;
        out.flush().map_err(|error| Error::from_io("write", &error))
    }
}

impl<W: Write> Write for Compressor<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Compressor::Plain(out) => out.write(bytes),
            Compressor::Gzip(encoder) => encoder.write(bytes),
            Compressor::Zstd(encoder) => encoder.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Compressor::Plain(out) => out.flush(),
            Compressor::Gzip(encoder) => encoder.flush(),
            Compressor::Zstd(encoder) => encoder.flush(),
        }
    }
}

/// How many bytes of a stream are read to recognize its compression.
const LONGEST_MAGIC: usize = 6;

/// Uncompresses a stream, and returns its compression. Unsupported compressions are
/// refused by name: the tar reader would only say "not a tar archive".
pub(crate) fn decompress<'a>(
    mut stream: impl Read + Send + 'a,
) -> Result<(Box<dyn Read + Send + 'a>, Option<Compression>)> {
    let mut start = [0; LONGEST_MAGIC];
    let mut length = 0;
    while length < LONGEST_MAGIC {
        match stream.read(&mut start[length..]) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(stream_error(&error)),
        }
    }
    let compression = recognise(&start[..length])?;
    let start: Vec<u8> = start[..length].to_vec();
    let whole = io::Cursor::new(start).chain(stream);
    let stream: Box<dyn Read + Send + 'a> = match compression {
        None => Box::new(whole),
        // Several members in sequence are one stream (RFC 1952, section 2.2).
        Some(Compression::Gzip) => Box::new(
            guarded(whole, |whole| Ok(MultiGzDecoder::new(buffered(whole))))
                .map_err(|error: io::Error| stream_error(&error))?,
        ),
        Some(Compression::Zstd) => {
            let decoder = |whole| zstd::stream::read::Decoder::with_buffer(buffered(whole));
            Box::new(guarded(whole, decoder).map_err(|error| stream_error(&error))?)
        }
    };
    Ok((stream, compression))
}

/// Returns the compression of a stream that begins with `start`.
pub(crate) fn recognise(start: &[u8]) -> Result<Option<Compression>> {
    const OTHERS: [(&[u8], &str); 3] =
        [(b"\xfd7zXZ", "xz"), (b"BZh", "bzip2"), (b"\x04\x22\x4d\x18", "lz4")];
    if start.starts_with(b"\x1f\x8b") {
        return Ok(Some(Compression::Gzip));
    }
    // A skippable frame, such as zstd:chunked writes at its end, may also come first.
    let skippable = start.len() >= 4 && start[0] & 0xf0 == 0x50 && start[1..4] == *b"\x2a\x4d\x18";
    if start.starts_with(b"\x28\xb5\x2f\xfd") || skippable {
        return Ok(Some(Compression::Zstd));
    }
    match OTHERS.into_iter().find(|(magic, _)| start.starts_with(magic)) {
        None => Ok(None),
        Some((_, name)) => {
            Err(Error::new(Kind::Unsupported, format!("it is compressed with {name}"))
                .hint(format!("uncompress it first: gzip and zstd are supported, {name} is not")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<u8>, Option<Compression>) {
        let (mut stream, compression) = decompress(bytes).unwrap();
        let mut content = Vec::new();
        stream.read_to_end(&mut content).unwrap();
        (content, compression)
    }

    #[test]
    fn each_compression_is_told_by_its_first_bytes() {
        let content = b"some text, and the same text, and the same text".repeat(100);
        assert_eq!(read(&content), (content.clone(), None));
        assert_eq!(read(b"ab"), (b"ab".to_vec(), None));
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(&content).unwrap();
        let gzip = gzip.finish().unwrap();
        assert_eq!(read(&gzip), (content.clone(), Some(Compression::Gzip)));
        let zstd = zstd::encode_all(&content[..], 1).unwrap();
        assert_eq!(read(&zstd), (content.clone(), Some(Compression::Zstd)));
        assert_eq!(read(&[zstd.clone(), zstd].concat()).0, content.repeat(2));
        assert_eq!(read(&[gzip.clone(), gzip].concat()).0, content.repeat(2));
    }

    #[test]
    fn other_compressions_are_named() {
        let error = decompress(&b"\xfd7zXZ\0\0"[..]).err().unwrap();
        assert!(error.to_string().contains("xz"), "{error}");
        assert_eq!(error.kind(), Kind::Unsupported);
    }
}
