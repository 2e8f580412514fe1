//! gzip, zstd, xz and bzip2, recognized by their first bytes.
//!
//! Media types and file names are ignored: archives and registries get them wrong, and the
//! digests of the content are checked in any case.

use std::io::{self, Read, Write};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use lzma_rust2::XzReader;

use super::limits::{Counted, guarded};
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

/// How a stream is compressed that is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coding {
    Gzip,
    Zstd,
    Xz,
    Bzip2,
}

impl Coding {
    /// Returns the compression of a stored layer. Those that no registry knows are only read.
    pub(crate) fn of_layers(self) -> Option<Compression> {
        match self {
            Coding::Gzip => Some(Compression::Gzip),
            Coding::Zstd => Some(Compression::Zstd),
            Coding::Xz | Coding::Bzip2 => None,
        }
    }

    /// Returns its name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Coding::Gzip => "gzip",
            Coding::Zstd => "zstd",
            Coding::Xz => "xz",
            Coding::Bzip2 => "bzip2",
        }
    }
}

/// How many bytes of a stream are read to recognize its compression.
const LONGEST_MAGIC: usize = 10;

/// The most memory for the window of xz, in KiB; its highest preset, `-9`, needs half of it.
const XZ_MEMORY: u32 = 130 << 10;

/// Uncompresses a stream, and returns its compression. Unsupported compressions are
/// refused by name: the tar reader would only say "not a tar archive".
pub(crate) fn decompress<'a>(
    mut stream: impl Read + Send + 'a,
) -> Result<(Box<dyn Read + Send + 'a>, Option<Coding>)> {
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
    let coding = recognise(&start[..length])?;
    let start: Vec<u8> = start[..length].to_vec();
    let whole = io::Cursor::new(start).chain(stream);
    let stream = match coding {
        None => Ok(Box::new(whole) as Box<dyn Read + Send + 'a>),
        // Several members in sequence are one stream, of each of these (RFC 1952, section 2.2).
        Some(Coding::Gzip) => boxed(whole, |whole| Ok(MultiGzDecoder::new(buffered(whole)))),
        Some(Coding::Zstd) => {
            boxed(whole, |whole| zstd::stream::read::Decoder::with_buffer(buffered(whole)))
        }
        Some(Coding::Xz) => boxed(whole, |whole| {
            Ok(WithinMemory(XzReader::new_mem_limit(buffered(whole), true, XZ_MEMORY)))
        }),
        Some(Coding::Bzip2) => boxed(whole, |whole| Ok(MultiBzDecoder::new(buffered(whole)))),
    };
    Ok((stream.map_err(|error| stream_error(&error))?, coding))
}

/// Returns a stream behind its decoder, within limits.
fn boxed<'a, C: Send + 'a, D: Read + Send + 'a>(
    whole: C,
    decoder: impl FnOnce(Counted<C>) -> io::Result<D>,
) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(Box::new(guarded(whole, decoder)?))
}

/// A decoder of xz, which says what it has too little memory for.
struct WithinMemory<R: Read>(XzReader<R>);

impl<R: Read> Read for WithinMemory<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).map_err(|error| match error.kind() {
            io::ErrorKind::OutOfMemory => io::Error::other(
                Error::new(Kind::Unsupported, "its xz window has more than 128 MiB")
                    .hint("compress it again with a smaller one, as xz -9 does"),
            ),
            _ => error,
        })
    }
}

/// Returns the compression of a stream that begins with `start`.
pub(crate) fn recognise(start: &[u8]) -> Result<Option<Coding>> {
    if start.starts_with(b"\x1f\x8b") {
        return Ok(Some(Coding::Gzip));
    }
    if start.starts_with(b"\xfd7zXZ\0") {
        return Ok(Some(Coding::Xz));
    }
    // The level, and the beginning of a block or of the end. A tar may begin with the letters.
    if let [b'B', b'Z', b'h', b'1'..=b'9', mark @ ..] = start
        && (mark.starts_with(b"1AY&SY") || mark.starts_with(b"\x17\x72\x45\x38\x50\x90"))
    {
        return Ok(Some(Coding::Bzip2));
    }
    // A skippable frame, such as zstd:chunked writes at its end, may also come first.
    let skippable = start.len() >= 4 && start[0] & 0xf0 == 0x50 && start[1..4] == *b"\x2a\x4d\x18";
    if start.starts_with(b"\x28\xb5\x2f\xfd") || skippable {
        return Ok(Some(Coding::Zstd));
    }
    if start.starts_with(b"\x04\x22\x4d\x18") {
        return Err(Error::new(Kind::Unsupported, "it is compressed with lz4")
            .hint("uncompress it first: gzip, zstd, xz and bzip2 are supported, lz4 is not"));
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(bytes: &[u8]) -> (Vec<u8>, Option<Coding>) {
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
        assert_eq!(read(&gzip), (content.clone(), Some(Coding::Gzip)));
        let zstd = zstd::encode_all(&content[..], 1).unwrap();
        assert_eq!(read(&zstd), (content.clone(), Some(Coding::Zstd)));
        assert_eq!(read(&[zstd.clone(), zstd].concat()).0, content.repeat(2));
        assert_eq!(read(&[gzip.clone(), gzip].concat()).0, content.repeat(2));
    }

    /// `xz -c` and `bzip2 -c` of "some text\n".
    const XZ: &[u8] = b"\
        \xfd7zXZ\x00\x00\x04\xe6\xd6\xb4F\x02\x00!\x01\x16\x00\x00\x00t/\xe5\xa3\x01\x00\x09some\
        \x20text\n\x00\x00\x00\x80AI\x0d\x11\xda\xfe\x1b\x00\x01\"\n\x15\x1a\xe1g\x1f\xb6\xf3}\
        \x01\x00\x00\x00\x00\x04YZ";
    const BZIP2: &[u8] = b"\
        BZh91AY&SY\x10ib\xf5\x00\x00\x03Q\x80\x00\x10@\x00\x02\x02\x8c@\x20\x00\"\x03\x1a\x840\"r\
        \xd7\x18\x1e.\xe4\x8ap\xa1\x20\x20\xd2\xc5\xea";

    #[test]
    fn xz_and_bzip2_are_read() {
        let text = b"some text\n";
        for (packed, coding) in [(XZ, Coding::Xz), (BZIP2, Coding::Bzip2)] {
            assert_eq!(read(packed), (text.to_vec(), Some(coding)));
            assert_eq!(read(&[packed, packed].concat()).0, text.repeat(2), "{coding:?}");
            assert_eq!(coding.of_layers(), None);
            for cut in 11..packed.len() {
                let mut stream = decompress(&packed[..cut]).unwrap().0;
                assert!(stream.read_to_end(&mut Vec::new()).is_err(), "{coding:?} until {cut}");
            }
        }
    }

    #[test]
    fn a_window_of_xz_that_takes_much_memory_is_refused() {
        // The window is the byte after the id and the length of the filter: here 3 GiB. Its header
        // ends with a checksum.
        let mut huge = XZ.to_vec();
        assert_eq!(huge[12 + 2..12 + 4], [0x21, 1]);
        huge[12 + 4] = 39;
        let checksum = crc32(&huge[12..20]).to_le_bytes();
        huge[20..24].copy_from_slice(&checksum);
        let mut stream = decompress(&huge[..]).unwrap().0;
        let error = stream_error(&stream.read_to_end(&mut Vec::new()).unwrap_err());
        assert_eq!(error.kind(), Kind::Unsupported);
        assert!(error.to_string().contains("128 MiB"), "{error}");
    }

    /// CRC-32, bit by bit.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
                (crc >> 1) ^ (0xedb8_8320 & 0u32.wrapping_sub(crc & 1))
            })
        })
    }

    #[test]
    fn a_tar_may_begin_with_the_letters_of_bzip2() {
        assert_eq!(recognise(b"BZh9.txt\0\0").unwrap(), None);
        assert_eq!(recognise(b"BZh").unwrap(), None);
    }

    #[test]
    fn other_compressions_are_named() {
        let error = decompress(&b"\x04\x22\x4d\x18\0\0"[..]).err().unwrap();
        assert!(error.to_string().contains("lz4"), "{error}");
        assert_eq!(error.kind(), Kind::Unsupported);
    }
}
