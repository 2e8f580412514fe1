//! Finds shared libraries as the dynamic linkers of glibc and musl do (ld.so(8)).

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::elf::{self, DynamicSection};

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
    pub(super) fn new() -> Self {
        let mut configured = Vec::new();
        read_conf(Path::new("/etc/ld.so.conf"), &mut configured, &mut 0);
        for entry in std::fs::read_dir("/etc").into_iter().flatten().flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            if name.starts_with("ld-musl-") && name.ends_with(".path") {
                let text = std::fs::read_to_string(entry.path()).unwrap_or_default();
                configured
                    .extend(text.split([':', '\n']).filter(|d| !d.is_empty()).map(Into::into));
            }
        }
        Libraries { configured, known: HashMap::new() }
    }

    /// Returns all files that `program` needs to run: its dynamic linker and the libraries, and
    /// theirs.
    ///
    /// # Errors
    /// The name of a library that is not found.
    pub(super) fn closure(&mut self, program: &Path) -> Result<Vec<PathBuf>, String> {
        let mut files: Vec<PathBuf> = Vec::new();
        let mut todo = vec![program.to_owned()];
        while let Some(file) = todo.pop() {
            let Some(needs) = self.needs(&file) else { continue };
            let interpreter = needs.interpreter.iter().map(|path| Ok(path.clone()));
            let libraries: Vec<_> = needs
                .libraries
                .iter()
                .map(|library| {
                    self.find(library, &file, &needs).ok_or_else(|| library.display().to_string())
                })
                .collect();
            for found in interpreter.chain(libraries) {
                let found = found?;
                if !files.contains(&found) {
                    todo.push(found.clone());
                    files.push(found);
                }
            }
        }
        Ok(files)
    }

    /// Returns a library that glibc opens at run time, in the directory of `libc`.
    pub(super) fn beside(&self, library: &Path, name: &str) -> Option<PathBuf> {
        let path = library.parent()?.join(name);
        path.is_file().then_some(path)
    }

    fn needs(&mut self, file: &Path) -> Option<DynamicSection> {
        self.known.entry(file.to_owned()).or_insert_with(|| elf::dynamic_section(file)).clone()
    }

    fn find(&mut self, library: &Path, from: &Path, needs: &DynamicSection) -> Option<PathBuf> {
        let kind = needs.kind;
        let mut fits = |path: &PathBuf| self.needs(path).is_some_and(|found| found.kind == kind);
        if library.components().count() > 1 {
            return Some(library.to_owned()).filter(&mut fits);
        }
        // $ORIGIN is the directory of the resolved file, not of the link to it.
        let real = std::fs::canonicalize(from).ok()?;
        let origin = real.parent()?.display().to_string();
        let search = needs.search.iter().filter_map(|dir| {
            let dir = dir.replace("${ORIGIN}", &origin).replace("$ORIGIN", &origin);
            (dir.starts_with('/') && !dir.contains('$')).then(|| PathBuf::from(dir))
        });
        let default = DEFAULT.iter().map(PathBuf::from);
        let dirs: Vec<_> = search.chain(self.configured.clone()).chain(default).collect();
        let mut fits = |path: &PathBuf| self.needs(path).is_some_and(|found| found.kind == kind);
        dirs.into_iter().map(|dir| dir.join(library)).find(|path| fits(path))
    }

    /// Returns whether the linker finds `library` only by its cache, which is then needed too.
    pub(super) fn needs_cache(library: &Path) -> bool {
        let holder = library.parent().unwrap_or(Path::new("/"));
        holder.starts_with("/usr/local") || !DEFAULT.iter().any(|dir| holder == Path::new(dir))
    }
}

/// Parses `ld.so.conf`: a directory a line, and `include` with a pattern in the last component.
fn read_conf(path: &Path, found: &mut Vec<PathBuf>, includes: &mut usize) {
    *includes += 1;
    if *includes > MAX_INCLUDES {
        return;
    }
    for line in std::fs::read_to_string(path).unwrap_or_default().lines() {
        let line = line.split('#').next().unwrap_or_default().trim();
        if let Some(pattern) = line.strip_prefix("include") {
            let pattern = Path::new("/etc").join(pattern.trim());
            for included in matching(&pattern) {
                read_conf(&included, found, includes);
            }
        } else if line.starts_with('/') {
            found.push(PathBuf::from(line));
        }
    }
}

/// Returns the files that `dir/BEFORE*AFTER` matches, sorted.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let (Some(holder), Some(name)) = (pattern.parent(), pattern.file_name()) else {
        return Vec::new();
    };
    let name = name.to_string_lossy();
    let Some((before, after)) = name.split_once('*') else {
        return vec![pattern.to_owned()];
    };
    let entries = std::fs::read_dir(holder).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries
        .filter(|entry| {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            name.len() >= before.len() + after.len()
                && name.starts_with(before)
                && name.ends_with(after)
        })
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    paths
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
        read_conf(&this, &mut found, &mut 0);
        assert_eq!(found[..3], [PathBuf::from("/a"), "/b".into(), "/d".into()]);
        assert!(found.len() < 4 * MAX_INCLUDES, "a file that includes itself ends");
    }
}
