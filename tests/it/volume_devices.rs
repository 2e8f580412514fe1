//! Volumes that mount a device, parts of volumes, and images as mounts.

use crate::harness::TestEngine;
use crate::needs_root;

/// Options of a volume that is a tmpfs of 1 MiB.
const MEMORY: [&str; 6] = ["-o", "type=tmpfs", "-o", "device=tmpfs", "-o", "o=size=1m,mode=711"];

#[test]
fn a_volume_of_a_directory_shows_it_and_its_removal_leaves_the_directory() {
    needs_root!();
    let (engine, host) = (TestEngine::new(), tempfile::tempdir().unwrap());
    let directory = host.path().join("dir");
    std::fs::create_dir(&directory).unwrap();
    let device = format!("device={}", directory.display());
    let create = |name: &str, o: &str| {
        let options = ["volume", "create", "-o", "type=none", "-o", &device, "-o", o, name];
        engine.ok(&options);
    };
    create("data", "o=bind");
    create("sealed", "o=bind,ro");
    let read = |template: &str| engine.ok(&["volume", "inspect", "-f", template, "data"]);
    assert_eq!(read("{{.Options.o}} {{.Options.type}}"), "bind none");
    // Filled at its first start, as a volume that is empty.
    let said = engine.ok(&["run", "--rm", "-v", "data:/etc", "host", "ls", "/etc/passwd"]);
    assert_eq!(said, "/etc/passwd");
    assert!(directory.join("passwd").exists());
    let program = "echo in >/d/made; cat /d/made; echo x >/f/made || echo no; \
                   grep -c ' /d .*nosuid,nodev' /proc/mounts";
    let mounts = ["-v", "data:/d", "-v", "sealed:/f"];
    let run = |program: &str| {
        engine.ok(&[&["run", "--rm"][..], &mounts, &["host", "sh", "-c", program]].concat())
    };
    assert_eq!(run(program), "in\nno\n1");
    engine.ok(&[&["create", "--name", "still"][..], &mounts, &["host", "true"]].concat());
    let file = host.path().join("file");
    std::fs::write(&file, "copied\n").unwrap();
    engine.ok(&["cp", file.to_str().unwrap(), "still:/d/copy"]);
    assert_eq!(std::fs::read_to_string(directory.join("copy")).unwrap(), "copied\n");
    let refused = engine.fails(&["cp", file.to_str().unwrap(), "still:/f/copy"], 1);
    assert!(refused.contains("read-only"), "{refused}");
    assert!(!engine.ok(&["system", "df", "-v"]).contains("sealed"));
    engine.ok(&["rm", "still"]);
    engine.ok(&["volume", "rm", "data"]);
    engine.ok(&["volume", "prune", "-a", "-f"]);
    assert_eq!(std::fs::read_to_string(directory.join("made")).unwrap(), "in\n");
}

#[test]
fn all_containers_of_a_volume_in_memory_have_one_tmpfs_while_one_runs() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&[&["volume", "create"][..], &MEMORY, &["memory"]].concat());
    // Three that start at a time.
    let names = ["one", "two", "three"];
    std::thread::scope(|scope| {
        for name in names {
            let engine = &engine;
            scope.spawn(move || {
                let program = format!("echo {name} >/m/sub/{name}; sleep 100");
                let program = format!("mkdir -p /m/sub; {program}");
                let volume = format!("memory:/m{}", if name == "two" { ":suid" } else { "" });
                engine.ok(&[
                    "run", "-d", "--name", name, "-v", &volume, "host", "sh", "-c", &program,
                ]);
            });
        }
    });
    let wait =
        "until [ $(ls /m/sub 2>/dev/null | wc -l) = 3 ]; do sleep .02; done; cd /m/sub; cat *";
    for name in names {
        assert_eq!(engine.ok(&["exec", name, "sh", "-c", wait]), "one\nthree\ntwo");
    }
    let seen =
        "touch /r/x || echo no; df -k /r | tail -1 | tr -s ' ' | cut -d' ' -f2; stat -c %a /r";
    let seen = engine.ok(&["run", "--rm", "-v", "memory:/r:ro", "host", "sh", "-c", seen]);
    assert_eq!(seen, "no\n1024\n711");
    // What one has read-only another may write, and one that is on its way out passes it on.
    engine.ok(&["run", "-d", "--name", "last", "-v", "memory:/deep/er:ro", "host", "sleep", "100"]);
    engine.ok(&["rm", "-f", "one", "two", "three"]);
    let program = "echo more >/w/more; ls /w";
    let seen = engine.ok(&["run", "--rm", "-v", "memory:/w", "host", "sh", "-c", program]);
    assert_eq!(seen, "more\nsub");
    assert_eq!(engine.ok(&["exec", "last", "cat", "/deep/er/more"]), "more");
    let part = ["--mount", "type=volume,source=memory,target=/p,volume-subpath=sub"];
    let refused = engine.fails(&[&["run", "--rm"], &part[..], &["host", "true"]].concat(), 125);
    assert!(refused.contains("a part of a tmpfs cannot be mounted"), "{refused}");
    engine.ok(&["rm", "-f", "last"]);
    let seen = engine.ok(&["run", "--rm", "-v", "memory:/w", "host", "ls", "-A", "/w"]);
    assert_eq!(seen, "", "with the last container the files go");
    engine.ok(&["create", "--name", "still", "-v", "memory:/m", "host", "true"]);
    let refused = engine.fails(&["cp", "/etc/hostname", "still:/m/"], 1);
    assert!(refused.contains("a volume in memory"), "{refused}");
}

/// What a container puts in the place of its tmpfs is not given to others.
#[test]
fn a_volume_in_memory_that_its_container_hides_is_not_replaced_by_another_mount() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&[&["volume", "create"][..], &MEMORY, &["memory"]].concat());
    let program = "mount -t tmpfs none /m && touch /m/fake && echo hidden && sleep 100";
    let all = ["run", "-d", "--name", "hides", "--privileged", "-v", "memory:/m", "host"];
    engine.ok(&[&all[..], &["sh", "-c", program]].concat());
    engine.wrote("hides", "hidden");
    let said = engine.fails(&["run", "--rm", "-v", "memory:/m", "host", "ls", "/m"], 125);
    assert!(said.contains("mounting volume 'memory'") && said.contains("hides it"), "{said}");
    engine.ok(&["rm", "-f", "hides"]);
    assert_eq!(engine.ok(&["run", "--rm", "-v", "memory:/m", "host", "ls", "/m"]), "");
}

#[test]
fn options_of_volumes_are_checked_in_dockers_words() {
    needs_root!();
    let engine = TestEngine::new();
    let missing = "missing required option: \"device\"";
    for (options, expected) in [
        (&["-o", "foo=1"][..], "create vol: invalid option: \"foo\""),
        (&["-o", "type=tmpfs"], missing),
        (&["-o", "o=bind"], missing),
        (&["-o", "size=1m"], "quota size requested but no quota support"),
        (&["--name", "vol"], "through both --name and as a positional arg"),
    ] {
        let said = engine.fails(&[&["volume", "create"], options, &["vol"]].concat(), 1);
        assert!(said.contains(expected), "{options:?}: {said}");
    }
    assert_eq!(engine.ok(&["volume", "create", "--name", "old"]), "old");
    for (device, code, expected) in [
        (&["-o", "type=none", "-o", "o=bind", "-o", "device=/no/such"][..], 127, "no such file"),
        (&["-o", "type=none", "-o", "device=/etc"], 125, "mount /etc: no such device"),
        (&["-o", "type=tmpfs", "-o", "device="], 125, "missing device in volume options"),
    ] {
        engine.ok(&[&["volume", "create"], device, &["vol"]].concat());
        let said = engine.fails(&["run", "--rm", "-v", "vol:/v", "host", "true"], code);
        assert!(said.contains("mounting volume 'vol'") && said.contains(expected), "{said}");
        engine.ok(&["volume", "rm", "vol"]);
    }
    let mount = "type=volume,source=new,target=/n,volume-label=a=b,volume-opt=type=tmpfs,\
                 volume-opt=device=tmpfs,\"volume-opt=o=size=2m,mode=700\"";
    engine.ok(&["create", "--name", "asks", "--mount", mount, "host", "true"]);
    let read = |template: &str| engine.ok(&["volume", "inspect", "-f", template, "new"]);
    assert_eq!(read("{{.Labels.a}} {{.Options.o}}"), "b size=2m,mode=700");
    let asked = engine.get("asks", "{{json (index .HostConfig.Mounts 0).VolumeOptions}}");
    let expected = r#"{"Labels":{"a":"b"},"DriverConfig":{"Options":{"device":"tmpfs","o":"size=2m,mode=700","type":"tmpfs"}}}"#;
    assert_eq!(asked, expected);
    let said = engine.ok(&["docker", "asks"]);
    assert!(said.contains("\"volume-opt=o=size=2m,mode=700\""), "{said}");
}

/// The content of a volume is its containers': links there lead anywhere.
#[test]
fn a_part_of_a_volume_is_mounted_and_no_link_leads_out_of_it() {
    needs_root!();
    let engine = TestEngine::new();
    let program = "mkdir -p /v/a/b; echo deep >/v/a/b/f; ln -s a/b /v/in; ln -s /etc /v/out; \
                   ln -s ../../../../../../etc /v/up; ln -s /v/a /v/absolute; mkdir /v/empty";
    engine.ok(&["run", "--rm", "-v", "vol:/v", "host", "sh", "-c", program]);
    let run = |part: &str, target: &str, code: i32| {
        let mount = format!("type=volume,source=vol,target={target},volume-subpath={part}");
        let ran =
            engine.run(&["run", "--rm", "--mount", &mount, "host", "sh", "-c", "cat /t/f /f"]);
        assert!(ran.code == code || code == 0, "{part}: {ran:?}");
        (ran.out, ran.err)
    };
    for (part, target) in [("a/b", "/t"), ("in", "/t"), ("a/../a/b/", "/t"), ("a/b/f", "/f")] {
        assert_eq!(run(part, target, 0).0, "deep\n", "{part}");
    }
    for part in ["out", "up", "absolute", "out/passwd"] {
        let said = run(part, "/t", 125).1;
        assert!(said.contains("escapes the base directory"), "{part}: {said}");
    }
    assert!(run("none", "/t", 127).1.contains("cannot access path `none` in the volume `vol`"));
    for part in ["../x", "/etc", "a/../../x"] {
        assert!(run(part, "/t", 125).1.contains("a relative path within the volume"), "{part}");
    }
    // An empty part is filled as an empty volume is, and the rest stays.
    let mount = "type=volume,source=vol,target=/etc,volume-subpath=empty";
    engine.ok(&["run", "--rm", "--mount", mount, "host", "true"]);
    let all = engine.ok(&["run", "--rm", "-v", "vol:/v", "host", "ls", "/v", "/v/empty/passwd"]);
    assert_eq!(all, "/v/empty/passwd\n\n/v:\na\nabsolute\nempty\nin\nout\nup");
}

#[test]
fn an_image_is_mounted_read_only_and_kept_while_its_container_exists() {
    needs_root!();
    let engine = TestEngine::new();
    let tag = format!("mounted-{}:1", std::process::id());
    let two_layers = "FROM host\nRUN mkdir -p /data/sub && echo one >/data/sub/f\n\
                      RUN echo two >/data/two && ln -s /etc /data/out\n";
    let built = engine.run_with_input(&["build", "-q", "-t", &tag, "-"], two_layers.as_bytes());
    assert!(built.status.success(), "{built:?}");
    let whole = format!("type=image,source={tag},target=/i");
    let program = "cat /i/data/sub/f /i/data/two; touch /i/x || echo no";
    let said = engine.ok(&["run", "--rm", "--mount", &whole, "host", "sh", "-c", program]);
    assert_eq!(said, "one\ntwo\nno");
    let part = format!("{whole},image-subpath=data");
    engine.ok(&["create", "--name", "mounts", "--mount", &part, "host", "cat", "/i/two"]);
    assert_eq!(engine.ok(&["start", "-a", "mounts"]), "two");
    let read = "{{range .Mounts}}{{.Type}} {{.Name}} {{.Destination}} {{.RW}}{{end}}";
    assert_eq!(engine.get("mounts", read), format!("image {tag} /i false"));
    let asked = engine.get("mounts", "{{json (index .HostConfig.Mounts 0).ImageOptions}}");
    assert_eq!(asked, r#"{"Subpath":"data"}"#);
    engine.ok(&["cp", "mounts:/i/sub/f", engine.root().join("f").to_str().unwrap()]);
    assert!(engine.fails(&["cp", "/etc/hostname", "mounts:/i/"], 1).contains("read-only"));
    assert!(engine.fails(&["rmi", &tag], 1).contains("used by the container `mounts`"));
    // An image of one layer.
    let one = "type=image,source=host,target=/i";
    engine.ok(&["run", "--rm", "--mount", one, "host", "ls", "/i/etc"]);
    for (part, code, expected) in [
        (",image-subpath=data/out", 125, "escapes the base directory"),
        (",image-subpath=none", 127, "cannot access path `none` in the image"),
        (",image-subpath=../x", 125, "a relative path within the image"),
    ] {
        let mount = format!("{whole}{part}");
        let said = engine.fails(&["run", "--rm", "--mount", &mount, "host", "true"], code);
        assert!(said.contains(expected), "{part}: {said}");
    }
    let none = "type=image,source=no-such-image,target=/i";
    let said = engine.fails(&["create", "--mount", none, "host", "true"], 1);
    assert!(said.contains("no such image: `no-such-image`"), "{said}");
    engine.ok(&["rm", "mounts"]);
    engine.ok(&["rmi", &tag]);
}

/// A loop device with a file system, detached when dropped.
struct Loop(String);

impl Loop {
    fn of(image: &std::path::Path) -> Option<Self> {
        let run = |program: &str, arguments: &[&str]| {
            let output = std::process::Command::new(program).args(arguments).output().ok()?;
            let said = String::from_utf8(output.stdout).ok()?;
            output.status.success().then(|| said.trim().to_owned())
        };
        std::fs::File::create(image).ok()?.set_len(4 << 20).ok()?;
        let image = image.to_str()?;
        run("mkfs.ext4", &["-q", image])?;
        run("losetup", &["-f", "--show", image]).map(Loop)
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        let _ = std::process::Command::new("losetup").args(["-d", &self.0]).status();
    }
}

#[test]
fn a_volume_of_a_block_device_is_its_file_system() {
    needs_root!();
    let engine = TestEngine::new();
    let Some(device) = Loop::of(&engine.root().join("disk")) else {
        eprintln!("LEFT OUT: a_volume_of_a_block_device_is_its_file_system needs a loop device");
        return;
    };
    let name = format!("device={}", device.0);
    engine.ok(&["volume", "create", "-o", "type=ext4", "-o", &name, "disk"]);
    engine.ok(&["run", "-d", "--name", "one", "-v", "disk:/d", "host", "sleep", "100"]);
    let program = "echo kept >/d/file; grep -c ' /d ext4 ' /proc/mounts";
    let said = engine.ok(&["run", "--rm", "-v", "disk:/d", "host", "sh", "-c", program]);
    assert_eq!(said, "1", "two containers at a time");
    assert_eq!(engine.ok(&["exec", "one", "cat", "/d/file"]), "kept");
    engine.ok(&["rm", "-f", "one"]);
    assert_eq!(engine.ok(&["run", "--rm", "-v", "disk:/d", "host", "cat", "/d/file"]), "kept");
}

#[test]
fn only_memory_may_be_a_volume_of_a_script_that_is_not_trusted() {
    needs_root!();
    let engine = TestEngine::new();
    let folder = engine.root().join("folder");
    std::fs::create_dir(&folder).unwrap();
    let run = |text: &str| {
        let script = folder.join("script.rhai");
        std::fs::write(&script, text).unwrap();
        engine.run(&["script", "--untrusted", script.to_str().unwrap()])
    };
    let device = "type: \"none\", device: \"/etc\", o: \"bind\"";
    let option = "volume-opt=type=none,volume-opt=device=/etc,volume-opt=o=bind";
    for text in [
        format!("create_volume(\"vol\", #{{ options: #{{ {device} }} }})"),
        format!("create_volume(\"vol\", #{{ options: #{{ {device} }} + #{{ type: \"tmpfs\" }} }})"),
        "create_volume(\"vol\", #{ options: #{ type: \"nfs\", device: \":/x\" } })".to_owned(),
        format!("create(\"host\", #{{ mounts: \"type=volume,source=vol,target=/x,{option}\" }})"),
        format!("create(\"host\", #{{ mounts: \"type=volume,target=/x,{option}\" }})"),
    ] {
        let ran = run(&text);
        assert!(ran.code == 1 && ran.err.contains("with --untrusted"), "{text}: {ran:?}");
    }
    engine.ok(&["volume", "create", "-o", "type=none", "-o", "device=/etc", "-o", "o=bind", "vol"]);
    let ran = run("create(\"host\", #{ volumes: \"vol:/x\" })");
    assert!(ran.err.contains("volume `vol`"), "{ran:?}");
    let ran = run("print(volume(\"vol\").options.device)");
    assert!(!ran.out.contains("/etc"), "{ran:?}");
    let ran =
        run("create_volume(\"mem\", #{ options: #{ type: \"tmpfs\", device: \"tmpfs\" } });\n\
                   print(run(\"host\", \"stat -f -c %T /m\", #{ volumes: \"mem:/m\" }).wait());\n\
                   print(volume(\"mem\").options);");
    assert!(ran.code == 0 && ran.out.contains("tmpfs"), "{ran:?}");
}
