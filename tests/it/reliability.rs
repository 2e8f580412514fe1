//! RELIABILITY.md is true as far as a test can tell.

use std::path::Path;

/// The text of all Rust files below a folder.
fn code(folder: &Path) -> String {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let texts = entries.map(|path| match path.is_dir() {
        true => code(&path),
        false => std::fs::read_to_string(&path)
            .ok()
            .filter(|_| path.extension().is_some_and(|ending| ending == "rs"))
            .unwrap_or_default(),
    });
    texts.collect()
}

#[test]
fn every_test_that_the_report_of_faults_quotes_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let report = std::fs::read_to_string(root.join("RELIABILITY.md")).unwrap();
    let code = ["src", "tests"].map(|folder| code(&root.join(folder))).concat();
    let quoted = report.split('`').skip(1).step_by(2).filter(|word| {
        word.contains('_')
            && word.chars().all(|c| c.is_ascii_lowercase() || c == '_' || c.is_ascii_digit())
    });
    let quoted: Vec<&str> = quoted.collect();
    assert!(quoted.len() > 40, "{quoted:?}");
    for name in quoted {
        assert!(code.contains(&format!("fn {name}()")), "RELIABILITY.md quotes {name}");
    }
}
