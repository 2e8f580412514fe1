//! Calls in both styles, and what they return.

use super::super::{Source, run};
use super::{check, host, run_text};

#[test]
fn a_container_goes_through_its_life_in_both_styles() {
    check(
        r#"
        let c = create("host", #{ name: "web", cmd: ["sleep", "100"] });
        print(c.status);
        start(c); print(c.status);
        c.pause(); print(c.status);
        "web".unpause(); print(container("web").status);
        stop("web", 2); print(c.status);
        print(c.exit_code);
        c.rm(); print(exists("web"));
        "#,
        "created\nrunning\npaused\nrunning\nexited\n143\nfalse",
    );
}

#[test]
fn actions_return_their_subject_so_that_calls_chain() {
    check(
        r#"print(create("host", #{ name: "web" }).start().pause().unpause().kill().status)"#,
        "exited",
    );
}

#[test]
fn absence_is_nothing() {
    check(
        r#"
        let c = create("host", #{ name: "web" });
        print([c.pid, c.exit_code, c.error, c.started_at, c.finished_at]);
        print(env("LIFEBOX_NO_SUCH_VARIABLE") ?? "none");
        "#,
        "[(), (), (), (), ()]\nnone",
    );
}

#[test]
fn handles_are_compared_by_what_they_name() {
    check(
        r#"
        let a = create("host", #{ name: "web" });
        let b = container("web");
        print(a == b); print(a != b); print(b in ps(#{ all: true }));
        print(image("host") == image("host:latest"));
        "#,
        "true\nfalse\ntrue\ntrue",
    );
}

#[test]
fn a_handle_shows_its_name_also_when_it_is_gone() {
    check(
        r#"
        let c = run("host", #{ name: "web" });
        print(c);
        print(`${[c]}`);
        c.rename("old");
        c.rm(#{ force: true });
        print(c);
        print([c, image("host")]);
        "#,
        "web\n[Container(\"web\", running)]\nold\n\
         [Container(\"old\", removed), Image(\"host\", 010101010101)]",
    );
}

#[test]
fn a_run_takes_a_command_and_options() {
    check(
        r#"
        print(run("host", "sleep 10").cmd);
        print(run("host", ["sleep", 10]).cmd);
        print(run("host", #{ cmd: "sleep 20" }).cmd);
        let c = run("host", "sh -c 'echo hi'", #{ name: "web", env: #{ A: 1, B: true } });
        print(c.cmd); print(c.env); print(c.name);
        print(run("host", "exit 3").wait());
        "#,
        "[\"sleep\", \"10\"]\n[\"sleep\", \"10\"]\n[\"sleep\", \"20\"]\n\
         [\"sh\", \"-c\", \"echo hi\"]\n#{\"A\": \"1\", \"B\": \"true\", \"PATH\": \"/bin\"}\n\
         web\n3",
    );
}

#[test]
fn an_attached_run_writes_what_the_container_writes() {
    check(
        r#"
        let c = run("host", "echo hello", #{ attach: true });
        print(c.exit_code);
        create("host", #{ name: "web", cmd: "echo again" }).start(#{ attach: true });
        "#,
        "hello\ndone\n0\nagain\ndone",
    );
}

#[test]
fn ps_filters() {
    check(
        r#"
        create("host", #{ name: "one", labels: #{ app: "web" } });
        run("alpine:3", #{ name: "two", labels: ["app=db"] });
        run("host", "exit 3", #{ name: "three" });
        let names = |list| list.map(|c| c.name);
        print(names.call(ps()));
        print(names.call(ps(#{ all: true })));
        print(names.call(ps(#{ status: "created" })));
        print(names.call(ps(#{ status: ["created", "running"] })));
        print(names.call(ps(#{ all: true, label: "app" })));
        print(names.call(ps(#{ all: true, label: "app=web" })));
        print(names.call(ps(#{ all: true, name: "t" })));
        print(names.call(ps(#{ exited: 3 })));
        print(names.call(ps(#{ last: 1 })));
        print(names.call(ps(#{ ancestor: "alpine:3" })));
        print(names.call(ps(#{ ancestor: image("alpine:3") })));
        "#,
        r#"["two"]
["three", "two", "one"]
["one"]
["two", "one"]
["two", "one"]
["one"]
["three", "two"]
["three"]
["three"]
["two"]
["two"]"#,
    );
}

#[test]
fn images_tell_what_they_are() {
    check(
        r#"
        let i = load("alpine.tar");
        print(i); print(i.tags); print(rmi(i)[0]);
        let i = image("alpine:3");
        print(i); print(i.tags); print(i.cmd); print(i.entrypoint ?? "none");
        print(i.size); print(i.arch); print(i.env.PATH); print(i.short_id);
        print(images().len);
        print(rmi(i)[0]);
        print(image("host", #{ pull: "never" }));
        "#,
        "alpine:loaded\n[\"alpine:loaded\"]\nuntagged: alpine:loaded\n\
         alpine:3\n[\"alpine:3\"]\n[\"sh\"]\nnone\n1500000\namd64\n/bin\n020202020202\n2\n\
         untagged: alpine:3\nhost",
    );
}

#[test]
fn what_is_safe_to_repeat_is() {
    check(
        r#"
        for round in 0..2 {
            print(ensure_absent("web"));
            let c = ensure_running("web", "host", #{ cmd: "sleep 100" });
            c.pause();
            print(ensure_running("web", "host", #{}).status);
            try { ensure_running("web", "alpine:3", #{}) } catch (e) { print(e.kind) }
        }
        "#,
        "false\nrunning\nexists\ntrue\nrunning\nexists",
    );
}

#[test]
fn actions_are_the_verbs_of_the_table() {
    check(r#"print(actions(create("host")))"#, r#"["start", "restart", "rm", "rm -f"]"#);
}

#[test]
fn deprecated_names_work_as_the_current_ones() {
    let (host, output) = host();
    for index in ["index.json", "index.json.copy"] {
        std::fs::write(output.root().join("images").join(index), "damaged").unwrap();
    }
    let text = r#"
        let c = create("host", #{ name: "web" });
        print(moves(c) == actions(c)); print("web".moves() == c.actions());
        print(absolute("/x//y")); print("/x//y".absolute() == absolute_path("/x//y"));
        let message = |f| { try { f.call(); "none" } catch (e) { e.message } };
        print(message.call(|| rmv("db")) == message.call(|| remove_volume("db")));
        let report = check_images(); let finding = report.findings[0];
        print([report.sound == report.healthy, finding.trouble, finding.problem]);
        print([finding.fate, finding.resolution]);
        "#;
    let outcome = run(host, Source::Text { name: "main.rhai".to_owned(), text: text.to_owned() });
    assert_eq!(outcome.report, None);
    assert_eq!(
        output.text(),
        "true\ntrue\n/x/y\ntrue\ntrue\n[true, \"damage\", \"damage\"]\n[\"found\", \"found\"]\n",
    );
}

#[test]
fn inspect_gives_a_map_for_containers_and_images() {
    check(
        r#"
        let c = create("host", #{ name: "web" });
        print(inspect(c).State.Status);
        print(inspect("web").Id == c.id);
        print(inspect(image("host")).Architecture);
        print(c.state.Status);
        "#,
        "created\ntrue\namd64\ncreated",
    );
}

#[test]
fn a_captured_handle_can_be_used_by_closures() {
    check(
        r#"
        let c = run("host", #{ name: "web" });
        let stop_it = || stop(c);
        stop_it.call();
        print(c.status);
        print(start(c).status);
        "#,
        "exited\nrunning",
    );
}

#[test]
fn the_system_functions_tell_about_the_script() {
    check(
        r#"
        print(args());
        print(version() != "");
        sleep(0); sleep(0.001); sleep("1ms");
        print(["a", 1].join("-"));
        "#,
        "[\"one\", \"two\"]\ntrue\na-1",
    );
}

#[test]
fn help_prints_what_a_function_does_and_returns() {
    let page = |name: &str| run_text(&format!("help(\"{name}\")")).1;
    assert!(page("pause").starts_with("pause(container) -> Container\n"), "{}", page("pause"));
    assert!(page("create").contains("workdir"), "{}", page("create"));
    for name in ["tag", "commit", "load", "build", "with_env"] {
        let page = page(name);
        assert!(page.contains(" -> Image") && !page.contains(" -> Container"), "{page}");
    }
    assert!(page("export_tar").contains(" -> Container"), "{}", page("export_tar"));
    assert!(run_text("help()").1.contains("Life cycle"));
}

#[test]
fn a_push_of_what_is_missing_asks_nobody() {
    let (_, output) =
        run_text(r#"try { push("nope", "127.0.0.1:1/x:1") } catch (e) { print(e.kind) }"#);
    assert_eq!(output, "not_found\n");
}

#[test]
fn exit_ends_the_script_with_its_code_and_no_catch_sees_it() {
    let (outcome, output) =
        run_text(r#"try { [1].map(|x| exit(7)); } catch { print("caught") } print("on")"#);
    assert_eq!((outcome.exit_code, outcome.report, output.as_str()), (7, None, ""));
    assert_eq!(run_text("exit()").0.exit_code, 0);
    assert_eq!(run_text("3").0.exit_code, 0);
    assert_eq!(run_text("#!/usr/bin/env lifebox\nexit(2)").0.exit_code, 2);
}

#[test]
fn methods_can_be_called_on_properties_and_change_nothing() {
    check(
        r#"let i = image("host");
           print(i.env.len()); print(i.env.keys()); print(i.cmd.map(|word| word.len()));
           print(create(i, #{ name: "web" }).labels.is_empty());
           try { i.tags.push("x"); } catch (e) { print(e.message); }
           try { i.tags = []; } catch (e) { print(e.kind); }
           print(i.tags.some(|tag| tag == "host:latest"));"#,
        "1\n[\"PATH\"]\n[2]\ntrue\ncannot set `tags`: the properties of an Image are read-only\n\
         invalid\ntrue",
    );
}
