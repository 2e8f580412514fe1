//! Translates the verbs that create images, and those of a container's files.

use super::unsupported::{refuse, refused};
use super::words::{flag, keyed, parsed, text, texts};
use crate::cli::arguments::build::{
    BuildArguments, BuildVerb, CommitArguments, FilesVerb, ImportArguments,
};
use crate::model::value::expression::Expression;
use crate::model::{Error, Kind, Result};

/// Returns the call for a verb that creates images.
pub fn build_verb(verb: &BuildVerb) -> Result<Vec<Expression>> {
    match verb {
        BuildVerb::Import(arguments) => import(arguments),
        BuildVerb::Build(arguments) => build(arguments),
    }
}

/// Returns the call for a verb of a container's files.
pub fn files_verb(verb: &FilesVerb) -> Result<Vec<Expression>> {
    match verb {
        FilesVerb::Diff(arguments) => {
            let name = Expression::text(arguments.container.as_str());
            Ok(vec![Expression::Call("diff", vec![name])])
        }
        FilesVerb::Commit(arguments) => commit(arguments),
        FilesVerb::Export(arguments) => {
            let Some(output) = &arguments.output else {
                let message = "`docker export` without flag `--output` writes to standard output";
                return Err(Error::new(Kind::Unsupported, message).hint("write --output FILE"));
            };
            let name = Expression::text(arguments.container.as_str());
            let values = vec![name, Expression::text(output.to_string_lossy())];
            Ok(vec![Expression::Call("export_tar", values)])
        }
    }
}

fn commit(arguments: &CommitArguments) -> Result<Vec<Expression>> {
    let pauses = arguments.pause && !arguments.no_pause;
    let options = parsed([
        ("author", text(arguments.author.as_ref())),
        ("message", text(arguments.message.as_ref())),
        ("changes", texts(&arguments.change)),
        ("pause", (!pauses).then_some(Expression::Flag(false))),
    ]);
    let mut values = vec![Expression::text(arguments.container.as_str())];
    values.extend(text(arguments.reference.as_ref()));
    if values.len() == 1 && !options.is_empty() {
        let message = "flags of `docker commit` can only be translated with a reference";
        return Err(
            Error::new(Kind::Unsupported, message).hint("add REPOSITORY[:TAG] after the container")
        );
    }
    Ok(vec![Expression::call("commit", values, options)])
}

fn import(arguments: &ImportArguments) -> Result<Vec<Expression>> {
    refuse("docker import", &[("-", arguments.source == "-")])?;
    let options = parsed([
        ("tag", text(arguments.reference.as_ref())),
        ("message", text(arguments.message.as_ref())),
        ("changes", texts(&arguments.change)),
        ("platform", text(arguments.platform.as_ref())),
    ]);
    let values = vec![Expression::text(arguments.source.as_str())];
    Ok(vec![Expression::call("import_tar", values, options)])
}

/// Translates `docker build`.
pub fn build(arguments: &BuildArguments) -> Result<Vec<Expression>> {
    let verb = "docker build";
    arguments.fixed.check(None).map_err(|invalid| invalid.error)?;
    let stdin = arguments.file.as_deref().is_some_and(|file| file.as_os_str() == "-");
    refuse(
        verb,
        &[
            ("-", arguments.context == "-"),
            ("--file -", stdin),
            ("--iidfile", arguments.iidfile.is_some()),
            ("--secret", !arguments.secret.is_empty()),
            ("--output", !arguments.output.is_empty()),
        ],
    )?;
    if let Some(flag) = arguments.run.first() {
        return Err(refused(verb, &format!("--{}", flag.long)));
    }
    // An argument without a value takes the caller's; the language has no such option.
    if let Some(bare) = arguments.build_arg.iter().find(|argument| !argument.contains('=')) {
        let flag = format!("--build-arg {bare}");
        return Err(refused(verb, &flag).hint("write --build-arg KEY=VALUE"));
    }
    let options = parsed([
        ("tag", texts(&arguments.tag)),
        ("file", arguments.file.as_ref().map(|file| Expression::text(file.to_string_lossy()))),
        ("args", keyed(&arguments.build_arg)),
        ("labels", keyed(&arguments.label)),
        ("target", text(arguments.target.as_ref())),
        ("no_cache", flag(arguments.no_cache)),
        ("pull", flag(arguments.pull)),
    ]);
    let values = vec![Expression::text(arguments.context.as_str())];
    Ok(vec![Expression::call("build", values, options)])
}
