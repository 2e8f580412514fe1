//! The options of what makes images.

use rhai::Map;

use super::convert::{pairs, texts};
use super::key::{OptionSpec, ValueType, option_spec};
use super::parsed::ParsedOptions;
use crate::model::Result;
use crate::model::image::build::{
    BuildOptions, BuildStep, CommandLine, CommitOptions, ImportOptions, tag,
};
use crate::script::values;

/// What `commit` takes.
pub(super) const COMMIT: &[OptionSpec] = &[
    option_spec("author", ValueType::Text, "who made it"),
    option_spec("message", ValueType::Text, "what the history says of it"),
    option_spec(
        "changes",
        ValueType::StringList,
        "instructions of a Dockerfile, such as \"ENV A=1\"",
    ),
    option_spec("pause", ValueType::Flag, "freeze it meanwhile; true by default"),
];

/// What `import_tar` takes.
pub(super) const IMPORT: &[OptionSpec] = &[
    option_spec("tag", ValueType::Text, "what it is called"),
    option_spec("cmd", ValueType::Command, "what it runs by default"),
    option_spec("entrypoint", ValueType::Command, "the program that cmd is appended to"),
    option_spec("env", ValueType::Pairs, "variables of its environment"),
    option_spec("workdir", ValueType::Text, "the working directory"),
    option_spec("user", ValueType::Text, "user and group"),
    option_spec("labels", ValueType::Pairs, "labels"),
    option_spec(
        "changes",
        ValueType::StringList,
        "instructions of a Dockerfile, such as \"ENV A=1\"",
    ),
    option_spec("message", ValueType::Text, "what the history says of it"),
    option_spec("platform", ValueType::Text, "such as \"linux/arm64\"; this machine's by default"),
];

/// What `build` takes.
pub(super) const BUILD: &[OptionSpec] = &[
    option_spec("tag", ValueType::StringList, "what it is called"),
    option_spec(
        "file",
        ValueType::Text,
        "the Dockerfile, if it is not `Dockerfile` in the directory",
    ),
    option_spec("args", ValueType::Pairs, "arguments of the Dockerfile"),
    option_spec("labels", ValueType::Pairs, "labels"),
    option_spec("target", ValueType::Text, "the stage to build; the last by default"),
    option_spec("no_cache", ValueType::Flag, "do all steps anew"),
    option_spec("pull", ValueType::Flag, "fetch the images that stages begin with"),
];

/// The options of `commit`.
pub fn commit(map: Map) -> Result<CommitOptions> {
    let given = ParsedOptions::new("commit", COMMIT, map)?;
    let text = |name: &str| given.get(name, values::text);
    Ok(CommitOptions {
        author: text("author")?.unwrap_or_default(),
        message: text("message")?.unwrap_or_default(),
        changes: given.get("changes", texts)?.unwrap_or_default(),
        pause: given.get("pause", |value| value.as_bool().ok())?.unwrap_or(true),
    })
}

/// The options of `import_tar`.
pub fn import(map: Map) -> Result<ImportOptions> {
    let given = ParsedOptions::new("import_tar", IMPORT, map)?;
    let text = |name: &str| given.get(name, values::text);
    let mut steps = Vec::new();
    steps.extend(given.get("env", pairs)?.map(BuildStep::Env));
    steps.extend(given.get("labels", pairs)?.map(BuildStep::Label));
    steps.extend(text("workdir")?.map(BuildStep::Workdir));
    steps.extend(given.get("user", values::scalar)?.map(BuildStep::User));
    steps.extend(
        given.command("entrypoint")?.map(|words| BuildStep::Entrypoint {
            command: CommandLine::Exec(words),
            keep_cmd: true,
        }),
    );
    steps.extend(given.command("cmd")?.map(|words| BuildStep::Cmd(CommandLine::Exec(words))));
    let name = given.get_with("tag", |value| tag(&values::quoted(value)))?;
    Ok(ImportOptions {
        reference: name,
        message: text("message")?.unwrap_or_default(),
        changes: given.get("changes", texts)?.unwrap_or_default(),
        steps,
        platform: given.get_with("platform", |value| values::quoted(value).parse())?,
    })
}

/// The options of `build`.
pub fn build(map: Map) -> Result<BuildOptions> {
    let given = ParsedOptions::new("build", BUILD, map)?;
    let tags = given.get("tag", texts)?.unwrap_or_default();
    let flag = |name: &str| given.flag(name);
    Ok(BuildOptions {
        file: given.get("file", values::text)?.map(Into::into),
        text: None,
        tags: tags.iter().map(|text| tag(text)).collect::<Result<_>>()?,
        arguments: given.get("args", pairs)?.unwrap_or_default(),
        labels: given.get("labels", pairs)?.unwrap_or_default(),
        target: given.get("target", values::text)?,
        no_cache: flag("no_cache")?,
        pull: flag("pull")?,
        // A script reads it from the error.
        output_visible: false,
    })
}
