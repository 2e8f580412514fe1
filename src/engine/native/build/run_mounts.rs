//! `RUN --mount`: what a command sees besides its image.

use std::collections::HashMap;

use super::scope::{StageState, environment};
use super::state::{BuildState, Stages};
use crate::engine::dockerfile::Flag;
use crate::engine::dockerfile::words::Expander;
use crate::image::build::unpacked::copied;
use crate::model::image::build::{CopyItem, CopyStep, RunMount, RunMountSource};
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

/// The fields of one mount, by their usual names; a field without a value is true.
pub(super) type Fields = HashMap<&'static str, String>;

/// The names of a field, the usual one first, and the types that have it.
const FIELDS: [(&[&str], &[&str]); 13] = [
    (&["type"], &["bind", "cache", "tmpfs", "secret"]),
    (&["target", "dst", "destination"], &["bind", "cache", "tmpfs", "secret"]),
    (&["source", "src"], &["bind"]),
    (&["from"], &["bind"]),
    (&["readonly", "ro"], &["bind", "cache"]),
    (&["readwrite", "rw"], &["bind", "cache"]),
    (&["id"], &["cache", "secret"]),
    (&["sharing"], &["cache"]),
    (&["mode"], &["cache", "secret"]),
    (&["uid"], &["cache", "secret"]),
    (&["gid"], &["cache", "secret"]),
    (&["size"], &["tmpfs"]),
    (&["required", "env"], &["secret"]),
];

/// Splits `type=cache,target=/x` into its fields.
///
/// # Errors
/// [`Kind::Invalid`] for an unknown field; [`Kind::Unsupported`] for a type that lifebox lacks.
pub(super) fn fields(text: &str) -> Result<Fields> {
    let mut fields = Fields::new();
    for field in text.split(',').filter(|field| !field.is_empty()) {
        let (key, value) = field.split_once('=').unwrap_or((field, "true"));
        let key = key.to_ascii_lowercase();
        let known = FIELDS.iter().find(|(names, _)| names.contains(&key.as_str()));
        let Some((names, _)) = known else {
            let message = format!("unexpected key '{}' in a mount of RUN", visible::short(&key));
            return Err(Error::new(Kind::Invalid, message)
                .hint("write a mount such as --mount=type=cache,target=/root/.cache"));
        };
        let name = if key == "env" { "env" } else { names[0] };
        fields.insert(name, value.to_owned());
    }
    let kind = fields.get("type").map_or("bind", String::as_str);
    if !FIELDS[0].1.contains(&kind) {
        let message = format!("the mount type {} of RUN is not supported", visible::short(kind));
        return Err(Error::new(Kind::Unsupported, message)
            .hint("use bind, cache, tmpfs or secret; pass keys as secrets"));
    }
    for name in fields.keys() {
        let of_type =
            FIELDS.iter().any(|(names, types)| names.contains(name) && types.contains(&kind));
        if !of_type {
            let message = format!("a {kind} mount of RUN has no {name}");
            return Err(Error::new(Kind::Invalid, message).hint(format!("leave out {name}")));
        }
    }
    Ok(fields)
}

/// Returns the stages and images that the mounts of a command name.
pub(super) fn named(flags: &[Flag]) -> impl Iterator<Item = String> + '_ {
    let texts = flags.iter().filter(|(name, _)| name == "mount");
    let texts = texts.filter_map(|(_, value)| value.as_deref());
    texts.filter_map(|text| fields(text).ok()?.remove("from"))
}

/// Variables of a command, by name.
type Variables = Vec<(String, String)>;

impl BuildState<'_> {
    /// Returns the mounts of a command, and the variables that get a secret, by name.
    pub(super) fn run_mounts(
        &mut self,
        stages: &Stages<'_>,
        number: usize,
        flags: &[Flag],
        progress: &StageState,
    ) -> Result<(Vec<RunMount>, Variables)> {
        let environment = environment(progress);
        let lookup = |name: &str| environment.get(name).cloned();
        let expander = Expander { escape: self.escape, lookup: &lookup };
        let (mut mounts, mut variables) = (Vec::new(), Vec::new());
        for (_, value) in flags.iter().filter(|(name, _)| name == "mount") {
            let mut fields = fields(value.as_deref().unwrap_or_default())?;
            for text in fields.values_mut() {
                *text = expander.word(text)?;
            }
            match fields.get("type").map_or("bind", String::as_str) {
                "secret" => self.secret(&fields, &mut mounts, &mut variables)?,
                kind => mounts.push(self.mount(kind, stages, number, &fields)?),
            }
        }
        Ok((mounts, variables))
    }

    fn mount(
        &self,
        kind: &str,
        stages: &Stages<'_>,
        number: usize,
        fields: &Fields,
    ) -> Result<RunMount> {
        let target = fields.get("target").filter(|target| !target.is_empty());
        let target = target.cloned().ok_or_else(|| {
            Error::new(Kind::Invalid, "a mount of RUN needs a target")
                .hint(format!("write --mount=type={kind},target=/path"))
        })?;
        let mut read_only = is_set(fields, "readonly")?.unwrap_or(kind == "bind");
        if let Some(writes) = is_set(fields, "readwrite")? {
            read_only = !writes;
        }
        let source = match kind {
            "cache" => RunMountSource::Cache {
                id: fields.get("id").unwrap_or(&target).clone(),
                mode: octal(fields, 0o755)?,
                owner: owner(fields)?,
                locked: match fields.get("sharing").map_or("shared", String::as_str) {
                    "shared" => false,
                    "locked" | "private" => true,
                    other => {
                        let shown = visible::short(other);
                        let message = format!("invalid sharing of a cache mount: {shown}");
                        return Err(Error::new(Kind::Invalid, message)
                            .hint("use shared, private or locked"));
                    }
                },
            },
            "tmpfs" => RunMountSource::Tmpfs { size: fields.get("size").cloned() },
            _ => RunMountSource::Files(CopyStep {
                verb: "RUN --mount",
                from: self.source(stages, number, fields.get("from").map(String::as_str))?,
                sources: vec![CopyItem::Name(fields.get("source").cloned().unwrap_or_default())],
                to: copied(),
                owner: None,
                mode: None,
                unpack: false,
                parents: false,
                excludes: Vec::new(),
            }),
        };
        Ok(RunMount { target, read_only, source })
    }

    fn secret(
        &self,
        fields: &Fields,
        mounts: &mut Vec<RunMount>,
        variables: &mut Vec<(String, String)>,
    ) -> Result<()> {
        let last = |path: &String| path.rsplit('/').next().unwrap_or_default().to_owned();
        let id = fields.get("id").cloned().or_else(|| fields.get("target").map(last));
        let id = id.filter(|id| !id.is_empty()).ok_or_else(|| {
            Error::new(Kind::Invalid, "a secret of RUN needs an id")
                .hint("write --mount=type=secret,id=NAME")
        })?;
        let Some(secret) = self.options.secrets.iter().find(|secret| secret.id == id) else {
            if is_set(fields, "required")? != Some(true) {
                return Ok(());
            }
            let id = visible::short(&id);
            return Err(Error::new(Kind::NotFound, format!("secret {id}: not found"))
                .hint(format!("add it to the build: lifebox build --secret id={id},src=FILE")));
        };
        if let Some(name) = fields.get("env") {
            let text = String::from_utf8(secret.content.clone()).map_err(|_| {
                Error::new(
                    Kind::Invalid,
                    format!("the secret {} is not UTF-8", visible::short(&id)),
                )
            })?;
            variables.push((name.clone(), text));
        }
        if fields.get("env").is_none() || fields.contains_key("target") {
            let standard = format!("/run/secrets/{id}");
            let source =
                RunMountSource::Secret { id, mode: octal(fields, 0o400)?, owner: owner(fields)? };
            let target = fields.get("target").cloned().unwrap_or(standard);
            mounts.push(RunMount { target, read_only: true, source });
        }
        Ok(())
    }
}

fn is_set(fields: &Fields, name: &str) -> Result<Option<bool>> {
    let parse = |text: &String| {
        crate::model::value::units::parse_bool(text).ok_or_else(|| {
            let message = format!("invalid value for {name}: {}", visible::short(text));
            Error::new(Kind::Invalid, message).hint("write true or false")
        })
    };
    fields.get(name).map(parse).transpose()
}

fn octal(fields: &Fields, standard: u32) -> Result<u32> {
    let Some(text) = fields.get("mode") else { return Ok(standard) };
    u32::from_str_radix(text, 8).ok().filter(|mode| *mode <= 0o7777).ok_or_else(|| {
        Error::new(Kind::Invalid, format!("`{}` is not a file mode", visible::short(text)))
            .hint("write octal digits, such as mode=0755")
    })
}

fn owner(fields: &Fields) -> Result<(u32, u32)> {
    let id = |name: &str| match fields.get(name) {
        None => Ok(0),
        Some(text) => text.parse::<u32>().map_err(|_| {
            Error::new(Kind::Invalid, format!("invalid value for {name}: {}", visible::short(text)))
                .hint("write the number of a user or group")
        }),
    };
    Ok((id("uid")?, id("gid")?))
}
