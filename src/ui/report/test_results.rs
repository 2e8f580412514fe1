//! Formats test results: for readers, as TAP and as JUnit XML.

use std::time::Duration;

use crate::model::script::test_result::{Suite, TestOutcome, TestResult};

/// Formats a test for readers: outcome, names, time, and the report of a failure.
pub fn plain(case: &TestResult) -> String {
    let time = case.time.as_millis();
    match &case.outcome {
        TestOutcome::Passed => format!("ok    {} ({time} ms)\n", case.title()),
        TestOutcome::Skipped => format!("skip  {}\n", case.title()),
        TestOutcome::Failed { report, .. } => {
            format!("FAIL  {} ({time} ms)\n{}\n", case.title(), indent(report.trim_end()))
        }
    }
}

/// Formats the last line for readers.
pub fn summary(suites: &[Suite]) -> String {
    let total: usize = suites.iter().map(|suite| suite.results.len()).sum();
    let failed: usize = suites.iter().map(Suite::failures).sum();
    let skipped: usize = suites.iter().map(Suite::skipped).sum();
    let time: Duration = suites.iter().map(Suite::time).sum();
    let passed = total - failed - skipped;
    let tests = if total == 1 { "test" } else { "tests" };
    let scripts = if suites.len() == 1 { "script" } else { "scripts" };
    let mut text = format!("{total} {tests} in {} {scripts}: {passed} passed", suites.len());
    for (count, word) in [(failed, "failed"), (skipped, "skipped")] {
        if count > 0 {
            text.push_str(&format!(", {count} {word}"));
        }
    }
    format!("{text} ({:.1} s)\n", time.as_secs_f64())
}

/// The first line of TAP (testanything.org, version 14).
pub const TAP_VERSION: &str = "TAP version 14\n";

/// Formats a test as TAP; `number` counts from 1 over all suites.
pub fn tap(number: usize, case: &TestResult) -> String {
    let title = case.title().replace('\\', "\\\\").replace('#', "\\#").replace('\n', " ");
    let ms = case.time.as_secs_f64() * 1000.0;
    match &case.outcome {
        TestOutcome::Skipped => format!("ok {number} - {title} # SKIP\n"),
        TestOutcome::Passed => {
            format!("ok {number} - {title}\n  ---\n  duration_ms: {ms:.3}\n  ...\n")
        }
        TestOutcome::Failed { message, report } => format!(
            "not ok {number} - {title}\n  ---\n  duration_ms: {ms:.3}\n  message: {}\n  \
             report: |\n{}\n  ...\n",
            // A JSON string is a YAML string.
            serde_json::Value::from(message.as_str()),
            indent(report.trim_end()),
        ),
    }
}

/// Formats the plan of TAP, which is its last line here.
pub fn tap_plan(count: usize) -> String {
    format!("1..{count}\n")
}

/// Formats all tests as JUnit XML for CI services, with a `testsuite` for each script.
pub fn junit(suites: &[Suite]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for suite in suites {
        text.push_str(&format!(
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" time=\"{:.3}\">\n",
            xml(&suite.name),
            suite.results.len(),
            suite.failures(),
            suite.skipped(),
            suite.time().as_secs_f64(),
        ));
        for case in &suite.results {
            text.push_str(&junit_case(&suite.name, case));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

fn junit_case(script: &str, case: &TestResult) -> String {
    let group = if case.group().is_empty() { script.to_owned() } else { case.group().join(" ") };
    let head = format!(
        "    <testcase classname=\"{}\" name=\"{}\" time=\"{:.3}\"",
        xml(&group),
        xml(case.name()),
        case.time.as_secs_f64()
    );
    match &case.outcome {
        TestOutcome::Passed => format!("{head}/>\n"),
        TestOutcome::Skipped => format!("{head}><skipped/></testcase>\n"),
        TestOutcome::Failed { message, report } => format!(
            "{head}><failure message=\"{}\">{}</failure></testcase>\n",
            xml(message),
            xml(report.trim_end())
        ),
    }
}

fn indent(text: &str) -> String {
    text.lines().map(|line| format!("    {line}")).collect::<Vec<_>>().join("\n")
}

/// Escapes a text for XML 1.0, which cannot hold most control characters.
fn xml(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push_str("&#10;"),
            '\t' => out.push_str("&#9;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                out.extend(c.escape_default());
            }
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn suites() -> Vec<Suite> {
        let case = |names: &[&str], verdict| TestResult {
            path: names.iter().map(|name| (*name).to_owned()).collect(),
            time: Duration::from_micros(12_345),
            outcome: verdict,
        };
        let failed = TestOutcome::Failed {
            message: "expected 1, got \"2\"".to_owned(),
            report: "error: expected 1\n --> a.rhai:3:4\n".to_owned(),
        };
        vec![Suite {
            name: "a_test.rhai".to_owned(),
            results: vec![
                case(&["a container", "starts"], TestOutcome::Passed),
                case(&["a container", "adds 1 # <2>"], failed),
                case(&["waits"], TestOutcome::Skipped),
            ],
        }]
    }

    #[test]
    fn tests_are_told_to_people() {
        let suites = suites();
        let mut text: String = suites[0].results.iter().map(plain).collect();
        text.push_str(&summary(&suites));
        expect![[r#"
            ok    a container starts (12 ms)
            FAIL  a container adds 1 # <2> (12 ms)
                error: expected 1
                 --> a.rhai:3:4
            skip  waits
            3 tests in 1 script: 1 passed, 1 failed, 1 skipped (0.0 s)
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn tests_are_told_as_tap() {
        let suites = suites();
        let mut text = TAP_VERSION.to_owned();
        for (index, case) in suites[0].results.iter().enumerate() {
            text.push_str(&tap(index + 1, case));
        }
        text.push_str(&tap_plan(3));
        expect![[r#"
            TAP version 14
            ok 1 - a container starts
              ---
              duration_ms: 12.345
              ...
            not ok 2 - a container adds 1 \# <2>
              ---
              duration_ms: 12.345
              message: "expected 1, got \"2\""
              report: |
                error: expected 1
                 --> a.rhai:3:4
              ...
            ok 3 - waits # SKIP
            1..3
        "#]]
        .assert_eq(&text);
    }

    #[test]
    fn tests_are_told_as_junit() {
        expect![[r#"
            <?xml version="1.0" encoding="UTF-8"?>
            <testsuites>
              <testsuite name="a_test.rhai" tests="3" failures="1" errors="0" skipped="1" time="0.037">
                <testcase classname="a container" name="starts" time="0.012"/>
                <testcase classname="a container" name="adds 1 # &lt;2&gt;" time="0.012"><failure message="expected 1, got &quot;2&quot;">error: expected 1&#10; --&gt; a.rhai:3:4</failure></testcase>
                <testcase classname="a_test.rhai" name="waits" time="0.012"><skipped/></testcase>
              </testsuite>
            </testsuites>
        "#]]
        .assert_eq(&junit(&suites()));
    }
}
