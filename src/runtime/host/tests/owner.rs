//! Which directory may be a store, for callers of several numbers.

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

/// A directory in `/tmp`, with another in it.
fn place() -> (tempfile::TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let root = place.path().join("root");
    fs::create_dir(&root).unwrap();
    (place, root)
}

/// Another user, to whom what this process creates is a stranger's.
fn stranger() -> Caller {
    Caller { user: 4_000_000_000, group: 4_000_000_000, sudo: None }
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[track_caller]
fn refused(caller: Caller, root: &Path, parts: &[&str]) {
    let error = caller.check(root).unwrap_err();
    assert_eq!(error.kind(), Kind::Denied, "{error:?}");
    for part in parts.iter().chain(&[&*root.display().to_string()]) {
        assert!(error.message().contains(part), "no {part:?} in {error:?}");
    }
    assert!(error.hint_text().unwrap().contains("--root"), "{error:?}");
}

#[test]
fn a_directory_of_the_caller_may_be_a_store_whether_it_exists_or_not() {
    let (_place, root) = place();
    let caller = Caller::now();
    for path in [root.clone(), root.join("missing"), root.join("missing/deep")] {
        caller.check(&path).unwrap();
    }
    fs::create_dir(root.join("volumes")).unwrap();
    set_mode(&root, 0o755);
    caller.check(&root).unwrap();
    caller.check(&root.join("../root/./")).unwrap();
}

#[test]
fn what_another_user_owns_is_not_a_store_even_if_it_is_empty() {
    let (place, root) = place();
    let own = format!("user {}", Caller::now().user);
    // Its way is trusted where root owns it.
    if Caller::now().user == 0 {
        refused(stranger(), &root, &["belongs to", &own]);
        std::os::unix::fs::chown(&root, Some(stranger().user), None).unwrap();
        stranger().check(&root).unwrap();
        stranger().check(&root.join("missing")).unwrap();
        fs::create_dir(root.join("images")).unwrap();
        refused(stranger(), &root, &["root/images` of the store", &own]);
        refused(Caller::now(), &root, &["the store", "belongs to user 4000000000"]);
        let below = root.join("below");
        refused(Caller::now(), &below, &["is in", "belongs to user 4000000000"]);
        let sudo = Caller { sudo: Some(4_000_000_000), ..Caller::now() };
        sudo.check(&below).unwrap();
        refused(sudo, &root, &["belongs to user 4000000000"]);
    } else {
        refused(stranger(), &root, &["is in", &place.path().display().to_string(), &own]);
    }
}

#[test]
fn a_directory_that_others_write_is_not_a_store_and_does_not_lead_to_one() {
    let (place, root) = place();
    let caller = Caller::now();
    for mode in [0o777, 0o1777] {
        set_mode(&root, mode);
        refused(caller, &root, &["other users may write"]);
    }
    // The caller's own group.
    set_mode(&root, 0o775);
    caller.check(&root).unwrap();
    set_mode(place.path(), 0o777);
    refused(caller, &root, &["other users may write"]);
    set_mode(place.path(), 0o1777);
    caller.check(&root).unwrap();
    fs::create_dir(root.join("names")).unwrap();
    set_mode(&root.join("names"), 0o777);
    refused(caller, &root, &["root/names"]);
}

#[test]
fn an_access_control_list_that_lets_others_write_counts_as_a_group() {
    let (_place, root) = place();
    // acl(5) as linux/posix_acl_xattr.h stores it: the owner, a user, the group, the mask, others.
    let entries = [(1_u16, 7_u16, u32::MAX), (2, 7, 4_000_000_000), (4, 5, u32::MAX)];
    let others = [(0x10, 7, u32::MAX), (0x20, 5, u32::MAX)];
    let entry = |(tag, mode, id): (u16, u16, u32)| {
        [&tag.to_le_bytes()[..], &mode.to_le_bytes(), &id.to_le_bytes()].concat()
    };
    let list: Vec<u8> = entries.into_iter().chain(others).flat_map(entry).collect();
    let list = [&2_u32.to_le_bytes()[..], &list].concat();
    let name = "system.posix_acl_access";
    if let Err(errno) = rustix::fs::setxattr(&root, name, &list, rustix::fs::XattrFlags::empty()) {
        eprintln!("LEFT OUT: no access control list can be set here: {errno}");
        return;
    }
    refused(Caller::now(), &root, &["other users may write"]);
}

#[test]
fn links_are_followed_and_what_they_lead_to_is_judged() {
    let (place, root) = place();
    let caller = Caller::now();
    let link = place.path().join("link");
    symlink(&root, &link).unwrap();
    caller.check(&link).unwrap();
    caller.check(&link.join("missing")).unwrap();
    set_mode(&root, 0o777);
    refused(caller, &link, &["other users may write"]);
    set_mode(&root, 0o755);
    symlink("loop", place.path().join("loop")).unwrap();
    assert!(caller.check(&place.path().join("loop")).is_err());
    if caller.user == 0 {
        std::os::unix::fs::lchown(&link, Some(stranger().user), None).unwrap();
        refused(caller, &link, &["behind the symbolic link", "user 4000000000"]);
        // A link below the root as well.
        let other = place.path().join("other");
        fs::create_dir(&other).unwrap();
        std::os::unix::fs::chown(&other, Some(stranger().user), None).unwrap();
        symlink(&other, root.join("images")).unwrap();
        refused(caller, &root, &["other", "user 4000000000"]);
    }
}

#[test]
fn a_store_is_not_inside_another() {
    let (_place, root) = place();
    let caller = Caller::now();
    fs::create_dir_all(root.join("volumes/v/_data/x")).unwrap();
    let inner = ["volumes", "volumes/v/_data/x", "containers", "images/new", "x/../volumes/v"];
    fs::create_dir(root.join("x")).unwrap();
    for name in inner {
        caller.check(&root.join(name)).unwrap();
    }
    fs::write(root.join("volumes/.lock"), "").unwrap();
    for name in inner {
        refused(caller, &root.join(name), &["is inside the store"]);
    }
    // Those of lessons, and of `--isolated`.
    caller.check(&root.join("isolated")).unwrap();
    caller.check(&root).unwrap();
}

#[test]
fn the_error_names_the_owner_and_the_way_to_be_that_user() {
    let path = Path::new("/srv/store");
    let error = of_other(path, path, 0);
    assert_eq!(error.message(), "the store `/srv/store` belongs to user 0 (`root`)");
    assert!(error.hint_text().unwrap().contains("sudo lifebox ..."), "{error:?}");
    let error = of_other(path, path, 4_000_000_000);
    assert_eq!(error.message(), "the store `/srv/store` belongs to user 4000000000");
    assert!(error.hint_text().unwrap().contains("sudo -u '#4000000000' lifebox"), "{error:?}");
}
