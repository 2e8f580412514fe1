//! The journal under many writers, full files and damage.

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn event(name: &str) -> Event {
    Event::of_image(EventAction::Tag, "id", name, &BTreeMap::new())
}

fn journal(root: &tempfile::TempDir, longest: u64) -> Journal {
    Journal { max_file_size: longest, ..Journal::at(root.path()) }
}

fn names(reader: &mut EventReader, count: usize) -> Vec<String> {
    let cancel = CancelToken::new().unwrap();
    let mut next = || reader.next_event(Some(Duration::from_secs(20)), &cancel).unwrap();
    (0..count).map_while(|_| Some(next()?.name().to_owned())).collect()
}

fn following() -> EventOptions {
    EventOptions { follow: true, ..EventOptions::default() }
}

#[test]
fn a_follower_loses_and_doubles_nothing_while_many_write_and_files_change() {
    let root = tempfile::tempdir().unwrap();
    let journal = journal(&root, 20_000);
    journal.write(event("before"));
    let mut reader = journal.read(&following()).unwrap();
    // It does not read until all is written, but for the files that are kept: they hold it all.
    let write = |writer: usize| {
        for n in 0..100 {
            journal.write(event(&format!("{writer}-{n}")));
        }
    };
    std::thread::scope(|scope| {
        for writer in 0..4 {
            scope.spawn(move || write(writer));
        }
    });
    let seen = names(&mut reader, 400);
    for writer in 0..4 {
        let attributes: Vec<_> =
            seen.iter().filter(|name| name.starts_with(&format!("{writer}-"))).collect();
        let expected: Vec<_> = (0..100).map(|n| format!("{writer}-{n}")).collect();
        assert_eq!(attributes, expected.iter().collect::<Vec<_>>());
    }
    assert!(!rotation::numbers(&journal.path).is_empty(), "no file became full");
    let mut past = journal.read(&EventOptions::default()).unwrap();
    assert_eq!(names(&mut past, 1000).len(), 401);
}

#[test]
fn times_stand_in_order_whoever_writes() {
    let root = tempfile::tempdir().unwrap();
    let journal = journal(&root, MAX_FILE_SIZE);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| (0..50).for_each(|n| journal.write(event(&n.to_string()))));
        }
    });
    let mut reader = journal.read(&EventOptions::default()).unwrap();
    let cancel = CancelToken::new().unwrap();
    let mut times = Vec::new();
    while let Some(event) = reader.next_event(None, &cancel).unwrap() {
        times.push(event.time);
    }
    assert_eq!(times.len(), 200);
    assert!(times.is_sorted());
}

#[test]
fn the_files_never_grow_beyond_their_number() {
    let root = tempfile::tempdir().unwrap();
    let journal = journal(&root, 1000);
    (0..200).for_each(|n| journal.write(event(&n.to_string())));
    let files: Vec<_> = std::fs::read_dir(root.path()).unwrap().map(|file| file.unwrap()).collect();
    assert_eq!(files.len(), 3);
    for file in files {
        let metadata = file.metadata().unwrap();
        assert!(metadata.len() < 1200);
        assert_eq!(metadata.permissions().mode() & 0o777, 0o600, "others can read");
    }
    let mut reader = journal.read(&EventOptions::default()).unwrap();
    assert_eq!(names(&mut reader, 1000).last().unwrap(), "199");
}

#[test]
fn a_damaged_line_spoils_no_other() {
    let root = tempfile::tempdir().unwrap();
    let journal = journal(&root, MAX_FILE_SIZE);
    journal.write(event("one"));
    let mut file = rotation::open(&journal.path).unwrap();
    file.write_all(b"\xff\0{}\n{\"time\":7}\n{\"time\":\"2026-01-02T15:04:05Z\",\"ty").unwrap();
    journal.write(event("two"));
    let mut reader = journal.read(&EventOptions::default()).unwrap();
    assert_eq!(names(&mut reader, 10), ["one", "two"]);
}

#[test]
fn nobody_waits_long_for_one_who_sits_on_the_lock() {
    let root = tempfile::tempdir().unwrap();
    let journal = journal(&root, MAX_FILE_SIZE);
    journal.write(event("one"));
    let file = rotation::open(&journal.path).unwrap();
    file.lock().unwrap();
    let begun = Instant::now();
    journal.write(event("two"));
    assert!(begun.elapsed() < Duration::from_secs(5));
    let mut reader = journal.read(&EventOptions::default()).unwrap();
    assert_eq!(names(&mut reader, 10), ["one", "two"]);
}

#[test]
fn a_follower_ends_at_its_time_and_by_cancel() {
    let root = tempfile::tempdir().unwrap();
    let journal = journal(&root, MAX_FILE_SIZE);
    journal.write(event("one"));
    let soon = Timestamp::now() + jiff::SignedDuration::from_millis(50);
    let options = EventOptions { until: Some(soon), ..following() };
    let mut reader = journal.read(&options).unwrap();
    assert_eq!(names(&mut reader, 10), ["one"]);
    let cancel = CancelToken::new().unwrap();
    cancel.cancel();
    let mut reader = journal.read(&following()).unwrap();
    let error = reader.next_event(None, &cancel).unwrap_err();
    assert_eq!(error.kind(), Kind::Cancelled);
    let error = reader.next_event(Some(Duration::ZERO), &CancelToken::new().unwrap()).unwrap_err();
    assert_eq!(error.kind(), Kind::Timeout);
}

#[test]
fn a_reader_is_cancelled_before_the_next_event_and_loses_none() {
    let root = tempfile::tempdir().unwrap();
    let journal = journal(&root, MAX_FILE_SIZE);
    (0..3).for_each(|n| journal.write(event(&n.to_string())));
    let mut reader = journal.read(&EventOptions::default()).unwrap();
    let cancel = CancelToken::new().unwrap();
    assert_eq!(reader.next_event(None, &cancel).unwrap().unwrap().name(), "0");
    cancel.cancel();
    assert_eq!(reader.next_event(None, &cancel).unwrap_err().kind(), Kind::Cancelled);
    assert_eq!(names(&mut reader, 2), ["1", "2"]);
}
