//! Translates command lines into calls.

/// Verbs of containers that are functions of the same name.
const OF_CONTAINERS: [&str; 8] =
    ["start", "stop", "kill", "pause", "unpause", "restart", "rm", "wait"];

/// Flags of `run` and `create` that take a value, with their options.
const FLAGS: [(&str, &str, &str); 8] = [
    ("", "--name", "name"),
    ("-w", "--workdir", "workdir"),
    ("-u", "--user", "user"),
    ("-h", "--hostname", "hostname"),
    ("-m", "--memory", "memory"),
    ("", "--network", "network"),
    ("", "--restart", "restart"),
    ("", "--entrypoint", "entrypoint"),
];

/// Translates a command line into equivalent calls; `None` for an unknown verb or flag.
pub fn translate(words: &[String]) -> Option<String> {
    let (verb, rest) = words.split_first()?;
    match (verb.as_str(), rest) {
        ("ps", []) => Some("print(table(ps()));".to_owned()),
        ("ps", [flag]) if flag == "-a" || flag == "--all" => {
            Some("print(table(ps(#{ all: true })));".to_owned())
        }
        ("images", []) => Some("print(table(images()));".to_owned()),
        ("pull" | "rmi", [name]) if !is_flag(name) => Some(format!("{verb}({name:?});")),
        ("tag", [image, name]) if !is_flag(image) => Some(format!("tag({image:?}, {name:?});")),
        ("run" | "create", rest) => new(verb, rest),
        (verb, rest) if OF_CONTAINERS.contains(&verb) => of_containers(verb, rest),
        _ => None,
    }
}

/// Translates a verb that takes container names.
fn of_containers(verb: &str, words: &[String]) -> Option<String> {
    let (second, names) = match (verb, words) {
        ("rm", [flag, names @ ..]) if flag == "-f" || flag == "--force" => {
            (", #{ force: true }".to_owned(), names)
        }
        ("stop" | "restart", [flag, time, names @ ..])
            if ["-t", "--timeout", "--time"].contains(&flag.as_str()) =>
        {
            (format!(", {}", time.parse::<i64>().ok()?), names)
        }
        ("kill", [flag, signal, names @ ..]) if flag == "-s" || flag == "--signal" => {
            (format!(", {signal:?}"), names)
        }
        (_, names) => (String::new(), names),
    };
    let calls: Vec<String> =
        names.iter().map(|name| format!("{verb}({name:?}{second});")).collect();
    (!calls.is_empty() && !names.iter().any(|name| is_flag(name))).then(|| calls.join("\n"))
}

/// Translates `run` and `create`.
fn new(verb: &str, words: &[String]) -> Option<String> {
    let (mut options, mut env, mut attach) = (Vec::new(), Vec::new(), verb == "run");
    let mut words = words.iter();
    let image = loop {
        let word = words.next()?;
        if !is_flag(word) {
            break word;
        }
        let (flag, own) = match word.split_once('=') {
            Some((flag, value)) => (flag, Some(value.to_owned())),
            None => (word.as_str(), None),
        };
        match flag {
            "-d" | "--detach" if own.is_none() => attach = false,
            "--rm" if own.is_none() => options.push("rm: true".to_owned()),
            "-e" | "--env" => env.push(format!("{:?}", own.or_else(|| words.next().cloned())?)),
            flag => {
                let same = |known: &&(&str, &str, &str)| known.0 == flag || known.1 == flag;
                let (.., option) = FLAGS.iter().find(same)?;
                options.push(format!("{option}: {:?}", own.or_else(|| words.next().cloned())?));
            }
        }
    };
    if !env.is_empty() {
        options.push(format!("env: [{}]", env.join(", ")));
    }
    let command: Vec<String> = words.map(|word| format!("{word:?}")).collect();
    if !command.is_empty() && verb == "create" {
        options.push(format!("cmd: [{}]", command.join(", ")));
    }
    if attach {
        options.push("attach: true".to_owned());
    }
    let mut values = vec![format!("{image:?}")];
    if !command.is_empty() && verb == "run" {
        values.push(format!("[{}]", command.join(", ")));
    }
    if !options.is_empty() {
        values.push(format!("#{{ {} }}", options.join(", ")));
    }
    Some(format!("{verb}({});", values.join(", ")))
}

fn is_flag(word: &str) -> bool {
    word.starts_with('-')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_line_becomes_the_call_that_does_the_same() {
        for (line, wanted) in [
            (
                "run -d --name yy host sh -c 'sleep 1000'",
                r#"run("host", ["sh", "-c", "sleep 1000"], #{ name: "yy" });"#,
            ),
            ("run --rm host true", r#"run("host", ["true"], #{ rm: true, attach: true });"#),
            (
                "create -e A=1 --env B=2 --name=x host true",
                r#"create("host", #{ name: "x", env: ["A=1", "B=2"], cmd: ["true"] });"#,
            ),
            ("stop -t 0 yy", r#"stop("yy", 0);"#),
            ("kill -s HUP a b", "kill(\"a\", \"HUP\");\nkill(\"b\", \"HUP\");"),
            ("rm -f a", r#"rm("a", #{ force: true });"#),
            ("pull alpine:3", r#"pull("alpine:3");"#),
        ] {
            assert_eq!(translate(&shlex::split(line).unwrap()).as_deref(), Some(wanted), "{line}");
        }
        for line in ["run -it host sh", "logs web", "stop", "stop --all", "run -d", "rm -v x"] {
            assert_eq!(translate(&shlex::split(line).unwrap()), None, "{line}");
        }
    }
}
