//! Every function of the reference, called with each kind of value at each place: the call succeeds
//! or fails with an error for users, never with a bug.

use std::time::Duration;

use super::super::api::LIBRARY;
use super::super::docs::{Function, Role};
use super::super::options;
use super::super::{EvalResult, Session};
use super::host;
use crate::engine::CancelToken;

/// A value of each type that a script can have.
const VALUES: &[&str] = &[
    "()",
    "true",
    "-1",
    "\"nobody\"",
    "[1, \"a\"]",
    "#{ nosuch: 1 }",
    "|| 1",
    "|a, b| a",
    "image(\"host\")",
    "create(\"host\")",
    "1..3",
    "blob(2)",
];

/// Names of Rust, which users must not see.
const INNER: &[&str] = &["lifebox::", "rhai::", "alloc::", "core::", "Dynamic", "panicked"];

/// Returns a valid value for a parameter of this name.
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

/// Returns a call of the function with `value` at `place`, and with valid values elsewhere.
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

/// Returns why a message is not one that a user should see.
fn is_wrong(report: &str) -> bool {
    report.contains("this is a bug")
        || report.contains("panic")
        || INNER.iter().any(|name| report.contains(name))
}

/// Runs all calls of some functions; returns the problems.
fn run_all(functions: &[Function], prefix: &str, import: &str) -> Vec<String> {
    let mut found = Vec::new();
    for function in functions.iter().filter(|function| function.role != Role::Internal) {
        let values = VALUES
            .iter()
            .flat_map(|value| (0..function.params.len()).map(move |place| (place, value)));
        let calls = values.map(|(place, value)| call(function, prefix, place, value));
        found.extend(run_calls(import, calls));
    }
    found
}

/// Runs calls one after the other in a session, in a separate directory, because some of them write
/// files; returns the problems.
fn run_calls(import: &str, calls: impl Iterator<Item = String> + Send) -> Vec<String> {
    let place = tempfile::tempdir().unwrap();
    let here = || {
        // Changes the working directory of this thread and of the threads that it creates only.
        nix::sched::unshare(nix::sched::CloneFlags::CLONE_FS).unwrap();
        rustix::process::chdir(place.path()).unwrap();
        run_calls_here(import, calls)
    };
    std::thread::scope(|scope| scope.spawn(here).join().unwrap())
}

fn run_calls_here(import: &str, calls: impl Iterator<Item = String>) -> Vec<String> {
    let (host, _) = host();
    let cancel = host.cancel.clone();
    let mut session = Session::new(host);
    if !import.is_empty() {
        assert_eq!(session.line(import), EvalResult::Nothing);
    }
    let mut found = Vec::new();
    for call in calls {
        if let EvalResult::Failed(report) = soon(&cancel, || session.line(&format!("{call};")))
            && is_wrong(&report)
        {
            found.push(format!("{call}\n{report}"));
        }
    }
    found
}

/// Runs `work`, and ends it like Ctrl-C if it waits indefinitely.
fn soon<T>(cancel: &CancelToken, work: impl FnOnce() -> T) -> T {
    cancel.reset();
    let over = CancelToken::new().unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| {
            if over.sleep(Duration::from_millis(200)).is_ok() {
                cancel.cancel();
            }
        });
        let done = work();
        over.cancel();
        done
    })
}

#[test]
fn no_function_takes_a_wrong_value_for_a_bug() {
    let mut found = Vec::new();
    for (_, functions) in LIBRARY.own_functions() {
        found.extend(run_all(functions, "", ""));
    }
    assert!(found.is_empty(), "{}: {}", found.len(), found.join("\n"));
}

#[test]
fn no_function_of_a_module_takes_a_wrong_value_for_a_bug() {
    let mut found = Vec::new();
    for module in LIBRARY.modules() {
        let import = format!("import \"{0}\" as {0};\n", module.name);
        found.extend(run_all(&module.functions, &format!("{}::", module.name), &import));
    }
    assert!(found.is_empty(), "{}: {}", found.len(), found.join("\n"));
}

#[test]
fn no_option_takes_a_wrong_value_for_a_bug() {
    let mut found = Vec::new();
    for function in LIBRARY.own_functions().iter().flat_map(|(_, functions)| functions) {
        let is_options = |param: &String| param.split(':').next() == Some("options");
        let Some(place) = function.params.iter().position(is_options) else { continue };
        let keys = options::keys(&function.name);
        let values = keys.iter().flat_map(|key| VALUES.iter().map(move |value| (key, value)));
        let calls = values.map(|(key, value)| {
            call(function, "", place, &format!("#{{ \"{}\": {value} }}", key.name))
        });
        found.extend(run_calls("", calls));
    }
    assert!(found.is_empty(), "{}: {}", found.len(), found.join("\n"));
}
