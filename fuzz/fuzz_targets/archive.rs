#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lifebox::fuzzing::run("archive", data));
