//! Reads the Dockerfile and the ignore file of a build.

use std::ffi::OsString;
use std::path::{Component, Path, PathBuf};

use super::state::BuildState;
use crate::engine::dockerfile::{self, Dockerfile, MAX_LENGTH};
use crate::image::build::context_file::read_context_file;
use crate::image::build::ignore::Ignore;
use crate::image::stream::{read_regular, read_text};
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};

impl BuildState<'_> {
    /// Reads the Dockerfile and the ignore file.
    pub(in crate::engine::native) fn read(&mut self) -> Result<Dockerfile> {
        let file = match (&self.options.file, self.context) {
            (Some(file), _) => Some(file.clone()),
            (None, context) => context.map(dockerfile_of),
        };
        let text = match (&self.options.text, &file) {
            (Some(text), _) => text.clone(),
            (None, Some(file)) => self.dockerfile(file)?,
            (None, None) => {
                return Err(Error::new(
                    Kind::Invalid,
                    "cannot build without a context and a Dockerfile",
                ));
            }
        };
        let specific = file.map(|file| {
            let mut name: OsString = file.into();
            name.push(".dockerignore");
            PathBuf::from(name)
        });
        let common = self.context.map(|context| context.join(".dockerignore"));
        for path in specific.into_iter().chain(common) {
            if let Some(text) = self.text_of(&path, |path| read_regular(path, MAX_LENGTH))? {
                self.ignore = text.lines().map(str::to_owned).collect();
                let name = path.file_name().unwrap_or_default().display();
                Ignore::new(text.lines()).context(|| format!("cannot read `{name}`"))?;
                break;
            }
        }
        dockerfile::parse(&text).context(|| format!("cannot read `{}`", self.file))
    }

    fn dockerfile(&mut self, path: &Path) -> Result<String> {
        let shown = self.context.and_then(|context| path.strip_prefix(context).ok());
        self.file = shown.unwrap_or(path).display().to_string();
        let failed = || format!("cannot read the Dockerfile `{}`", path.display());
        // It may be a fifo, as of `-f <(...)`.
        let cancel = self.cancel;
        let read = |path: &Path| read_text(path, MAX_LENGTH, &|| cancel.check());
        let text = self.text_of(path, read).context(failed)?;
        text.ok_or_else(|| {
            let message = format!("open `{}`: no such file or directory", path.display());
            Error::new(Kind::NotFound, message).context(failed()).hint("name it with -f FILE")
        })
    }

    /// Reads a text file; `None` if there is none. What is named below the context is looked up
    /// inside it. Another file is the caller's own: `read` reads it, and its links are followed.
    fn text_of(
        &self,
        path: &Path,
        read: impl FnOnce(&Path) -> Result<String>,
    ) -> Result<Option<String>> {
        if let Some(context) = self.context
            && let Some(inside) = inside(context, path)
        {
            return read_context_file(context, &inside, MAX_LENGTH);
        }
        match read(path) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == Kind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// Returns the path of the Dockerfile of a context. As in Docker, its name may be in lower case; as
/// in Podman, it may be `Containerfile`.
fn dockerfile_of(context: &Path) -> PathBuf {
    let names = ["Dockerfile", "dockerfile", "Containerfile"].map(|name| context.join(name));
    let exists = |path: &&PathBuf| path.symlink_metadata().is_ok();
    names.iter().find(exists).unwrap_or(&names[0]).clone()
}

/// Returns the path inside the context, if `path` names something below it: by its words, or by
/// another way to the same directory.
fn inside(context: &Path, path: &Path) -> Option<PathBuf> {
    let (root, place) = (std::path::absolute(context).ok()?, std::path::absolute(path).ok()?);
    if let Ok(inside) = words(&place).strip_prefix(words(&root)) {
        return Some(inside.to_owned());
    }
    let (holder, name) = (place.parent()?.canonicalize().ok()?, place.file_name()?);
    let inside = holder.strip_prefix(root.canonicalize().ok()?).ok()?;
    Some(inside.join(name))
}

/// Resolves `..` in an absolute path by its words alone.
fn words(path: &Path) -> PathBuf {
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => drop(clean.pop()),
            part => clean.push(part),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_dockerfile_of_a_context_may_have_another_name() {
        let context = tempfile::tempdir().unwrap();
        let name = || dockerfile_of(context.path()).file_name().unwrap().to_owned();
        assert_eq!(name(), "Dockerfile");
        for next in ["Containerfile", "dockerfile", "Dockerfile"] {
            std::fs::write(context.path().join(next), "").unwrap();
            assert_eq!(name(), next);
        }
    }

    #[test]
    fn a_file_below_the_context_is_recognised_however_it_is_written() {
        let outer = tempfile::tempdir().unwrap();
        let context = outer.path().join("context");
        std::fs::create_dir_all(context.join("sub")).unwrap();
        std::os::unix::fs::symlink(&context, outer.path().join("other")).unwrap();
        let at = |path: &str| inside(&context, &outer.path().join(path));
        for path in [
            "context/sub/D",
            "context/./sub/D",
            "other/sub/D",
            "context/sub/../sub/D",
            "other/../context/sub/D",
        ] {
            assert_eq!(at(path).as_deref(), Some(Path::new("sub/D")), "{path}");
        }
        for path in ["D", "context/../D", "context.txt", "contexts/D"] {
            assert_eq!(at(path), None, "{path}");
        }
    }
}
