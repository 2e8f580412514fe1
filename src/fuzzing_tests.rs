//! A moment of each entry with generated input. `LIFEBOX_FUZZ_SECONDS` makes it longer.

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use super::*;

/// Good input, of which parts are cut, repeated and changed.
fn seeds(entry: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds").join(entry);
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut seeds: Vec<_> = files.filter_map(|file| std::fs::read(file.path()).ok()).collect();
    seeds.sort();
    seeds
}

fn input(seeds: Vec<Vec<u8>>) -> BoxedStrategy<Vec<u8>> {
    let noise = proptest::collection::vec(any::<u8>(), 0..300);
    let text = "[\\x00-\\x7f\u{e9}\u{202e}]{0,200}".prop_map(String::into_bytes);
    if seeds.is_empty() {
        return prop_oneof![noise, text].boxed();
    }
    let words: Vec<Vec<u8>> = seeds
        .iter()
        .flat_map(|seed| seed.split_inclusive(|byte| !byte.is_ascii_alphanumeric()))
        .map(<[u8]>::to_vec)
        .collect();
    let edit = (any::<prop::sample::Index>(), any::<prop::sample::Index>(), any::<u8>(), 0..5u8);
    let edited = (prop::sample::select(seeds), proptest::collection::vec(edit, 0..6)).prop_map(
        |(mut bytes, edits)| {
            for (from, to, byte, kind) in edits {
                if bytes.is_empty() {
                    break;
                }
                let (from, to) = (from.index(bytes.len()), to.index(bytes.len()));
                match kind {
                    0 => bytes[from] = byte,
                    1 => bytes.insert(from, byte),
                    2 => drop(bytes.drain(from.min(to)..from.max(to))),
                    3 => bytes.truncate(from.max(1)),
                    _ => {
                        let part = bytes[from.min(to)..from.max(to)].to_vec();
                        bytes.splice(to..to, part);
                    }
                }
            }
            bytes
        },
    );
    let mixed = proptest::collection::vec(prop::sample::select(words), 0..40);
    let mixed = mixed.prop_map(|words| words.concat());
    prop_oneof![4 => edited, 2 => mixed, 1 => noise, 1 => text].boxed()
}

/// Runs an entry for its time, and shrinks what breaks a promise.
fn feed(entry: &str) {
    let seconds = std::env::var("LIFEBOX_FUZZ_SECONDS").ok().and_then(|text| text.parse().ok());
    let end = Instant::now() + Duration::from_secs(seconds.unwrap_or(1));
    let seeds = seeds(entry);
    seeds.iter().for_each(|seed| run(entry, seed));
    // Each run of the tests sees the same; a longer one sees more.
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let config = Config { cases: 16, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, rng);
    let input = input(seeds);
    while Instant::now() < end {
        let result = runner.run(&input, |data| {
            run(entry, &data);
            Ok(())
        });
        if let Err(error) = result {
            panic!("{entry}: {error}");
        }
    }
}

macro_rules! fed {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                feed(stringify!($name));
            }
        )*

        #[test]
        fn each_entry_is_fed_and_has_a_target() {
            let names: Vec<&str> = ENTRIES.iter().map(|(name, _)| *name).collect();
            assert_eq!(names, [$(stringify!($name)),*]);
            let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/Cargo.toml");
            let manifest = std::fs::read_to_string(manifest).unwrap();
            for name in names {
                assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
            }
        }
    };
}

fed! {
    archive, compose, docker_command, dockerfile, dockerignore, frames, image_json, log, records,
    reference, script, tar, tar_members, template, words,
}
