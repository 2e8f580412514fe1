//! Concurrency, retries and cleanup.

use super::{check, report, run_text};

#[test]
fn results_come_in_the_order_of_the_functions() {
    check(
        r#"
        print(parallel([|| { sleep(0.05); 1 }, || 2, || 3]));
        print(parallel(2, [1, 2, 3, 4], |n| n * n));
        print(parallel([], |n| n));
        print(parallel(1, [|| "a", || "b"]));
        "#,
        "[1, 2, 3]\n[1, 4, 9, 16]\n[]\n[\"a\", \"b\"]",
    );
}

#[test]
fn a_handle_that_closures_share_is_free_for_all_of_them() {
    check(
        r#"
        let c = run("host", "sleep 100");
        print(parallel([|| c.wait(), || { sleep(0.2); c.kill(); "killed" }]));
        let seen = [];
        parallel([1, 2, 3], |n| seen.push(n));
        print(seen.len);
        "#,
        "[137, \"killed\"]\n3",
    );
}

#[test]
fn the_first_error_ends_the_others_and_is_thrown() {
    check(
        r#"
        try { parallel([|| sleep(1000), || throw #{ kind: "mine", message: "no" }]); }
        catch (e) { print(`${e.kind}: ${e.message}`); }
        try { parallel([1, 2, 3], |n| container("nobody")); } catch (e) { print(e.kind); }
        try { parallel(["x"]); } catch (e) { print(e.message); }
        try { parallel(0, [|| 1]); } catch (e) { print(e.message); }
        "#,
        "mine: no\nnot_found\nparallel(): expected an array of functions, got a string in it\n\
         parallel(): `limit` must be at least 1, not 0",
    );
}

#[test]
fn an_exit_in_one_of_many_ends_the_script() {
    let (outcome, printed) = run_text("parallel([|| sleep(1000), || exit(5)]); print(\"never\")");
    assert_eq!((outcome.exit_code, outcome.report), (5, None));
    assert_eq!(printed, "");
}

#[test]
fn parallels_nest() {
    check(
        "print(parallel([1, 2], |a| parallel([1, 2], |b| parallel([1, 2], |c| a * b * c))))",
        "[[[1, 2], [2, 4]], [[2, 4], [4, 8]]]",
    );
}

#[test]
fn what_fails_is_tried_again() {
    check(
        r#"
        let n = 0;
        print(retry(3, || { n += 1; if n < 3 { throw "again"; } n }));
        n = 0;
        try { retry(#{ times: 4, delay: "1ms", backoff: 2 }, || { n += 1; container("nobody") }); }
        catch (e) { print([n, e.kind, e.causes]); }
        n = 0;
        try { retry(#{ times: 4, on: ["timeout"] }, || { n += 1; throw "other"; }); }
        catch (e) { print([n, e]); }
        n = 0;
        try { retry(#{ times: 2, on: "thrown" }, || { n += 1; throw "text"; }); } catch (e) { print(n); }
        for bad in [#{ times: 0 }, #{ backoff: 0.5 }, #{ tmies: 1 }] {
            try { retry(bad, || 1); } catch (e) { print(e.message); }
        }
        "#,
        "3\n[4, \"not_found\", [\"gave up after 4 tries\"]]\n[1, \"other\"]\n2\n\
         retry(): `times` must be at least 1\nretry(): `backoff` must be at least 1\n\
         retry(): no option `tmies`",
    );
}

#[test]
fn a_scope_takes_its_containers_with_it() {
    check(
        r#"
        let kept = scope(|| {
            run("host", #{ name: "inner", cmd: "sleep 100" });
            create("host", #{ name: "made" });
            scope(|| create("host", #{ name: "innermost" }));
            print([exists("inner"), exists("made"), exists("innermost")]);
            keep(create("host", #{ name: "kept" }))
        });
        print([exists("inner"), exists("made"), kept.status]);
        create("host", #{ name: "outside" });
        print(exists("outside"));
        "#,
        "[true, true, false]\n[false, false, \"created\"]\ntrue",
    );
}

#[test]
fn what_is_put_off_happens_in_any_case_and_the_latest_first() {
    check(
        r#"
        defer(|| print("last"));
        let c = scope(|| {
            defer(|| print("second"));
            let c = run("host", "sleep 100");
            defer(|| print(`first: ${c.status}`));
            c
        });
        print(exists(c));
        try { scope(|| { defer(|| print("after the error")); throw "x"; }); } catch (e) { print(e); }
        "#,
        "first: running\nsecond\nfalse\nafter the error\nx\nlast",
    );
    let (outcome, printed) = run_text(
        r#"defer(|| print("at exit")); scope(|| { create("host", #{ name: "web" }); exit(4); })"#,
    );
    assert_eq!((outcome.exit_code, printed.as_str()), (4, "at exit\n"));
}

#[test]
fn an_error_of_the_cleanup_does_not_hide_the_first() {
    let (outcome, printed) = run_text(
        r#"scope(|| { defer(|| throw "second"); defer(|| throw "third"); throw "first"; })"#,
    );
    assert_eq!(outcome.exit_code, 1);
    assert!(outcome.report.unwrap().contains("first"));
    for said in ["stderr: warning: cleanup failed: second", "cleanup failed: third"] {
        assert!(printed.contains(said), "{printed}");
    }
    assert!(report(r#"scope(|| { defer(|| throw "alone"); 1 })"#).contains("alone"));
}

#[test]
fn containers_made_at_once_belong_to_the_scope_around() {
    check(
        r#"
        scope(|| {
            parallel(["a1", "b1", "c1"], |name| { create("host", #{ name: name }); });
            print(ps(#{ all: true }).len);
        });
        print(ps(#{ all: true }).len);
        "#,
        "3\n0",
    );
}

#[test]
fn what_does_not_come_to_its_end_is_undone() {
    check(
        r#"
        print(attempt(|| 7, || print("never")));
        try { attempt(|| throw "x", || print("undone")); } catch (e) { print(e); }
        scope(|| {
            attempt(|| { defer(|| print("at the end of the scope")); create("host", #{ name: "web" }); }, || ());
            print(exists("web"));
        });
        "#,
        "7\nundone\nx\ntrue\nat the end of the scope",
    );
    for exit in ["exit(4)", "{ try { [1].map(|n| exit(4)); } catch { } }"] {
        let text = format!("attempt(|| {exit}, || print(`undone: ${{exists(\"web\")}}`));");
        let (outcome, printed) = run_text(&text);
        assert_eq!((outcome.exit_code, printed.as_str()), (4, "undone: false\n"), "{exit}");
    }
    assert!(report(r#"attempt(|| throw "first", || throw "second")"#).contains("first"));
}
