//! Logs as values, loops and callbacks.

use super::check;

#[test]
fn logs_print_as_text_and_loop_as_lines() {
    check(
        r#"
        let c = run("host", "echo hello world");
        let l = c.logs();
        print(l);
        for line in l { print(`${line.stream}: ${line.text}`); }
        print(l.stdout == "hello world\n");
        print(l.stderr.len);
        print(l.lines.len);
        print(logs(c, #{ stream: "stderr" }));
        print(logs(c, #{ timestamps: true, stream: "stderr" }));
        print("hello" in l);
        "#,
        "hello world\ndone\nstdout: hello world\nstderr: done\ntrue\n5\n2\ndone\n\
         1970-01-01T00:00:00.000000000Z done\ntrue",
    );
}

#[test]
fn followed_logs_can_be_broken_out_of() {
    check(
        r#"
        let c = run("host", ["count"]);
        for line in c.logs(#{ follow: true }) {
            if line.text == "3" { break; }
            print(line.text);
        }
        "#,
        "1\n2",
    );
}

#[test]
fn a_callback_has_this_and_stops_by_returning_false() {
    check(
        r#"
        let c = run("host", ["count"], #{ name: "web" });
        c.logs(|line| { print(`${this.name} ${line}`); line.text != "2" });
        let seen = [];
        let back = logs(c, #{ stream: "stdout" }, |line| { seen.push(line.text); seen.len < 3 });
        print(seen); print(back == c);
        c.logs(|line| { this.stop(); });
        print(c.status);
        fn first(line) { print(line.text); false }
        logs(run("host", ["count"]), first);
        "#,
        "web 1\nweb 2\n[\"1\", \"2\", \"3\"]\ntrue\nexited\n1",
    );
}

#[test]
fn following_ends_with_the_container_or_the_timeout() {
    check(
        r#"
        let c = run("host", "echo over");
        for line in c.logs(#{ follow: true }) { print(line); }
        let d = run("host", "sleep 100");
        try {
            for line in d.logs(#{ follow: true, timeout: "5ms" }) { print(line); }
        } catch (e) { print(`${e.kind} at ${e.position.line ?? "?"}`); }
        try { d.logs(#{ timeout: 0.005 }, |line| ()); } catch (e) { print(e.kind); }
        "#,
        "over\ndone\ntimeout at ?\ntimeout",
    );
}
