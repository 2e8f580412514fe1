//! Docker's three ways to write a mount: `-v`, `--mount`, `--tmpfs`.

use std::collections::BTreeMap;

use super::contradictions::{Decisions, decision};
use super::csv;
use super::driver_options::check_options;
use super::mount::{Mount, MountKind, MountSpec, check_volume_name, target};
use crate::model::value::units::parse_bool;
use crate::model::value::visible;
use crate::model::{Error, Kind, Result};

fn invalid(message: String) -> Error {
    Error::new(Kind::Invalid, message)
}

impl Mount {
    /// Parses `-v TEXT`: `DST`, or `SRC:DST[:OPTION,...]`. A source that begins with `/` or `.` is
    /// a path of the host.
    ///
    /// # Errors
    /// [`Kind::Invalid`], [`Kind::Unsupported`] for shared propagation.
    pub fn from_volume(text: &str) -> Result<Mount> {
        let wrong = || {
            invalid(format!("invalid volume specification: '{}'", text.escape_debug()))
                .hint("write /host/path:/path, NAME:/path or /path, and options as in :ro")
        };
        let parts: Vec<&str> = text.split(':').collect();
        let mut mount = Mount { spec: MountSpec::Volume(text.to_owned()), ..Mount::default() };
        let (source, path, options) = match parts.as_slice() {
            [path] => ("", *path, ""),
            [source, path] => (*source, *path, ""),
            [source, path, options] => (*source, *path, *options),
            _ => return Err(wrong()),
        };
        if (parts.len() > 1 && source.is_empty()) || path.is_empty() || text.ends_with(':') {
            return Err(wrong());
        }
        // `/path:ro` would be a volume at `ro`.
        if parts.len() == 2 && !path.starts_with('/') && mount.option(path).is_ok() {
            return Err(wrong());
        }
        mount.target = target(path)?;
        mount.source = source.to_owned();
        if source.starts_with(['/', '.']) {
            no_nul(source)?;
        } else {
            mount.kind = MountKind::Volume;
            mount.anonymous = source.is_empty();
            if !mount.anonymous {
                check_volume_name(source)?;
            }
        }
        let mut decisions = Decisions::default();
        for option in options.split(',').filter(|option| !option.is_empty()) {
            mount.option(option)?;
            decisions.record_word(option)?;
        }
        if mount.nocopy && mount.kind == MountKind::Bind {
            return Err(invalid(format!("invalid mode: {options}"))
                .hint("leave out nocopy: only volumes are filled from the image"));
        }
        Ok(mount)
    }

    /// Applies one option of `-v`.
    fn option(&mut self, option: &str) -> Result<()> {
        match option {
            "ro" => self.read_only = true,
            // Labels of SELinux, which no container of lifebox has; and caches of Docker Desktop.
            "rw" | "z" | "Z" | "nosuid" | "nodev" | "exec" | "rbind" | "rprivate" | "private"
            | "consistent" | "cached" | "delegated" => {}
            "suid" => self.suid = true,
            "noexec" => self.noexec = true,
            "bind" => self.nonrecursive = true,
            "rslave" | "slave" => self.slave = true,
            "nocopy" => self.nocopy = true,
            "shared" | "rshared" => return Err(shared(option)),
            "dev" => self.dev = true,
            _ => {
                return Err(invalid(format!("invalid mode: {}", option.escape_debug())).hint(
                    "use one of ro, rw, suid, dev, noexec, nocopy, rslave, rprivate, bind, z, Z",
                ));
            }
        }
        Ok(())
    }

    /// Parses `--mount TEXT`: `type=bind|volume|tmpfs|image,source=...,target=...,...`.
    ///
    /// # Errors
    /// [`Kind::Invalid`], [`Kind::Unsupported`] for shared propagation.
    pub fn from_mount(text: &str) -> Result<Mount> {
        let mut mount = Mount { kind: MountKind::Volume, ..Mount::default() };
        let mut fields = Vec::new();
        let mut decisions = Decisions::default();
        let all = csv::split(text)?;
        for field in all.iter().map(String::as_str).filter(|field| !field.is_empty()) {
            let (key, value) = match field.split_once('=') {
                Some((key, value)) => (key.to_ascii_lowercase(), Some(value)),
                None => (field.to_ascii_lowercase(), None),
            };
            if let Some((question, answer)) = decision(&key, value) {
                decisions.record(question, &answer, field)?;
            }
            match (key.as_str(), value) {
                ("type", Some("bind")) => mount.kind = MountKind::Bind,
                ("type", Some("volume")) => mount.kind = MountKind::Volume,
                ("type", Some("tmpfs")) => mount.kind = MountKind::Tmpfs,
                ("type", Some("image")) => mount.kind = MountKind::Image,
                ("type", Some(other)) => {
                    return Err(invalid(format!("invalid mount type `{}`", other.escape_debug()))
                        .hint("use bind, volume, tmpfs or image"));
                }
                _ => fields.push((field, key, value)),
            }
        }
        for (field, key, value) in fields {
            mount.field(field, &key, value)?;
        }
        mount.check_fields(text)
    }

    fn field(&mut self, field: &str, key: &str, value: Option<&str>) -> Result<()> {
        let unknown = || {
            let message = format!(
                "invalid field '{}' for a mount of type {}",
                field.escape_debug(),
                self.kind.as_str()
            );
            invalid(message).hint(
                "use one of type, source, target, readonly, bind-propagation, bind-recursive, \
                 volume-nocopy, volume-opt, volume-label, volume-subpath, tmpfs-size, tmpfs-mode, \
                 image-subpath",
            )
        };
        match (key, value, self.kind) {
            ("source" | "src", Some(value), _) => value.clone_into(&mut self.source),
            ("target" | "dst" | "destination", Some(value), _) => self.target = target(value)?,
            ("readonly" | "ro", value, _) => self.read_only = truth(field, value)?,
            ("bind-propagation", Some("rprivate" | "private"), MountKind::Bind) => {}
            ("bind-propagation", Some("rslave" | "slave"), MountKind::Bind) => self.slave = true,
            ("bind-propagation", Some(word @ ("rshared" | "shared")), MountKind::Bind) => {
                return Err(shared(word));
            }
            ("bind-nonrecursive", value, MountKind::Bind) => {
                self.nonrecursive = truth(field, value)?
            }
            ("bind-recursive", Some("enabled" | "readonly"), MountKind::Bind) => {}
            ("bind-recursive", Some("disabled"), MountKind::Bind) => self.nonrecursive = true,
            ("volume-nocopy", value, MountKind::Volume) => self.nocopy = truth(field, value)?,
            ("volume-driver", Some("local" | ""), MountKind::Volume) => {}
            ("volume-driver", Some(other), MountKind::Volume) => return Err(no_plugin(other)),
            ("volume-opt", Some(pair), MountKind::Volume) => insert(&mut self.options, pair),
            ("volume-label", Some(pair), MountKind::Volume) => insert(&mut self.labels, pair),
            ("volume-subpath", Some(path), MountKind::Volume)
            | ("image-subpath", Some(path), MountKind::Image) => path.clone_into(&mut self.subpath),
            ("tmpfs-size", Some(value), MountKind::Tmpfs) => self.setting("size", value)?,
            ("tmpfs-mode", Some(value), MountKind::Tmpfs) => self.setting("mode", value)?,
            ("consistency", Some(_), _) => {}
            _ => return Err(unknown()),
        }
        Ok(())
    }

    fn check_fields(mut self, text: &str) -> Result<Mount> {
        if self.target.is_empty() {
            return Err(invalid(format!("invalid mount `{text}`: target is required"))
                .hint("write target=/path"));
        }
        self.check_subpath()?;
        check_options(&self.options)?;
        match self.kind {
            MountKind::Image if self.source.is_empty() => {
                let message = "invalid mount config for type \"image\": field Source must not be \
                               empty";
                Err(invalid(message.to_owned()).hint("write source=IMAGE"))
            }
            MountKind::Image => {
                self.read_only = true;
                Ok(self)
            }
            MountKind::Bind if self.source.is_empty() => {
                Err(invalid(format!("invalid mount `{text}`: a bind mount requires a source"))
                    .hint("write source=/path/on/the/host"))
            }
            MountKind::Bind if !self.source.starts_with(['/', '.']) => {
                let source = self.source.escape_debug();
                let message = format!(
                    "invalid mount config for type \"bind\": invalid mount path: '{source}' mount \
                     path must be absolute"
                );
                Err(invalid(message).hint("write a path that begins with /, ./ or ../"))
            }
            MountKind::Bind => no_nul(&self.source).map(|()| self),
            MountKind::Tmpfs if !self.source.is_empty() => {
                Err(invalid(format!("invalid mount `{text}`: a tmpfs takes no source")))
            }
            MountKind::Tmpfs => {
                self.noexec = true;
                Ok(self)
            }
            MountKind::Volume if self.source.is_empty() => {
                self.anonymous = true;
                Ok(self)
            }
            MountKind::Volume => check_volume_name(&self.source).map(|()| self),
        }
    }

    /// Checks that the subpath is one, in Docker's words. Where it leads is seen when it is opened.
    fn check_subpath(&self) -> Result<()> {
        if self.subpath.is_empty() {
            return Ok(());
        }
        let kind = self.kind.as_str();
        let wrong = |why: &str| {
            invalid(format!("invalid mount config for type \"{kind}\": {why}"))
                .hint(format!("write {kind}-subpath=DIR, relative and without `..`"))
        };
        if self.kind == MountKind::Volume && self.source.is_empty() {
            return Err(wrong("must not set Subpath when using anonymous volumes"));
        }
        let mut depth = 0_i32;
        for part in self.subpath.split('/').filter(|part| !matches!(*part, "" | ".")) {
            depth += if part == ".." { -1 } else { 1 };
            if depth < 0 {
                break;
            }
        }
        if self.subpath.starts_with('/') || depth < 0 || self.subpath.contains('\0') {
            return Err(wrong(&format!("subpath must be a relative path within the {kind}")));
        }
        Ok(())
    }

    /// Parses `--tmpfs TEXT`: `DST[:OPTION,...]`.
    ///
    /// # Errors
    /// [`Kind::Invalid`].
    pub fn from_tmpfs(text: &str) -> Result<Mount> {
        let (path, options) = text.split_once(':').unwrap_or((text, ""));
        let mut mount = Mount {
            kind: MountKind::Tmpfs,
            target: target(path)?,
            noexec: true,
            spec: MountSpec::Tmpfs(options.to_owned()),
            ..Mount::default()
        };
        let mut decisions = Decisions::default();
        for option in options.split(',').filter(|option| !option.is_empty()) {
            decisions.record_word(option)?;
            match option.split_once('=') {
                Some((key, value)) => {
                    mount.setting(key, value)?;
                    if let Some((question, answer)) = decision(key, Some(value)) {
                        decisions.record(question, &answer, option)?;
                    }
                }
                None => match option {
                    "ro" => mount.read_only = true,
                    "exec" => mount.noexec = false,
                    "noexec" => mount.noexec = true,
                    "suid" => mount.suid = true,
                    "rw" | "nosuid" | "nodev" | "rprivate" | "private" => {}
                    _ => return Err(bad_setting(option)),
                },
            }
        }
        Ok(mount)
    }

    /// Checks a `key=value` that tmpfs itself accepts.
    fn setting(&mut self, key: &str, value: &str) -> Result<()> {
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let amount = |text: &str| {
            let text = text.to_ascii_lowercase();
            let text = text.strip_suffix('b').unwrap_or(&text);
            digits(text.strip_suffix(['k', 'm', 'g', '%']).unwrap_or(text))
        };
        let octal = value.len() <= 5 && u32::from_str_radix(value, 8).is_ok_and(|m| m <= 0o7777);
        let right = match key {
            "size" | "nr_blocks" | "nr_inodes" => amount(value),
            "mode" => octal,
            "uid" | "gid" => value.parse::<u32>().is_ok(),
            _ => false,
        };
        if !right {
            return Err(bad_setting(&format!("{key}={value}")));
        }
        // The kernel's units are single letters.
        let value = value.to_ascii_lowercase();
        let value = value.strip_suffix('b').unwrap_or(&value);
        self.settings.push(format!("{key}={value}"));
        Ok(())
    }
}

fn bad_setting(option: &str) -> Error {
    invalid(format!("invalid tmpfs option [\"{}\"]", option.escape_debug())).hint(
        "use one of size=64m, mode=1777, uid=N, gid=N, nr_inodes=N, nr_blocks=N, ro, exec, suid",
    )
}

fn shared(word: &str) -> Error {
    Error::new(Kind::Unsupported, format!("mount propagation `{word}` is not supported"))
        .hint("use rslave: mounts of the host appear in the container, not the reverse")
}

/// Returns the error of a volume's driver that only Docker's plugins bring.
pub fn no_plugin(driver: &str) -> Error {
    let driver = visible::short(driver);
    let message = format!("error looking up volume plugin {driver}: plugin \"{driver}\" not found");
    Error::new(Kind::Unsupported, message).hint("use the driver local, with its options")
}

/// Adds `KEY[=VALUE]`; the last of a key stays.
fn insert(pairs: &mut BTreeMap<String, String>, pair: &str) {
    let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
    if !key.is_empty() {
        pairs.insert(key.to_owned(), value.to_owned());
    }
}

fn no_nul(source: &str) -> Result<()> {
    match source.contains('\0') {
        true => Err(invalid(format!("NUL byte in the mount source {source:?}"))),
        false => Ok(()),
    }
}

fn truth(field: &str, value: Option<&str>) -> Result<bool> {
    value.map_or(Some(true), parse_bool).ok_or_else(|| {
        invalid(format!("invalid value in `{}`", field.escape_debug())).hint("write true or false")
    })
}
