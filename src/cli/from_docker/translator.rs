//! Translates a command line by its verb.

use std::ffi::OsString;

use super::unsupported::{self, no_verb, refuse};
use super::words::{each, filters, parsed, time};
use super::{containers, exec, files, images, volumes};
use crate::cli::arg_errors;
use crate::cli::arguments::store::{BuilderVerb, SystemVerb};
use crate::cli::arguments::{
    Arguments, ContainerVerb, EventsArguments, FormatArguments, ImageVerb, LimitVerb, OfContainer,
    OfImage, Subject, Verb, parse,
};
use crate::model::value::expression::Expression;
use crate::model::{Error, Kind, Result};
use crate::script::CommandLineReader;

/// The translator that scripts are given.
#[derive(Debug)]
pub struct DockerTranslator;

impl CommandLineReader for DockerTranslator {
    fn read(&self, words: &[String]) -> Result<Vec<Expression>> {
        read(words)
    }
}

/// The programs whose command lines are accepted.
const PROGRAMS: [&str; 3] = ["docker", "podman", "lifebox"];

/// Returns a command as statements of the language.
///
/// # Errors
/// [`Kind::Invalid`] for a malformed command, [`Kind::Unsupported`] for a verb or a flag that the
/// language lacks; both name the verb or the flag.
pub fn read(words: &[String]) -> Result<Vec<Expression>> {
    let words = match words {
        [program, rest @ ..] if PROGRAMS.contains(&program.as_str()) => rest,
        words => words,
    };
    if words.is_empty() {
        return Err(Error::new(Kind::Invalid, "expected a docker command")
            .hint("write a command such as `docker run -d nginx`"));
    }
    let words: Vec<OsString> = words.iter().map(OsString::from).collect();
    let arguments = parse(&words).map_err(|error| {
        unsupported::known(&error, &words).unwrap_or_else(|| arg_errors::explain(&error, &words))
    })?;
    refuse(
        "docker",
        &[
            ("--root", arguments.global.root.is_some()),
            ("--storage-driver", arguments.global.storage_driver.is_some()),
            ("--config", arguments.global.config.is_some()),
            ("--lang", arguments.global.lang.is_some()),
            ("--trace", arguments.global.trace.is_some()),
        ],
    )?;
    statements(&arguments, &words)
}

fn statements(arguments: &Arguments, words: &[OsString]) -> Result<Vec<Expression>> {
    match &arguments.verb {
        Verb::Container(verb) => container_verb(verb, None),
        Verb::OfContainer(OfContainer::Plain(verb)) => {
            container_verb(verb, Some(Subject::Container))
        }
        Verb::OfImage(OfImage::Inspect(arguments)) => images::inspect(arguments),
        Verb::OfImage(OfImage::Ls(arguments)) | Verb::Images(arguments) => images::list(arguments),
        Verb::OfImage(OfImage::Rm(arguments)) | Verb::Rmi(arguments) => images::rmi(arguments),
        Verb::OfImage(OfImage::Prune(arguments)) => images::prune(arguments),
        Verb::OfImage(OfImage::Plain(verb)) | Verb::Image(verb) => image_verb(verb),
        Verb::System(SystemVerb::Events(arguments)) | Verb::Events(arguments) => events(arguments),
        Verb::System(SystemVerb::Df(arguments)) => {
            refuse("docker system df", &[("--format", arguments.format.is_some())])?;
            Ok(vec![Expression::Call("disk_usage", vec![])])
        }
        Verb::System(SystemVerb::Info(arguments)) | Verb::Info(arguments) => {
            without_format("info", "docker info", arguments)
        }
        Verb::Version(arguments) => without_format("version", "docker version", arguments),
        Verb::Volume(verb) => volumes::of_volumes(verb),
        Verb::Builder(BuilderVerb::Build(arguments)) => files::build(arguments),
        Verb::OfContainer(OfContainer::Prune(_))
        | Verb::System(SystemVerb::Check(_) | SystemVerb::Prune(_))
        | Verb::Builder(BuilderVerb::Prune(_))
        | Verb::Context(_)
        | Verb::Login(_)
        | Verb::Logout(_)
        | Verb::Teach(_)
        | Verb::Learn(_)
        | Verb::Script(_)
        | Verb::Test(_)
        | Verb::Check(_)
        | Verb::Docs(_) => Err(no_verb(words)),
    }
}

fn image_verb(verb: &ImageVerb) -> Result<Vec<Expression>> {
    match verb {
        ImageVerb::Tag(arguments) => {
            let names = [&arguments.image, &arguments.reference].map(Expression::text);
            Ok(vec![Expression::Call("tag", names.to_vec())])
        }
        ImageVerb::History(arguments) => images::history(arguments),
        ImageVerb::Load(arguments) => images::load(arguments),
        ImageVerb::Build(verb) => files::build_verb(verb),
        ImageVerb::Save(arguments) => images::save(arguments),
        ImageVerb::Pull(arguments) => images::pull(arguments),
        ImageVerb::Push(arguments) => images::push(arguments),
    }
}

fn container_verb(verb: &ContainerVerb, subject: Option<Subject>) -> Result<Vec<Expression>> {
    use containers as verbs;
    match verb {
        ContainerVerb::Create(arguments) => verbs::create(arguments),
        ContainerVerb::Run(arguments) => verbs::run(arguments),
        ContainerVerb::Start(arguments) => verbs::start(arguments),
        ContainerVerb::Pause(arguments) => Ok(each("pause", &arguments.names, &vec![])),
        ContainerVerb::Unpause(arguments) => Ok(each("unpause", &arguments.names, &vec![])),
        ContainerVerb::Wait(arguments) => Ok(each("wait", &arguments.names, &vec![])),
        ContainerVerb::Stop(arguments) => verbs::stop("stop", arguments),
        ContainerVerb::Restart(arguments) => verbs::stop("restart", arguments),
        ContainerVerb::Kill(arguments) => verbs::kill(arguments),
        ContainerVerb::Rm(arguments) => Ok(verbs::rm(arguments)),
        ContainerVerb::Rename(arguments) => {
            let names = [&arguments.container, &arguments.new_name].map(Expression::text);
            Ok(vec![Expression::Call("rename", names.to_vec())])
        }
        ContainerVerb::Ps(arguments) => verbs::ps(arguments),
        ContainerVerb::Logs(arguments) => verbs::logs(arguments),
        ContainerVerb::Inspect(arguments) => verbs::inspect(arguments, subject),
        ContainerVerb::Limit(LimitVerb::Update(arguments)) => verbs::update(arguments),
        ContainerVerb::Limit(LimitVerb::Stats(arguments)) => verbs::stats(arguments),
        ContainerVerb::Files(verb) => files::files_verb(verb),
        ContainerVerb::Process(verb) => exec::process_verb(verb),
    }
}

fn without_format(
    function: &'static str,
    verb: &str,
    arguments: &FormatArguments,
) -> Result<Vec<Expression>> {
    refuse(verb, &[("--format", arguments.format.is_some())])?;
    Ok(vec![Expression::Call(function, vec![])])
}

fn events(arguments: &EventsArguments) -> Result<Vec<Expression>> {
    let verb = "docker events";
    refuse(verb, &[("--format", arguments.format.is_some())])?;
    let known = ["container", "event", "image", "label", "type", "volume"];
    let filter = filters(&arguments.filter, &known, verb)?;
    let filter = filter.into_iter().map(|(key, values)| (key, Expression::texts(values)));
    let filter: Vec<_> = filter.collect();
    let options = parsed([
        ("since", time(arguments.since.as_ref())?),
        ("before", time(arguments.until.as_ref())?),
        ("filter", (!filter.is_empty()).then_some(Expression::Map(filter))),
    ]);
    let call = match (arguments.until.is_some(), options.is_empty()) {
        (true, _) => Expression::call("events", vec![], options),
        // Without `--until` the call continues until Ctrl-C.
        (false, true) => Expression::Call("events", vec![Expression::Printer(None)]),
        (false, false) => Expression::Call(
            "events",
            vec![Expression::Options(options), Expression::Printer(None)],
        ),
    };
    Ok(vec![call])
}
