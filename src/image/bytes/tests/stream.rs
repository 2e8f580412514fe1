//! Streams whose other end is silent, late or gone.

use std::sync::atomic::{AtomicU32, Ordering};

use rustix::fs::{CWD, FileType, Mode};

use super::*;

fn fifo(directory: &tempfile::TempDir) -> std::path::PathBuf {
    let path = directory.path().join("fifo");
    rustix::fs::mknodat(CWD, &path, FileType::Fifo, Mode::from_raw_mode(0o600), 0).unwrap();
    path
}

/// Cancels at the third call: the wait has begun.
fn third_time(calls: &AtomicU32) -> Result<()> {
    match calls.fetch_add(1, Ordering::Relaxed) {
        0..2 => Ok(()),
        _ => Err(Error::new(Kind::Cancelled, "interrupted")),
    }
}

#[test]
fn a_fifo_without_another_end_is_left_when_the_check_fails() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(&directory);
    let calls = AtomicU32::new(0);
    let error = read_text(&path, 1 << 20, &|| third_time(&calls)).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    let calls = AtomicU32::new(0);
    let error = OutputStream::open(&path, &|| third_time(&calls)).map(drop).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
}

#[test]
fn a_stalled_pipe_is_left_when_the_check_fails() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(&directory);
    // Both ends are open, and no process reads or writes.
    let _other = OpenOptions::new().read(true).write(true).open(&path).unwrap();
    let calls = AtomicU32::new(0);
    let error = read_text(&path, 1 << 20, &|| third_time(&calls)).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    let calls = AtomicU32::new(0);
    let check = || third_time(&calls);
    let mut full = OutputStream::open(&path, &check).unwrap();
    let error = full.write_all(&vec![0; 1 << 22]).unwrap_err();
    assert_eq!(Error::from_io("write", &error).kind(), Kind::Cancelled);
}

#[test]
fn what_a_writer_sends_later_is_read_to_its_end() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(&directory);
    let writer = std::thread::spawn({
        let path = path.clone();
        // Waits until the other end is open.
        move || std::fs::write(path, "one\ntwo\n").unwrap()
    });
    assert_eq!(read_text(&path, 1 << 20, &|| Ok(())).unwrap(), "one\ntwo\n");
    writer.join().unwrap();
}

#[test]
fn what_is_written_to_a_fifo_arrives_whole() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(&directory);
    let reader = std::thread::spawn({
        let path = path.clone();
        move || std::fs::read(path).unwrap().len()
    });
    let check = || Ok(());
    let mut out = OutputStream::open(&path, &check).unwrap();
    out.write_all(&vec![7; 1 << 20]).unwrap();
    drop(out);
    assert_eq!(reader.join().unwrap(), 1 << 20);
}

#[test]
fn only_a_regular_file_is_regular() {
    let directory = tempfile::tempdir().unwrap();
    let path = fifo(&directory);
    for (path, what) in [
        (path.as_path(), "a fifo"),
        (directory.path(), "a directory"),
        (Path::new("/dev/zero"), "a device"),
    ] {
        let error = open_regular(path).map(drop).unwrap_err();
        assert_eq!(error.kind(), Kind::Invalid);
        assert!(error.message().ends_with(what), "{error}");
    }
    let file = directory.path().join("file");
    std::fs::write(&file, "text").unwrap();
    assert_eq!(read_regular(&file, 4).unwrap(), "text");
    assert_eq!(read_regular(&file, 3).unwrap_err().kind(), Kind::Refused);
}

#[test]
fn one_line_is_read_and_nothing_after_it() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("file");
    std::fs::write(&file, "one\ntwo").unwrap();
    let check = || Ok(());
    let mut stream = InputStream::open(&file, &check).unwrap();
    assert_eq!(stream.line().unwrap(), "one\n");
    assert_eq!(stream.line().unwrap(), "two");
    assert_eq!(stream.line().unwrap(), "");
}
