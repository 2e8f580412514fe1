//! Creates the image `host` from programs of the host.

use std::io::Read;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::libraries::Libraries;
use super::presence;
use super::tree::{self, Node, Tree};
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::spool::{SpoolWriter, Spooled};
use crate::image::bytes::stream::open_regular;
use crate::image::store::Store;
use crate::image::store::import::Incoming;
use crate::model::Result;
use crate::model::error::Context;
use crate::model::image::HostImage;
use crate::model::value::env::DEFAULT_PATH;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;

/// The programs of `host:latest`.
#[rustfmt::skip]
const PROGRAMS: &[&str] = &[
    "sh", "[", "awk", "basename", "cat", "chmod", "chown", "cp", "cut", "date", "dd", "df",
    "dirname", "du", "echo", "env", "expr", "false", "find", "free", "grep", "head", "hostname",
    "id", "kill", "ln", "ls", "mkdir", "mktemp", "mount", "mv", "nproc", "od", "printf", "ps",
    "pwd", "readlink", "rm", "rmdir", "sed", "seq", "sleep", "sort", "stat", "stty", "sync",
    "tail", "tee", "test", "top", "touch", "tr", "true", "tty", "umount", "uname", "uniq", "wc",
    "whoami", "xargs", "yes",
];

/// Further programs, which are added if the host has them.
#[rustfmt::skip]
const EXTRAS: &[&str] = &[
    "base64", "bash", "chgrp", "clear", "cmp", "diff", "dmesg", "egrep", "fgrep", "getent",
    "gunzip", "gzip", "ip", "less", "md5sum", "mkfifo", "mknod", "mountpoint", "nice", "nohup",
    "nsenter", "pgrep", "pidof", "pkill", "printenv", "realpath", "setsid", "sha256sum", "sysctl",
    "tar", "timeout", "unshare", "uptime", "watch", "which",
];

/// The terminal descriptions that `top` and other programs read.
const TERMINALS: [&str; 6] =
    ["d/dumb", "l/linux", "s/screen", "v/vt100", "x/xterm", "x/xterm-256color"];

/// The longest first line of a script, as the kernel reads it.
const SHEBANG: u64 = 256;

impl Store {
    /// Creates `host:latest` from the host: a shell, the usual small programs and what they need.
    /// The same host gives the same image.
    pub fn create_host_image(&self, check: CancelCheck<'_>) -> Result<HostImage> {
        let reference = "host".parse()?;
        let programs = [PROGRAMS, EXTRAS].concat();
        let mut host = self.image_from_host(&programs, &["sh"], &reference, check)?;
        host.missing.retain(|missing| !EXTRAS.contains(&first_word(missing)));
        Ok(host)
    }

    /// Creates an image from the named programs of the host. A missing program is reported, unless
    /// it is `required`: then it is an error.
    pub fn image_from_host(
        &self,
        programs: &[&str],
        required: &[&str],
        reference: &Reference,
        check: CancelCheck<'_>,
    ) -> Result<HostImage> {
        let mut machine = HostScan::new()?;
        for program in programs {
            check()?;
            machine.program(program)?;
        }
        machine.scripts()?;
        for name in required {
            if machine.missing.iter().any(|missing| first_word(missing) == *name) {
                return Err(tree::no_program(name, &machine.dirs));
            }
        }
        machine.base_files()?;

        let staging = self.staging()?;
        let mut writer = SpoolWriter::create(staging.directory(), "host.tar")?;
        machine.tree.write(&mut writer, check)?;
        let layer = writer.finish();
        let config = config(&layer, machine.tree.newest());
        let layers = vec![layer.source(&staging)?];
        let incoming = Incoming::new(config.as_bytes(), layers, vec![reference.clone()]);
        let loaded = self.import(&staging, &incoming, check)?;
        let image = self.find(loaded.id.as_str())?;
        Ok(HostImage { image, missing: machine.missing })
    }
}

/// Returns the program's name of a line of `missing`, which may contain the reason too.
fn first_word(missing: &str) -> &str {
    missing.split(' ').next().unwrap_or(missing)
}

/// Returns the configuration of the image. Its date is that of the newest program, not now, so that
/// creating it again gives the same id.
fn config(layer: &Spooled, newest: i64) -> String {
    let created = Timestamp::from_second(newest).unwrap_or(Timestamp::UNIX_EPOCH).to_string();
    serde_json::json!({
        "created": created,
        "architecture": Platform::host().architecture,
        "os": "linux",
        "config": {
            "Env": [format!("PATH={DEFAULT_PATH}")],
            "Cmd": ["/bin/sh"],
            "Labels": {
                "org.opencontainers.image.title": "host",
                "org.opencontainers.image.description":
                    "programs of the host, collected by lifebox",
            },
        },
        "rootfs": { "type": "layers", "diff_ids": [layer.digest] },
        "history": [{ "created": created, "created_by": "lifebox: copy from the host" }],
    })
    .to_string()
}

/// What was found on the host so far.
struct HostScan {
    dirs: Vec<PathBuf>,
    tree: Tree,
    libraries: Libraries,
    busybox: Option<Busybox>,
    /// Scripts whose interpreter may still be added: name, path, interpreter.
    scripts: Vec<(String, PathBuf, PathBuf)>,
    missing: Vec<String>,
}

struct Busybox {
    path: PathBuf,
    content: Vec<u8>,
}

impl HostScan {
    fn new() -> Result<Self> {
        // The container's PATH first: a program found there is found inside as well.
        let mut dirs: Vec<PathBuf> = DEFAULT_PATH.split(':').map(PathBuf::from).collect();
        let host = std::env::var_os("PATH").unwrap_or_default();
        for dir in std::env::split_paths(&host).filter(|dir| dir.is_absolute()) {
            if !dirs.contains(&dir) {
                dirs.push(dir);
            }
        }
        HostScan::in_dirs(dirs)
    }

    fn in_dirs(dirs: Vec<PathBuf>) -> Result<Self> {
        let mut machine = HostScan {
            dirs,
            tree: Tree::default(),
            libraries: Libraries::new()?,
            busybox: None,
            scripts: Vec::new(),
            missing: Vec::new(),
        };
        machine.busybox = match machine.find("busybox")? {
            Some(path) => {
                let content = std::fs::read(&path);
                let content = content.context(|| format!("read `{}`", path.display()))?;
                Some(Busybox { path, content })
            }
            None => None,
        };
        Ok(machine)
    }

    /// Returns the file of a program; `None` if it is missing.
    fn find(&self, name: &str) -> Result<Option<PathBuf>> {
        for dir in &self.dirs {
            let path = dir.join(name);
            let found = match presence::attributes(&path) {
                // A directory of another user's, which PATH may have: execvp(3) passes it over.
                Err(error) if error.errno() == Some(libc::EACCES) && !is_usual(dir) => continue,
                found => found?,
            };
            if found.is_some_and(|found| found.is_file() && found.mode() & 0o111 != 0) {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// Adds a program, or records that it is missing and why.
    fn program(&mut self, name: &str) -> Result<()> {
        let Some(path) = self.find(name)? else {
            return self.applet(name);
        };
        if let Some(interpreter) = interpreter_of(&path)? {
            self.scripts.push((name.to_owned(), path, interpreter));
            return Ok(());
        }
        match self.libraries.closure(&path)? {
            Err(library) => self.missing.push(format!("{name} (it needs `{library}`)")),
            Ok(files) => {
                for file in files.iter().chain([&path]) {
                    self.tree.add(file)?;
                }
                self.within_path(name, &path)?;
            }
        }
        Ok(())
    }

    /// Adds a program that busybox provides: its name is in busybox's table of applets.
    fn applet(&mut self, name: &str) -> Result<()> {
        let entry = [b"\0", name.as_bytes(), b"\0"].concat();
        let has = |busybox: &&Busybox| busybox.content.windows(entry.len()).any(|it| it == entry);
        let path = self.busybox.as_ref().filter(has).map(|busybox| busybox.path.clone());
        let real = match &path {
            Some(path) => self.tree.add(path)?,
            None => None,
        };
        let (Some(path), Some(real)) = (path, real) else {
            self.missing.push(name.to_owned());
            return Ok(());
        };
        match self.libraries.closure(&path)? {
            Ok(files) => {
                for file in &files {
                    self.tree.add(file)?;
                }
                self.tree.put(&format!("/usr/bin/{name}"), Node::Link { target: real });
            }
            Err(_) => self.missing.push(name.to_owned()),
        }
        Ok(())
    }

    /// Adds a link in the image's PATH for a program from another directory.
    fn within_path(&mut self, name: &str, path: &Path) -> Result<()> {
        if !path.parent().is_some_and(is_usual) {
            self.tree.add(Path::new("/usr/bin"))?;
            let target = path.to_owned();
            self.tree.put(&format!("/usr/bin/{name}"), Node::Link { target });
        }
        Ok(())
    }

    /// Adds the scripts whose interpreter was added.
    fn scripts(&mut self) -> Result<()> {
        for (name, path, interpreter) in std::mem::take(&mut self.scripts) {
            if self.tree.resolve(&interpreter).is_some() {
                self.tree.add(&path)?;
                self.within_path(&name, &path)?;
            } else {
                let interpreter = interpreter.display();
                self.missing.push(format!("{name} (a script for `{interpreter}`)"));
            }
        }
        Ok(())
    }

    /// Adds the files that every root file system has, and those that the libraries read.
    fn base_files(&mut self) -> Result<()> {
        for path in ["/bin", "/sbin", "/lib", "/lib64", "/usr/bin"] {
            self.tree.add(Path::new(path))?;
        }
        let directory = |mode| Node::Directory { mode };
        for name in ["dev", "etc", "home", "proc", "run", "sys", "usr", "usr/bin", "var"] {
            self.tree.put(&format!("/{name}"), directory(0o755));
        }
        self.tree.put("/bin", directory(0o755));
        self.tree.put("/root", directory(0o700));
        self.tree.put("/tmp", directory(0o1777));
        self.tree.put("/var/tmp", directory(0o1777));
        // If the shell is in another directory, as on NixOS, scripts still refer to this path.
        let sh = self.find("sh")?.filter(|sh| self.tree.resolve(sh).is_some());
        if let (Some(target), None) = (sh, self.tree.resolve(Path::new("/bin/sh"))) {
            self.tree.put("/bin/sh", Node::Link { target });
        }
        let text = |content: &str| Node::Text { content: content.to_owned() };
        self.tree.put(
            "/etc/passwd",
            text("root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n"),
        );
        let groups = "root:x:0:\ntty:x:5:\nnogroup:x:65534:\n";
        self.tree.put("/etc/group", text(groups));
        let sources = "passwd: files\ngroup: files\nhosts: files dns\n";
        self.tree.put("/etc/nsswitch.conf", text(sources));
        for terminal in TERMINALS {
            for holder in ["/lib/terminfo", "/usr/share/terminfo", "/etc/terminfo"] {
                self.tree.add(&Path::new(holder).join(terminal))?;
            }
        }
        self.linker_files()
    }

    /// Adds `libnss_files`, which glibc opens at run time where it is a separate file, and the
    /// linker's cache or path file if a library is found only by it.
    fn linker_files(&mut self) -> Result<()> {
        let libraries: Vec<PathBuf> =
            self.tree.host_files().filter(|path| is_library(path)).collect();
        let c = libraries.iter().find(|path| path.ends_with("libc.so.6"));
        let nss = c.map(|path| self.libraries.beside(path, "libnss_files.so.2")).transpose()?;
        if let Some(nss) = nss.flatten() {
            self.tree.add(&nss)?;
        }
        if libraries.iter().any(|library| Libraries::needs_cache(library)) {
            self.tree.add(Path::new("/etc/ld.so.cache"))?;
        }
        let path_file = format!("/etc/ld-musl-{}.path", std::env::consts::ARCH);
        self.tree.add(Path::new(&path_file)).map(drop)
    }
}

fn is_library(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().contains(".so"))
}

/// Returns whether a directory is in the PATH of an image.
fn is_usual(dir: &Path) -> bool {
    DEFAULT_PATH.split(':').any(|known| dir == Path::new(known))
}

/// Returns the interpreter of a script; for `env NAME`, that of `NAME`.
fn interpreter_of(path: &Path) -> Result<Option<PathBuf>> {
    let mut start = Vec::new();
    let read = open_regular(path)?.take(SHEBANG).read_to_end(&mut start);
    read.context(|| format!("read `{}`", path.display()))?;
    Ok(interpreter_in(&start))
}

fn interpreter_in(start: &[u8]) -> Option<PathBuf> {
    let line = start.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line);
    let mut words = line.split_whitespace();
    let interpreter = PathBuf::from(words.next()?);
    if interpreter.ends_with("env") {
        let name = words.find(|word| !word.starts_with('-'))?;
        return Some(Path::new("/usr/bin").join(name));
    }
    Some(interpreter)
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
