//! A store that the binary before wrote is opened: its words on disk are still understood.
//!
//! `store-0.1.tar` is the whole root of an engine of commit 1b024a5: an image `tiny` with two
//! programs (`/hi` prints and exits with 3, `/wait` waits), and four containers of it.

use std::process::Command;

use crate::harness::{TestEngine, fixture};
use crate::needs_root;

fn opened() -> TestEngine {
    let engine = TestEngine::empty();
    let root = engine.root().to_str().unwrap();
    let unpacked = Command::new("tar")
        .args(["--numeric-owner", "-C", root, "-xf", &fixture("store-0.1.tar")])
        .status()
        .unwrap();
    assert!(unpacked.success());
    engine
}

#[test]
fn options_of_a_container_are_read_from_an_old_store() {
    needs_root!();
    let engine = opened();
    assert_eq!(
        engine.ok(&["docker", "made"]),
        "docker create --name made --env K=v --user 7:8 --hostname vm --label a=b \
         --stop-timeout=-1 --memory 64m --volume data:/data \
         --mount type=volume,source=empty,target=/empty,volume-nocopy \
         --mount type=bind,source=/usr,target=/host,readonly,bind-recursive=disabled \
         --tmpfs /tmp:size=1m --network host --ipc host --restart on-failure:3 \
         --log-opt max-file=2 --log-opt max-size=1m --health-cmd /hi --health-interval 7s \
         tiny /wait"
    );
}

#[test]
fn how_containers_exited_is_read_from_an_old_store() {
    needs_root!();
    let engine = opened();
    assert_eq!(engine.ok(&["logs", "ended"]), "hi");
    let killed = engine.ok(&["why", "killed"]);
    assert!(killed.contains("SIGKILL"), "{killed}");
    let stopped = engine.ok(&["why", "stopped"]);
    assert!(stopped.contains("SIGTERM") && stopped.contains("killed"), "{stopped}");
    let used = engine.ok(&["resources", "killed"]);
    assert!(used.contains("371.8 ms") && used.contains("72.2 ms"), "{used}");
}

#[test]
#[cfg(target_arch = "x86_64")]
fn containers_of_an_old_store_start_and_are_removed() {
    needs_root!();
    let engine = opened();
    let again = engine.run(&["start", "-a", "ended"]);
    assert_eq!((again.code, again.out.as_str()), (3, "hi\n"), "{again:?}");
    for name in ["ended", "made", "killed", "stopped"] {
        engine.ok(&["rm", "-v", name]);
    }
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    engine.ok(&["volume", "rm", "data", "empty"]);
    engine.ok(&["rmi", "tiny"]);
}
