//! The verbs that write, each with the state that it begins in and the states that one who is
//! interrupted may leave.

/// A verb in a state.
#[derive(Debug)]
pub struct Verb {
    pub name: &'static str,
    /// The commands that lead to the state before.
    pub setup: &'static [&'static str],
    pub line: &'static str,
    /// What an interrupted verb may leave, besides the world before and the world after: the lines
    /// of a world, separated by commas.
    pub between: &'static [&'static str],
    /// Whether a monitor ends with the verb, and its last calls count.
    pub ends: bool,
    /// A command that tells more than the lists do of the world after.
    pub detail: Option<&'static str>,
}

const fn verb(name: &'static str, setup: &'static [&'static str], line: &'static str) -> Verb {
    Verb { name, setup, line, between: &[], ends: false, detail: None }
}

const RUNNING: &str = "run -d --name box small:1";
const CREATED: &str = "create --name box small:1";
const EXITED: &str = "run --name box small:1 true";

/// What `run` goes through.
const RUN: &[&str] =
    &["", "container box=created", "container box=running", "container box=exited"];

pub const VERBS: &[Verb] = &[
    verb("create", &[], CREATED),
    Verb {
        between: &["volume data", "volume anonymous", "volume anonymous, volume data"],
        ..verb("create with volumes", &[], "create --name box -v data:/data -v /anonymous small:1")
    },
    Verb { between: RUN, ..verb("run -d", &[], RUNNING) },
    Verb { between: RUN, ends: true, ..verb("run", &[], EXITED) },
    Verb {
        between: RUN,
        ends: true,
        ..verb("run --rm", &[], "run --rm --name box small:1 sh -c exit\u{a0}3")
    },
    Verb { between: RUN, ..verb("run -d --rm", &[], "run -d --rm --name box small:1") },
    verb("start", &[CREATED], "start box"),
    Verb {
        between: &["container box=running"],
        ends: true,
        ..verb("start of an exited one", &[EXITED], "start box")
    },
    Verb { ends: true, ..verb("stop", &[RUNNING], "stop -t 0 box") },
    Verb { ends: true, ..verb("stop of a paused one", &[RUNNING, "pause box"], "stop -t 0 box") },
    Verb { ends: true, ..verb("kill", &[RUNNING], "kill box") },
    verb("pause", &[RUNNING], "pause box"),
    verb("unpause", &[RUNNING, "pause box"], "unpause box"),
    Verb { between: &["container box=exited"], ..verb("restart", &[RUNNING], "restart -t 0 box") },
    verb("rm", &[EXITED], "rm box"),
    Verb {
        between: &["volume anonymous", "container box=created"],
        ..verb("rm -v", &["create --name box -v /anonymous small:1"], "rm -v box")
    },
    Verb {
        between: &["container box=exited"],
        ends: true,
        ..verb("rm -f", &[RUNNING], "rm -f box")
    },
    Verb {
        between: &["container box=exited", "container box=running"],
        ends: true,
        ..verb("rm -f of a paused one", &[RUNNING, "pause box"], "rm -f box")
    },
    verb("rename", &[CREATED], "rename box other"),
    verb("rename of a running one", &[RUNNING], "rename box other"),
    Verb {
        detail: Some("inspect --format {{.HostConfig.PidsLimit}} box"),
        ..verb("update", &[RUNNING], "update --pids-limit 50 box")
    },
    Verb {
        between: &["container box=paused", "container box=paused, image new:1"],
        ..verb("commit", &[RUNNING, "exec box touch /made"], "commit box new:1")
    },
    verb("commit of an exited one", &[EXITED], "commit box new:1"),
    verb("tag", &[], "tag small:1 new:1"),
    verb("rmi of a tag", &["tag small:1 new:1"], "rmi new:1"),
    verb("rmi", &["load -q -i new.tar"], "rmi new:1"),
    verb("load", &[], "load -q -i new.tar"),
    verb("import", &[], "import -q tree.tar new:1"),
    Verb { between: &["image <none>:<none>"], ..verb("build", &[], "build -q -t new:1 context") },
    verb("save", &["tag small:1 new:1"], "save -o saved.tar new:1"),
    Verb {
        detail: Some("exec box cksum /tmp/file"),
        ..verb("cp into one", &[RUNNING, "exec box mkdir -p /tmp"], "cp file box:/tmp/file")
    },
    Verb {
        detail: Some("cp box:/tmp/file -"),
        ..verb("cp into a created one", &["create --name box small:1"], "cp file box:/tmp/file")
    },
    verb("cp out of one", &[RUNNING], "cp box:/bin copied"),
    verb("export", &[CREATED], "export -o exported.tar box"),
    verb("volume create", &[], "volume create data"),
    verb("volume rm", &["volume create data"], "volume rm data"),
    verb("container prune", &[EXITED], "container prune -f"),
    verb("image prune", &["load -q -i new.tar"], "image prune -af"),
    verb("volume prune", &["volume create data"], "volume prune -af"),
    verb("builder prune", &["build -q context"], "builder prune -af"),
    Verb {
        between: &["volume data, image new:1", "image new:1", "volume data"],
        ..verb(
            "system prune",
            &[EXITED, "load -q -i new.tar", "volume create data"],
            "system prune -af --volumes",
        )
    },
    verb("exec", &[RUNNING], "exec box sh -c exit\u{a0}3"),
    verb("exec -d", &[RUNNING], "exec -d box true"),
    Verb {
        between: &["container box=running"],
        ends: true,
        ..verb("wait", &["run -d --name box small:1 sleep 0.3"], "wait box")
    },
];

/// The worlds that a line of `between` means.
pub fn world(text: &str) -> crate::stage::World {
    text.split(", ").filter(|line| !line.is_empty()).map(str::to_owned).collect()
}
