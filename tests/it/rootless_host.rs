//! What an ordinary user gets of the host: cgroups, limits, devices, namespaces and networks.

use crate::harness::{CommandOutput, TIMEOUT, fixture, wait_until};
use crate::needs_users;
use crate::user::User;

#[test]
fn what_needs_a_cgroup_is_refused_with_the_way_to_one() {
    needs_users!("what_needs_a_cgroup_is_refused_with_the_way_to_one");
    let mut user = User::new("none", true);
    user.ok("lifebox run -d --name web host sleep 1000");
    let CommandOutput { err, .. } = user.run("lifebox pause web");
    assert!(err.contains("cannot freeze: this user has no cgroup"), "{err}");
    let way = err.split_once("hint: ").unwrap().1.trim_end().to_owned();
    user.refused("lifebox commit web x:1", &["cannot freeze", "--pause=false", &way]);
    user.refused("lifebox stats --no-stream web", &["`web`", "no cgroup", &way]);
    assert_eq!(user.ok("lifebox inspect --format '{{.State.Status}}' web"), "running");
    let info = user.ok("lifebox info");
    assert!(info.contains("this user has no cgroup") && info.contains(&way), "{info}");
    for limit in ["--memory 64m", "--cpus 0.5", "--pids-limit 9", "--cpuset-cpus 0"] {
        let name = limit.split(' ').next().unwrap();
        let command = format!("lifebox run --rm {limit} host true");
        user.refused(&command, &[&format!("{name} needs the cgroup controller"), "hint: "]);
    }
    user.refused("lifebox update --memory 64m web", &["--memory needs the cgroup controller"]);
    // The command is the one that helps.
    let Some(command) = way.strip_prefix("sudo sh -c \"").and_then(|way| way.strip_suffix('"'))
    else {
        eprintln!("LEFT OUT: no session of systemd can be made in a test: {way}");
        return;
    };
    user.ok("lifebox rm -f web");
    user.found_way(command);
    user.ok("lifebox run -d --name web host sleep 1000 && lifebox pause web");
    assert_eq!(user.ok("lifebox inspect --format '{{.State.Status}}' web"), "paused");
}

#[test]
fn limits_that_only_root_may_raise_are_refused_for_an_ordinary_user() {
    needs_users!("limits_that_only_root_may_raise_are_refused_for_an_ordinary_user");
    let user = User::new("raise", true);
    let limit =
        "ulimit -Sn 500; ulimit -Hn 5000; lifebox run --rm --ulimit nofile=100:9999 host true";
    user.refused(limit, &["may raise a hard limit", "nofile=5000:5000"]);
    assert_eq!(user.ok("lifebox run --rm --ulimit nofile=100:200 host sh -c 'ulimit -Hn'"), "200");
    user.refused(
        "lifebox run --rm --oom-score-adj -500 host true",
        &["only root may set less than 0"],
    );
    let score = "lifebox run --rm --oom-score-adj 500 host cat /proc/self/oom_score_adj";
    assert_eq!(user.ok(score), "500");
}

#[test]
fn an_ordinary_user_shares_namespaces_with_the_host() {
    needs_users!("an_ordinary_user_shares_namespaces_with_the_host");
    let user = User::new("shares", true);
    for (flag, kind) in
        [("network", "net"), ("pid", "pid"), ("ipc", "ipc"), ("uts", "uts"), ("cgroupns", "cgroup")]
    {
        let ours = std::fs::read_link(format!("/proc/self/ns/{kind}")).unwrap();
        let theirs = format!("lifebox run --rm --{flag} host host readlink /proc/self/ns/{kind}");
        // Each command of an ordinary user has a host name of its own, which is that of the host.
        if kind == "uts" {
            assert_eq!(user.ok("lifebox run --rm --uts host host hostname"), user.ok("hostname"));
        } else {
            assert_eq!(user.ok(&theirs), ours.to_string_lossy(), "{kind}");
        }
    }
    let with_network = |program: &str| format!("lifebox run --rm --network host host {program}");
    user.refused(&with_network("touch /sys/new"), &["Read-only file system"]);
    assert_eq!(user.ok(&with_network("ls /sys/kernel")), "");
    // Nothing of a container is left that had no process namespace to take all with it.
    user.ok("lifebox run -d --name pp --pid host host sh -c 'sleep 4711 & sleep 4712'");
    let top = || user.ok("lifebox top pp");
    assert!(wait_until(TIMEOUT, || top().contains("sleep 4711")), "{}", top());
    assert!(!top().contains("lifebox-monitor"), "{}", top());
    user.ok("lifebox rm -f pp");
    let left = || user.run("pgrep -u $(id -u) -r D,R,S,T -f '^sleep 471'").out;
    assert!(wait_until(TIMEOUT, || left().is_empty()), "{}", left());
}

#[test]
fn devices_of_the_host_are_shown_where_an_ordinary_user_wants_them() {
    needs_users!("devices_of_the_host_are_shown_where_an_ordinary_user_wants_them");
    let user = User::new("shown", true);
    let number = "lifebox run --rm --device /dev/zero:/dev/deep/nought host";
    assert_eq!(user.ok(&format!("{number} stat -c %t:%T /dev/deep/nought")), "1:5");
    assert_eq!(user.ok(&format!("{number} sh -c 'head -c 5 /dev/deep/nought | wc -c'")), "5");
    let only_read = "lifebox run --rm --device /dev/zero:/dev/zero2:r host true";
    user.refused(only_read, &["only root can limit a container to `r`"]);
    let all = "lifebox run --rm --privileged host sh -c 'test -c /dev/tty1 || ls /dev'";
    user.ok(&all.replace("tty1", "full"));
}

#[test]
fn in_a_delegated_cgroup_an_ordinary_user_can_pause() {
    needs_users!("in_a_delegated_cgroup_an_ordinary_user_can_pause");
    let mut user = User::new("cgroup", true);
    user.delegate();
    user.ok("lifebox run -d --name web host sleep 1000");
    user.ok("lifebox pause web");
    assert_eq!(user.ok("lifebox inspect --format '{{.State.Status}}' web"), "paused");
    let frozen = format!("cat {}/lifebox/*/cgroup.freeze", user.cgroup.as_ref().unwrap().display());
    assert_eq!(user.ok(&frozen), "1");
    user.ok("lifebox unpause web");
    // From elsewhere it is found again: its monitor dies, and all that is its is cleared away.
    let cgroup = user.cgroup.take();
    user.ok("pkill -KILL -u $(id -u) -f '^lifebox-monitor '");
    assert!(user.ok("lifebox ps -a").contains("Exited (137)"));
    user.cgroup = cgroup;
    user.ok("lifebox rm web");
    let left = std::fs::read_dir(user.cgroup.as_ref().unwrap().join("lifebox")).unwrap();
    assert_eq!(left.filter(|entry| entry.as_ref().unwrap().path().is_dir()).count(), 0);
}

#[test]
fn an_ordinary_user_without_power_over_ids_is_told_why() {
    needs_users!("an_ordinary_user_without_power_over_ids_is_told_why");
    let user = User::new("power", true);
    let info = user.ok("setpriv --no-new-privs lifebox info");
    assert!(info.contains("(no_new_privs)") && info.contains(" UID Map: 0 "), "{info}");
    assert!(!info.contains(", 1 "), "one id is mapped: {info}");
    assert_eq!(user.ok("setpriv --no-new-privs lifebox run --rm host id -u"), "0");
}

#[test]
fn an_ordinary_user_asks_servers_in_any_network() {
    needs_users!("an_ordinary_user_asks_servers_in_any_network");
    let user = User::new("asks", true);
    let image = user.home().join("image.tar");
    std::fs::copy(fixture("hundredcounter.docker.tar"), &image).unwrap();
    user.ok(&format!("lifebox load -q < {}", image.display()));
    // In the host's network this test itself answers.
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = server.local_addr().unwrap().port();
    let answering = std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        std::io::Write::write_all(&mut stream, b"HTTP/1.1 204 No Content\r\n\r\n").unwrap();
    });
    let script = r#"
        let program = "httpd -p 8080 -h /; touch /ready; exec sleep 1000";
        let own = run("hundredcounter", #{ entrypoint: ["/bin/busybox", "sh", "-c", program] });
        own.wait_for(#{ all: [#{ http: "/ready", port: 8080 }, #{ file: "/ready" }] }, "30s");
        let hosts = run("host", "sleep 1000", #{ network: "host" });
        hosts.wait_for(#{ http: "/", port: PORT, status: 204 }, "30s");
        for c in ps() { c.rm(#{ force: true }); }
        print("both");
        "#;
    let script = script.replace("PORT", &port.to_string());
    assert_eq!(user.ok(&format!("lifebox -e '{script}'")), "both");
    answering.join().unwrap();
}
