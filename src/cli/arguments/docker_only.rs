//! Verbs and flags of Docker that lifebox lacks: errors name them, with what to use instead.

/// The verbs, each with the hint what to use instead; with the noun before it where lifebox has
/// that noun.
const VERBS: &[(&str, &str)] = &[
    ("builder", "build images with `lifebox build`"),
    ("buildx", "build images with `lifebox build`"),
    ("checkpoint", SEE_HELP),
    ("compose", "start a compose file in a script: see `help(\"compose\")` in lifebox"),
    ("config", SEE_HELP),
    ("context", SEE_HELP),
    ("manifest", SEE_HELP),
    ("network", "choose a network with `lifebox run --network none`, `host` or `container:NAME`"),
    ("node", SEE_HELP),
    ("plugin", SEE_HELP),
    ("search", "pull an image by its name: `lifebox pull NAME`"),
    ("secret", SEE_HELP),
    ("service", SEE_HELP),
    ("stack", SEE_HELP),
    ("swarm", SEE_HELP),
    ("system prune", "use `lifebox container prune`, `image prune` and `volume prune`"),
    ("trust", SEE_HELP),
    ("volume update", "only volumes of a cluster can be updated: create another volume"),
];

const SEE_HELP: &str = "see `lifebox --help`";

/// The flags, by the verbs that have them.
const FLAGS: &[(&[&str], &[&str])] = &[
    (
        &["create", "run"],
        &[
            "--blkio-weight-device",
            "--cpu-count",
            "--cpu-percent",
            "--cpu-rt-period",
            "--cpu-rt-runtime",
            "--device-read-bps",
            "--device-read-iops",
            "--device-write-bps",
            "--device-write-iops",
            "--gpus",
            "--io-maxbandwidth",
            "--io-maxiops",
            "--ip",
            "--ip6",
            "--link",
            "--link-local-ip",
            "--mac-address",
            "--network-alias",
            "--publish",
            "--publish-all",
            "--storage-opt",
            "--use-api-socket",
            "-P",
            "-p",
        ],
    ),
    (
        &["build"],
        &[
            "--add-host",
            "--cgroup-parent",
            "--cpu-period",
            "--cpu-quota",
            "--cpu-shares",
            "--cpuset-cpus",
            "--cpuset-mems",
            "--memory",
            "--memory-swap",
            "--security-opt",
            "--shm-size",
            "--squash",
            "--ulimit",
            "-c",
            "-m",
        ],
    ),
    (&["images"], &["--tree"]),
    (&["pull"], &["--all-tags", "--disable-content-trust", "-a"]),
    (&["push"], &["--all-tags", "--disable-content-trust", "--platform", "-a"]),
    (&["rm"], &["--link", "-l"]),
    (&["rmi"], &["--platform"]),
    (&["start"], &["--checkpoint", "--checkpoint-dir"]),
    (&["update"], &["--cpu-rt-period", "--cpu-rt-runtime", "--kernel-memory"]),
];

/// The flags of networks, which have another hint.
const PORTS: [&str; 4] = ["--publish", "--publish-all", "-P", "-p"];

/// Returns the hint for a verb that only Docker has; `None` for any other word.
pub fn verb_hint(verb: &str) -> Option<&'static str> {
    VERBS.iter().find(|(known, _)| *known == verb).map(|(_, hint)| *hint)
}

/// Returns the hint for a flag that only Docker's verb has; `None` for any other flag.
pub fn flag_hint(verb: &str, flag: &str) -> Option<String> {
    let known = FLAGS.iter().any(|(verbs, flags)| verbs.contains(&verb) && flags.contains(&flag));
    known.then(|| match flag {
        _ if PORTS.contains(&flag) => {
            format!("share the network of the host: lifebox {verb} --network host IMAGE")
        }
        "--link" | "--network-alias" if verb != "rm" => {
            format!("share a network: lifebox {verb} --network container:NAME IMAGE")
        }
        "--storage-opt" => {
            "limit a volume instead: lifebox volume create -o type=tmpfs -o device=tmpfs -o o=size=1g"
                .to_owned()
        }
        "--gpus" => format!("name the devices: lifebox {verb} --device /dev/NAME IMAGE"),
        _ => format!("see `lifebox {verb} --help`"),
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::cli::arguments::Arguments;

    #[test]
    fn what_lifebox_has_is_not_listed() {
        let command = Arguments::command();
        for (verb, _) in VERBS {
            let found = verb.split(' ').try_fold(&command, |at, word| at.find_subcommand(word));
            assert!(found.is_none(), "{verb}");
        }
        for (verbs, flags) in FLAGS {
            for verb in *verbs {
                let verb = command.find_subcommand(verb).unwrap();
                for arg in verb.get_arguments() {
                    let long = arg.get_long_and_visible_aliases().unwrap_or_default();
                    let long = long.iter().map(|name| format!("--{name}"));
                    let short = arg.get_short().map(|letter| format!("-{letter}"));
                    let own = long.chain(short).find(|own| flags.contains(&own.as_str()));
                    assert_eq!(own, None, "{verb}");
                }
            }
        }
    }
}
