//! A build context of a test's own.

use std::path::PathBuf;

use crate::harness::{CommandOutput, TestEngine};

/// A build context.
pub struct Context(tempfile::TempDir);

impl Context {
    pub fn new(dockerfile: &str) -> Self {
        let context = Context(tempfile::tempdir().unwrap());
        context.write("Dockerfile", dockerfile);
        context
    }

    pub fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }

    pub fn at(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.at(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    pub fn build(&self, engine: &TestEngine, more: &[&str]) -> CommandOutput {
        engine.run(&[&["build"], more, &[self.path()]].concat())
    }

    #[track_caller]
    pub fn id(&self, engine: &TestEngine, more: &[&str]) -> String {
        let ran = self.build(engine, &[&["-q"], more].concat());
        assert_eq!(ran.code, 0, "{}", ran.err);
        ran.out.trim_end().to_owned()
    }

    #[track_caller]
    pub fn fails(&self, engine: &TestEngine, said: &str) -> String {
        let ran = self.build(engine, &[]);
        let code = if said == "exit code: 3" { 3 } else { 1 };
        assert_eq!(ran.code, code, "{}", ran.err);
        let last = ran.err.lines().skip_while(|line| !line.starts_with("error:"));
        let error = last.collect::<Vec<_>>().join("\n");
        assert!(error.contains(said), "{said:?} is not in\n{error}");
        error
    }
}

/// What a command prints in a container of an image.
#[track_caller]
pub fn inside(engine: &TestEngine, image: &str, script: &str) -> String {
    engine.ok(&["run", "--rm", "--entrypoint", "sh", image, "-c", script])
}
