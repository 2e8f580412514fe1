//! `build --output`: the files of the result, or its image, outside the store; `--exclude`.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

use super::context::Context;
use crate::commit::engine;
use crate::needs_root;

const FILE: &str = "FROM scratch\nCOPY --chown=7:8 --chmod=4755 tool /bin/\nCOPY d /d\n";

fn context() -> Context {
    let context = Context::new(FILE);
    context.write("tool", "tool");
    context.write("d/f", "file");
    symlink("f", context.at("d/link")).unwrap();
    context
}

fn tree(directory: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut todo = vec![directory.to_owned()];
    while let Some(next) = todo.pop() {
        for entry in std::fs::read_dir(next).unwrap().flatten() {
            let path = entry.path();
            found.push(path.strip_prefix(directory).unwrap().to_str().unwrap().to_owned());
            if entry.file_type().unwrap().is_dir() {
                todo.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn the_files_of_a_result_go_into_a_directory_and_the_image_is_not_listed() {
    needs_root!();
    let engine = engine();
    let context = context();
    let place = tempfile::tempdir().unwrap();
    let all = ["bin", "bin/tool", "d", "d/f", "d/link"];
    for (number, written) in ["", "type=local,dest="].iter().enumerate() {
        let to = place.path().join(format!("new/{number}"));
        let ran = context.build(&engine, &["-o", &format!("{written}{}", to.display())]);
        assert_eq!(ran.code, 0, "{}", ran.err);
        assert_eq!(tree(&to), all);
        let tool = std::fs::metadata(to.join("bin/tool")).unwrap();
        let facts = (tool.uid(), tool.gid(), tool.permissions().mode() & 0o7777);
        assert_eq!(facts, (0, 0, 0o755), "the caller's, and without power");
        assert_eq!(std::fs::read_link(to.join("d/link")).unwrap(), Path::new("f"));
    }
    assert_eq!(engine.ok(&["images", "-q"]).lines().count(), 1, "only the base is listed");
    // A second time: files are replaced, the caller's own stay.
    let to = place.path().join("new/0");
    std::fs::write(to.join("own"), "own").unwrap();
    std::fs::write(to.join("d/f"), "changed").unwrap();
    assert_eq!(context.build(&engine, &["-o", to.to_str().unwrap()]).code, 0);
    assert_eq!(std::fs::read_to_string(to.join("d/f")).unwrap(), "file");
    assert!(to.join("own").exists());
}

#[test]
fn no_link_leads_the_files_of_a_result_out_of_their_directory() {
    needs_root!();
    let engine = engine();
    let context = context();
    let place = tempfile::tempdir().unwrap();
    let (to, outside) = (place.path().join("to"), place.path().join("outside"));
    std::fs::create_dir(&to).unwrap();
    std::fs::create_dir(&outside).unwrap();
    std::fs::write(outside.join("f"), "precious").unwrap();
    symlink(&outside, to.join("d")).unwrap();
    let ran = context.build(&engine, &["-o", to.to_str().unwrap()]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("cannot copy `d/`"), "{}", ran.err);
    std::fs::remove_file(to.join("d")).unwrap();
    std::fs::create_dir(to.join("d")).unwrap();
    symlink(outside.join("f"), to.join("d/f")).unwrap();
    assert_eq!(context.build(&engine, &["-o", to.to_str().unwrap()]).code, 0);
    assert!(to.join("d/f").symlink_metadata().unwrap().is_file());
    assert_eq!(std::fs::read_to_string(outside.join("f")).unwrap(), "precious");
}

#[test]
fn a_result_is_written_as_a_tar_or_as_an_archive_of_the_image() {
    needs_root!();
    let engine = engine();
    let context = context();
    let place = tempfile::tempdir().unwrap();
    let at = |name: &str| place.path().join(name).to_str().unwrap().to_owned();
    let output = |text: &str, more: &[&str]| {
        let ran = context.build(&engine, &[&["-o", text], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
    };
    output(&format!("type=tar,dest={}", at("a.tar")), &[]);
    let command = engine.command(&["build", "-q", "-o", "-", context.path()]).output().unwrap();
    assert!(command.status.success(), "{command:?}");
    assert_eq!(command.stdout, std::fs::read(at("a.tar")).unwrap(), "and no id among it");
    let mut tar = tar::Archive::new(&command.stdout[..]);
    let owners: Vec<_> = tar
        .entries()
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.path().unwrap().display().to_string();
            (name, entry.header().uid().unwrap(), entry.header().mode().unwrap() & 0o7777)
        })
        .filter(|(name, ..)| name.ends_with("tool"))
        .collect();
    assert_eq!(owners, [("bin/tool".to_owned(), 7, 0o4755)]);
    for (kind, tag) in [("docker", "out:1"), ("oci", "out:2")] {
        output(&format!("type={kind},dest={}", at("i.tar")), &["-t", tag]);
        engine.ok(&["rmi", tag]);
        assert!(engine.ok(&["load", "-i", &at("i.tar")]).contains(tag));
    }
    output("type=image,name=out:3", &[]);
    assert!(engine.ok(&["images"]).contains("out"));
    for (text, said) in [
        ("type=local", "has no directory"),
        ("type=registry,name=x", "is not supported"),
        ("type=image,push=true", "push=true"),
        ("type=tar,compression=zstd", "compression=zstd"),
    ] {
        let ran = context.build(&engine, &["-o", text]);
        assert!(ran.code == 1 && ran.err.contains(said), "{text}: {}", ran.err);
    }
}

#[test]
fn what_exclude_names_is_not_copied() {
    needs_root!();
    let engine = engine();
    let context = Context::new("");
    for name in ["a.txt", "b.md", "d/a.txt", "d/b.md", "d/e/c.md", "d/e/k.txt"] {
        context.write(name, name);
    }
    let place = tempfile::tempdir().unwrap();
    let copied = |line: &str, number: usize| {
        context.write("Dockerfile", &format!("FROM scratch\n{line}\n"));
        let to = place.path().join(number.to_string());
        let ran = context.build(&engine, &["-o", to.to_str().unwrap()]);
        assert_eq!(ran.code, 0, "{line}: {}", ran.err);
        tree(&to).join(" ")
    };
    for (number, (line, expected)) in [
        ("COPY --exclude=*.md d /o/", "o o/a.txt o/e o/e/c.md o/e/k.txt"),
        ("COPY --exclude=**/*.md d /o/", "o o/a.txt o/e o/e/k.txt"),
        ("COPY --exclude=*.md --exclude=e d /o/", "o o/a.txt"),
        (
            "COPY --exclude=e/*.md --exclude=!e/c.md d /o/",
            "o o/a.txt o/b.md o/e o/e/c.md o/e/k.txt",
        ),
        ("COPY --exclude=*.md *.* /o/", "o o/a.txt"),
        (
            "ADD --exclude=*/*.md --exclude=Dockerfile . /o/",
            "o o/a.txt o/b.md o/d o/d/a.txt o/d/e o/d/e/c.md o/d/e/k.txt",
        ),
        ("COPY --parents --exclude=d/e d *.txt /o/", "o o/a.txt o/d o/d/a.txt o/d/b.md"),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(copied(line, number), expected, "{line}");
    }
    context.write("Dockerfile", "FROM scratch\nCOPY --exclude=[a d /o/\n");
    context.fails(&engine, "--exclude has an invalid pattern: [a");
}
