//! The rule of each function under `--untrusted`: the table of the reference. Tests hold it to the
//! functions and to what they do.

use Rule::{Free, Own, Refused, Seen};

/// What a script that is not trusted may do with a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rule {
    /// Everything.
    Free,
    /// Everything, but of containers and volumes of others it shows little.
    Seen,
    /// Only with what the script created, and with files of its folder.
    Own,
    /// Nothing.
    Refused,
}

impl Rule {
    /// Returns the words of the reference.
    pub fn describe(self) -> &'static str {
        match self {
            Rule::Free => "free",
            Rule::Seen => "free; of others only name, status, image, times",
            Rule::Own => "own things only",
            Rule::Refused => "refused",
        }
    }
}

/// The functions by rule. Functions of modules have the rules of the functions that they call.
const RULES: &[(Rule, &[&str])] = &[
    (
        Free,
        &[
            "absolute_path",
            "actions",
            "args",
            "assert",
            "attempt",
            "check_images",
            "contains",
            "create",
            "debug",
            "defer",
            "disk_usage",
            "exists",
            "exit",
            "from_docker",
            "help",
            "history",
            "image",
            "images",
            "info",
            "join",
            "keep",
            "learn",
            "off",
            "options",
            "parallel",
            "parse_yaml",
            "port",
            "print",
            "retry",
            "run",
            "scope",
            "seconds",
            "sleep",
            "stats",
            "trace",
            "version",
            "wait",
            "with_cmd",
            "with_entrypoint",
            "with_env",
            "with_expose",
            "with_file",
            "with_label",
            "with_run",
            "with_stop_signal",
            "with_user",
            "with_volume",
            "with_workdir",
        ],
    ),
    (
        Seen,
        &[
            "container",
            "docker",
            "events",
            "inspect",
            "on",
            "ps",
            "resources",
            "table",
            "volume",
            "volumes",
            "why",
        ],
    ),
    (
        Own,
        &[
            "attach",
            "build",
            "commit",
            "cp_from",
            "cp_to",
            "create_volume",
            "diagram",
            "diff",
            "ensure_absent",
            "ensure_running",
            "exec",
            "explain",
            "export_tar",
            "import_tar",
            "kill",
            "load",
            "logs",
            "pause",
            "prune_images",
            "prune_volumes",
            "read_file",
            "read_text",
            "remove_volume",
            "rename",
            "restart",
            "rm",
            "rmi",
            "save",
            "start",
            "stop",
            "tag",
            "top",
            "unpause",
            "update",
            "wait_for",
            "with_copy",
            "write_file",
        ],
    ),
    (Refused, &["env", "image_from_host", "pull", "push"]),
];

/// Returns the rule of a function; `None` for one that has none yet.
pub fn rule(function: &str) -> Option<Rule> {
    RULES.iter().find(|(_, names)| names.contains(&function)).map(|(rule, _)| *rule)
}

/// Returns the names of all functions that have a rule.
#[cfg(test)]
pub fn names() -> impl Iterator<Item = &'static str> {
    RULES.iter().flat_map(|(_, names)| *names).copied()
}

/// What the reference says before the table.
pub const PREFACE: &str = "
## With `--untrusted`

`script --untrusted FILE` is for a script that you do not trust, `script --isolated FILE` for the
script of a stranger: the same rules, in an empty store that is removed at the end.

Such a script can see: all images with their files, environment and history; that containers and
volumes of others exist, with name, status, exit code, image, times and usage; the host's name of
the kernel, its size and the path of the store (`info`).
It cannot see: environment, commands, values of labels, processes, logs, files, mounts of these; the
host's files outside of the script's folder; variables of its caller; registries.

It can do: create, use and remove containers, volumes, images and tags of this run; read and write
files of its folder. A tag must be free or its own, and `host` is never free. Who created a thing
decides, not its name: what you remove and create again is yours.
It cannot do: change or remove what this run did not create; give a container a way out, such as
`privileged` or a bind mount.

It can use up: 5 minutes, 10 seconds more for cleanups, 100 million operations and 256 MiB of memory
for the script itself. What it prints and how many containers it creates is not limited. Its
containers, their logs, volumes and images use processors, memory, processes and disk without limit,
and containers run on after the script: name a cgroup with limits in `LIFEBOX_CGROUP_PARENT`, and a
root of limited size with `--root`. With `--isolated` all of it is removed at the end.

A refusal is an error of the kind `denied`, which names the thing and the rule.
Functions of modules have the rules of the functions that they call.

| function | rule |
|---|---|
";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_function_has_two_rules() {
        let mut seen = std::collections::BTreeSet::new();
        for name in RULES.iter().flat_map(|(_, names)| *names) {
            assert!(seen.insert(name), "{name}");
        }
    }
}
