//! What a container sees of the host and of volumes.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};

use crate::harness::{LIFEBOX, TIMEOUT, TestEngine, wait_until};
use crate::needs_root;

/// A directory of the host with a file in it.
fn source() -> tempfile::TempDir {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("file"), "of the host\n").unwrap();
    directory
}

#[track_caller]
fn inside(engine: &TestEngine, options: &[&str], program: &str) -> String {
    let all = [&["run", "--rm"], options, &["host", "sh", "-c", program]].concat();
    engine.ok(&all)
}

/// `Mounts` of `inspect`.
#[track_caller]
fn mounts(engine: &TestEngine, container: &str) -> serde_json::Value {
    serde_json::from_str(&engine.get(container, "{{json .Mounts}}")).unwrap()
}

#[test]
fn a_directory_and_a_file_of_the_host_are_seen_and_written() {
    needs_root!();
    let (engine, host) = (TestEngine::new(), source());
    let path = host.path().display().to_string();
    let (directory, file) = (format!("{path}:/deep/new/data"), format!("{path}/file:/one:ro"));
    let said = inside(
        &engine,
        &["-v", &directory, "-v", &file],
        "cat /deep/new/data/file /one; echo inner >/deep/new/data/made; echo x >/one || echo no",
    );
    assert_eq!(said, "of the host\nof the host\nno");
    assert_eq!(std::fs::read_to_string(host.path().join("made")).unwrap(), "inner\n");
    let options = "type=bind,source=SRC,target=/x,readonly".replace("SRC", &path);
    let said = inside(&engine, &["--mount", &options], "cat /x/file; touch /x/y || echo no");
    assert_eq!(said, "of the host\nno");
}

#[test]
fn a_read_only_bind_is_read_only_all_the_way_down_and_has_no_devices() {
    needs_root!();
    let (engine, host) = (TestEngine::new(), source());
    let below = host.path().join("below");
    std::fs::create_dir(&below).unwrap();
    let mount = |arguments: &[&str]| {
        std::process::Command::new(arguments[0]).args(&arguments[1..]).status().unwrap().success()
    };
    let (path, below) = (host.path().display().to_string(), below.display().to_string());
    assert!(mount(&["mount", "-t", "tmpfs", "none", &below]));
    let seen = inside(
        &engine,
        &["-v", &format!("{path}:/data:ro")],
        "touch /data/below/x || echo refused; grep ' /data' /proc/self/mountinfo",
    );
    let alone = inside(&engine, &["-v", &format!("{path}:/data:bind")], "ls /data/below | wc -l");
    assert!(mount(&["umount", &below]));
    let lines: Vec<&str> = seen.lines().collect();
    assert_eq!((lines[0], lines.len()), ("refused", 3), "{seen}");
    for line in &lines[1..] {
        assert!(line.contains(" ro,nosuid,nodev,") && !line.contains("shared:"), "{line}");
        assert!(!line.contains("master:"), "{line}");
    }
    assert_eq!(alone, "0");
    let mounts = inside(
        &engine,
        &["-v", &format!("{path}:/a"), "-v", &format!("{path}:/b:suid,noexec,rslave")],
        "grep -E ' /(a|b) ' /proc/self/mountinfo",
    );
    assert!(mounts.contains("/a rw,nosuid,nodev,relatime"), "{mounts}");
    assert!(mounts.contains("/b rw,nodev,noexec,relatime"), "{mounts}");
}

/// CVE-2021-30465 and its kin: what the image has at the target leads the mount elsewhere.
#[test]
fn links_of_the_image_lead_a_mount_nowhere_but_inside() {
    needs_root!();
    let (engine, host, context) = (TestEngine::new(), source(), tempfile::tempdir().unwrap());
    let links = [
        ("up", "../../../../../../tmp/up"),
        ("kernel", "/proc/self"),
        ("top", "/"),
        ("round", "round"),
        ("run", "/later/run"),
        ("magic", "/proc/1/root"),
    ];
    for (name, target) in links {
        symlink(target, context.path().join(name)).unwrap();
    }
    std::fs::write(context.path().join("Dockerfile"), "FROM host\nCOPY . /l/\n").unwrap();
    engine.ok(&["build", "-q", "-t", "links:1", &context.path().display().to_string()]);
    let path = host.path().display().to_string();
    let at = |place: &str| {
        let volume = format!("{path}:{place}");
        engine.run(&[
            "run",
            "--rm",
            "-v",
            &volume,
            "links:1",
            "sh",
            "-c",
            "grep 'vda\\|ext4\\|tmpfs\\|overlay' /proc/self/mountinfo | cut -d' ' -f5",
        ])
    };
    assert!(at("/l/up/x").out.lines().any(|line| line == "/tmp/up/x"), "{:?}", at("/l/up/x"));
    assert!(!std::path::Path::new("/tmp/up").exists());
    assert!(at("/l/run").out.lines().any(|line| line == "/later/run"), "{:?}", at("/l/run"));
    for (place, why) in [
        ("/l/kernel", "a file system of the kernel"),
        ("/l/kernel/attr", "a file system of the kernel"),
        ("/l/magic/proc", "a file system of the kernel"),
        ("/l/top", "leads to the root"),
        ("/l/round/x", "in a circle"),
    ] {
        let ran = at(place);
        assert_eq!(ran.code, 125, "{place}: {ran:?}");
        assert!(ran.err.contains(why), "{place}: {ran:?}");
    }
    let file = engine.fails(&["run", "--rm", "-v", &format!("{path}/file:/etc"), "host"], 127);
    assert!(file.contains("a directory onto a file (or vice-versa)"), "{file}");
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
}

#[test]
fn mounts_that_make_no_sense_are_refused_before_anything_is_made() {
    needs_root!();
    let engine = TestEngine::new();
    for (options, part) in [
        (&["-v", "/tmp:/proc"][..], "a kernel file system"),
        (&["-v", "rel/ative:/data"], "use absolute path"),
        (&["-v", "/tmp:/"], "can't be '/'"),
        (&["-v", "/tmp:/d", "--tmpfs", "/d/"], "Duplicate mount point: /d"),
        (&["--mount", "type=bind,src=/does/not/exist,dst=/d"], "source path does not exist"),
        (&["--tmpfs", "/d:size=much"], "invalid tmpfs option"),
    ] {
        let all = [&["create"], options, &["host"]].concat();
        let error = engine.fails(&all, if options[0] == "create" { 125 } else { 1 });
        assert!(error.contains(part), "{options:?}: {error}");
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "");
    // As in Docker, `-v` makes a directory of what is missing.
    let host = source();
    let new = host.path().join("new/er");
    let mut shell = engine.shell("sh");
    let program = format!("umask 077; {LIFEBOX} run --rm -v {}:/x host true", new.display());
    assert!(shell.args(["-c", &program]).status().unwrap().success());
    for path in [new.as_path(), new.parent().unwrap()] {
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o755, "{}", path.display());
    }
}

#[test]
fn tmpfs_is_memory_without_programs_and_devices() {
    needs_root!();
    let engine = TestEngine::new();
    let said = inside(
        &engine,
        &["--tmpfs", "/t:size=1m,mode=700", "--mount", "type=tmpfs,dst=/dev/shm,tmpfs-size=2m"],
        "grep -E ' /(t|dev/shm) ' /proc/self/mountinfo; stat -c %a /t; head -c 2000000 /dev/zero >/t/x || true",
    );
    let lines: Vec<&str> = said.lines().collect();
    assert_eq!((lines.len(), lines[2]), (3, "700"), "{said}");
    assert!(lines.iter().take(2).all(|l| l.contains("rw,nosuid,nodev,noexec")), "{said}");
    assert!(said.contains("size=1024k") && said.contains("size=2048k"), "{said}");
    let flags =
        ["--tmpfs", "/tmp", "--tmpfs", "/root", "--tmpfs", "/new", "--tmpfs", "/opt:mode=711"];
    let modes = inside(&engine, &flags, "stat -c %a /tmp /root /new /opt");
    assert_eq!(modes.trim(), "1777\n700\n1777\n711", "the mode of what it covers");
}

#[test]
fn a_new_volume_takes_what_the_image_has_and_keeps_what_containers_write() {
    needs_root!();
    let (engine, context) = (TestEngine::new(), tempfile::tempdir().unwrap());
    let data = context.path().join("data");
    std::fs::create_dir_all(data.join("sub")).unwrap();
    std::fs::write(data.join("one"), "1").unwrap();
    std::fs::hard_link(data.join("one"), data.join("sub/two")).unwrap();
    symlink("../one", data.join("sub/link")).unwrap();
    std::fs::set_permissions(data.join("one"), std::fs::Permissions::from_mode(0o4710)).unwrap();
    std::fs::write(
        context.path().join("Dockerfile"),
        "FROM host\nCOPY data /data/\nRUN chown 7:8 /data /data/one; chmod 4710 /data/one\nVOLUME /data\n",
    )
    .unwrap();
    engine.ok(&["build", "-q", "-t", "data:1", &context.path().display().to_string()]);
    let run = |options: &[&str], program: &str| {
        engine.ok(&[&["run", "--rm"], options, &["data:1", "sh", "-c", program]].concat())
    };
    let content = "cd /data; cat one sub/link; stat -c '%a %u %g' one .; echo; echo more >three";
    assert_eq!(run(&["-v", "kept:/data"], content), "114710 7 8\n755 7 8");
    let path = engine.ok(&["volume", "inspect", "-f", "{{.Mountpoint}}", "kept"]);
    assert_eq!(std::fs::metadata(format!("{path}/one")).unwrap().uid(), 7);
    // Not a second time, and nothing of what is there is replaced.
    assert_eq!(run(&["-v", "kept:/data"], "cd /data; rm one; ls"), "sub\nthree");
    assert_eq!(
        run(&["-v", "kept:/data:ro"], "ls /data; touch /data/x || echo no"),
        "sub\nthree\nno"
    );
    assert_eq!(run(&["-v", "empty:/data:nocopy"], "ls /data"), "");
    // The image's own volume goes with the container, and the image is as it was.
    assert_eq!(run(&[], "rm -r /data/*; ls /data"), "");
    assert_eq!(run(&[], "ls /data"), "one\nsub");
    assert!(wait_until(TIMEOUT, || engine.ok(&["volume", "ls", "-q"]) == "empty\nkept"));
    engine.ok(&["create", "--name", "made", "data:1"]);
    let own = mounts(&engine, "made")[0]["Name"].as_str().unwrap().to_owned();
    assert_eq!(own.len(), 64);
    engine.ok(&["rm", "made"]);
    assert!(engine.ok(&["volume", "ls", "-q", "--filter", "dangling=true"]).contains(&own));
    engine.ok(&["create", "--name", "made", "-v", "/more", "data:1"]);
    engine.ok(&["rm", "-v", "made"]);
    assert!(engine.ok(&["volume", "prune", "-f"]).contains(&own));
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "empty\nkept");
}

#[test]
fn volumes_are_made_listed_inspected_and_removed() {
    needs_root!();
    let engine = TestEngine::new();
    assert_eq!(engine.ok(&["volume", "create", "--label", "app=shop", "shop-db"]), "shop-db");
    assert_eq!(engine.ok(&["volume", "create", "shop-db"]), "shop-db");
    assert_eq!(engine.ok(&["volume", "create"]).len(), 64);
    assert_eq!(engine.ok(&["volume", "ls", "-q", "--filter", "label=app=shop"]), "shop-db");
    assert_eq!(
        engine
            .ok(&["volume", "ls", "--format", "{{.Name}} {{.Labels}}", "-f", "name=shop-"])
            .lines()
            .next(),
        Some("shop-db app=shop")
    );
    engine.ok(&["create", "--name", "user", "-v", "shop-db:/x", "host"]);
    let refused = engine.fails(&["volume", "rm", "-f", "shop-db"], 1);
    assert!(refused.contains("volume is in use - [user]"), "{refused}");
    assert_eq!(engine.ok(&["volume", "prune", "-a", "-f"]).lines().count(), 4);
    engine.ok(&["rm", "-v", "user"]);
    assert_eq!(engine.ok(&["volume", "rm", "shop-db"]), "shop-db");
    assert!(engine.fails(&["volume", "rm", "shop-db"], 1).contains("no such volume"));
    assert_eq!(engine.ok(&["volume", "rm", "-f", "shop-db"]), "shop-db");
    assert!(engine.fails(&["volume", "inspect", "../x"], 1).contains("no such volume"));
    assert!(engine.fails(&["volume", "create", "../x"], 1).contains("invalid characters"));
}

#[test]
fn of_two_who_make_a_volume_at_once_both_get_it() {
    needs_root!();
    let engine = TestEngine::new();
    let children: Vec<_> = (0..8)
        .map(|_| engine.spawn(&["run", "--rm", "-v", "one:/etc", "host", "cat", "/etc/passwd"]))
        .collect();
    let said: Vec<_> =
        children.into_iter().map(|child| child.wait_with_output().unwrap()).collect();
    for output in &said {
        assert!(output.status.success(), "{output:?}");
        assert_eq!(output.stdout, said[0].stdout);
    }
    assert!(!said[0].stdout.is_empty());
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "one");
}

#[test]
fn scripts_mount_and_keep_volumes() {
    needs_root!();
    let (engine, host) = (TestEngine::new(), source());
    let path = host.path().display().to_string();
    let text = format!(
        r#"create_volume("db", #{{ labels: #{{ app: "shop" }} }});
        let c = run("host", ["sh", "-c", "cat /h/file; touch /db/x; grep -c ' /run ' /proc/self/mountinfo"],
            #{{ volumes: #{{ "{path}": "/h:ro", db: "/db" }}, tmpfs: ["/run:size=1m"] }});
        print(c.wait()); print(c.logs().text);
        print(volume("db").users); print(volumes(#{{ label: "app=shop", dangling: false }}).len());
        try {{ rmv("db"); }} catch (e) {{ print(e.kind); }}
        c.rm(#{{ volumes: true }}); rmv("db"); print(volumes().len());
        try {{ create("host", #{{ volumes: ["x:/y:z:z"] }}); }} catch (e) {{ print(e.message); }}"#
    );
    let said = engine.script(&text);
    let lines: Vec<&str> = said.lines().filter(|line| !line.is_empty()).collect();
    assert_eq!(lines[..3], ["0", "of the host", "1"], "{said}");
    assert_eq!(lines[4..7], ["1", "refused", "0"], "{said}");
    assert!(lines[7].contains("invalid volume specification"), "{said}");
}

#[test]
fn a_container_takes_over_what_others_have_mounted() {
    needs_root!();
    let (engine, host) = (TestEngine::new(), source());
    let path = host.path().display().to_string();
    let (bind, mine) = (format!("{path}:/bind"), format!("{path}:/named:ro"));
    let words = ["create", "--name", "data", "-v", &bind, "-v", "store:/named", "-v", "/unnamed"];
    engine.ok(&[&words[..], &["--tmpfs", "/memory", "host", "true"]].concat());
    let said = inside(
        &engine,
        &["--volumes-from", "data"],
        "cat /bind/file; echo 1 >/named/x; echo 2 >/unnamed/x; grep -c ' /memory ' /proc/mounts || true",
    );
    assert_eq!(said, "of the host\n0");
    // What went with one is still the other's; `ro` holds for all; what is given itself wins.
    let said = inside(
        &engine,
        &["--volumes-from", "data:ro", "-v", &mine],
        "cat /unnamed/x /named/file; for d in bind named unnamed; do touch /$d/y || echo no; done",
    );
    assert_eq!(said, "2\nof the host\nno\nno\nno");
    engine.ok(&["create", "--name", "heir", "--volumes-from", "data:ro", "host", "true"]);
    assert_eq!(engine.get("heir", "{{json .HostConfig.VolumesFrom}}"), "[\"data:ro\"]");
    let seen = mounts(&engine, "heir");
    assert!(seen.as_array().unwrap().iter().all(|one| one["RW"] == false), "{seen}");
    assert_eq!(seen.as_array().unwrap().len(), 3);
    engine.ok(&["rm", "-v", "data"]);
    engine.ok(&["start", "-a", "heir"]);
    engine.ok(&["rm", "-v", "heir"]);
    assert_eq!(engine.ok(&["volume", "ls", "-q"]), "store");
    for (text, part) in [
        ("gone", "no such container"),
        (":ro", "invalid volumes-from specification"),
        ("x:rx", "invalid mode for volumes-from: rx"),
    ] {
        let error = engine.fails(&["create", "--volumes-from", text, "host"], 1);
        assert!(error.contains(part), "{text}: {error}");
    }
    let script = r#"let d = create("host", #{ volumes: ["/data"] });
        print(run("host", ["test", "-d", "/data"], #{ volumes_from: d.name }).wait());"#;
    assert_eq!(engine.script(script), "0");
}

#[test]
fn sources_are_relative_to_the_working_directory() {
    needs_root!();
    let (engine, host) = (TestEngine::new(), source());
    let below = host.path().join("be low");
    std::fs::create_dir(&below).unwrap();
    std::fs::write(below.join("x"), "of below\n").unwrap();
    let said = |options: &[&str]| {
        let all = [&["run", "--rm"], options, &["host", "cat", "/d/file"]].concat();
        let ran = engine.command(&all).current_dir(&below).output().unwrap();
        String::from_utf8_lossy(&[ran.stdout, ran.stderr].concat()).into_owned()
    };
    for options in [
        &["-v", "..:/d"][..],
        &["-v", "../:/d:ro"],
        &["-v", "./../be low/..:/d"],
        &["-v", "../file:/d/file"],
        &["--mount", "type=bind,src=..,dst=/d"],
        &["--mount", "type=bind,source=./../file,target=/d/file,readonly"],
    ] {
        assert_eq!(said(options), "of the host\n", "{options:?}");
    }
    assert!(said(&["-v", "be/low:/d"]).contains("begin with ./"));
    assert!(said(&["--mount", "type=bind,src=x,dst=/d"]).contains("must be absolute"));
    assert!(said(&["--mount", "type=bind,src=./no,dst=/d"]).contains("does not exist"));
    let words = ["create", "--name", "rel", "-v", "./x:/x:ro", "-v", ".new:/new", "host", "true"];
    assert!(engine.command(&words).current_dir(&below).output().unwrap().status.success());
    let path = below.display();
    let binds = engine.get("rel", "{{join .HostConfig.Binds \",\"}}");
    assert_eq!(binds, format!("{path}/x:/x:ro,{path}/.new:/new"));
    assert_eq!(mounts(&engine, "rel")[0]["Source"], format!("{path}/x"));
    engine.ok(&["start", "-a", "rel"]);
    assert!(below.join(".new").is_dir());
}

#[test]
fn the_same_mount_twice_is_one_and_an_anonymous_volume_yields() {
    needs_root!();
    let (engine, host) = (TestEngine::new(), source());
    let bind = format!("{}:/a", host.path().display());
    let same = ["-v", &bind, "-v", &bind, "-v", "vv:/b", "-v", "vv:/b", "-v", "/c", "-v", "/c"];
    let more = ["--tmpfs", "/d", "--tmpfs", "/d:size=1m", "-v", "/a", "-v", "/d"];
    let program = "grep -E ' /[a-d] ' /proc/self/mountinfo | cut -d' ' -f5; cat /a/file";
    assert_eq!(
        inside(&engine, &[&same[..], &more].concat(), program),
        "/a\n/b\n/c\n/d\nof the host"
    );
    let read_only = format!("{bind}:ro");
    for options in [
        ["-v", &bind, "-v", &read_only],
        ["-v", &bind, "-v", "vv:/a"],
        ["-v", "vv:/a", "--tmpfs", "/a"],
        ["--mount", "type=tmpfs,dst=/a", "--mount", "type=volume,dst=/a"],
    ] {
        let error = engine.fails(&[&["create"], &options[..], &["host"]].concat(), 1);
        assert!(error.contains("Duplicate mount point: /a"), "{options:?}: {error}");
    }
    engine.ok(&["run", "--name", "one", "-v", "/test", "host", "touch", "/test/foo"]);
    let said = inside(&engine, &["--volumes-from", "one", "-v", "/test"], "ls /test");
    assert_eq!(said, "foo");
    let limits = ["--ulimit", "nofile=10:20", "--ulimit", "nproc=99", "--ulimit", "nofile=30"];
    assert_eq!(inside(&engine, &limits, "ulimit -Sn; ulimit -Hn"), "30\n30");
    let longest = "h".repeat(64);
    assert_eq!(inside(&engine, &["-h", &longest], "uname -n"), longest);
}

#[test]
fn a_volume_that_is_empty_is_filled_at_the_first_start_of_a_container() {
    needs_root!();
    let engine = TestEngine::new();
    let image = b"FROM host\nRUN mkdir /data; echo of the image >/data/one\n";
    assert!(engine.run_with_input(&["build", "-q", "-t", "fills:1", "-"], image).status.success());
    inside(&engine, &["-v", "used:/nowhere"], "true");
    let words = ["run", "--name", "once", "-v", "used:/data", "fills:1", "sh", "-c"];
    let program = "cat /data/one; rm /data/one; ls /data";
    assert_eq!(engine.ok(&[&words[..], &[&format!("{program} || true")]].concat()), "of the image");
    // A restart does not bring back what the container has removed.
    assert_eq!(engine.run(&["start", "-a", "once"]).out, "");
    engine.ok(&["run", "--rm", "-v", "used:/data", "fills:1", "test", "-f", "/data/one"]);
}

#[test]
fn inspect_shows_mounts_as_docker_does() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&[
        "create",
        "--name",
        "mm",
        "-v",
        "/tmp:/a:ro",
        "-v",
        "vol:/b",
        "-v",
        "/c",
        "--tmpfs",
        "/d:size=1m",
        "--mount",
        "type=tmpfs,dst=/e",
        "host",
    ]);
    let get = |template: &str| engine.get("mm", template);
    assert_eq!(get("{{json .HostConfig.Binds}}"), r#"["/tmp:/a:ro","vol:/b"]"#);
    assert_eq!(get("{{json .HostConfig.Tmpfs}}"), r#"{"/d":"size=1m"}"#);
    assert_eq!(get("{{json .HostConfig.Mounts}}"), r#"[{"Type":"tmpfs","Target":"/e"}]"#);
    assert_eq!(get("{{json .Config.Volumes}}"), r#"{"/c":{}}"#);
    let mounts = mounts(&engine, "mm");
    assert_eq!(
        mounts[0].to_string(),
        r#"{"Type":"bind","Source":"/tmp","Destination":"/a","Mode":"ro","RW":false,"Propagation":"rprivate"}"#
    );
    assert_eq!((mounts[1]["Name"].as_str(), mounts[1]["Mode"].as_str()), (Some("vol"), Some("z")));
    assert_eq!(mounts.as_array().unwrap().len(), 4);
    let listed =
        engine.ok(&["ps", "-a", "--format", "{{.LocalVolumes}} {{.Mounts}} {{.Networks}}"]);
    assert!(listed.starts_with("2 /tmp,vol,") && listed.ends_with("… none"), "{listed}");
    engine.ok(&["rm", "-v", "mm"]);
}
