//! The options of the functions that create images.

use rhai::Map;

use super::convert::{pairs, texts};
use super::parsed::ParsedOptions;
use crate::model::Result;
use crate::model::container::options::CreateOptions;
use crate::model::image::build::{
    BuildOptions, BuildStep, CommandLine, CommitOptions, ImportOptions, tag,
};
use crate::model::value::option_spec::{OptionSpec, ValueType, option_spec};
use crate::script::values;

/// The options of `commit`.
pub(super) const COMMIT: &[OptionSpec] = &[
    option_spec("author", ValueType::Text, "Author of the image"),
    option_spec("message", ValueType::Text, "Commit message"),
    option_spec(
        "changes",
        ValueType::StringList,
        "Apply Dockerfile instructions to the image, such as \"ENV A=1\"",
    ),
    option_spec("pause", ValueType::Flag, "Pause the container during the commit; true by default"),
];

/// The options of `import_tar`.
pub(super) const IMPORT: &[OptionSpec] = &[
    option_spec("tag", ValueType::Text, "Name and optionally a tag (format: \"name:tag\")"),
    option_spec("cmd", ValueType::Command, "Default command of the image"),
    option_spec(
        "entrypoint",
        ValueType::Command,
        "Default program of the image, which cmd is appended to",
    ),
    option_spec("env", ValueType::Pairs, "Environment variables of the image"),
    option_spec("workdir", ValueType::Text, "Working directory of the image's processes"),
    option_spec("user", ValueType::Text, "User and group of the image's processes"),
    option_spec("labels", ValueType::Pairs, "Set metadata"),
    option_spec(
        "changes",
        ValueType::StringList,
        "Apply Dockerfile instructions to the image, such as \"ENV A=1\"",
    ),
    option_spec("message", ValueType::Text, "Commit message"),
    option_spec(
        "platform",
        ValueType::Text,
        "Set the platform, such as \"linux/arm64\"; the host's by default",
    ),
];

/// The options of `build`.
pub(super) const BUILD: &[OptionSpec] = &[
    option_spec("tag", ValueType::StringList, "Name and optionally a tag (format: \"name:tag\")"),
    option_spec(
        "file",
        ValueType::Text,
        "Name of the Dockerfile; `Dockerfile` in the directory by default",
    ),
    option_spec("dockerfile", ValueType::Text, "Text of the Dockerfile, instead of a file"),
    option_spec("args", ValueType::Pairs, "Set build-time variables"),
    option_spec("labels", ValueType::Pairs, "Set metadata"),
    option_spec(
        "target",
        ValueType::Text,
        "Set the target build stage to build; the last by default",
    ),
    option_spec("no_cache", ValueType::Flag, "Do not use cache when building the image"),
    option_spec("pull", ValueType::Flag, "Always attempt to pull the base images"),
];

/// Reads the options of `commit`.
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

/// Reads the options of `import_tar`.
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

/// Reads the options of `build`.
pub fn build(map: Map) -> Result<BuildOptions> {
    let given = ParsedOptions::new("build", BUILD, map)?;
    let tags = given.get("tag", texts)?.unwrap_or_default();
    let flag = |name: &str| given.flag(name);
    Ok(BuildOptions {
        file: given.get("file", values::text)?.map(Into::into),
        text: given.get("dockerfile", values::text)?,
        tags: tags.iter().map(|text| tag(text)).collect::<Result<_>>()?,
        arguments: given.get("args", pairs)?.unwrap_or_default(),
        labels: given.get("labels", pairs)?.unwrap_or_default(),
        target: given.get("target", values::text)?,
        no_cache: flag("no_cache")?,
        pull: flag("pull")?,
        run: CreateOptions::default(),
        secrets: Vec::new(),
        unlisted: false,
        // An error carries the output to the script.
        output_visible: false,
    })
}
