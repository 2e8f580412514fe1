//! Flags of Docker that a script of Docker's users has, and what they do here.

use crate::harness::TestEngine;
use crate::needs_root;

#[test]
fn a_container_without_a_log_shows_its_output_and_keeps_none() {
    needs_root!();
    let engine = TestEngine::new();
    let said = engine.run(&["run", "--name", "mute", "--log-driver", "none", "host", "echo", "hi"]);
    assert_eq!((said.code, said.out.as_str()), (0, "hi\n"), "{said:?}");
    let logs = engine.run(&["logs", "mute"]);
    let message = "configured logging driver does not support reading";
    assert_eq!(logs.code, 1);
    assert!(logs.err.contains(message), "{logs:?}");
    let template = "{{json .HostConfig.LogConfig}} [{{.LogPath}}] {{.Id}}";
    let shown = engine.ok(&["inspect", "-f", template, "mute"]);
    assert!(shown.starts_with(r#"{"Type":"none","Config":{}} [] "#), "{shown}");
    let id = shown.split_whitespace().last().unwrap();
    let files = std::fs::read_dir(engine.root().join("containers").join(id)).unwrap();
    let logs = files.filter(|file| {
        file.as_ref().unwrap().file_name().to_string_lossy().starts_with("log.jsonl")
    });
    assert_eq!(logs.count(), 0);
    let file = engine.ok(&["run", "--rm", "--log-driver", "json-file", "host", "echo", "a"]);
    assert_eq!(file, "a");
    engine.ok(&["run", "--name", "local", "--log-driver", "local", "host", "echo", "a"]);
    assert_eq!(engine.ok(&["logs", "local"]), "a");
    let shown = engine.ok(&["inspect", "-f", template, "local"]);
    assert!(shown.starts_with(r#"{"Type":"local","Config":{}} [] "#), "{shown}");
    for (flags, expected) in [
        (vec!["--log-driver", "syslog"], "log driver `syslog` is not supported"),
        (
            vec!["--log-driver", "none", "--log-opt", "tag=x"],
            "invalid logging opts for driver none",
        ),
        (
            vec!["--log-driver", "local", "--log-opt", "tag=x"],
            "unknown log opt 'tag' for log driver local",
        ),
    ] {
        let refused = engine.run(&[vec!["run"], flags, vec!["host", "true"]].concat());
        assert_eq!(refused.code, 125);
        assert!(refused.err.contains(expected), "{refused:?}");
    }
}

#[test]
fn an_empty_value_is_none_and_a_format_wins_over_quiet() {
    needs_root!();
    let engine = TestEngine::new();
    #[rustfmt::skip]
    let said = engine.run(&[
        "run", "--rm", "--name=", "--cidfile=", "--hostname=", "-w", "", "-u", "",
        "--stop-signal=", "--health-cmd=", "--cpuset-cpus=", "--pull=", "-iP=false", "host", "pwd",
    ]);
    assert_eq!((said.code, said.out.as_str()), (0, "/\n"), "{said:?}");
    let shown = engine.ok(&["images", "-q", "--filter=", "--format", "{{.Repository}}", "host"]);
    assert_eq!(shown, "host");
    let failed = engine.run(&["run", "-d", "--name", "kept", "host", "nosuchprogram"]);
    assert_eq!((failed.code, failed.out.len()), (127, 65), "{failed:?}");
    engine.ok(&["rm", "kept"]);
    for (flags, code) in [
        (vec!["inspect", "--type", "odd", "x"], 1),
        (vec!["volume", "create", "-d", "odd"], 1),
        (vec!["run", "--dns-search=", "host", "true"], 125),
        (vec!["create", "-m", "-1", "host", "true"], 125),
        (vec!["create", "--shm-size", "-1", "host", "true"], 125),
        (vec!["create", "--memory-swappiness", "101", "host", "true"], 125),
        (vec!["create", "--blkio-weight", "5", "host", "true"], 1),
        (vec!["create", "--health-interval", "5", "host", "true"], 125),
        (vec!["create", "--health-interval", "0", "host", "true"], 0),
        (vec!["create", "-m", "1e7", "--restart", "on-failure:", "host", "true"], 0),
        (vec!["create", "-v", "named:/x:", "host", "true"], 125),
        (vec!["build", "-t", "BAD", "."], 125),
        (vec!["create", "--cpu-shares", "1", "host", "true"], 0),
        (vec!["build", "--platform", "bogus", "."], 1),
        (vec!["rmi", "--platform", "bogus", "host"], 1),
        (vec!["system", "prune", "-f", "--filter", "bogus"], 125),
        (vec!["tag", "host", "sha256:abc"], 1),
        (vec!["commit", "nosuch", "sha256:abc"], 1),
    ] {
        assert_eq!(engine.run(&flags).code, code, "{flags:?}");
    }
}

#[test]
fn details_of_a_log_are_the_labels_and_variables_that_its_options_name() {
    needs_root!();
    let engine = TestEngine::new();
    #[rustfmt::skip]
    let said = engine.run(&[
        "run", "--name", "told", "-l", "a=1", "-l", "b=x, y", "-l", "zz=3", "-e", "X=1", "-e", "Y=2",
        "--log-opt", "labels=a,b,nope", "--log-opt", "env=X,HOME", "--log-opt", "env-regex=^Y",
        "--log-opt", "tag={{.Name}}/{{.ImageName}}", "--log-opt", "mode=non-blocking",
        "host", "sh", "-c", "echo one; printf part",
    ]);
    assert_eq!(said.code, 0, "{said:?}");
    let details = "X=1,Y=2,a=1,b=x%2C+y,tag=told%2Fhost";
    let shown = engine.ok(&["logs", "--details", "told"]);
    assert_eq!(shown, format!("{details} one\n{details} part"));
    assert_eq!(engine.ok(&["logs", "told"]), "one\npart");
    let config = engine.ok(&["inspect", "-f", "{{json .HostConfig.LogConfig.Config}}", "told"]);
    assert!(config.contains(r#""labels":"a,b,nope","mode":"non-blocking","tag":"#), "{config}");
}

#[test]
fn ports_and_annotations_are_recorded() {
    needs_root!();
    let engine = TestEngine::new();
    #[rustfmt::skip]
    engine.ok(&[
        "create", "--name", "open", "--expose", "80", "--expose", "90-91/udp", "--expose", "80/tcp",
        "--annotation", "org.example/k=v", "--annotation", "bare", "host", "true",
    ]);
    let template = "{{json .Config.ExposedPorts}} {{json .HostConfig.Annotations}}";
    let expected = "{\"80/tcp\":{},\"90/udp\":{},\"91/udp\":{}} \
                    {\"bare\":\"\",\"org.example/k\":\"v\"}";
    assert_eq!(engine.ok(&["inspect", "-f", template, "open"]), expected);
    let id = engine.ok(&["inspect", "-f", "{{.Id}}", "open"]);
    let config = engine.root().join("containers").join(id.trim()).join("config.json");
    let config = std::fs::read_to_string(config).unwrap();
    assert!(config.contains("org.example/k"), "{config}");
    let wrong = engine.run(&["create", "--expose", "abc", "host"]);
    assert_eq!(wrong.code, 125, "{wrong:?}");
    let own = engine.run(&["create", "--annotation", "lifebox.root.lower=[]", "host"]);
    assert!(own.err.contains("prefix"), "{own:?}");
}

#[test]
fn only_attached_streams_are_shown() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "echo out; echo err >&2; exit 3";
    let run = |flags: &[&str]| {
        let words = [&["run", "--rm"], flags, &["host", "sh", "-c", program]].concat();
        let ran = engine.run(&words);
        (ran.code, ran.out, ran.err)
    };
    let text = |code, out: &str, err: &str| (code, out.to_owned(), err.to_owned());
    assert_eq!(run(&["-a", "stdout"]), text(3, "out\n", ""));
    assert_eq!(run(&["-a", "STDERR"]), text(3, "", "err\n"));
    assert_eq!(run(&["-a", "stdin"]), text(3, "", ""));
    assert_eq!(run(&["--attach", "stdin", "--attach", "stdout"]), text(3, "out\n", ""));
    let (code, _, err) = run(&["-a", "foo"]);
    assert_eq!(code, 125);
    assert!(err.contains("valid streams are STDIN, STDOUT and STDERR"), "{err}");
    let (code, _, err) = run(&["-d", "-a", "stdout"]);
    assert_eq!(code, 1);
    assert!(err.contains("cannot specify both --attach and --detach"), "{err}");
}

#[test]
fn labels_come_from_files_and_flags_take_precedence() {
    needs_root!();
    let engine = TestEngine::new();
    let file = engine.root().join("labels");
    std::fs::write(&file, "# c\nA=1\n  B=2\n\nC\nD=x y\n").unwrap();
    let file = file.to_str().unwrap();
    engine.ok(&[
        "create",
        "--name",
        "labelled",
        "--label-file",
        file,
        "--label",
        "A=7",
        "host",
        "true",
    ]);
    let labels = engine.ok(&["inspect", "-f", "{{json .Config.Labels}}", "labelled"]);
    assert!(labels.starts_with(r#"{"A":"7","B":"2","D":"x y","org."#), "{labels}");
    std::fs::write(file, "a b=1\n").unwrap();
    let wrong = engine.run(&["create", "--label-file", file, "host"]);
    assert_eq!(wrong.code, 125, "{wrong:?}");
    assert!(wrong.err.contains("contains whitespaces"), "{wrong:?}");
}

#[test]
fn flags_with_one_value_are_taken_with_it_and_refused_with_another() {
    needs_root!();
    let engine = TestEngine::new();
    #[rustfmt::skip]
    let taken = engine.run(&[
        "run", "--rm", "-q", "--runtime", "runc", "--userns", "host", "--cgroupns", "private", "--isolation", "default",
        "--disable-content-trust", "--volume-driver", "local", "host", "echo", "c",
    ]);
    assert_eq!((taken.code, taken.out.as_str(), taken.err.as_str()), (0, "c\n", ""));
    let warned = engine.run(&["run", "--rm", "--kernel-memory", "50m", "host", "echo", "c"]);
    assert_eq!((warned.code, warned.out.as_str()), (0, "c\n"));
    assert!(warned.err.starts_with("WARNING: "), "{warned:?}");
    for (flag, hint) in [
        ("--runtime=kata", "write --runtime runc"),
        ("--userns=foo", "use host"),
        ("--cgroupns=foo", "use private or host"),
        ("--isolation=hyperv", "use default"),
        ("--volume-driver=n", "use local"),
    ] {
        let refused = engine.fails(&["run", "--rm", flag, "host", "true"], 125);
        assert!(refused.contains(&format!("hint: {hint}")), "{refused}");
    }
}

#[test]
fn memory_is_swapped_and_ends_as_the_flags_say() {
    needs_root!();
    let v1 = std::path::Path::new("/sys/fs/cgroup/memory/memory.swappiness");
    let engine = TestEngine::new();
    let flags = ["run", "--rm", "-m", "64m", "--memory-swappiness", "33", "--oom-kill-disable"];
    let program = "cd /sys/fs/cgroup/memory && cat memory.swappiness memory.oom_control";
    let ran = engine.run(&[&flags[..], &["host", "sh", "-c", program]].concat());
    if v1.exists() {
        assert_eq!(ran.code, 0, "{ran:?}");
        assert!(ran.out.starts_with("33\noom_kill_disable 1\n"), "{ran:?}");
    } else {
        assert!(ran.err.contains("which --memory-swappiness needs"), "{ran:?}");
    }
    let wrong = engine.fails(&["run", "--memory-swappiness", "101", "host", "true"], 125);
    assert!(wrong.contains("Valid memory swappiness range is 0-100"), "{wrong}");
    engine.ok(&["run", "--rm", "--memory-swappiness", "-1", "host", "true"]);
}

#[test]
fn who_may_make_device_nodes_makes_any_and_opens_what_is_allowed() {
    needs_root!();
    let engine = TestEngine::new();
    let run = |flags: &[&str], program: &str| {
        engine.run(&[&["run", "--rm"], flags, &["host", "sh", "-c", program]].concat())
    };
    // In `/dev` and elsewhere; what every container has, and what none has.
    let program = "mknod /disk b 8 0; mknod /dev/own c 1 11; mknod /zero c 1 5 && \
                   head -c 4 /zero | wc -c; cat /disk /dev/own 2>&1";
    for capability in ["MKNOD", "ALL"] {
        let ran = run(&["--cap-add", capability], program);
        assert!(ran.out.starts_with("4\n") && ran.err.is_empty(), "{ran:?}");
        assert_eq!(ran.out.matches("Operation not permitted").count(), 2, "{ran:?}");
    }
    let without = run(&[], "mknod /zero c 1 5");
    assert!(without.code == 1 && without.err.contains("not permitted"), "{without:?}");
    let rule = ["--cap-add", "MKNOD", "--device-cgroup-rule", "c 1:11 rwm"];
    assert_eq!(run(&rule, "mknod /own c 1 11 && : >/own && echo opened").out, "opened\n");
    let wrong = engine.fails(&["run", "--device-cgroup-rule", "foo", "host", "true"], 125);
    assert!(wrong.contains("invalid device cgroup format 'foo'"), "{wrong}");
}

#[test]
fn a_build_takes_dockers_flags_and_only_this_machines_platform() {
    needs_root!();
    let engine = TestEngine::new();
    let context = engine.root().join("context");
    std::fs::create_dir(&context).unwrap();
    std::fs::write(context.join("Dockerfile"), "FROM host\nLABEL a=flags\n").unwrap();
    let context = context.to_str().unwrap();
    let host = match std::env::consts::ARCH {
        "x86_64" => "linux/amd64",
        _ => "linux/arm64",
    };
    #[rustfmt::skip]
    let id = engine.ok(&[
        "build", "-q", "--rm", "--force-rm", "--load", "--compress", "--platform", host,
        "--cache-from", "host", "--isolation", "default", "--provenance=false", "--sbom=false", context,
    ]);
    assert!(id.starts_with("sha256:"), "{id}");
    let other = engine.fails(&["build", "-q", "--platform", "linux/s390x", context], 1);
    assert!(other.contains("cannot build for linux/s390x"), "{other}");
    engine.ok(&["history", "-q", "--platform", host, &id]);
    let other = engine.fails(&["history", "--platform", "linux/s390x", &id], 1);
    assert!(other.contains("does not provide the specified platform"), "{other}");
    let file = engine.root().join("saved.tar");
    let file = file.to_str().unwrap();
    engine.ok(&["save", "--platform", host, "-o", file, &id]);
    let other = engine.fails(&["save", "--platform", "linux/s390x", "-o", file, &id], 1);
    assert!(other.contains("does not provide the specified platform"), "{other}");
    engine.ok(&["rmi", "--no-prune", &id]);
}
