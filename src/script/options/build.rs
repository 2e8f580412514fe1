//! The options of what makes images.

use rhai::Map;

use super::super::values;
use super::ParsedOptions;
use super::read::{pairs, texts};
use crate::model::Result;
use crate::model::image::build::{
    BuildOptions, BuildStep, CommandLine, CommitOptions, ImportOptions, tag,
};

/// The options of `commit`.
pub fn commit(map: Map) -> Result<CommitOptions> {
    let given = ParsedOptions::new("commit", map)?;
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
    let given = ParsedOptions::new("import_tar", map)?;
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
    let given = ParsedOptions::new("build", map)?;
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
