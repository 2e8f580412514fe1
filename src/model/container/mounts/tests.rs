//! What may be written, and what it means.

use super::mount::*;
use crate::model::Kind;

fn volume(text: &str) -> Mount {
    Mount::from_volume(text).unwrap()
}

#[test]
fn the_three_forms_of_v_are_told_apart() {
    let bind = volume("/srv/./x:/data/:ro,Z");
    assert_eq!((bind.kind, bind.source.as_str()), (MountKind::Bind, "/srv/./x"));
    assert_eq!((bind.target.as_str(), bind.read_only), ("/data", true));
    let named = volume("db:/var/lib//db:nocopy");
    assert_eq!((named.kind, named.source.as_str()), (MountKind::Volume, "db"));
    assert_eq!((named.target.as_str(), named.nocopy), ("/var/lib/db", true));
    assert!(volume("/cache").anonymous);
}

#[test]
fn what_must_not_be_mounted_is_refused_with_a_reason() {
    let check = |text: &str, part: &str| {
        let error = Mount::from_volume(text).unwrap_err();
        let all = format!("{} {}", error.message(), error.hint_text().unwrap_or_default());
        assert!(all.contains(part), "{text}: {all}");
    };
    for (text, part) in [
        ("/x:/proc", "a kernel file system"),
        ("/x:/proc/sys/../sys", "a kernel file system"),
        ("/x:/srv/../..", "can't be '/'"),
        ("/x:/sys/fs/cgroup", "a kernel file system"),
        ("/x:/dev", "each container has a private one"),
        ("/x:/", "can't be '/'"),
        ("/x:/./", "can't be '/'"),
        ("/x:data", "must be absolute"),
        ("x/y:/data", "use absolute path"),
        ("a:/data", "too short"),
        ("/x:/data:rwx", "invalid mode: rwx"),
        ("/x:/data:rshared", "use rslave"),
        ("/x:ro", "invalid volume specification"),
        (":/data", "invalid volume specification"),
        ("/x:/y:ro:z", "invalid volume specification"),
        ("/x:/y:nocopy", "only volumes"),
        ("", "invalid volume specification"),
    ] {
        check(text, part);
    }
    // Names that only begin like those are others.
    assert!(Mount::from_volume("/x:/process").is_ok());
    assert!(Mount::from_volume("/x:/dev/shm").is_ok());
}

#[test]
fn fields_of_mount_belong_to_its_type() {
    let mount = |text: &str| Mount::from_mount(text);
    let bind = mount("type=bind,src=/srv,dst=/data,readonly,bind-propagation=rslave").unwrap();
    assert!(bind.read_only && bind.slave && bind.kind == MountKind::Bind);
    let tmpfs = mount("target=/t,tmpfs-size=64MB,tmpfs-mode=1770,type=tmpfs").unwrap();
    assert_eq!(tmpfs.settings, ["size=64m", "mode=1770"]);
    assert!(mount("target=/t").unwrap().anonymous);
    for text in [
        "type=bind,target=/t",
        "type=bind,source=x,target=/t",
        "type=bind,source=/x",
        "type=bind,source=/x,target=/t,tmpfs-size=1",
        "type=tmpfs,source=/x,target=/t",
        "type=npipe,target=/t",
        "type=image,target=/t",
        "type=image,source=i,target=/t,image-subpath=../x",
        "type=volume,source=vol,target=/t,volume-subpath=/etc",
        "type=volume,source=vol,target=/t,volume-subpath=a/../../b",
        "type=volume,target=/t,volume-subpath=a",
        "type=volume,source=vol,target=/t,volume-opt=foo=1",
        "type=volume,source=vol,target=/t,volume-driver=rexray",
        "type=bind,source=/x,target=/t,volume-subpath=a",
        "type=volume,source=/x,target=/t",
        "type=volume,source=vol,target=/t,readonly=maybe",
        "nonsense",
    ] {
        assert!(mount(text).is_err(), "{text}");
    }
}

#[test]
fn tmpfs_takes_what_the_kernel_takes_and_no_devices() {
    let tmpfs = Mount::from_tmpfs("/run:exec,size=10%,uid=5").unwrap();
    assert!(!tmpfs.noexec);
    assert_eq!(tmpfs.settings, ["size=10%", "uid=5"]);
    for text in ["run", "/run:dev", "/run:size=", "/run:size=-1", "/run:mode=99", "/run:x=y"] {
        assert!(Mount::from_tmpfs(text).is_err(), "{text}");
    }
}

#[test]
fn an_image_adds_volumes_where_nothing_is_mounted() {
    let given = Mounts { list: vec![volume("/srv:/data"), volume("db:/db")], ..Mounts::default() };
    let image = ["/data/".to_owned(), "/cache".to_owned()];
    let all = given.with_image("app", image.iter()).unwrap();
    let targets: Vec<_> = all.list.iter().map(|mount| mount.target.as_str()).collect();
    assert_eq!(targets, ["/data", "/db", "/cache"]);
    assert_eq!(all.list[2].spec, MountSpec::Image);
    let twice =
        Mounts { list: vec![volume("/srv:/data"), volume("db:/data/")], ..Mounts::default() };
    let error = twice.with_image("app", [].iter()).unwrap_err();
    assert_eq!(error.message(), "Duplicate mount point: /data");
    let odd = ["rel/ative".to_owned(), "../up".to_owned(), "/data/../db".to_owned()];
    let all = given.with_image("app", odd.iter()).unwrap();
    let targets: Vec<_> = all.list.iter().map(|mount| mount.target.as_str()).collect();
    assert_eq!(targets, ["/data", "/db", "/rel/ative", "/up"]);
    let hostile = ["/data/../../proc".to_owned()];
    assert_eq!(given.with_image("app", hostile.iter()).unwrap_err().kind(), Kind::Corrupt);
}
