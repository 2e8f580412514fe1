//! Files of a build context that say how to build: the Dockerfile and the ignore files.
//!
//! They are found as the sources of `COPY` are: as if the context were the whole file system, so a
//! link does not lead out of it (CVE-2022-4122).

use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use rustix::fs::FileType;

use crate::image::layer::overlay_view::Layer;
use crate::image::layer::walk::{Form, Tree};
use crate::image::stream::text_of;
use crate::model::{Error, Kind, Result};
use crate::sys::fs;

/// Reads the text at `path`, which is relative to the directory `context`; `None` if there is no
/// such file.
///
/// # Errors
/// [`Kind::Invalid`] for a link out of the context, for what is not a regular file or not UTF-8;
/// [`Kind::Refused`] if it is longer than `limit` bytes.
pub fn read_context_file(context: &Path, path: &Path, limit: u64) -> Result<Option<String>> {
    let directory = Layer::Open(fs::open_dir(context)?);
    let tree = Tree::new(Form::Plain, vec![&directory]);
    let written = path.as_os_str().as_bytes();
    let Some(node) = tree.find(&tree.resolve(written)?)? else {
        return match std::fs::symlink_metadata(context.join(path)) {
            Ok(_) => Err(leads_out(path)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(Error::from_io(format!("stat `{}`", path.display()), &error)),
        };
    };
    let file = match fs::type_of(&node.attributes) {
        FileType::RegularFile => tree.open(&node)?,
        _ => None,
    };
    let file = file.ok_or_else(|| {
        Error::new(Kind::Invalid, format!("`{}` is not a regular file", path.display()))
            .hint("write a text file in its place")
    })?;
    text_of(std::fs::File::from(file), path, limit).map(Some)
}

fn is_missing(error: &std::io::Error) -> bool {
    use std::io::ErrorKind;
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
        || error.raw_os_error() == Some(libc::ELOOP)
}

fn leads_out(path: &Path) -> Error {
    let message =
        format!("`{}` is a link without a target inside the build context", path.display());
    Error::new(Kind::Invalid, message)
        .hint("copy its target into the build context: links do not lead out of it")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;

    fn read(context: &Path, path: &str) -> Result<Option<String>> {
        read_context_file(context, Path::new(path), 1 << 20)
    }

    #[test]
    fn links_lead_to_files_inside_and_to_none_outside() {
        let outer = tempfile::tempdir().unwrap();
        let context = outer.path().join("context");
        std::fs::create_dir_all(context.join("sub")).unwrap();
        std::fs::write(outer.path().join("secret"), "TOKEN").unwrap();
        std::fs::write(context.join("inside"), "FROM host").unwrap();
        symlink("../inside", context.join("sub/relative")).unwrap();
        symlink("/inside", context.join("absolute")).unwrap();
        for path in ["inside", "sub/relative", "absolute", "./sub/../inside"] {
            assert_eq!(read(&context, path).unwrap().as_deref(), Some("FROM host"), "{path}");
        }
        symlink("../secret", context.join("up")).unwrap();
        symlink(outer.path().join("secret"), context.join("away")).unwrap();
        symlink(outer.path(), context.join("directory")).unwrap();
        for path in ["up", "away", "directory/secret"] {
            let error = read(&context, path).unwrap_err();
            assert!(error.message().contains("without a target inside"), "{path}: {error}");
        }
        assert_eq!(read(&context, "absent").unwrap(), None);
        assert_eq!(read(&context, "absent/absent").unwrap(), None);
    }

    #[test]
    fn only_regular_files_are_read_and_a_fifo_blocks_nothing() {
        let context = tempfile::tempdir().unwrap();
        std::fs::create_dir(context.path().join("directory")).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            context.path().join("fifo"),
            FileType::Fifo,
            rustix::fs::Mode::from_raw_mode(0o600),
            0,
        )
        .unwrap();
        for path in ["directory", "fifo"] {
            let error = read(context.path(), path).unwrap_err();
            assert!(error.message().ends_with("is not a regular file"), "{path}: {error}");
        }
    }
}
