//! A container is asked whether it is well, by its monitor.

use serde_json::Value;

use crate::harness::{TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

fn health(engine: &TestEngine, container: &str) -> Value {
    let text = engine.ok(&["inspect", "--format", "{{json .State.Health}}", container]);
    serde_json::from_str(&text).unwrap()
}

#[track_caller]
fn becomes(engine: &TestEngine, container: &str, status: &str) {
    let reached = wait_until(TIMEOUT, || health(engine, container)["Status"] == status);
    assert!(reached, "{status}: {}", health(engine, container));
}

fn listed(engine: &TestEngine, filter: &str) -> String {
    engine.ok(&["ps", "--filter", filter, "--format", "{{.Names}} {{.Status}}"])
}

/// Begins a container with a check each 50 ms.
fn checked(engine: &TestEngine, name: &str, check: &str, flags: &[&str]) {
    let fixed = ["run", "-d", "--name", name, "--health-cmd", check, "--health-interval", "50ms"];
    engine.ok(&[&fixed, flags, &["host", "sleep", "1000"]].concat());
}

#[test]
fn answers_make_a_container_healthy_and_unhealthy() {
    needs_root!();
    let engine = TestEngine::new();
    checked(&engine, "web", "echo asked; test -e /tmp/well", &["--health-retries", "2"]);
    becomes(&engine, "web", "unhealthy");
    assert!(health(&engine, "web")["FailingStreak"].as_u64().unwrap() >= 2);
    engine.ok(&["exec", "web", "touch", "/tmp/well"]);
    becomes(&engine, "web", "healthy");
    let seen = health(&engine, "web");
    assert_eq!(seen["FailingStreak"], 0);
    let last = seen["Log"].as_array().unwrap().last().unwrap().clone();
    assert_eq!((&last["ExitCode"], &last["Output"]), (&0.into(), &"asked\n".into()));
    assert!(last["Start"].as_str().unwrap() < last["End"].as_str().unwrap());
    assert!(wait_until(TIMEOUT, || health(&engine, "web")["Log"].as_array().unwrap().len() == 5));
    let shown = listed(&engine, "health=healthy");
    assert!(shown.starts_with("web Up ") && shown.ends_with(" (healthy)"), "{shown}");
    assert_eq!(listed(&engine, "health=unhealthy"), "");
    assert_eq!(engine.ok(&["ps", "--format", "{{.HealthStatus}}"]), "healthy");
    let script = r#"print(container("web").health); print(ps(#{ health: "none" }).len);"#;
    assert_eq!(engine.ok(&["-e", script]), "healthy\n0");
    engine.ok(&["stop", "-t", "0", "web"]);
    assert_eq!(health(&engine, "web")["Status"], "unhealthy");
    engine.ok(&["start", "web"]);
    assert_eq!(health(&engine, "web")["Log"].as_array().unwrap().len(), 0);
}

#[test]
fn failures_of_the_start_period_do_not_count() {
    needs_root!();
    let engine = TestEngine::new();
    let flags = ["--health-start-period", "1h", "--health-start-interval", "20ms"];
    let retries = ["--health-retries", "1"];
    checked(&engine, "web", "test -e /tmp/well", &[&flags[..], &retries].concat());
    assert!(wait_until(TIMEOUT, || health(&engine, "web")["Log"].as_array().unwrap().len() == 5));
    let seen = health(&engine, "web");
    assert_eq!((&seen["Status"], &seen["FailingStreak"]), (&"starting".into(), &0.into()));
    assert!(listed(&engine, "health=starting").ends_with(" (health: starting)"));
    engine.ok(&["exec", "web", "touch", "/tmp/well"]);
    becomes(&engine, "web", "healthy");
}

/// As Docker: the next check is due when the period ends, not after a whole start interval.
#[test]
fn a_start_period_ends_when_it_says() {
    needs_root!();
    let engine = TestEngine::new();
    let flags = ["--health-start-period", "300ms", "--health-start-interval", "10m"];
    let retries = ["--health-retries", "1"];
    checked(&engine, "web", "false", &[&flags[..], &retries].concat());
    becomes(&engine, "web", "unhealthy");
}

#[test]
fn a_check_that_hangs_is_killed_with_all_that_it_began() {
    needs_root!();
    let engine = TestEngine::new();
    checked(
        &engine,
        "web",
        "if test -e /tmp/hung; then exit 0; fi; touch /tmp/hung; sleep 4711 & sleep 4712",
        &["--health-timeout", "300ms", "--health-retries", "1"],
    );
    becomes(&engine, "web", "healthy");
    let seen = health(&engine, "web");
    let first = &seen["Log"][0];
    assert_eq!(first["ExitCode"], -1);
    assert_eq!(first["Output"], "Health check exceeded timeout (300ms)");
    let gone = wait_until(TIMEOUT, || !engine.ok(&["top", "web"]).contains("sleep 471"));
    assert!(gone, "{}", engine.ok(&["top", "web"]));
}

#[test]
fn a_check_runs_as_the_container_does_and_little_of_its_output_is_kept() {
    needs_root!();
    let engine = TestEngine::new();
    let check = "id -u; echo $MODE $PWD; grep Seccomp: /proc/self/status; cat /proc/self/cgroup";
    let flags = ["--user", "12:34", "-e", "MODE=test", "-w", "/tmp"];
    checked(&engine, "web", check, &flags);
    becomes(&engine, "web", "healthy");
    let output = health(&engine, "web")["Log"][0]["Output"].as_str().unwrap().to_owned();
    assert!(output.starts_with("12\ntest /tmp\nSeccomp:\t2\n"), "{output}");
    // In the container's own cgroup, which looks like the root from inside.
    let own = engine.ok(&["exec", "web", "cat", "/proc/self/cgroup"]);
    assert!(output.trim_end().ends_with(&own), "{output}\n{own}");
    checked(&engine, "loud", "head -c 1000000 /dev/zero | tr '\\0' x; exit 3", &[]);
    assert!(wait_until(TIMEOUT, || health(&engine, "loud")["FailingStreak"] != 0));
    let seen = health(&engine, "loud");
    let output = seen["Log"][0]["Output"].as_str().unwrap();
    assert_eq!(output.len(), 4096 + "...".len());
    assert_eq!(seen["Log"][0]["ExitCode"], 3);
    let none = ["run", "-d", "--name", "none", "--health-cmd", "x", "--no-healthcheck", "host"];
    assert!(engine.fails(&none, 125).contains("conflicts"));
}

#[test]
fn a_paused_container_is_not_asked() {
    needs_root!();
    let engine = TestEngine::new();
    checked(&engine, "web", "true", &[]);
    becomes(&engine, "web", "healthy");
    engine.ok(&["pause", "web"]);
    let before = health(&engine, "web");
    assert_eq!(before["Status"], "unhealthy");
    assert!(listed(&engine, "status=paused").ends_with("(Paused)"));
    // Many intervals long nothing is added: a further container is asked meanwhile.
    checked(&engine, "other", "true", &[]);
    let full = || health(&engine, "other")["Log"].as_array().unwrap().len() == 5;
    assert!(wait_until(TIMEOUT, full));
    assert_eq!(health(&engine, "web"), before);
    engine.ok(&["unpause", "web"]);
    becomes(&engine, "web", "healthy");
}

#[test]
fn an_image_says_how_it_is_asked_unless_the_user_does() {
    needs_root!();
    let engine = TestEngine::new();
    let directory = tempfile::tempdir().unwrap();
    let file = "FROM host\nHEALTHCHECK --interval=50ms --start-period=0s --retries=1 CMD echo of the image\n\
                CMD [\"sleep\", \"1000\"]\n";
    std::fs::write(directory.path().join("Dockerfile"), file).unwrap();
    engine.ok(&["build", "-q", "-t", "asked", &directory.path().to_string_lossy()]);
    engine.ok(&["run", "-d", "--name", "of-image", "asked"]);
    becomes(&engine, "of-image", "healthy");
    let of = |name: &str| engine.ok(&["inspect", "--format", "{{json .Config.Healthcheck}}", name]);
    assert_eq!(
        of("of-image"),
        r#"{"Test":["CMD-SHELL","echo of the image"],"Interval":50000000,"Retries":1}"#
    );
    engine.ok(&["run", "-d", "--name", "own", "--health-cmd", "exit 4", "asked"]);
    becomes(&engine, "own", "unhealthy");
    assert_eq!(health(&engine, "own")["Log"][0]["ExitCode"], 4);
    engine.ok(&["run", "-d", "--name", "none", "--no-healthcheck", "asked"]);
    assert_eq!(health(&engine, "none"), Value::Null);
    // As Docker merges: what the user does not say is still the image's.
    assert!(of("none").starts_with(r#"{"Test":["NONE"]"#), "{}", of("none"));
    let script = r#"
        let c = run("asked", #{ name: "scripted", health: #{ cmd: ["sh", "-c", "echo mine"] } });
        print(inspect(c).Config.Healthcheck.Test);
        print(run("asked", #{ health: false }).health);
        print(run("asked", #{ health: "none" }).health);
    "#;
    assert_eq!(engine.ok(&["-e", script]), "[\"CMD\", \"sh\", \"-c\", \"echo mine\"]\nnone\nnone");
}

#[test]
fn a_check_ends_with_its_container_and_begins_with_the_next_run() {
    needs_root!();
    let engine = TestEngine::new();
    checked(&engine, "web", "touch /tmp/asked; sleep 1000", &["--health-timeout", "1h"]);
    let has_started = || engine.run(&["exec", "web", "test", "-e", "/tmp/asked"]).code == 0;
    assert!(wait_until(TIMEOUT, has_started));
    engine.ok(&["rm", "-f", "web"]);
    let fixed =
        ["run", "-d", "--name", "again", "--restart", "on-failure:1", "--health-cmd", "true"];
    let often = ["--health-interval", "20ms", "host", "sh", "-c"];
    let program = "while ! test -e /tmp/go; do sleep 0.02; done; rm /tmp/go; exit 1";
    engine.ok(&[&fixed[..], &often, &[program]].concat());
    becomes(&engine, "again", "healthy");
    engine.ok(&["exec", "again", "touch", "/tmp/go"]);
    let restarted = || engine.ok(&["inspect", "--format", "{{.RestartCount}}", "again"]) == "1";
    assert!(wait_until(TIMEOUT, restarted));
    becomes(&engine, "again", "healthy");
}

#[test]
fn a_health_check_that_cannot_be_done_is_refused() {
    needs_root!();
    let engine = TestEngine::new();
    for (flags, code, reason) in [
        (
            ["--health-interval", "-1s"],
            125,
            "invalid argument \"-1s\" for \"--health-interval\" flag: cannot be negative",
        ),
        (["--health-interval", "1us"], 1, "Interval in Healthcheck cannot be less than 1ms"),
        (["--health-cmd", " "], 1, "for \"--health-cmd\" flag: the command is empty"),
        (["--health-retries", "-1"], 125, "for \"--health-retries\" flag: cannot be negative"),
        (
            ["--health-retries", "many"],
            125,
            "invalid argument \"many\" for \"--health-retries\" flag: expected a whole number",
        ),
        (
            ["--health-timeout", "soon"],
            125,
            "for \"--health-timeout\" flag: invalid duration `soon`",
        ),
    ] {
        let said = engine.fails(&[&["create"], &flags[..], &["host"]].concat(), code);
        assert!(said.contains(reason), "{said}");
    }
    for (option, reason) in [
        ("#{ cmd: \"\" }", "the command is empty"),
        ("#{ cmdd: \"x\" }", "did you mean `cmd`?"),
        ("#{ cmd: \"x\", interval: -1 }", "interval"),
        ("true", "or false, got true"),
        ("7", "health"),
    ] {
        let script = format!("create(\"host\", #{{ health: {option} }})");
        let said = engine.fails(&["-e", &script], 1);
        assert!(said.contains(reason), "{option}: {said}");
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}
