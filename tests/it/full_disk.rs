//! On a full disk every record is true, then and later.

use crate::harness::{CommandOutput, LIFEBOX, TestEngine};
use crate::needs_root;

/// The functions of a script: `fill` takes all room of the store, `free` gives it back.
const FUNCTIONS: &str = r#"
    set -e
    mount -t tmpfs -o size=4m,nr_inodes=400 store "$LIFEBOX_ROOT"
    chmod 700 "$LIFEBOX_ROOT"
    ln -s "$IMAGES" "$LIFEBOX_ROOT/images"
    fill_blocks() { dd if=/dev/zero of="$LIFEBOX_ROOT/full" bs=4k 2>/dev/null || true; }
    fill_inodes() { mkdir "$LIFEBOX_ROOT/full"; i=0
        while true 2>/dev/null >"$LIFEBOX_ROOT/full/$i"; do i=$((i+1)); done; true; }
    free() { rm -rf "$LIFEBOX_ROOT/full"; }
    state() { "$LIFEBOX" inspect -f "{{.State.Status}} {{.State.ExitCode}}{{.State.Error}}" box; }
    until_state() { i=0; while [ $i -lt 600 ]; do
        case "$(state)" in $1) return 0;; esac; i=$((i+1)); sleep 0.05; done; return 1; }
"#;

/// Runs a script of sh(1) whose store is on a small disk of its own; returns what it prints.
#[track_caller]
fn on_small_disk(script: &str) -> String {
    let engine = TestEngine::new();
    let images = std::fs::read_link(engine.root().join("images")).unwrap();
    let mut command = engine.shell("unshare");
    command.args(["-m", "--propagation", "private", "sh", "-c"]);
    command.arg(format!("{FUNCTIONS}\n{script}\n\"$LIFEBOX\" rm -f box >/dev/null"));
    command.env("LIFEBOX", LIFEBOX).env("IMAGES", images);
    let ran = CommandOutput::from(command.output().unwrap());
    assert_eq!(ran.code, 0, "{ran:?}");
    ran.out
}

#[test]
fn an_exit_on_a_full_disk_is_recorded_as_it_was() {
    needs_root!();
    for fill in ["fill_blocks", "fill_inodes"] {
        let out = on_small_disk(&format!(
            r#""$LIFEBOX" run -di --name box host sh -c 'read line; exit 7' >/dev/null
            {fill}
            echo | "$LIFEBOX" attach box || true
            "$LIFEBOX" wait box; state; free; state"#
        ));
        assert_eq!(out, "7\nexited 7\nexited 7\n", "{fill}");
    }
}

#[test]
fn a_pause_on_a_full_disk_is_as_the_record_says() {
    needs_root!();
    for fill in ["fill_blocks", "fill_inodes"] {
        let out = on_small_disk(&format!(
            r#""$LIFEBOX" run -d --name box host sleep 300 >/dev/null
            cgroup=$(find /sys/fs/cgroup -type d -name "$("$LIFEBOX" inspect -f '{{{{.Id}}}}' box)")
            frozen() {{ for c in $cgroup; do
                cat $c/freezer.state $c/cgroup.freeze 2>/dev/null || true; done | head -1; }}
            {fill}
            for i in 1 2 3; do
                "$LIFEBOX" pause box >/dev/null; state; frozen
                "$LIFEBOX" unpause box >/dev/null; state; frozen
            done; free"#
        ));
        let lines: Vec<&str> = out.lines().collect();
        for four in lines.chunks(4) {
            assert_eq!((four[0], four[2]), ("paused 0", "running 0"), "{fill}: {out}");
            assert!(["1", "FROZEN"].contains(&four[1]), "{fill}: {out}");
            assert!(["0", "THAWED"].contains(&four[3]), "{fill}: {out}");
        }
        assert_eq!(lines.len(), 12, "{fill}: {out}");
    }
}

#[test]
fn a_restart_policy_outlives_a_full_disk() {
    needs_root!();
    let out = on_small_disk(
        r#""$LIFEBOX" run -d --name box --restart always host sh -c 'exit 1' >/dev/null
        until_state 'restarting*'; fill_blocks
        count() { "$LIFEBOX" inspect -f '{{.RestartCount}}' box; }
        before=$(count); free
        i=0; while [ "$(count)" -le "$before" ] && [ $i -lt 400 ]; do i=$((i+1)); sleep 0.05; done
        [ "$(count)" -gt "$before" ] && echo restarted"#,
    );
    assert_eq!(out, "restarted\n");
}

#[test]
fn a_start_without_room_for_its_record_is_refused() {
    needs_root!();
    let out = on_small_disk(
        r#""$LIFEBOX" create --name box host sh -c 'exit 4' >/dev/null
        fill_blocks; said=$("$LIFEBOX" start box 2>&1) || echo refused
        case "$said" in *"no space left"*) echo 1;; *) echo "$said";; esac; free
        "$LIFEBOX" start box >/dev/null; "$LIFEBOX" wait box"#,
    );
    assert_eq!(out, "refused\n1\n4\n");
}
