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

/// Prints what is in a container's log, what was lost, and how much both are together.
const ACCOUNT: &str = r#"
    account() { "$LIFEBOX" logs box >"$OUT/out" 2>"$OUT/err"
        said='s/^\[lifebox: \([0-9]*\) bytes, \([0-9]*\) lines lost: no space left on device\]$/'
        bytes=$(sed -n "$said\1/p" "$OUT/err"); lines=$(sed -n "$said\2/p" "$OUT/err")
        [ "$bytes" -gt 0 ] || { echo "nothing lost:"; cat "$OUT/err"; }
        echo $(( $(wc -l <"$OUT/out") + lines )) lines, $(( $(wc -c <"$OUT/out") + bytes )) bytes; }
    until_lost() { i=0; while [ $i -lt 600 ]; do
        if "$LIFEBOX" logs box 2>&1 >/dev/null | grep -q " lost: "; then return 0; fi
        i=$((i+1)); sleep 0.05; done; return 1; }
    until_written() { i=0; while [ $i -lt 600 ]; do
        if "$LIFEBOX" logs box | grep -q "$1"; then return 0; fi
        i=$((i+1)); sleep 0.05; done; return 1; }
    OUT=$(mktemp -d); trap 'rm -r "$OUT"' EXIT
"#;
/// Writes 5,000 lines on SIGUSR1, one more on SIGUSR2, and ends on SIGTERM.
const WRITER: &str = r#"trap "seq 10001 15000" USR1; trap "echo four" USR2; trap "exit 3" TERM
    while true; do sleep 0.05; done"#;

#[test]
fn output_that_is_lost_on_a_full_disk_is_counted_whenever_it_begins_and_ends() {
    needs_root!();
    // With a line before and one after it; at the end of the log; as the whole log.
    let cases = [
        (
            "kill -s USR2 box; until_written four",
            "free; kill -s USR2 box; until_again",
            5002,
            30010,
        ),
        ("kill -s USR2 box; until_written four", ":", 5001, 30005),
        (":", ":", 5000, 30000),
    ];
    for (before, after, lines, bytes) in cases {
        let before = before.replace("kill", "\"$LIFEBOX\" kill");
        let after = after.replace("kill", "\"$LIFEBOX\" kill");
        let out = on_small_disk(&format!(
            r#"{ACCOUNT}
            until_again() {{ i=0; while [ $i -lt 600 ]; do
                if [ "$("$LIFEBOX" logs box | grep -c four)" = 2 ]; then return 0; fi
                i=$((i+1)); sleep 0.05; done; return 1; }}
            exec 3>&1 >/dev/null
            "$LIFEBOX" run -d --name box host sh -c '{WRITER}'
            {before}; fill_blocks
            "$LIFEBOX" kill -s USR1 box; until_lost; {after}
            "$LIFEBOX" stop box; account >&3; free; account >&3; state >&3"#
        ));
        let both = format!("{lines} lines, {bytes} bytes\n");
        assert_eq!(out, format!("{both}{both}exited 3\n"), "{before} {after}");
    }
}

#[test]
fn a_script_sees_what_is_missing_in_a_log_and_where() {
    needs_root!();
    let out = on_small_disk(&format!(
        r#"{ACCOUNT}
        "$LIFEBOX" run -d --name box host sh -c '{WRITER}' >/dev/null
        fill_blocks; "$LIFEBOX" kill -s USR1 box >/dev/null; until_lost; free
        "$LIFEBOX" kill -s USR2 box >/dev/null; until_written four
        "$LIFEBOX" -e 'for line in logs("box") {{
            if line.lost != () {{ print(`${{line.text}} ${{line.lost.reason}}`); }}
        }}'"#
    ));
    // The line behind the gap: that of the second signal, or one of those still on their way.
    let (line, reason) = out.trim_end().split_once(' ').unwrap_or_default();
    let on_its_way = line.parse().is_ok_and(|number| (10_002..=15_000).contains(&number));
    assert!(line == "four" || on_its_way, "{out}");
    assert_eq!(reason, "no space left on device");
}
