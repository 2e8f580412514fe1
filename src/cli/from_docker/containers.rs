//! Translates the verbs of containers.

use jiff::Timestamp;

use super::unsupported::{refuse, refused};
use super::words::{Options, each, filters, flag, one, parsed, time};
use crate::cli::arguments::{
    CreateArguments, InspectArguments, KillArguments, LogsArguments, NewContainerArguments,
    PsArguments, Pull, RmArguments, RunArguments, StartArguments, StatsArguments, StopArguments,
    Subject, UpdateArguments,
};
use crate::cli::verb::filters::Filters;
use crate::cli::verb::lifecycle::grace;
use crate::cli::verb::{create, environment};
use crate::model::container::options::CreateOptions;
use crate::model::creation::merge::check_options;
use crate::model::creation::options::{write, write_options};
use crate::model::value::expression::Expression;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};

/// Translates `docker create`.
pub fn create(arguments: &CreateArguments) -> Result<Vec<Expression>> {
    let (image, mut options) = new("docker create", &arguments.new)?;
    options.extend(parsed([("stdin", flag(arguments.new.options.has("interactive")))]));
    Ok(vec![Expression::call("create", vec![image], options)])
}

/// Translates `docker run`: without `-d` the call stays attached to the container.
pub fn run(arguments: &RunArguments) -> Result<Vec<Expression>> {
    let verb = "docker run";
    refuse(
        verb,
        &[
            ("--detach-keys", arguments.detach_keys.is_some()),
            ("--sig-proxy", !arguments.sig_proxy),
            ("--attach", !arguments.new.attach.is_empty()),
        ],
    )?;
    let (image, mut options) = new(verb, &arguments.new)?;
    let stays = match (arguments.detach, arguments.new.options.has("interactive")) {
        (true, true) => Some("stdin"),
        (true, false) => None,
        (false, true) => Some("interactive"),
        (false, false) => Some("attach"),
    };
    options.extend(stays.map(|key| (key, Expression::Flag(true))));
    Ok(vec![Expression::call("run", vec![image], options)])
}

/// Translates the image and the options of a new container.
fn new(verb: &str, new: &NewContainerArguments) -> Result<(Expression, Options)> {
    refuse(verb, &[("--cidfile", new.cidfile.is_some())])?;
    if !new.env_file.is_empty() {
        return Err(refused(verb, "--env-file").hint("write its variables as --env KEY=VALUE"));
    }
    if !new.label_file.is_empty() {
        return Err(refused(verb, "--label-file").hint("write its labels as --label KEY=VALUE"));
    }
    let (reference, command) = match new.image_and_command.as_slice() {
        [reference, command @ ..] => (Expression::text(reference.as_str()), command),
        [] => {
            return Err(Error::new(Kind::Invalid, format!("{verb} requires an image"))
                .hint(format!("write docker {verb} IMAGE [COMMAND...]")));
        }
    };
    let env = environment::as_written(new.options.values("env"))?;
    let options = create::options(new, command, env).map_err(|invalid| invalid.error)?;
    check_options(&options)?;
    let pull = |word: &str| Expression::Options(vec![("pull", Expression::text(word))]);
    let image = match (new.pull, &new.platform) {
        (Pull::Never, _) => Expression::Call("image", vec![reference, pull("never")]),
        (_, Some(platform)) => {
            let platform = Expression::Options(vec![("platform", Expression::text(platform))]);
            Expression::Call("pull", vec![reference, platform])
        }
        (Pull::Always, None) => Expression::Call("image", vec![reference, pull("always")]),
        (Pull::Missing, None) => reference,
    };
    // Standard input is the caller's: `run` may stay attached to it.
    let options = CreateOptions { interactive: false, ..options };
    Ok((image, write_options(&options)))
}

/// Translates `docker start`.
pub fn start(arguments: &StartArguments) -> Result<Vec<Expression>> {
    refuse(
        "docker start",
        &[
            ("--detach-keys", arguments.detach_keys.is_some()),
            ("--sig-proxy", !arguments.sig_proxy),
        ],
    )?;
    let attached = arguments.attach || arguments.interactive;
    if attached && arguments.names.len() > 1 {
        let message = "you cannot start and attach multiple containers at once";
        return Err(Error::new(Kind::Invalid, message));
    }
    let options = parsed([
        ("attach", flag(arguments.attach && !arguments.interactive)),
        ("interactive", flag(arguments.interactive)),
    ]);
    Ok(each("start", &arguments.names, &options))
}

/// Translates `docker stop` and `docker restart`.
pub fn stop(function: &'static str, arguments: &StopArguments) -> Result<Vec<Expression>> {
    let signal = arguments.signal.as_deref().map(str::parse::<Signal>).transpose()?;
    let options = parsed([
        ("time", arguments.timeout.map(|seconds| write::stop_timeout(grace(seconds)))),
        ("signal", signal.map(|signal| Expression::text(signal.to_string()))),
    ]);
    Ok(each(function, &arguments.names, &options))
}

/// Translates `docker kill`.
pub fn kill(arguments: &KillArguments) -> Result<Vec<Expression>> {
    let signal: Signal = arguments.signal.parse()?;
    let other = (signal != Signal::KILL).then(|| Expression::text(signal.to_string()));
    let call = |name: &String| {
        let values = [Expression::text(name.as_str())].into_iter().chain(other.clone());
        Expression::Call("kill", values.collect())
    };
    Ok(arguments.names.iter().map(call).collect())
}

/// Translates `docker rm`.
pub fn rm(arguments: &RmArguments) -> Vec<Expression> {
    let options = parsed([("force", flag(arguments.force)), ("volumes", flag(arguments.volumes))]);
    each("rm", &arguments.names, &options)
}

/// Translates `docker ps`.
pub fn ps(arguments: &PsArguments) -> Result<Vec<Expression>> {
    let verb = "docker ps";
    refuse(verb, &[("--format", arguments.format.is_some()), ("--size", arguments.size)])?;
    // Wrong filters fail as they do in the verb.
    Filters::of_containers(&arguments.filter, |_| Ok(Timestamp::UNIX_EPOCH))?;
    let known = ["ancestor", "exited", "health", "id", "label", "name", "status"];
    let mut options = parsed([("all", flag(arguments.all))]);
    let last = if arguments.latest { Some(1) } else { arguments.last.filter(|n| *n > 0) };
    options.extend(last.map(|last| ("last", Expression::Number(last))));
    for (key, values) in filters(&arguments.filter, &known, verb)? {
        options.push(match key.as_str() {
            "label" => ("label", Expression::list(values)),
            "status" => ("status", Expression::texts(values)),
            "exited" => ("exited", number(&one(verb, &key, &values)?)),
            "ancestor" => ("ancestor", one(verb, &key, &values)?),
            "health" => ("health", one(verb, &key, &values)?),
            "id" => ("id", one(verb, &key, &values)?),
            _ => ("name", one(verb, &key, &values)?),
        });
    }
    let list = Expression::call("ps", vec![], options);
    Ok(vec![if arguments.quiet { Expression::Each(Box::new(list), "id") } else { list }])
}

fn number(text: &Expression) -> Expression {
    match text {
        Expression::Text(text) => {
            text.parse().map_or_else(|_| Expression::text(text), Expression::Number)
        }
        other => other.clone(),
    }
}

/// Translates `docker logs`.
pub fn logs(arguments: &LogsArguments) -> Result<Vec<Expression>> {
    refuse("docker logs", &[("--details", arguments.details)])?;
    let tail = arguments.tail.parse::<i64>().ok().filter(|lines| *lines >= 0);
    let options = parsed([
        ("tail", tail.map(Expression::Number)),
        ("since", time(arguments.since.as_ref())?),
        ("before", time(arguments.until.as_ref())?),
        ("timestamps", flag(arguments.timestamps)),
        ("follow", flag(arguments.follow)),
    ]);
    let name = Expression::text(arguments.name.as_str());
    if !arguments.follow {
        return Ok(vec![Expression::call("logs", vec![name], options)]);
    }
    refuse("docker logs --follow", &[("--timestamps", arguments.timestamps)])?;
    let each = Expression::Printer(Some("text"));
    Ok(vec![Expression::Call("logs", vec![name, Expression::Options(options), each])])
}

/// Translates `docker inspect`. Translates templates that name one field of the document.
pub fn inspect(arguments: &InspectArguments, noun: Option<Subject>) -> Result<Vec<Expression>> {
    let subject = |name: &String| {
        let name = Expression::text(name.as_str());
        match arguments.kind.or(noun) {
            Some(Subject::Container) => Expression::Call("container", vec![name]),
            Some(Subject::Image) => Expression::Call("image", vec![name]),
            Some(Subject::Volume) | None => name,
        }
    };
    let of_volume = arguments.kind == Some(Subject::Volume);
    refuse("docker inspect", &[("--size", arguments.size), ("--type volume", of_volume)])?;
    inspected(arguments.names.iter().map(subject), arguments.format.as_deref())
}

/// Translates `docker inspect` of these objects with this `--format`.
pub fn inspected(
    objects: impl Iterator<Item = Expression>,
    format: Option<&str>,
) -> Result<Vec<Expression>> {
    let path = match format {
        None | Some("json" | "{{json .}}" | "{{.}}") => Vec::new(),
        Some(template) => place(template).ok_or_else(|| {
            refused("docker inspect", &format!("--format {template}"))
                .hint("use a template of one field, such as {{.State.Status}}")
        })?,
    };
    let all = objects.map(|object| Expression::Call("inspect", vec![object]));
    Ok(match path.is_empty() {
        true => all.collect(),
        false => all.map(|seen| Expression::Field(Box::new(seen), path.clone())).collect(),
    })
}

/// Returns the path of a template such as `{{.State.Status}}`.
fn place(template: &str) -> Option<Vec<String>> {
    let inner = template.trim().strip_prefix("{{")?.strip_suffix("}}")?.trim();
    let inner = inner.strip_prefix("json").map_or(inner, str::trim_start);
    let words: Vec<String> = inner.strip_prefix('.')?.split('.').map(str::to_owned).collect();
    let word = |word: &String| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    words.iter().all(word).then_some(words)
}

/// Translates `docker update`.
pub fn update(arguments: &UpdateArguments) -> Result<Vec<Expression>> {
    let changes = arguments.changes().map_err(|invalid| invalid.error)?;
    let limits = CreateOptions { resources: changes.resources, ..CreateOptions::default() };
    let mut options = write_options(&limits);
    options.extend(changes.restart.map(|policy| ("restart", Expression::text(policy.to_string()))));
    if options.is_empty() {
        return Err(Error::new(
            Kind::Invalid,
            "you must provide one or more flags when using this command",
        ));
    }
    Ok(each("update", &arguments.names, &options))
}

/// Translates `docker stats`.
pub fn stats(arguments: &StatsArguments) -> Result<Vec<Expression>> {
    let verb = "docker stats";
    refuse(verb, &[("--all", arguments.all), ("--format", arguments.format.is_some())])?;
    if arguments.names.is_empty() {
        let message = "`docker stats` of all containers cannot be translated";
        return Err(Error::new(Kind::Unsupported, message).hint("name a container"));
    }
    if arguments.no_stream {
        return Ok(each("stats", &arguments.names, &vec![]));
    }
    if arguments.names.len() > 1 {
        let message =
            "`docker stats` of several containers can only be translated with `--no-stream`";
        return Err(Error::new(Kind::Unsupported, message));
    }
    let name = |name: &String| {
        Expression::Call("stats", vec![Expression::text(name.as_str()), Expression::Printer(None)])
    };
    Ok(arguments.names.iter().map(name).collect())
}
