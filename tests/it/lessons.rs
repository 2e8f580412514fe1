//! `learn`: lessons at the prompt, played by themselves and by somebody who knows nothing.

use rexpect::session::{PtySession, spawn_command};

use crate::harness::{LIFEBOX, TestEngine};
use crate::needs_root;

/// The lessons that come with lifebox, by id.
fn ids(engine: &TestEngine) -> Vec<String> {
    let list = engine.ok(&["learn", "--list"]);
    list.lines().map(|line| line.split_whitespace().nth(1).unwrap().to_owned()).collect()
}

#[test]
fn every_lesson_can_be_solved_and_answers_each_mistake() {
    needs_root!();
    let engine = TestEngine::empty();
    let ids = ids(&engine);
    assert!(ids.len() >= 12, "{ids:?}");
    let printed = engine.ok(&["learn", "--solve"]);
    let solved: Vec<&str> =
        printed.lines().filter_map(|line| line.strip_prefix("ok      ")).collect();
    assert_eq!(solved, ids, "{printed}");
    // Nothing stays in the lessons' store, and nothing was ever in the user's.
    assert_eq!(engine.ok(&["ps", "-aq"]), "");
    let store = engine.root().join("learn");
    assert_eq!(engine.ok(&["--root", store.to_str().unwrap(), "ps", "-aq"]), "");
}

/// A learner at a terminal.
struct Learner(PtySession);

impl Learner {
    fn begin(engine: &TestEngine, arguments: &[&str]) -> Learner {
        let mut command = std::process::Command::new(LIFEBOX);
        let ours = engine.command(&[]);
        command.envs(ours.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command.args(arguments).env("TERM", "xterm").env("PAGER", "cat");
        command.env("LIFEBOX_PROGRESS", engine.root().join("progress.json"));
        Learner(spawn_command(command, Some(30_000)).unwrap())
    }

    #[track_caller]
    fn sees(&mut self, text: &str) -> String {
        // The terminal's bytes are read one by one, each as a character.
        let bytes: String = text.bytes().map(char::from).collect();
        let seen = self.0.exp_string(&bytes);
        seen.unwrap_or_else(|error| panic!("{text:?} was not shown: {error:?}"))
    }

    /// Types a line at the prompt.
    #[track_caller]
    fn types(&mut self, line: &str) {
        self.sees("> ");
        self.0.send_line(line).unwrap();
    }

    /// Takes any answer to the guess.
    #[track_caller]
    fn guesses(&mut self) {
        self.sees("Type the number of your answer.");
        self.types("1");
    }

    fn leaves(mut self) {
        self.types(":quit");
        self.sees("Your progress is saved");
        self.0.exp_eof().unwrap();
    }
}

/// The word after `before` in what was shown: values are chosen anew for each learner.
#[track_caller]
fn value<'t>(text: &'t str, before: &str) -> &'t str {
    let at = text.find(before).unwrap_or_else(|| panic!("no {before:?} in {text}"));
    let rest = &text[at + before.len()..];
    rest.split('`').next().unwrap()
}

#[test]
fn somebody_who_knows_nothing_gets_through_the_first_three_lessons() {
    needs_root!();
    let engine = TestEngine::empty();
    let mut learner = Learner::begin(&engine, &["learn"]);
    learner.sees("Lesson 1 of ");
    learner.guesses();
    learner.sees("Step 1 of 2");
    // A slip is answered, and so is what goes in another direction.
    learner.types(":answer python");
    learner.sees("Not yet: image(\"host\").cmd");
    learner.types("pirnt(1)");
    learner.sees("did you mean `print`?");
    learner.types(":answer /bin/sh");
    let task = learner.sees("both names have the same id");
    let tag = value(&task, "another name, `").to_owned();
    learner.types(&format!("lifebox tag host {tag}"));
    learner.sees("Lesson finished");
    learner.types("");
    learner.sees("Lesson 2 of ");
    learner.guesses();
    let task = learner.sees("Do not start it.");
    let name = value(&task, "called `").to_owned();
    learner.types(&format!("run -d --name {name} host sleep 100"));
    learner.sees("was started: run() creates and starts");
    learner.types(&format!("rm -f {name}"));
    learner.types(&format!("create(\"host\", #{{ name: \"{name}\" }});"));
    learner.sees("How many processes");
    learner.types(":answer 0");
    learner.sees("Lesson finished");
    learner.types(":next");
    learner.sees("Lesson 3 of ");
    learner.sees("Type the number of your answer.");
    learner.types(":lessons");
    learner.sees("done");
    learner.leaves();
    // Progress is kept: the next time begins at the third.
    let mut learner = Learner::begin(&engine, &["learn"]);
    learner.sees("2 of ");
    learner.sees("Lesson 3 of ");
    learner.leaves();
    let list = engine.command(&["learn", "--list"]);
    let mut list = list;
    list.env("LIFEBOX_PROGRESS", engine.root().join("progress.json"));
    let list = String::from_utf8(list.output().unwrap().stdout).unwrap();
    assert_eq!(list.lines().filter(|line| line.contains("done")).count(), 2, "{list}");
}

#[test]
fn the_prompt_has_lessons_and_comes_back_from_them() {
    needs_root!();
    let engine = TestEngine::new();
    let mut learner = Learner::begin(&engine, &[]);
    learner.types("let c = create(\"host\", #{ name: \"mine\" });");
    learner.types("learn(\"create\")");
    learner.sees("Lesson 2 of ");
    learner.types("exists(\"mine\")");
    learner.sees("false");
    // Ctrl-C ends what runs here as it does outside.
    learner.types("print(\"n\" + \"ow\"); sleep(1000)");
    learner.sees("\nnow");
    learner.0.send_control('c').unwrap();
    learner.sees("interrupted");
    learner.types(":help");
    learner.sees(":skip skips a step");
    learner.types(":quit");
    learner.sees("Your progress is saved");
    learner.types("c.status");
    learner.sees("\"created\"");
    learner.types(":learn nosuch");
    learner.sees("there is no lesson `nosuch`");
    learner.types(":quit");
    learner.0.exp_eof().unwrap();
    let message = engine.fails(&["-e", "learn()"], 1);
    assert!(message.contains("lessons are only available at the prompt"), "{message}");
}

#[test]
fn two_learners_are_not_in_each_others_way() {
    needs_root!();
    let engine = TestEngine::empty();
    let mut first = Learner::begin(&engine, &["learn", "create"]);
    first.guesses();
    let task = first.sees("Do not start it.");
    let name = value(&task, "called `").to_owned();
    first.types("create --name mine host true");
    first.sees("> ");
    let mut second = Learner::begin(&engine, &["learn", "create"]);
    second.guesses();
    second.sees("Do not start it.");
    second.leaves();
    first.0.send_line("exists(\"mine\")").unwrap();
    first.sees("true");
    first.types(&format!("create --name {name} host true"));
    first.sees("How many processes");
    first.leaves();
}

#[test]
fn lessons_that_never_end_are_ended() {
    needs_root!();
    let engine = TestEngine::empty();
    let folder = tempfile::tempdir().unwrap();
    let check = || engine.run(&["learn", "--check", folder.path().to_str().unwrap()]);
    let endless = LESSON.replace("if exists(\"$name\") { true } else { \"none\" }", "loop { }");
    std::fs::write(folder.path().join("1.yaml"), endless).unwrap();
    let ran = check();
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("not ok  mine"), "{}{}", ran.out, ran.err);
    std::os::unix::fs::symlink("/dev/zero", folder.path().join("2.yaml")).unwrap();
    assert!(check().err.contains("is not a regular file"));
}

const LESSON: &str = r#"
id: mine
title: My lesson
values: { name: name }
explain: Make a container.
steps:
- ask: Make `$name`.
  check: |
    if exists("$name") { true } else { "none" }
  hints: { none: "there is none yet" }
  solve: |
    create("host", #{ name: "$name" });
  wrong:
    none: |
      create("host", #{ name: "another" });
"#;

#[test]
fn a_teacher_adds_lessons_and_is_told_what_is_wrong_with_them() {
    needs_root!();
    let engine = TestEngine::empty();
    let folder = tempfile::tempdir().unwrap();
    let check = || engine.run(&["learn", "--check", folder.path().to_str().unwrap()]);
    assert!(check().err.contains("there are no lessons in"));
    let path = folder.path().join("1.yaml");
    let with = |from: &str, to: &str| std::fs::write(&path, LESSON.replace(from, to)).unwrap();
    with("", "");
    assert_eq!(check().out, "ok      mine\n");
    with("\"another\"", "\"$name\"");
    let wrong = check();
    assert_eq!(wrong.code, 1);
    assert!(wrong.out.contains("after the mistake `none` the check says true"), "{}", wrong.out);
    with("exists(\"$name\")", "exists(\"$nmae\")");
    assert!(check().err.contains("`$nmae` is not among the `values`"));
    with("exists(\"$name\")", "true");
    assert!(check().out.contains("step 1 is done before anything is done"));
    with("    create(\"host\", #{ name: \"$name\" });\n", "    1\n");
    assert!(check().out.contains("after `solve` the check says none"));
    with("", "");
    let teach = ["learn", "--lessons", folder.path().to_str().unwrap()];
    let mut learner = Learner::begin(&engine, &teach);
    let text = learner.sees("`.");
    let name = value(&text, "Make `").to_owned();
    learner.types("create --name other host true");
    learner.types(":hint");
    learner.sees("there is none yet");
    learner.types(&format!("create --name {name} host true"));
    learner.sees("That was the last lesson.");
    learner.leaves();
    // The class's results, for a spreadsheet.
    let progress = engine.root().join("progress.json");
    let table = engine.ok(&["learn", "--csv", progress.to_str().unwrap()]);
    let mut lines = table.lines();
    assert_eq!(lines.next(), Some("learner,lesson,done,seconds,guess,hints,skipped"));
    let cells: Vec<&str> = lines.next().unwrap().split(',').collect();
    assert_eq!((cells[1], cells[4], cells[5], cells[6]), ("mine", "", "1", "0"), "{table}");
    assert!(cells[2].starts_with("20"), "{table}");
    std::fs::write(&progress, "{").unwrap();
    let damaged = engine.fails(&["learn", "--csv", progress.to_str().unwrap()], 1);
    assert!(damaged.contains("is not a progress file of lessons"), "{damaged}");
}

#[test]
fn lessons_are_in_the_language_of_the_learner() {
    needs_root!();
    let engine = TestEngine::empty();
    let mut learner = Learner::begin(&engine, &["--lang", "ko", "learn", "create"]);
    learner.sees("컨테이너");
    learner.sees("답의 번호를 입력하세요");
    learner.types(":quit");
    learner.0.exp_eof().unwrap();
}
