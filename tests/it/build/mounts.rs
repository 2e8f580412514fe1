//! What a build's commands see besides the image, and where its files come from.

use std::process::{Command, Stdio};

use super::context::{Context, inside};
use crate::commit::engine;
use crate::needs_root;

#[test]
fn a_command_sees_its_mounts_and_the_image_none_of_them() {
    needs_root!();
    let engine = engine();
    let context = Context::new(
        "FROM hundredcounter AS first\nRUN echo first > /one\n\
         FROM hundredcounter\nARG WHERE=/c\n\
         RUN --mount=type=bind,source=dir,target=/src --mount=type=cache,target=$WHERE \\\n\
         --mount=type=cache,id=two,target=/d,sharing=locked \\\n\
         --mount=type=cache,id=two,target=/e,sharing=locked,ro \\\n\
         --mount=type=tmpfs,target=/t,size=1m --mount=from=first,source=/one,target=/one,rw \\\n\
         --mount=type=secret,id=tok --mount=type=secret,id=tok,env=TOK \\\n\
         cat /src/f /one > /out && echo x >> /d/log && cat /e/log && echo x >> /c/log && cat /c/log >> /out && echo y > /t/z \\\n\
         && cat /run/secrets/tok >> /out && echo $TOK >> /out && echo more >> /one \\\n\
         && ! touch /src/new\n",
    );
    context.write("dir/f", "context\n");
    context.write("dir/hidden", "hidden");
    context.write("token", "s3cret");
    context.write(".dockerignore", "dir/hidden\ntoken\n");
    let secret = format!("id=tok,src={}", context.at("token").display());
    let build = |more: &[&str]| context.id(&engine, &[&["--secret", &secret], more].concat());
    let image = build(&[]);
    let left = "cat /out; ls /src /c /d /t /run/secrets /one 2>/dev/null; true";
    assert_eq!(inside(&engine, &image, left), "context\nfirst\nx\ns3crets3cret");
    // What lies in the context is part of the key, what is in the cache is not.
    assert_eq!(build(&[]), image);
    let again = build(&["--no-cache"]);
    assert_eq!(inside(&engine, &again, "cat /out"), "context\nfirst\nx\nx\ns3crets3cret");
    context.write("dir/f", "changed\n");
    let changed = build(&[]);
    assert!(inside(&engine, &changed, "cat /out").starts_with("changed\nfirst\nx\nx\nx\n"));
    // As with buildx, a secret of the type `env` may name its variable in `src`.
    let variable = context.id(&engine, &["--no-cache", "--secret", "type=env,id=tok,src=PATH"]);
    let path = std::env::var("PATH").unwrap();
    assert!(inside(&engine, &variable, "cat /out").contains(&path));
    // No trace of the secret, and nothing unpacked is left.
    let shown =
        engine.ok(&["inspect", &changed]) + &engine.ok(&["history", "--no-trunc", &changed]);
    assert!(!shown.contains("s3cret"), "{shown}");
    let staged = std::fs::read_dir(engine.root().join("images/staging")).unwrap();
    assert_eq!(staged.count(), 0);

    let pruned = engine.ok(&["builder", "prune", "-f"]);
    assert!(pruned.contains("Deleted build cache objects:\n"), "{pruned}");
    let caches = std::fs::read_dir(engine.root().join("build-cache")).unwrap();
    assert_eq!(caches.count(), 0);
}

#[test]
fn mounts_that_cannot_be_are_refused_by_name() {
    needs_root!();
    let engine = engine();
    let context = Context::new("");
    for (mount, why) in [
        ("type=ssh", "the mount type ssh of RUN is not supported"),
        ("type=cache,frm=x,target=/x", "unexpected key 'frm'"),
        ("type=tmpfs,target=/x,source=y", "a tmpfs mount of RUN has no source"),
        ("type=tmpfs", "needs a target"),
        ("type=bind,source=../etc,target=/x", "outside the build context"),
        ("type=bind,source=nosuch,target=/x", "`nosuch` is not in the build context"),
        ("type=tmpfs,target=/proc", "/proc"),
        ("type=cache,target=/x,sharing=all", "invalid sharing"),
        ("type=secret,id=nosuch,required=true", "secret nosuch: not found"),
        ("type=bind,from=later,target=/x", "later"),
    ] {
        let text = format!("FROM hundredcounter\nRUN --mount={mount} true\n");
        context.write("Dockerfile", &text);
        context.fails(&engine, why);
    }
}

#[test]
fn the_limits_of_a_build_are_those_of_its_commands() {
    needs_root!();
    let engine = engine();
    let context = Context::new(
        "FROM hundredcounter\nRUN ulimit -n > /out && cat /etc/hosts >> /out && \
         grep shm /proc/mounts >> /out; cat /proc/self/status | grep NoNewPrivs >> /out\n",
    );
    let flags = [
        "--ulimit",
        "nofile=77:88",
        "--add-host",
        "far:1.2.3.4",
        "--shm-size",
        "2m",
        "-m",
        "64m",
        "--memory-swap",
        "64m",
        "-c",
        "512",
        "--cpu-period",
        "100000",
        "--cpu-quota",
        "50000",
        "--cpuset-cpus",
        "0",
        "--security-opt",
        "no-new-privileges",
        "--network",
        "none",
        "--progress",
        "auto",
        "--output",
        "type=docker",
    ];
    let image = context.id(&engine, &flags);
    let out = inside(&engine, &image, "cat /out");
    for part in ["77\n", "1.2.3.4\tfar", "size=2048k", "NoNewPrivs:\t1"] {
        assert!(out.contains(part), "{part}: {out}");
    }
    // A limit is not part of what the image is.
    assert!(!engine.ok(&["inspect", &image]).contains("1.2.3.4"));
    for (flags, why) in [
        (&["-m", "x"][..], "invalid size"),
        (&["--ulimit", "x"], "ulimit"),
        (&["-o", "type=registry"], "--output type=registry is not supported"),
        (&["--ssh", "default"], "`--ssh` of `docker build` is not supported"),
        (&["-q", "--progress", "plain"], "cannot be used together"),
    ] {
        let ran = context.build(&engine, flags);
        assert!(ran.code != 0 && ran.err.contains(why), "{flags:?}: {}", ran.err);
    }
    let quiet = context.build(&engine, &["--progress", "quiet"]);
    assert_eq!((quiet.out.trim_end(), quiet.err.as_str()), (image.as_str(), ""));
}

#[test]
fn a_context_on_standard_input_is_a_tar_or_a_dockerfile() {
    needs_root!();
    let engine = engine();
    let context = Context::new("FROM hundredcounter\nCOPY a/f /f\n");
    context.write("a/f", "file");
    context.write("other", "FROM hundredcounter\nCOPY . /all/\n");
    context.write(".dockerignore", "Dockerfile\n");
    let packed = |compress: &str| {
        let tar = ["-C", context.path(), compress, "-cf", "-", "."];
        Command::new("tar").args(tar).stderr(Stdio::null()).output().unwrap().stdout
    };
    let from = |words: &[&str], input: &[u8]| {
        let ran = engine.run_with_input(&[&["build", "-q"], words].concat(), input);
        (ran.status.success(), String::from_utf8(ran.stdout).unwrap().trim_end().to_owned())
    };
    let plain = from(&["-"], &packed("--no-auto-compress"));
    assert!(plain.0);
    assert_eq!(inside(&engine, &plain.1, "cat /f"), "file");
    assert_eq!(from(&["-f", "Dockerfile", "-"], &packed("-z")), plain);
    let (_, other) = from(&["-f", "./other", "-"], &packed("-J"));
    assert_eq!(inside(&engine, &other, "ls /all"), "a\nother");
    assert!(from(&["-"], b"FROM hundredcounter\n").0);
    for (words, input) in [
        (&["-"][..], &[0u8; 900][..]),
        (&["-"], &packed("-z")[..200]),
        (&["-f", "../x", "-"], &packed("-z")),
        (&["-f", "-", context.path()], &packed("-z")),
    ] {
        assert!(!from(words, input).0, "{words:?}");
    }
    let staged = std::fs::read_dir(engine.root().join("images/staging")).unwrap();
    assert_eq!(staged.count(), 0);
    for place in ["https://github.com/a/b.git", "git@github.com:a/b.git", "github.com/a/b"] {
        let said = engine.fails(&["build", place], 1);
        assert!(said.contains("git clone"), "{said}");
    }
}

#[test]
fn copied_parents_keep_the_directories_of_a_source() {
    needs_root!();
    let engine = engine();
    let context = Context::new(
        "FROM hundredcounter\nCOPY --parents a/b/f */*/g /p/\nCOPY --parents a/./b /q\n\
         COPY --parents=false --link --chmod=600 --chown=7:8 a/b/f /r\n",
    );
    context.write("a/b/f", "f");
    context.write("a/c/g", "g");
    let image = context.id(&engine, &[]);
    let script = "cat /p/a/b/f /p/a/c/g /q/b/f; ls -ln /r";
    let out = inside(&engine, &image, script);
    assert!(out.starts_with("fgf-rw-------"), "{out}");
    assert_eq!(out.split_whitespace().skip(2).take(2).collect::<Vec<_>>(), ["7", "8"], "{out}");
}
