//! `--report`: a page tells what a script did, and shows it in a browser.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use rustix::process::Signal;

use crate::harness::{TIMEOUT, TestEngine, ran_to_its_end, signal, wait_until, waits_for_monitor};
use crate::needs_root;

/// Three lives: one through all states, one that is started again, one that goes by itself.
const LIVES: &str = r#"let web = create("host", #{ name: "web", cmd: ["sh", "-c", "echo 'up </script><b>'; exec sleep 100"] });
let again = run("host", #{ name: "again", cmd: ["sh", "-c", "echo try >&2; exit 3"], restart: "on-failure:1" });
web.start();
again.wait();
web.pause();
sleep("150ms");
web.unpause();
scope(|| {
    let quick = run("host", ["echo", "short"], #{ name: "quick" });
    quick.wait();
});
wait_for("web", #{ log: "up" });
web.stop("100ms");
web.rm();
print("<i>told</i>");
debug("beside");
exit(7);
"#;

/// A script in a directory of its own, and where its page goes.
struct Script {
    directory: tempfile::TempDir,
}

impl Script {
    fn new(text: &str) -> Self {
        let directory = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
        std::fs::write(directory.path().join("lives.rhai"), text).unwrap();
        Script { directory }
    }

    fn path(&self, name: &str) -> String {
        self.directory.path().join(name).display().to_string()
    }

    fn page(&self) -> String {
        std::fs::read_to_string(self.path("out.html")).unwrap()
    }

    fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path()).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// Runs it with `--report`; the page.
    #[track_caller]
    fn report(&self, engine: &TestEngine, code: i32) -> String {
        let (script, page) = (self.path("lives.rhai"), self.path("out.html"));
        let ran = engine.run(&["script", "--report", &page, &script]);
        assert_eq!(ran.code, code, "{}{}", ran.out, ran.err);
        assert_eq!(self.names(), ["lives.rhai", "out.html"]);
        self.page()
    }
}

/// The part of the page about a container.
#[track_caller]
fn life<'a>(page: &'a str, name: &str) -> &'a str {
    let begin = page.find(&format!("aria-label=\"{name}\"")).unwrap_or_else(|| panic!("{page}"));
    let end = page[begin..].find("</article>").unwrap();
    &page[begin..begin + end]
}

/// The states of a container, in order.
fn states(life: &str) -> Vec<&str> {
    let bar = life.split("<svg class=\"bar\"").nth(1).unwrap().split("</div>").next().unwrap();
    let spans = bar.split("<rect class=\"").skip(1);
    spans.map(|span| span.split('"').next().unwrap()).collect()
}

#[test]
fn a_page_tells_of_all_containers_that_a_script_touched() {
    needs_root!();
    let engine = TestEngine::new();
    engine.ok(&["create", "--name", "stranger", "host", "true"]);
    let script = Script::new(LIVES);
    let page = script.report(&engine, 7);
    assert!(!page.contains("stranger"));
    let web = life(&page, "web");
    let expected = ["created", "running", "paused", "running", "exited", "removed"];
    assert_eq!(states(web), expected);
    // What was written is there, though the container is not.
    assert!(web.contains("up &lt;/script&gt;&lt;b&gt;"), "{web}");
    assert!(web.contains("class=\"curve memory\"") && web.contains("class=\"curve cpu\""), "{web}");
    let uses: Vec<_> = [1, 3, 5, 7, 12, 13, 14].map(|n| format!("href=\"#L{n}\"")).to_vec();
    assert!(uses.iter().all(|line| web.contains(line)), "{web}");
    assert!(web.contains("<title>pause · ") && web.contains(" · line 5</title>"), "{web}");
    let again = life(&page, "again");
    let states_of_again = states(again);
    let expected = ["running", "restarting", "running", "exited"];
    assert_eq!(states_of_again[states_of_again.len() - 4..], expected);
    assert!(again.contains("class=\"err\">try"), "{again}");
    let quick = life(&page, "quick");
    assert_eq!(states(quick).last(), Some(&"removed"));
    assert!(quick.contains("short") && quick.contains("href=\"#L9\""), "{quick}");
    assert!(page.contains("<li id=\"L10\" class=\"hit u3\">"), "{page}");
    assert!(page.contains("<li id=\"L6\"><span"), "line 6 is about no container: {page}");
    assert!(page.contains("&lt;i&gt;told&lt;/i&gt;") && page.contains("beside"), "{page}");
    assert!(page.contains("exit code 7"), "{page}");
}

#[test]
fn a_page_is_whole_however_a_script_ends() {
    needs_root!();
    let engine = TestEngine::new();
    let failed = Script::new("let c = create(\"host\", #{ name: \"left\" });\nc.pause();\n");
    let page = failed.report(&engine, 1);
    assert!(page.contains("What went wrong") && page.contains("it is not running"), "{page}");
    assert!(life(&page, "left").contains("href=\"#L2\""), "{page}");
    let wrong = Script::new("let x = ;\n");
    assert!(wrong.report(&engine, 1).contains("The script used no container."));
    let endless =
        Script::new("let c = run(\"host\", \"sleep 100\", #{ name: \"on\" });\nc.wait();\n");
    let (file, page) = (endless.path("lives.rhai"), endless.path("out.html"));
    // Before the script too, as `--dry-run` and `--trace`.
    let running = engine.spawn(&["--report", &page, &file]);
    assert!(wait_until(TIMEOUT, || engine.status("on") == "running"));
    assert!(wait_until(TIMEOUT, || waits_for_monitor(&running)), "it does not wait");
    signal(running.id(), Signal::INT);
    assert_eq!(ran_to_its_end(running).code, 130);
    assert_eq!(endless.names(), ["lives.rhai", "out.html"]);
    assert_eq!(states(life(&endless.page(), "on")).last(), Some(&"running"));
    assert!(endless.page().contains("exit code 130"));
}

#[test]
fn a_page_that_cannot_be_written_is_refused_before_the_script_runs() {
    needs_root!();
    let engine = TestEngine::new();
    let script = Script::new("print(\"ran\");\n");
    let (file, folder) = (script.path("lives.rhai"), script.path(""));
    for (page, flags, part) in [
        (script.path("none/out.html"), &[][..], "there is no directory"),
        (folder, &[], "it is a directory"),
        (script.path("out.html"), &["--dry-run"], "leave out --dry-run or --report"),
    ] {
        let ran = engine.run(&[&["script", "--report", &page], flags, &[&file]].concat());
        assert_eq!((ran.code, ran.out.as_str()), (1, ""), "{page}");
        assert!(ran.err.contains(part) && ran.err.contains(&page), "{page}: {}", ran.err);
    }
    assert_eq!(script.names(), ["lives.rhai"]);
    let before = ["--dry-run", "--report", "out.html", &file];
    assert!(engine.fails(&before, 1).contains("a dry run does nothing"));
    assert!(
        engine
            .fails(&["--report", "out.html", "ps"], 1)
            .contains("--report is only allowed with a script")
    );
    // A disk that is full.
    let full = engine.run(&["script", "--report", "/dev/full", &file]);
    assert_eq!((full.code, full.out.as_str()), (1, "ran\n"));
    assert!(full.err.contains("cannot write the report `/dev/full`"), "{}", full.err);
}

/// Shows a page in a frame as wide as a phone and in one as wide as a desk, and tells what became
/// of it. The page itself lets no script in; the one around it may look.
const LOOK: &str = r#"<!DOCTYPE html><meta charset="utf-8"><body>
<iframe id="a" src="out.html" width="390" height="800"></iframe>
<iframe id="b" src="out.html" width="1280" height="800"></iframe><pre id="told">nothing</pre>
<script>
addEventListener("load", () => {
  const told = {};
  for (const frame of document.querySelectorAll("iframe")) {
    const page = frame.contentDocument, view = frame.contentWindow;
    const first = page.querySelector(".life"), log = first.querySelector(".log");
    const look = () => view.getComputedStyle(log).visibility;
    const lit = () => view.getComputedStyle(page.querySelector(".hit.u1")).backgroundColor;
    const before = look(), unlit = lit();
    first.focus();
    told[frame.id] = [
      page.documentElement.scrollWidth <= frame.clientWidth,
      view.getComputedStyle(page.querySelector(".hit")).borderLeftStyle,
      before, look(), unlit != lit(),
      page.querySelectorAll("script, img, link, [onload], [onerror], b").length,
      page.querySelectorAll(".life").length,
      page.querySelector(".output pre").textContent.includes("<i>told</i>"),
      first.querySelector("rect.running").getBoundingClientRect().width > 20,
    ].join(" ");
  }
  document.getElementById("told").textContent = JSON.stringify(told);
});
</script>"#;

/// What a browser makes of `page`.
fn browsed(page: &Path, home: &Path) -> String {
    let browser = Command::new("chromium")
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--allow-file-access-from-files"])
        .args(["--virtual-time-budget=5000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", home.display()))
        .arg(format!("file://{}", page.display()))
        .env("HOME", home)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    String::from_utf8_lossy(&browser.stdout).into_owned()
}

#[test]
fn a_browser_shows_the_page_on_a_phone_and_on_a_desk() {
    let test = "a_browser_shows_the_page_on_a_phone_and_on_a_desk";
    needs_root!(test);
    if Command::new("chromium").arg("--version").stdout(Stdio::null()).status().is_err() {
        eprintln!("LEFT OUT: {test} needs the Debian package chromium");
        return;
    }
    let engine = TestEngine::new();
    let script = Script::new(LIVES);
    script.report(&engine, 7);
    let look: PathBuf = script.path("look.html").into();
    std::fs::write(&look, LOOK).unwrap();
    let home = tempfile::Builder::new().prefix("lifebox-test-").tempdir().unwrap();
    let shown = browsed(&look, home.path());
    // Fits, styled, log hidden and then seen, lines lit, no strange element, three lives, output,
    // bars.
    let one = "true solid hidden visible true 0 3 true true";
    let expected = format!(r#"<pre id="told">{{"a":"{one}","b":"{one}"}}</pre>"#);
    assert!(shown.contains(&expected), "{shown}");
}
