//! Scripts that reach their time limit.

use std::time::{Duration, Instant};

use super::super::{Limits, Outcome, Source, run};
use super::host;

/// Runs a script with a time limit of 100 ms, and its cleanups with this limit.
fn run_for_a_moment(text: &str, cleanup: Duration) -> (Outcome, String) {
    let (mut host, output) = host();
    let time = Some(Duration::from_millis(100));
    host.limits = Limits { time, cleanup: Some(cleanup), ..Limits::default() };
    let outcome = run(host, Source::Text { name: "main.rhai".to_owned(), text: text.to_owned() });
    (outcome, output.text())
}

#[test]
fn cleanups_run_when_the_time_is_over_also_beside_each_other() {
    let text = "defer(|| { sleep(0.2); print(\"second\"); });
        scope(|| { defer(|| parallel([|| print(\"first\")])); loop { } });";
    let (outcome, printed) = run_for_a_moment(text, Duration::from_secs(60));
    assert_eq!((outcome.exit_code, printed.as_str()), (124, "first\nsecond\n"));
    let report = outcome.report.unwrap();
    assert_eq!(report.lines().next(), Some("error: time limit reached (100ms)"));
}

#[test]
fn cleanups_end_when_their_time_is_over_too() {
    for text in [
        "defer(|| sleep(1000)); loop { }",
        "defer(|| loop { }); sleep(1000);",
        "scope(|| { defer(|| sleep(1000)); loop { } });",
        "defer(|| sleep(1000)); scope(|| { defer(|| loop { }); sleep(1000) });",
        "defer(|| { try { sleep(1000) } catch { } loop { } }); loop { }",
        "parallel([|| scope(|| { defer(|| sleep(1000)); loop { } })]);",
        "defer(|| parallel([|| sleep(1000), || loop { }])); loop { }",
        "scope(|| { defer(|| wait(run(\"host\", \"sleep 1000\"))); sleep(1000) });",
    ] {
        let begun = Instant::now();
        let (outcome, _) = run_for_a_moment(text, Duration::from_millis(100));
        assert_eq!(outcome.exit_code, 124, "{text}");
        let report = outcome.report.unwrap();
        let first = report.lines().next();
        let said = "error: time limit reached (100ms), also by the cleanup";
        assert_eq!(first, Some(said), "{text}");
        assert!(begun.elapsed() < Duration::from_secs(20), "{text}");
    }
}
