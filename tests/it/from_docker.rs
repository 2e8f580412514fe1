//! Containers said as commands of Docker, and commands of Docker said in the language.

use serde_json::Value;

use crate::harness::TestEngine;
use crate::needs_root;

/// What `inspect` shows of how a container was made.
fn made(engine: &TestEngine, name: &str) -> (Value, Value) {
    let mut all: Vec<Value> =
        serde_json::from_str(&engine.ok(&["container", "inspect", name])).unwrap();
    let mut document = all.pop().unwrap();
    (document["Config"].take(), document["HostConfig"].take())
}

/// Makes a container with a script, says it in Docker's words, removes it, makes it of these words,
/// and compares the two.
#[track_caller]
fn comes_back(engine: &TestEngine, script: &str, words: &[&str]) {
    engine.script(script);
    let (first, status) = (made(engine, "web"), engine.status("web"));
    let text = engine.script("docker(\"web\")");
    assert_eq!(engine.ok(&["docker", "web"]), text);
    for word in words {
        assert!(text.contains(word), "{word} is not in\n{text}");
    }
    engine.ok(&["rm", "-f", "web"]);
    let file = engine.root().join("commands");
    std::fs::write(&file, &text).unwrap();
    let path = file.display();
    let again = engine.script(&format!("print(from_docker(read_text(\"{path}\")))"));
    assert_eq!(engine.ok(&["from-docker", &text]), again);
    engine.script(&again);
    let second = made(engine, "web");
    assert_eq!(second.0, first.0, "Config\n{text}\n{again}");
    assert_eq!(second.1, first.1, "HostConfig\n{text}\n{again}");
    assert_eq!(engine.status("web"), status, "{text}");
    engine.ok(&["rm", "-f", "web"]);
}

/// With an init it ends as soon as it is asked to, however early that is.
const OBEYS: &str = "[\"sleep\", \"100\"]";

#[test]
fn a_container_with_many_options_comes_back_from_its_docker_commands() {
    needs_root!();
    let engine = TestEngine::new();
    let shared = engine.root().join("a 'shared' folder");
    std::fs::create_dir(&shared).unwrap();
    let script = format!(
        r#"let c = create("host", #{{
            name: "web", hostname: "box", cmd: {OBEYS}, workdir: "/tmp", user: "0:0",
            env: ["Z=it's", "A=\"$HOME\" \\ `x`\ny", "EMPTY="], labels: #{{ "a b": "c=d", e: "" }},
            stop_signal: "INT", stop_timeout: 3, stdin: true,
            cap_add: ["NET_ADMIN", "SYS_TIME"], cap_drop: "KILL", read_only: true,
            security: ["no-new-privileges", "seccomp=unconfined"], devices: "/dev/full:/dev/x:r",
            group_add: [7, "20"],
            memory: "64m", memory_swap: -1, cpus: 0.5, cpu_shares: 512, pids: 99,
            ulimits: ["nofile=64:128", "core=0"], shm_size: "1m", oom_score_adj: 100,
            volumes: ["{shared}:/shared:ro", "data:/data", "/anonymous"],
            mounts: "type=bind,source={shared},target=/again,readonly", tmpfs: "/run:size=1m",
            ipc: "shareable", init: true, domainname: "example", sysctls: #{{ "net.core.somaxconn": 64 }},
            add_hosts: ["db:10.0.0.7", "six:fd00::7"], dns: "10.0.0.1", dns_options: "ndots:2",
            dns_search: ["a.example", "b.example"],
            restart: "on-failure:3", log_opts: #{{ "max-size": "1m", "max-file": 2 }},
            health: #{{ cmd: "test -e '/x y'", interval: "1m30s", retries: 2, start_period: 0.5 }},
        }});"#,
        shared = shared.display(),
    );
    let words = ["docker create --name web", "--network none", "--memory 64m", "--cpus 0.5"];
    comes_back(&engine, &script, &words);
    let running = format!("{script}\nc.start();");
    comes_back(&engine, &running, &["docker create --name web", "docker start web"]);
    let detached = script.replacen("create(", "run(", 1);
    comes_back(&engine, &detached, &["docker run -d --name web"]);
}

#[test]
fn the_docker_commands_lead_to_the_present_state() {
    needs_root!();
    let engine = TestEngine::new();
    let run = format!(
        "let c = run(\"host\", {OBEYS}, #{{ name: \"web\", hostname: \"box\", init: true }});"
    );
    let table = [
        ("c.pause();", "\ndocker pause web"),
        ("c.stop();", "\ndocker stop web"),
        ("c.kill(); c.wait();", "\ndocker kill web\ndocker wait web"),
        ("c.kill(\"TERM\"); c.wait();", "\ndocker kill --signal SIGTERM web\ndocker wait web"),
        ("c.update(#{ memory: \"32m\", restart: \"always\" });", "--memory 32m"),
    ];
    for (act, words) in table {
        comes_back(&engine, &format!("{run} {act}"), &[words]);
    }
    let ends = "let c = run(\"host\", \"true\", #{ name: \"web\", hostname: \"box\" }); c.wait();";
    comes_back(&engine, ends, &["\ndocker wait web"]);
}

#[test]
fn what_is_the_images_is_not_said() {
    needs_root!();
    let engine = TestEngine::new();
    engine.script(
        r#"image("host").with_env("A", 1).with_label("l", "x").with_workdir("/tmp").with_user("0")
               .with_cmd(["sleep", "100"]).with_stop_signal("INT").with_volume("/db").commit("app:1");"#,
    );
    engine.ok(&["create", "--name", "web", "app:1"]);
    assert_eq!(engine.ok(&["docker", "web"]), "docker create --name web --network none app:1");
    engine.ok(&["rm", "-f", "web"]);
    let script = "create(\"app:1\", #{ name: \"web\", hostname: \"box\", env: #{ A: 2, B: 3 }, \
                  cmd: \"sleep 1\", entrypoint: [\"env\", \"C=1\"] });";
    engine.script(script);
    let text = engine.ok(&["docker", "web"]);
    let (note, line) = text.split_once('\n').unwrap();
    assert!(note.starts_with("# Docker's --entrypoint takes one word"), "{note}");
    let expected = "docker create --name web --entrypoint env --env A=2 --env B=3 --hostname box \
                    --network none app:1 C=1 sleep 1";
    assert_eq!(line, expected);
    engine.ok(&["rm", "-f", "web"]);
    engine.script(&engine.ok(&["from-docker", &text]));
    let run = engine.get("web", "{{.Path}} {{.Args}}");
    assert_eq!(run, "env [C=1 sleep 1]");
}

#[test]
fn a_command_that_cannot_be_said_names_its_flag() {
    let engine = TestEngine::empty();
    let error = engine.fails(&["from-docker", "docker", "run", "-p", "80:80", "nginx"], 1);
    assert!(error.contains("flag `-p` of `docker run` is not supported"), "{error}");
    let error = engine.fails(&["from-docker", "docker run --naem web nginx"], 1);
    assert!(error.contains("unexpected argument `--naem`"), "{error}");
    assert!(error.contains("did you mean `--name`?"), "{error}");
    let kind = engine
        .script("try { from_docker(\"docker run -p 80:80 nginx\"); } catch (e) { print(e.kind); }");
    assert_eq!(kind, "unsupported");
    let said = engine.ok(&["from-docker", "docker", "run", "-d", "--env", "A=b", "nginx"]);
    assert_eq!(said, r#"run("nginx", #{ env: #{ "A": "b" } })"#);
}

#[test]
fn what_commands_become_does_what_they_do() {
    needs_root!();
    let engine = TestEngine::new();
    let says = |commands: &str| {
        let script = engine.ok(&["from-docker", commands]);
        engine.script(&format!("let seen = {{ {script} }}; print(seen);"))
    };
    says("docker run -d --name web --init --label a=b host sh -c 'echo one; echo two; sleep 100'");
    let id = engine.get("web", "{{.Id}}");
    assert_eq!(says("docker inspect -f '{{.State.Status}}' web"), "running");
    assert_eq!(
        says("docker ps -q --filter label=a=b --filter status=running"),
        format!("[\"{id}\"]")
    );
    assert_eq!(says("docker exec -e A=1 web sh -c 'echo $A'"), "1");
    engine.wrote("web", "two");
    assert_eq!(says("docker logs -n 1 web"), "two");
    says("docker update -m 32m web");
    assert_eq!(engine.get("web", "{{.HostConfig.Memory}}"), "33554432");
    says("docker pause web && docker unpause web; docker stop -t 3 web");
    assert_eq!(engine.status("web"), "exited");
    assert!(says("docker logs -f web").starts_with("one\ntwo\n"));
    let dies = says("docker events --since 1h --until 0s --filter event=die");
    assert_eq!(dies.matches("container die").count(), 1, "{dies}");
    says("docker rm -v web");
    assert_eq!(engine.status("web"), "gone");
    assert_eq!(says("docker run --rm host sh -c 'echo \"it is\"'").lines().next(), Some("it is"));
}

#[test]
fn no_value_of_the_caller_gets_into_a_translation() {
    let engine = TestEngine::empty();
    let script = r#"print(from_docker("docker run -d -e SECRET nginx"))"#;
    let output = engine.command(&["-e", script]).env("SECRET", "hidden").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let said = String::from_utf8_lossy(&output.stdout);
    assert_eq!(said.trim_end(), r#"run("nginx", #{ env: ["SECRET"] })"#);
}
