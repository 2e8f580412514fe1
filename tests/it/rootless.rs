//! What an ordinary user can do: a second user, made for the test and gone with it.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::harness::{CommandOutput, LIFEBOX, TIMEOUT, fixture, wait_until};
use crate::needs_users;
use crate::user::User;

#[test]
fn an_ordinary_user_takes_a_container_through_its_life() {
    needs_users!("an_ordinary_user_takes_a_container_through_its_life");
    let user = User::new("life", true);
    assert_eq!(user.ok("lifebox run --rm host echo hi"), "hi");
    assert_eq!(user.run("lifebox run --rm host sh -c 'exit 9'").code, 9);
    assert_eq!(user.run("lifebox run --rm host no-such-program").code, 127);
    user.ok("lifebox run -d --name web host sh -c 'echo ready; exec sleep 1000'");
    let wrote = wait_until(TIMEOUT, || user.ok("lifebox logs web") == "ready");
    assert!(wrote, "{:?}", user.run("lifebox logs web"));
    let status = "lifebox inspect --format '{{.State.Status}}' web";
    for (verb, expected) in [
        ("stop -t 0 web", "exited"),
        ("start web", "running"),
        ("restart -t 0 web", "running"),
        ("kill web", "exited"),
    ] {
        user.ok(&format!("lifebox {verb}"));
        assert_eq!(user.ok(status), expected, "{verb}");
    }
    user.ok("lifebox rm web");
    assert_eq!(user.ok("lifebox ps -aq"), "");
    // The script has the same engine.
    let script = r#"let c = run("host", ["id", "-u"]); c.wait(); print(c.logs())"#;
    assert_eq!(user.ok(&format!("lifebox -e '{script}'")).trim(), "0");
    assert_eq!(std::fs::read_dir(user.store().join("containers")).unwrap().count(), 1);
    user.ok("lifebox rm $(lifebox ps -aq)");
    assert_eq!(std::fs::read_dir(user.store().join("containers")).unwrap().count(), 0);
}

/// All below a store, with owners: what a refused verb must not have changed.
fn contents(store: &Path) -> String {
    let listed = Command::new("find").arg(store).args(["-printf", "%p %u %y %s %C@\n"]).output();
    String::from_utf8(listed.unwrap().stdout).unwrap()
}

/// Verbs of each kind: readers and writers, of containers, images and volumes.
pub const VERBS: &[&str] = &[
    "ps",
    "images",
    "info",
    "system df",
    "system check",
    "inspect web",
    "logs web",
    "top web",
    "stats --no-stream web",
    "volume ls",
    "events --since 1h --until 0s",
    "stop web",
    "kill web",
    "pause web",
    "unpause web",
    "restart web",
    "start web",
    "wait web",
    "rename web other",
    "update --pids-limit 9 web",
    "exec web true",
    "rm -f web",
    "cp web:/etc/hostname -",
    "diff web",
    "export web",
    "commit web new:1",
    "create host true",
    "run --rm host true",
    "tag host new:1",
    "rmi host",
    "image prune -f",
    "volume create new",
    "volume rm vol",
    "volume prune -af",
    "save host",
    "system check --repair",
    "explain web",
    "-e print(ps().len())",
    "--dry-run -e print(ps().len())",
    "--untrusted -e print(ps().len())",
    "--isolated -e print(ps().len())",
];

#[test]
fn no_verb_of_root_opens_the_store_of_another_user() {
    needs_users!("no_verb_of_root_opens_the_store_of_another_user");
    let user = User::new("owner", true);
    user.ok("lifebox run -d --name web -v vol:/v host sleep 1000");
    let before = contents(&user.store());
    for verb in VERBS {
        let mut command = Command::new("timeout");
        command.args(["10", LIFEBOX, "--root"]).arg(user.store()).args(words(verb));
        let ran: CommandOutput = command.output().unwrap().into();
        assert!([1, 125].contains(&ran.code), "{verb}: {ran:?}");
        let owner = format!("belongs to user {} (`{}`)", user.ok("id -u"), user.name);
        assert!(ran.err.contains(&owner), "{verb}: {}", ran.err);
        assert!(ran.err.contains(&format!("sudo -u {} lifebox", user.name)), "{}", ran.err);
    }
    assert_eq!(before, contents(&user.store()));
    assert_eq!(user.ok("lifebox inspect --format '{{.State.Status}}' web"), "running");
}

#[test]
fn no_verb_of_an_ordinary_user_opens_the_store_of_root() {
    needs_users!("no_verb_of_an_ordinary_user_opens_the_store_of_root");
    let user = User::new("other", true);
    let engine = crate::harness::TestEngine::new();
    engine.ok(&["create", "--name", "web", "host", "true"]);
    let before = contents(engine.root());
    // Closed to others, as the engine creates it, and open.
    for mode in ["700", "755"] {
        let changed = Command::new("chmod").arg(mode).arg(engine.root()).status();
        assert!(changed.unwrap().success());
        for verb in VERBS {
            let quoted: Vec<String> = words(verb).map(|word| format!("'{word}'")).collect();
            let command =
                format!("lifebox --root {} {}", engine.root().display(), quoted.join(" "));
            let ran = user.run(&command);
            assert!([1, 125].contains(&ran.code), "{command}: {ran:?}");
            assert!(ran.err.contains("belongs to user 0 (`root`)"), "{command}: {}", ran.err);
        }
    }
    let unchanged = |text: &str| {
        text.lines()
            .filter(|line| !line.starts_with(&format!("{} ", engine.root().display())))
            .collect::<Vec<_>>()
            .join("\n")
    };
    assert_eq!(unchanged(&before), unchanged(&contents(engine.root())));
}

/// The words of a verb: a script is one word.
fn words(verb: &str) -> impl Iterator<Item = &str> {
    verb.split(' ')
}

#[test]
fn each_user_of_a_container_is_a_subordinate_id_outside() {
    use std::os::unix::fs::MetadataExt;
    needs_users!("each_user_of_a_container_is_a_subordinate_id_outside");
    let user = User::new("ids", true);
    let own: u32 = user.ok("id -u").parse().unwrap();
    let subuid = std::fs::read_to_string("/etc/subuid").unwrap();
    let line = subuid.lines().find(|line| line.starts_with(&format!("{}:", user.name))).unwrap();
    let first: u32 = line.split(':').nth(1).unwrap().parse().unwrap();
    let id = user.ok("lifebox create --user 33:34 host sh -c 'touch /tmp/mine; sleep 1000'");
    user.ok(&format!("lifebox start {id}"));
    let upper = user.store().join("containers").join(&id).join("upper");
    assert!(wait_until(TIMEOUT, || upper.join("tmp/mine").exists()));
    let file = std::fs::metadata(upper.join("tmp/mine")).unwrap();
    // Inside, 0 is the user and 1 the first subordinate id.
    assert_eq!((file.uid(), file.gid()), (first + 32, first + 33));
    assert_eq!(std::fs::metadata(&upper).unwrap().uid(), own);
    user.ok(&format!("lifebox commit --pause=false {id} mine:1"));
    assert_eq!(
        user.ok("lifebox run --rm mine:1 stat -c %u:%g /tmp/mine"),
        "33:34",
        "owners survive commit"
    );
    user.ok(&format!("lifebox rm -f {id}; lifebox rmi mine:1"));
    assert!(!upper.exists());
}

#[test]
fn images_come_and_go_unchanged_as_an_ordinary_user() {
    needs_users!("images_come_and_go_unchanged_as_an_ordinary_user");
    let user = User::new("images", true);
    std::fs::copy(fixture("hundredcounter.docker.tar"), user.place.path().join("in.tar")).unwrap();
    user.ok("lifebox load -q -i ../in.tar");
    assert_eq!(user.ok("lifebox run --rm hundredcounter stat -c %u:%g /app"), "1000:1000");
    // What lies below is hidden, a file and a directory, and made anew.
    let text =
        "FROM hundredcounter\\nRUN rm -r /etc/passwd /app && mkdir /app && touch /app/new\\n";
    user.ok(&format!("mkdir c; printf '{text}' > c/Dockerfile; lifebox build -q -t b:1 c"));
    assert_eq!(user.ok("lifebox run --rm b:1 sh -c 'ls /app; ls /etc/passwd || true'"), "new");
    let id = "lifebox inspect --format '{{.Id}}'";
    let before = user.ok(&format!("{id} b:1"));
    user.ok("lifebox save -o b.tar b:1 && lifebox --root $HOME/other load -q -i b.tar");
    let after = user.ok(&format!("lifebox --root $HOME/other {} b:1", &id["lifebox ".len()..]));
    assert_eq!(before, after);
    assert_eq!(
        user.ok("lifebox --root $HOME/other run --rm b:1 sh -c 'ls /app; ls /etc/passwd || true'"),
        "new"
    );
    assert!(user.ok("lifebox system check").contains("no damage"));
    user.ok("lifebox rmi b:1 hundredcounter");
    assert_eq!(user.ok("lifebox images -q"), "");
}

#[test]
fn devices_of_an_image_are_left_out_for_an_ordinary_user() {
    needs_users!("devices_of_an_image_are_left_out_for_an_ordinary_user");
    let user = User::new("devices", true);
    // GNU tar as root: a disk that everybody may write.
    let make = "mkdir t && mknod -m 666 t/disk b 8 0 && touch t/file && tar -cf in.tar -C t . && \
                rm -r t";
    let done = Command::new("sh").args(["-ec", make]).current_dir(user.place.path()).status();
    assert!(done.unwrap().success());
    user.ok("lifebox import ../in.tar d:1 && lifebox save -o d.tar d:1 && lifebox system check");
    user.ok("lifebox --root $HOME/other load -q -i d.tar");
    let layers = user.store().join("images/layers");
    let found = Command::new("find").arg(layers).args(["-name", "disk"]).output().unwrap();
    assert!(found.stdout.is_empty(), "{found:?}");
}

#[test]
fn without_subordinate_ids_root_is_the_only_user() {
    needs_users!("without_subordinate_ids_root_is_the_only_user");
    let user = User::new("one", false);
    let own = user.ok("id -u");
    let map = user.ok("lifebox run --rm host cat /proc/self/uid_map");
    assert_eq!(map.split_whitespace().collect::<Vec<_>>(), ["0", &own, "1"]);
    assert_eq!(user.ok("lifebox run --rm host id -u"), "0");
    assert_eq!(user.ok("lifebox run --rm host sh -c 'echo x > /new && cat /new'"), "x");
    user.refused(
        "lifebox run --rm --user 33 host id",
        &["`33`", "subordinate ids", "lifebox info"],
    );
    // An image of other owners is refused whole.
    std::fs::copy(fixture("hundredcounter.docker.tar"), user.place.path().join("in.tar")).unwrap();
    user.refused(
        "lifebox load -i ../in.tar",
        &["1000:1000", "not one of this user's subordinate ids"],
    );
    assert_eq!(user.ok("lifebox images --format '{{.Repository}}'"), "host");
    let info = user.ok("lifebox info");
    let expected = [
        "Rootless: true",
        &format!("UID Map: 0 {own} 1"),
        &format!("give `{}` no subordinate ids", user.name),
        "sudo usermod --add-subuids",
    ];
    for part in expected {
        assert!(info.contains(part), "no {part:?} in {info}");
    }
}

#[test]
fn a_later_command_reaches_what_an_earlier_one_started() {
    needs_users!("a_later_command_reaches_what_an_earlier_one_started");
    let user = User::new("later", true);
    user.ok("lifebox run --rm host true");
    // Both find no container whose namespace they could join, so one must wait for the other.
    user.ok("lifebox run -d --name aa host sleep 1000 & \
             lifebox run -d --name bb --network none host sleep 1000; wait");
    for name in ["aa", "bb"] {
        assert_eq!(user.run(&format!("lifebox exec {name} sh -c 'exit 7'")).code, 7);
        assert_eq!(user.ok(&format!("lifebox exec --user 33:34 {name} id -u")), "33");
        let copy = "echo in > f && lifebox cp f NAME:/tmp/f && lifebox exec NAME cat /tmp/f";
        assert_eq!(user.ok(&copy.replace("NAME", name)), "in");
        assert!(user.ok(&format!("lifebox top {name}")).contains("sleep 1000"));
    }
    let own = user.ok("lifebox exec aa readlink /proc/self/ns/net");
    let joined = "lifebox run --rm --network container:aa --pid container:aa host";
    assert_eq!(user.ok(&format!("{joined} readlink /proc/self/ns/net")), own);
    assert_eq!(user.ok(&format!("{joined} cat /proc/1/comm")), "sleep");
    assert_eq!(user.ok("lifebox export aa | tar -xO tmp/f"), "in");
    // And what has ended.
    user.ok("lifebox stop -t 0 aa");
    assert_eq!(user.ok("lifebox cp aa:/tmp/f - | tar -xO"), "in");
    user.ok("echo new > f && lifebox cp f aa:/etc/f && lifebox start aa");
    assert_eq!(user.ok("lifebox exec aa cat /etc/f"), "new");
    user.ok("lifebox commit --pause=false aa kept:1");
    assert_eq!(user.ok("lifebox run --rm kept:1 cat /etc/f /tmp/f"), "new\nin");
}

#[test]
fn a_container_dies_with_its_monitor_also_without_a_cgroup() {
    needs_users!("a_container_dies_with_its_monitor_also_without_a_cgroup");
    let user = User::new("orphan", true);
    user.ok("lifebox run -d --name web host sleep 1000");
    let pid = user.ok("lifebox inspect --format '{{.State.Pid}}' web");
    user.ok("pkill -KILL -u $(id -u) -f '^lifebox-monitor '");
    assert!(user.ok("lifebox ps -a").contains("Exited (137)"));
    let process = PathBuf::from(format!("/proc/{pid}"));
    assert!(wait_until(TIMEOUT, || !process.exists()), "{}", process.display());
    user.ok("lifebox start web && lifebox rm -f web");
    // One that has become another user inside outlives its monitor, and is the user's to kill.
    let become_other = "exec nsenter -S 33 -G 33 sleep 1000";
    user.ok(&format!("lifebox run -d --name other host sh -c '{become_other}'"));
    let pid = user.ok("lifebox inspect --format '{{.State.Pid}}' other");
    let status = format!("/proc/{pid}/status");
    let own = format!("Uid:\t{}", user.ok("id -u"));
    let became = wait_until(TIMEOUT, || !std::fs::read_to_string(&status).unwrap().contains(&own));
    assert!(became, "{:?}", user.run("lifebox logs other"));
    user.ok("pkill -KILL -u $(id -u) -f '^lifebox-monitor '");
    user.refused(
        "lifebox rm -f other",
        &["operation not permitted", &format!("sudo kill -KILL {pid}")],
    );
    user.ok(&format!("kill -KILL {pid}"));
    assert!(wait_until(TIMEOUT, || user.run("lifebox rm other").code == 0));
}

#[test]
fn the_box_of_an_ordinary_user_is_as_tight_as_roots() {
    needs_users!("the_box_of_an_ordinary_user_is_as_tight_as_roots");
    let user = User::new("tight", true);
    let inside = |program: &str| user.ok(&format!("lifebox run --rm host sh -c '{program}'"));
    let refused = |program: &str| {
        let ran = user.run(&format!("lifebox run --rm host sh -c '{program}'"));
        assert!(ran.code != 0 && ran.code < 125, "{program}: {ran:?}");
    };
    // Podman's eleven, and nothing to inherit.
    let status = inside("grep -E ^Cap /proc/self/status");
    let bits: Vec<_> = status.split_whitespace().skip(1).step_by(2).collect();
    let eleven = "00000000800405fb";
    assert_eq!(bits, ["0000000000000000", eleven, eleven, eleven, "0000000000000000"], "{status}");
    refused("echo 1 > /proc/sys/kernel/domainname");
    refused("echo 1 > /proc/sysrq-trigger");
    refused("mknod /tmp/disk b 8 0");
    assert_eq!(inside("wc -c < /proc/keys"), "0");
    assert_eq!(inside("set -- /proc/[0-9]*; echo $#"), "1", "it sees its own processes only");
    assert_eq!(inside("ls /sys/class/net"), "lo");
    assert_eq!(inside("ls /proc/self/fd | wc -l"), "4");
    assert_eq!(
        inside("head -c 3 /dev/zero | wc -c; echo x > /dev/null; stat -c %t:%T /dev/tty"),
        "3\n5:0"
    );
    // Nothing of the host's is to be seen: no mount of it, and none of the user's files.
    assert_eq!(inside("grep -c \" /home\" /proc/self/mountinfo || true"), "0");
}
