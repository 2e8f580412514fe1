//! Finds shared libraries as the dynamic linkers of glibc and musl do (ld.so(8)).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::elf::{self, DynamicSection};
use super::presence;
use crate::model::Result;
use crate::model::error::Context;

/// The default directories of glibc, of the distributions in use.
const DEFAULT: [&str; 12] = [
    "/lib/x86_64-linux-gnu",
    "/usr/lib/x86_64-linux-gnu",
    "/lib/aarch64-linux-gnu",
    "/usr/lib/aarch64-linux-gnu",
    "/lib64",
    "/usr/lib64",
    "/lib",
    "/usr/lib",
    "/lib32",
    "/usr/lib32",
    "/usr/local/lib64",
    "/usr/local/lib",
];
const MAX_INCLUDES: usize = 100;

/// Libraries by the programs that need them. Reads each file once.
pub(super) struct Libraries {
    configured: Vec<PathBuf>,
    known: HashMap<PathBuf, Option<DynamicSection>>,
}

impl Libraries {
    /// Reads the linkers' configuration.
    pub(super) fn new() -> Result<Self> {
        let mut configured = Vec::new();
        read_conf(Path::new("/etc/ld.so.conf"), &mut configured, &mut 0)?;
        for entry in presence::entries(Path::new("/etc"))?.into_iter().flatten() {
            let entry = entry.context(|| "read `/etc`".to_owned())?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("ld-musl-") && name.ends_with(".path") {
                let text = presence::text(&entry.path())?;
                configured
                    .extend(text.split([':', '\n']).filter(|d| !d.is_empty()).map(Into::into));
            }
        }
        Ok(Libraries { configured, known: HashMap::new() })
    }

    /// Returns all files that `program` needs to run: its dynamic linker and the libraries, and
    /// theirs. The inner error is the name of a library that is missing.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub(super) fn closure(
        &mut self,
        program: &Path,
    ) -> Result<std::result::Result<Vec<PathBuf>, String>> {
        let mut files: Vec<PathBuf> = Vec::new();
        let mut todo = vec![program.to_owned()];
        while let Some(file) = todo.pop() {
            let Some(needs) = self.needs(&file)? else { continue };
            let mut all: Vec<PathBuf> = needs.interpreter.iter().cloned().collect();
            for library in &needs.libraries {
                match self.find(library, &file, &needs)? {
                    Some(found) => all.push(found),
                    None => return Ok(Err(library.display().to_string())),
                }
            }
            for found in all {
                if !files.contains(&found) {
                    todo.push(found.clone());
                    files.push(found);
                }
            }
        }
        Ok(Ok(files))
    }

    /// Returns a library that glibc opens at run time, in the directory of `libc`.
    pub(super) fn beside(&self, library: &Path, name: &str) -> Result<Option<PathBuf>> {
        let Some(path) = library.parent().map(|holder| holder.join(name)) else { return Ok(None) };
        Ok(presence::attributes(&path)?.filter(|found| found.is_file()).map(|_| path))
    }

    fn needs(&mut self, file: &Path) -> Result<Option<DynamicSection>> {
        if let Some(known) = self.known.get(file) {
            return Ok(known.clone());
        }
        let needs = elf::dynamic_section(file)?;
        self.known.insert(file.to_owned(), needs.clone());
        Ok(needs)
    }

    fn find(
        &mut self,
        library: &Path,
        from: &Path,
        needs: &DynamicSection,
    ) -> Result<Option<PathBuf>> {
        if library.components().count() > 1 {
            let fits = self.fits(library, needs)?;
            return Ok(fits.then(|| library.to_owned()));
        }
        // $ORIGIN is the directory of the resolved file, not of the link to it.
        let real = std::fs::canonicalize(from).context(|| format!("stat `{}`", from.display()))?;
        let origin = real.parent().unwrap_or(&real).display().to_string();
        let search = needs.search.iter().filter_map(|dir| {
            let dir = dir.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
            (dir.starts_with('/') && !dir.contains('$')).then(|| PathBuf::from(dir))
        });
        let default = DEFAULT.iter().map(PathBuf::from);
        let dirs: Vec<_> = search.chain(self.configured.clone()).chain(default).collect();
        for dir in dirs {
            let path = dir.join(library);
            if self.fits(&path, needs)? {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Returns whether a file is a library for what has these needs.
    fn fits(&mut self, path: &Path, needs: &DynamicSection) -> Result<bool> {
        Ok(self.needs(path)?.is_some_and(|found| found.kind == needs.kind))
    }

    /// Returns whether the linker finds `library` only by its cache, which is then needed too.
    pub(super) fn needs_cache(library: &Path) -> bool {
        let holder = library.parent().unwrap_or(Path::new("/"));
        holder.starts_with("/usr/local") || !DEFAULT.iter().any(|dir| holder == Path::new(dir))
    }
}

/// Parses `ld.so.conf`: a directory a line, and `include` with a pattern in the last component.
fn read_conf(path: &Path, found: &mut Vec<PathBuf>, includes: &mut usize) -> Result<()> {
    *includes += 1;
    if *includes > MAX_INCLUDES {
        return Ok(());
    }
    for line in presence::text(path)?.lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(pattern) = line.strip_prefix("include") {
            let pattern = Path::new("/etc").join(pattern.trim());
            for included in matching(&pattern)? {
                read_conf(&included, found, includes)?;
            }
        } else if line.starts_with('/') {
            found.push(PathBuf::from(line));
        }
    }
    Ok(())
}

/// Returns the files that `dir/BEFORE*AFTER` matches, sorted.
fn matching(pattern: &Path) -> Result<Vec<PathBuf>> {
    let (Some(holder), Some(name)) = (pattern.parent(), pattern.file_name()) else {
        return Ok(Vec::new());
    };
    let name = name.to_string_lossy();
    let Some((before, after)) = name.split_once('*') else {
        return Ok(vec![pattern.to_owned()]);
    };
    let mut paths = Vec::new();
    for entry in presence::entries(holder)?.into_iter().flatten() {
        let entry = entry.context(|| format!("read `{}`", holder.display()))?;
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_long_enough = name.len() >= before.len() + after.len();
        if is_long_enough && name.starts_with(before) && name.ends_with(after) {
            paths.push(entry.path());
        }
    }
    paths.sort();
    Ok(paths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn included_configurations_are_read_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        std::fs::write(at("b.conf"), "/b\n").unwrap();
        std::fs::write(at("a.conf"), "# comment\n /a # more\nhwcap 1 x\n").unwrap();
        std::fs::write(at("c.txt"), "/c\n").unwrap();
        let this = at("main");
        let include =
            format!("include {}/*.conf\n/d\ninclude {}\n", at("").display(), this.display());
        std::fs::write(&this, include).unwrap();
        let mut found = Vec::new();
        read_conf(&this, &mut found, &mut 0).unwrap();
        assert_eq!(found[..3], [PathBuf::from("/a"), "/b".into(), "/d".into()]);
        assert!(found.len() < 4 * MAX_INCLUDES, "a file that includes itself ends");
    }
}
