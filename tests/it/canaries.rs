//! Every function of the reference, called by an untrusted script with what is another's: a
//! container that runs and one that rests, a tag, a volume, files, variables, a process. All stay
//! as they are, and nothing secret is printed. The calls are generated from the reference, so a
//! new function is called too.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;

use crate::harness::{CommandOutput, TestEngine, ran_to_its_end};
use crate::needs_root;

/// What no script may print.
const SECRET: &str = "SECRET-of-a-test";

/// A function of the reference.
#[derive(Debug)]
struct Function {
    name: String,
    rule: String,
    params: Vec<String>,
    options: BTreeSet<String>,
    /// How it is called: `rm`, or `chaos::disturb`.
    path: String,
}

/// Options by which functions reach further.
const FURTHER: [(&str, &str); 5] = [
    ("force", "true"),
    ("volumes", "true"),
    ("all", "true"),
    ("since", "\"1h\""),
    ("archive", "true"),
];

fn functions(engine: &TestEngine) -> Vec<Function> {
    let text = engine.ok(&["docs", "--format", "json"]);
    let document: Value = serde_json::from_str(&text).unwrap();
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let mut found = Vec::new();
    for (place, of_module) in [("parts", false), ("modules", true)] {
        for part in list(&document[place]) {
            for function in list(&part["functions"]) {
                let name = text(&function["name"]);
                if function["kind"] == "property" {
                    continue;
                }
                let module = text(&part["name"]);
                let path = if of_module { format!("{module}::{name}") } else { name.clone() };
                let params = list(&function["params"]).iter().map(text).collect();
                let options = list(&function["options"]).iter().map(|o| text(&o["name"])).collect();
                let rule = text(&function["untrusted"]);
                found.push(Function { name, rule, params, options, path });
            }
        }
    }
    found
}

/// The values that a parameter is tried with.
fn values(function: &Function, param: &str, secret: &Path) -> Vec<String> {
    let outside = format!("\"{}\"", secret.display());
    let options = || {
        let known = FURTHER.iter().filter(|(name, _)| function.options.contains(*name));
        let further: Vec<_> = known.map(|(name, value)| format!("{name}: {value}")).collect();
        format!("#{{ {} }}", further.join(", "))
    };
    let fixed: &[&str] = match param.split(':').next().unwrap() {
        "container" | "c" | "subject" | "of" => &["\"runs\"", "\"rests\""],
        "containers" => &["[\"runs\", \"rests\"]"],
        "image" | "reference" => &["\"users:1\""],
        "name" => &["\"runs\"", "\"data\""],
        "path" | "from" | "to" | "file" | "folder" | "place" => {
            return vec![outside, "\"/h/key\"".to_owned(), "\"link\"".to_owned()];
        }
        "options" | "given" | "defaults" => {
            return vec![options(), "#{}".to_owned()];
        }
        "function" | "undo" | "test" | "tests" | "_test" => &["|| 1"],
        "each" | "handler" => &["|seen| { print(seen); false }"],
        "condition" if param.ends_with("bool") => &["true"],
        "condition" => &["#{ exec: \"cat /h/key\" }"],
        "functions" => &["[|| 1]"],
        "cmd" => &["\"cat /h/key\""],
        "action" => &["\"die\""],
        "verb" => &["\"rm\""],
        "time" | "timeout" => &["\"100ms\""],
        "times" | "limit" | "code" | "seconds" | "count" | "port" | "lines" | "seed" => &["1"],
        "percent" | "mode" | "numbers" => &["1"],
        "signal" => &["\"KILL\""],
        "programs" => &["[\"sh\"]"],
        "commands" => &["\"docker rm -f runs\""],
        "array" | "list" | "values" | "rows" | "columns" | "services" | "conditions" => &["[]"],
        "logs" => &["logs(\"runs\")"],
        "line" => &["logs(\"runs\").lines[0]"],
        "subscription" => &["on(\"die\", |event| ())"],
        _ => &["\"runs\""],
    };
    fixed.iter().map(|value| (*value).to_owned()).collect()
}

/// The calls of a function: its first parameter in all ways, then each other one.
fn calls(function: &Function, secret: &Path) -> Vec<String> {
    let all: Vec<_> = function.params.iter().map(|p| values(function, p, secret)).collect();
    let mut calls = BTreeSet::new();
    let most = all.iter().map(Vec::len).max().unwrap_or(1);
    for turn in 0..most {
        for other in 0..most {
            let arguments = all.iter().enumerate().map(|(place, values)| {
                let turn = if place == 0 { turn } else { other };
                values[turn % values.len()].clone()
            });
            let arguments: Vec<_> = arguments.collect();
            calls.insert(format!("{}({})", function.path, arguments.join(", ")));
        }
    }
    calls.into_iter().collect()
}

/// The script that makes these calls; each says how it ended.
fn script(function: &Function, calls: &[String]) -> String {
    let mut text = String::new();
    if let Some((module, _)) = function.path.split_once("::") {
        text += &format!("import \"{module}\" as {module};\n");
    }
    for call in calls {
        text += &format!(
            "try {{ let seen = {call}; print(seen); debug(seen); print(\"@done\"); }} \
             catch (e) {{ print(e); debug(e); print(\"@\" + e.kind); }}\n"
        );
    }
    text
}

/// All that may not change.
fn canaries(engine: &TestEngine, outside: &Path, pid: u32) -> BTreeMap<String, String> {
    let mut seen = BTreeMap::new();
    let verbs: [&[&str]; 6] = [
        &["container", "inspect", "runs", "rests"],
        &["image", "inspect", "users:1"],
        &["volume", "inspect", "data"],
        &["diff", "runs"],
        &["exec", "runs", "sh", "-c", "cat /h/key /d/kept; ls -la /h /d"],
        &["logs", "runs"],
    ];
    for verb in verbs {
        let mut said = engine.ok(verb);
        if let Ok(Value::Array(mut documents)) = serde_json::from_str::<Value>(&said) {
            // An exec of this test itself is listed as long as it runs.
            documents.iter_mut().for_each(|document| {
                document.as_object_mut().unwrap().remove("ExecIDs");
            });
            said = Value::Array(documents).to_string();
        }
        seen.insert(verb.join(" "), said);
    }
    for entry in std::fs::read_dir(outside).unwrap() {
        let path = entry.unwrap().path();
        let status = path.symlink_metadata().unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        let attributes = (status.mode(), status.uid(), status.ino(), status.mtime_nsec());
        seen.insert(path.display().to_string(), format!("{text} {attributes:?}"));
    }
    let environment = std::fs::read_to_string(format!("/proc/{pid}/cmdline")).unwrap();
    seen.insert("process".to_owned(), environment);
    seen
}

/// What calls of a function ended with, by the function's path and rule.
type Ends = BTreeMap<(String, String), BTreeSet<String>>;

#[test]
fn no_function_of_the_reference_touches_or_tells_what_others_own() {
    needs_root!();
    let engine = TestEngine::empty();
    let outside = engine.root().join("outside");
    let folder = engine.root().join("folder");
    std::fs::create_dir(&outside).unwrap();
    std::fs::create_dir(&folder).unwrap();
    std::fs::write(outside.join("key"), SECRET).unwrap();
    std::os::unix::fs::symlink(outside.join("key"), folder.join("link")).unwrap();
    let bind = format!("{}:/h", outside.display());
    engine.ok(&["-e", "image(\"host\").with_label(\"users\", 1).tag(\"users:1\")"]);
    let secret = ["-e", &format!("PASS={SECRET}"), "-l", &format!("k={SECRET}"), "-v", &bind];
    let words = ["users:1", "sh", "-c"];
    let runs = format!("echo {SECRET}; echo kept > /d/kept; echo ready; exec sleep 1000");
    let made = ["run", "-d", "--name", "runs", "-v", "data:/d"];
    engine.ok(&[&made[..], &secret, &words, &[&runs]].concat());
    engine.wrote("runs", "ready");
    let rests = format!(": {SECRET}");
    let made = ["create", "--name", "rests", "-v", "data:/d"];
    engine.ok(&[&made[..], &secret, &words, &[&rests]].concat());
    let pid = engine.pid("runs");
    let functions = functions(&engine);
    assert!(functions.len() > 150, "{}", functions.len());
    let before = canaries(&engine, &outside, pid);
    let mut ends = Ends::new();
    for group in functions.chunks(8) {
        let spawned = group.iter().map(|function| {
            let calls = calls(function, &outside.join("key"));
            let text = script(function, &calls);
            let words = ["--untrusted", "--timeout", "5s", "-e", &text];
            let mut command = engine.command(&words);
            command.current_dir(&folder).env("CALLERS", SECRET);
            command.stdout(Stdio::piped()).stderr(Stdio::piped());
            (function, calls, command.spawn().unwrap())
        });
        for (function, calls, process) in spawned.collect::<Vec<_>>() {
            let CommandOutput { code, out, err } = ran_to_its_end(process);
            assert!((0..=124).contains(&code) && code != 101, "{}: {code} {err}", function.path);
            for text in [&out, &err] {
                assert!(!text.contains(SECRET), "{calls:?} tell: {text}");
            }
            let key = (function.path.clone(), function.rule.clone());
            let said = out.lines().filter_map(|line| line.strip_prefix('@')).map(str::to_owned);
            ends.entry(key).or_default().extend(said);
        }
        let names: Vec<_> = group.iter().map(|function| &function.path).collect();
        assert_eq!(before, canaries(&engine, &outside, pid), "one of {names:?}");
        // What scripts may create would be in the way of the next ones.
        let own = engine.ok(&["ps", "-aq", "--filter", "label=x"]);
        assert_eq!(own, "");
    }
    assert_rules_hold(&functions, ends);
    assert_eq!(functions.iter().filter(|function| function.name == "rm").count(), 2);
}

/// Asserts that each function ends as its rule in the reference says.
fn assert_rules_hold(functions: &[Function], ends: Ends) {
    let of_logs = |function: &&Function| function.params.iter().any(|p| p.contains("Log"));
    let takes_logs: BTreeSet<_> =
        functions.iter().filter(of_logs).map(|f| f.path.clone()).collect();
    for ((name, rule), ends) in ends {
        match rule.as_str() {
            "refused" => assert_eq!(ends, BTreeSet::from(["denied".to_owned()]), "{name}"),
            "own things only" => {}
            _ if name.contains("::") => {}
            // What they take is refused already.
            _ if takes_logs.contains(&name) => {}
            _ => assert!(!ends.contains("denied"), "{name}: {ends:?}"),
        }
    }
}
