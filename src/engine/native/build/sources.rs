//! `COPY` and `ADD` of a Dockerfile: the sources of files, and the options.

use super::bases::copied_stage;
use super::flags::unknown_flag;
use super::scope::{StageState, environment};
use super::state::{BuildState, Stages};
use crate::engine::dockerfile::words::Expander;
use crate::engine::dockerfile::{Flag, Item};
use crate::image::build::ignore::Ignore;
use crate::model::image::PullPolicy;
use crate::model::image::build::{CopyItem, CopySource, CopyStep};
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

impl BuildState<'_> {
    /// Returns the step of a `COPY` or `ADD`.
    pub(super) fn copy(
        &mut self,
        stages: &Stages<'_>,
        number: usize,
        (verb, flags, items, to): (&'static str, &[Flag], &[Item], &str),
        progress: &StageState,
    ) -> Result<CopyStep> {
        let environment = environment(progress);
        let lookup = |name: &str| environment.get(name).cloned();
        let expander = Expander { escape: self.escape, lookup: &lookup };
        let (mut from, mut owner, mut mode, mut parents) = (None, None, None, false);
        let (mut unpack, mut excludes) = (verb == "ADD", Vec::new());
        for (name, value) in flags {
            match (name.as_str(), value) {
                ("from", Some(value)) if verb == "COPY" => from = Some(value.as_str()),
                ("chown", Some(value)) => owner = Some(expander.word(value)?),
                ("chmod", Some(value)) => mode = Some(file_mode(&expander.word(value)?)?),
                // Layers are always independent.
                ("link", _) => {}
                ("exclude", Some(value)) => excludes.push(expander.word(value)?),
                ("parents", value) if verb == "COPY" => parents = value.as_deref() != Some("false"),
                ("unpack", value) if verb == "ADD" => unpack = value.as_deref() != Some("false"),
                _ => return Err(unknown_flag(verb, name)),
            }
        }
        let mut sources = Vec::new();
        for item in items {
            sources.push(match item {
                Item::Path(path) => {
                    let path = expander.word(path)?;
                    if verb == "ADD" && is_remote(&path) {
                        let message = format!("ADD of `{path}` is not supported");
                        return Err(Error::new(Kind::Unsupported, message)
                            .hint("download it before the build and COPY it"));
                    }
                    CopyItem::Path(path)
                }
                Item::Text { name, content, expand } => CopyItem::Text {
                    name: name.clone(),
                    content: if *expand { expander.document(content)? } else { content.clone() },
                },
            });
        }
        Ignore::new(excludes.iter().map(String::as_str)).map_err(|_| {
            let shown = visible::short(&excludes.join(" ")).to_string();
            Error::new(Kind::Invalid, format!("--exclude has an invalid pattern: {shown}"))
                .hint("close each `[`, and write a character after each `\\`")
        })?;
        let from = self.source(stages, number, from)?;
        let to = expander.word(to)?;
        Ok(CopyStep { verb, from, sources, to, owner, mode, unpack, parents, excludes })
    }

    pub(super) fn source(
        &self,
        stages: &Stages<'_>,
        number: usize,
        from: Option<&str>,
    ) -> Result<CopySource> {
        let Some(from) = from else {
            return match self.context {
                Some(path) => {
                    Ok(CopySource::Directory { path: path.to_owned(), ignore: self.ignore.clone() })
                }
                None => Ok(CopySource::Nothing),
            };
        };
        let image = match copied_stage(stages, number, from)? {
            Some(stage) => self.stage_images[stage].clone().flatten().ok_or_else(|| {
                Error::new(Kind::Invalid, format!("the stage `{from}` has no files"))
            })?,
            None => self.fetch(from, PullPolicy::Missing, None)?,
        };
        Ok(CopySource::Image(image.id.to_string()))
    }
}

fn is_remote(path: &str) -> bool {
    ["http://", "https://", "git@", "git://", "ssh://"].iter().any(|start| path.starts_with(start))
}

fn file_mode(text: &str) -> Result<u32> {
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777).ok_or_else(|| {
        Error::new(Kind::Invalid, format!("`{text}` is not a file mode"))
            .hint("write octal digits, such as --chmod=755")
    })
}
