//! The files of a log, oldest first: `log.jsonl.7`, `log.jsonl.8`, `log.jsonl`.
//!
//! The last file is written. When it is full it is renamed to the next number and a new one is
//! created, so that a reader can always find the file that follows its open one.

use std::fs::{self, File, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::sys::record_file;

/// Returns the numbers of the full files, ascending.
pub(crate) fn numbers(path: &Path) -> Vec<u64> {
    let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let entries = fs::read_dir(directory.unwrap_or_else(|| ".".as_ref()));
    let prefix = format!("{}.", path.file_name().unwrap_or_default().to_string_lossy());
    let number = |name: String| name.strip_prefix(&prefix)?.parse::<u64>().ok();
    let names = entries.into_iter().flatten().flatten().map(|entry| entry.file_name());
    let mut all: Vec<_> =
        names.filter_map(|name| number(name.to_string_lossy().into_owned())).collect();
    all.sort_unstable();
    all
}

/// Returns the path of a full file.
pub(crate) fn numbered(path: &Path, number: u64) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    name.into()
}

/// Opens the present file for appending and reading; creates it if it is missing.
pub(crate) fn open(path: &Path) -> std::io::Result<File> {
    let mut options = OpenOptions::new();
    record_file::open(path, options.read(true).append(true).create(true).mode(0o600))
}

/// Renames the present file to its number, creates a new one and removes the oldest, so that `kept`
/// are left. On failure nothing changes.
pub(crate) fn rotate(path: &Path, kept: u32) -> std::io::Result<File> {
    let mut numbers = numbers(path);
    let next = numbers.last().map_or(1, |last| last + 1);
    let full = numbered(path, next);
    fs::rename(path, &full)?;
    let file = open(path).inspect_err(|_| {
        let _ = fs::rename(&full, path);
    })?;
    numbers.push(next);
    let kept = usize::try_from(kept).unwrap_or(usize::MAX).saturating_sub(1);
    for number in &numbers[..numbers.len().saturating_sub(kept)] {
        let _ = fs::remove_file(numbered(path, *number));
    }
    Ok(file)
}

/// Returns whether this open file is the one at `path`.
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    let place = |metadata: &fs::Metadata| (metadata.dev(), metadata.ino());
    matches!((file.metadata(), fs::metadata(path)), (Ok(a), Ok(b)) if place(&a) == place(&b))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::super::reader::Reader;
    use crate::model::container::logging::LogConfig;
    use crate::model::observe::log::{LogOptions, Stream};
    use crate::runtime::cancel::CancelToken;
    use crate::runtime::log::writer::Writer;

    fn lines(reader: &mut Reader) -> Vec<String> {
        let cancel = CancelToken::new().unwrap();
        let mut lines = Vec::new();
        // One who follows hears of the end of what is there by the time.
        while let Ok(Some(line)) = reader.next_line(Some(Duration::ZERO), &cancel) {
            lines.push(String::from_utf8(line.bytes).unwrap().trim_end().to_owned());
        }
        lines
    }

    #[test]
    fn a_reader_loses_and_doubles_nothing_while_files_change() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let limits = LogConfig { max_size: Some(2000), max_file: 100 };
        let mut writer = Writer::open(&path, limits).unwrap();
        let mut reader = None;
        let mut seen = Vec::new();
        for n in 0..1000 {
            writer.write(Stream::Stdout, format!("line {n}\n").as_bytes());
            let all = LogOptions { follow: true, across_restarts: true, ..LogOptions::default() };
            let reader = reader.get_or_insert_with(|| Reader::open(&path, &all, None).unwrap());
            if n % 97 == 0 {
                seen.extend(lines(reader));
            }
        }
        seen.extend(lines(&mut reader.unwrap()));
        let expected: Vec<_> = (0..1000).map(|n| format!("line {n}")).collect();
        assert_eq!(seen, expected);
        for tail in [0, 1, 30, 500, 5000] {
            let options = LogOptions { tail: Some(tail), ..LogOptions::default() };
            let last = lines(&mut Reader::open(&path, &options, None).unwrap());
            let first = 1000 - usize::try_from(tail).unwrap().min(1000);
            assert_eq!(last, expected[first..], "{tail}");
        }
    }

    #[test]
    fn no_more_is_kept_than_the_limits_say() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let limits = LogConfig { max_size: Some(2000), max_file: 3 };
        let mut writer = Writer::open(&path, limits).unwrap();
        for n in 0..1000 {
            writer.write(Stream::Stdout, format!("line {n}\n").as_bytes());
        }
        let sizes = std::fs::read_dir(directory.path()).unwrap();
        let sizes: Vec<_> = sizes.map(|entry| entry.unwrap().metadata().unwrap().len()).collect();
        assert_eq!(sizes.len(), 3);
        assert!(sizes.iter().all(|size| *size <= 2000), "{sizes:?}");
        let kept = lines(&mut Reader::open(&path, &LogOptions::default(), None).unwrap());
        assert_eq!(kept.last().unwrap(), "line 999");
    }

    #[test]
    fn long_lines_come_whole_up_to_a_mebibyte() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log.jsonl");
        let mut writer = Writer::open(&path, LogConfig::default()).unwrap();
        let (long, too_long) = (vec![b'x'; 100_000], vec![b'y'; 3 << 20]);
        writer.write(Stream::Stdout, &long);
        writer.write(Stream::Stderr, b"between\n");
        writer.write(Stream::Stdout, b"\n");
        writer.write(Stream::Stdout, &too_long);
        writer.write(Stream::Stdout, b"\nlast\n");
        let read = |tail| {
            let options = LogOptions { tail, ..LogOptions::default() };
            lines(&mut Reader::open(&path, &options, None).unwrap())
        };
        let lengths: Vec<_> = read(None).iter().map(String::len).collect();
        assert_eq!(lengths, [7, 100_000, 1 << 20, 1 << 20, 1 << 20, 0, 4]);
        assert_eq!(read(Some(1)), ["last"]);
        assert_eq!(read(Some(4)).last().unwrap(), "last");
    }
}
