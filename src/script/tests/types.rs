//! Every function of the reference, called with each kind of value at each place: it does its
//! work or fails as a user can understand, and never as a bug.

use std::time::Duration;

use super::super::docs::{Function, Role, modules, ours};
use super::super::{Host, Limits, Outcome, Source, run};
use super::host;

/// A value of each kind that a script can have.
const VALUES: &[&str] = &[
    "()",
    "true",
    "-1",
    "0.5",
    "\"\"",
    "\"nobody\"",
    "'x'",
    "[]",
    "[1, \"a\"]",
    "#{}",
    "#{ nosuch: 1 }",
    "|| 1",
    "|a, b| a",
    "image(\"host\")",
    "create(\"host\")",
    "1..3",
    "blob(2)",
    "timestamp()",
];

/// What must not be seen by users: names of Rust.
const INNER: &[&str] = &["lifebox::", "rhai::", "alloc::", "core::", "Dynamic", "panicked"];

/// A value that is right for a parameter of this name.
fn right(param: &str) -> &'static str {
    let name = param.split(':').next().unwrap_or_default();
    match name {
        "container" | "c" => "create(\"host\")",
        "containers" | "list" | "rows" => "[create(\"host\")]",
        "image" | "reference" => "\"host\"",
        "options" | "given" | "defaults" | "services" | "map" => "#{}",
        "time" | "timeout" | "seconds" => "0.01",
        "cmd" => "\"true\"",
        "condition" => "\"created\"",
        "function" | "each" | "test" | "tests" => "|| 1",
        "functions" | "values" => "[]",
        "port" | "limit" | "times" | "count" | "number" => "1",
        _ => "\"web\"",
    }
}

/// A call of the function with `value` at `place`, and with right values elsewhere.
fn call(function: &Function, prefix: &str, place: usize, value: &str) -> String {
    let arguments: Vec<&str> = function
        .params
        .iter()
        .enumerate()
        .map(|(index, param)| if index == place { value } else { right(param) })
        .collect();
    match function.role {
        Role::Property => format!("({}).{}", arguments[0], function.name),
        _ => format!("{prefix}{}({})", function.name, arguments.join(", ")),
    }
}

/// Why the outcome is not one that a user should see.
fn wrong(outcome: &Outcome) -> Option<String> {
    let report = outcome.report.as_deref().unwrap_or_default();
    let bug = report.contains("this is a bug") || report.contains("panic");
    let inner = INNER.iter().any(|name| report.contains(name));
    (bug || inner).then(|| report.to_owned())
}

/// Runs all calls of some functions; what was wrong with them.
fn run_all(functions: &[Function], prefix: &str, import: &str) -> Vec<String> {
    let mut found = Vec::new();
    for function in functions.iter().filter(|function| function.role != Role::Internal) {
        for place in 0..function.params.len() {
            for value in VALUES {
                let (host, _) = host();
                let limits = Limits { time: Some(Duration::from_secs(2)), operations: Some(100_000) };
                let text = format!("{import}{};", call(function, prefix, place, value));
                let source = Source::Text { name: "x".to_owned(), text: text.clone() };
                let outcome = run(Host { limits, ..host }, source);
                found.extend(wrong(&outcome).map(|report| format!("{text}\n{report}")));
            }
        }
    }
    found
}

#[test]
fn no_function_takes_a_wrong_value_for_a_bug() {
    let mut found = Vec::new();
    for (_, functions) in ours() {
        found.extend(run_all(&functions, "", ""));
    }
    assert!(found.is_empty(), "{}: {}", found.len(), found.join("\n"));
}

#[test]
fn no_function_of_a_module_takes_a_wrong_value_for_a_bug() {
    let mut found = Vec::new();
    for module in modules() {
        let import = format!("import \"{0}\" as {0};\n", module.name);
        found.extend(run_all(&module.functions, &format!("{}::", module.name), &import));
    }
    assert!(found.is_empty(), "{}: {}", found.len(), found.join("\n"));
}
