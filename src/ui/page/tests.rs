//! Small parts of the page as they are, and hostile texts in all of it.

use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use expect_test::expect;
use sha2::{Digest as _, Sha256};

use super::page;
use crate::model::container::status::Status;
use crate::model::observe::log::Stream;
use crate::model::script::recording::{
    Call, ContainerTimeline, Line, OutputChunk, Recording, Sample, Text, TimelineEvent,
};
use crate::model::value::language::Language;

fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn event(at: u64, action: &str, detail: &str) -> TimelineEvent {
    TimelineEvent { at: ms(at), action: action.to_owned(), detail: detail.to_owned() }
}

fn sample(at: u64, cpu: u64, memory: u64) -> Sample {
    Sample { at: ms(at), status: Status::Running, cpu_time: ms(cpu), memory }
}

fn call(at: u64, line: usize, name: &str) -> Call {
    Call { at: ms(at), text: Some(0), line, name: name.to_owned(), count: 1 }
}

fn one() -> Recording {
    let life = ContainerTimeline {
        id: "0123456789ab".to_owned(),
        name: "web".to_owned(),
        image: "host".to_owned(),
        events: vec![event(100, "create", ""), event(200, "start", ""), event(700, "die", "3")],
        samples: vec![
            sample(200, 0, 1 << 20),
            sample(400, 100, 2 << 20),
            sample(600, 110, 1 << 20),
        ],
        log: vec![Line { at: ms(300), stream: Stream::Stderr, text: "up".to_owned() }],
        calls: vec![call(90, 2, "create"), call(190, 3, "start"), call(690, 4, "wait")],
        ..ContainerTimeline::default()
    };
    Recording {
        name: "dir/life.rhai".to_owned(),
        duration: ms(1000),
        exit_code: 3,
        sources: vec![Text {
            name: "dir/life.rhai".to_owned(),
            text: "// one\nlet c = create(\"host\");\nc.start();\nc.wait();\nexit(3);".to_owned(),
        }],
        output: vec![
            OutputChunk { stream: Stream::Stdout, text: "out\n".to_owned() },
            OutputChunk { stream: Stream::Stderr, text: "err\n".to_owned() },
        ],
        timelines: vec![life],
        ..Recording::default()
    }
}

fn part<'a>(page: &'a str, begin: &str, end: &str) -> &'a str {
    let from = page.find(begin).unwrap_or_else(|| panic!("no {begin} in {page}"));
    let to = page[from..].find(end).unwrap_or_else(|| panic!("no {end} after {begin}"));
    &page[from..from + to + end.len()]
}

#[test]
fn a_life_is_a_bar_with_marks_and_two_curves() {
    let page = page(Language::English, "1.2.3", &one());
    expect![[r##"
        <article class="life" id="c1" tabindex="0" aria-label="web">
        <header><h3>web</h3><span class="meta">host · 0123456789ab</span><span class="end odd">exit code 3</span></header>
    "##]].assert_eq(&format!("{}\n", part(&page, "<article", "</header>")));
    expect![[r#"
        <svg class="bar" width="100%" height="34" role="img" aria-label="created 100ms – 200ms, running 200ms – 700ms, exited 700ms – 1s">
        <svg x="10.000%" width="10.000%" height="22">
        <title>created 100ms – 200ms</title>
        <rect class="created" width="100%" height="22"/>
        </svg>
        <svg x="20.000%" width="50.000%" height="22">
        <title>running 200ms – 700ms</title>
        <rect class="running" width="100%" height="22"/>
        <text x="7" y="15">running</text>
        </svg>
        <svg x="70.000%" width="30.000%" height="22">
        <title>exited 700ms – 1s</title>
        <rect class="exited" width="100%" height="22"/>
        <text x="7" y="15">exited</text>
        </svg>
        <circle class="mark" cx="10.000%" cy="29" r="3">
        <title>create · 100ms · line 2</title>
        </circle>
        <circle class="mark" cx="20.000%" cy="29" r="3">
        <title>start · 200ms · line 3</title>
        </circle>
        <circle class="mark odd" cx="70.000%" cy="29" r="3">
        <title>die 3 · 700ms · line 4</title>
        </circle>
        </svg>
        </div>"#]]
        .assert_eq(&part(&page, "<svg class=\"bar\"", "</svg></div>").replace("><", ">\n<"));
    expect![[r#"
        <svg class="curve cpu" viewBox="0 0 1000 100" preserveAspectRatio="none" aria-hidden="true">
        <polygon points="200.0,100 200.0,4.0 400.0,4.0 400.0,90.4 600.0,90.4 600.0,100"/>
        <polyline points="200.0,4.0 400.0,4.0 400.0,90.4 600.0,90.4"/>
        </svg>"#]]
    .assert_eq(&part(&page, "<svg class=\"curve cpu\"", "</svg>").replace("><", ">\n<"));
    expect![[r##"
        <p class="uses"><span>lines <a href="#L2">2</a> <a href="#L3">3</a> <a href="#L4">4</a></span></p>
        <div class="log"><h4>web <small>last lines of the log</small></h4><pre>
        <i>300ms</i> <span class="err">up</span>
        </pre></div>
        </article>"##]].assert_eq(part(&page, "<p class=\"uses\"", "</article>"));
}

#[test]
fn lines_that_are_about_a_container_are_marked() {
    let page = page(Language::English, "1.2.3", &one());
    expect![[r##"
        <ol class="code">
        <li id="L1"><span class="n">1</span><code>// one</code></li>
        <li id="L2" class="hit u1"><span class="n">2</span><code>let c = create(&quot;host&quot;); <a class="who" href="#c1">web</a></code></li>
        <li id="L3" class="hit u1"><span class="n">3</span><code>c.start(); <a class="who" href="#c1">web</a></code></li>
        <li id="L4" class="hit u1"><span class="n">4</span><code>c.wait(); <a class="who" href="#c1">web</a></code></li>
        <li id="L5"><span class="n">5</span><code>exit(3);</code></li>
        </ol>"##]].assert_eq(part(&page, "<ol class=\"code\">", "</ol>"));
    expect![[r##"
        <tbody>
        <tr><td>100ms</td><td><a href="#c1">web</a></td><td>create <i></i></td><td><a href="#L2">2</a></td></tr>
        <tr><td>200ms</td><td><a href="#c1">web</a></td><td>start <i></i></td><td><a href="#L3">3</a></td></tr>
        <tr><td>700ms</td><td><a href="#c1">web</a></td><td>die <i>3</i></td><td><a href="#L4">4</a></td></tr>
        </tbody>"##]].assert_eq(part(&page, "<tbody>", "</tbody>"));
    expect![[r#"
        <header class="top">
        <h1>What life.rhai did</h1>
        <ul class="facts"><li class="bad">exit code 3</li><li>took 1.0 s</li><li>one container</li><li>began 1970-01-01 00:00:00 UTC</li></ul>
        </header>"#]].assert_eq(part(&page, "<header class=\"top\">", "</header>"));
}

#[test]
fn a_page_speaks_the_language_of_its_reader() {
    let page = page(Language::Korean, "1.2.3", &one());
    assert!(page.contains("<html lang=\"ko\">"), "{page}");
    for text in ["life.rhai 실행 보고서", "종료 코드 3", "실행 중", "컨테이너 1개"]
    {
        assert!(page.contains(text), "{text}: {page}");
    }
    assert!(!page.contains("report-") && !page.contains("status-"), "{page}");
}

#[test]
fn a_script_without_containers_says_so() {
    let page = page(Language::English, "1.2.3", &Recording::default());
    assert!(page.contains("The script used no container."));
    assert!(page.contains("The script printed nothing."));
    assert!(!page.contains("NaN") && !page.contains("inf"), "{page}");
}

#[test]
fn the_policy_lets_in_this_style_and_nothing_else() {
    let page = page(Language::English, "1.2.3", &one());
    let style = part(&page, "<style>", "</style>");
    let style = &style["<style>".len()..style.len() - "</style>".len()];
    let hash = STANDARD.encode(Sha256::digest(style.as_bytes()));
    let policy = format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'");
    assert!(page.contains(&policy), "{page}");
    // An attribute `style` would need a weaker one; and nothing is fetched.
    for word in [" style=", "http:", "https:", "url(", "@import", "<script", "<link", "src="] {
        assert!(!page.contains(word), "{word}");
    }
}

/// Returns a recording in which every text that may be hostile is `evil`.
fn hostile(evil: &str) -> Recording {
    let mut recording = one();
    let evil = evil.to_owned();
    let life = &mut recording.timelines[0];
    (life.name, life.image, life.id) = (evil.clone(), evil.clone(), evil.clone());
    life.log[0].text.clone_from(&evil);
    life.events.push(event(800, &evil, &evil));
    life.calls[0].name.clone_from(&evil);
    let text = Text { name: evil.clone(), text: evil.clone() };
    life.calls.push(Call { text: Some(1), ..call(1, 1, "x") });
    recording.sources = vec![text.clone(), text];
    recording.report = Some(evil.clone());
    recording.output[0].text.clone_from(&evil);
    recording.output[1].text.clone_from(&evil);
    recording.name = evil;
    recording
}

#[test]
fn no_stranger_writes_an_element_or_leaves_an_attribute() {
    let tags = |page: &str| page.matches('<').count();
    let quotes = |page: &str| page.matches('"').count();
    let harmless = page(Language::English, "1", &hostile("x"));
    let evils =
        ["</script><img src=y onerror=z>", "\" onload=\"y", "' x='", "--><!--", "</pre><b>"];
    for evil in evils {
        let page = page(Language::English, "1", &hostile(evil));
        assert_eq!(tags(&page), tags(&harmless), "{evil}");
        assert_eq!(quotes(&page), quotes(&harmless), "{evil}");
        assert!(!page.contains(evil), "{evil}");
    }
    let page = page(Language::English, "1", &hostile("a\u{1b}[2J\u{7}\0\u{202e}b"));
    let odd = page.chars().find(|c| c.is_control() && *c != '\n' || *c == '\u{202e}');
    assert_eq!(odd, None);
}
