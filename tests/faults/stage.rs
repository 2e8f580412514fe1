//! The place of many cases: a root with a small image, and a bystander whom no fault may harm.

use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::command::{Ran, run};
use crate::harness::{LIFEBOX, TIMEOUT, TestEngine, fixture, wait_until};

/// How long a command may take that waits for another process.
pub const LIMIT: Duration = Duration::from_secs(25);

/// What is there besides the bystander, as the engine says it: one line each.
pub type World = BTreeSet<String>;

pub struct Stage {
    engine: TestEngine,
    /// Files that verbs read and write: archives, a build context.
    files: tempfile::TempDir,
    disk: Option<Disk>,
    bystander: Bystander,
    /// What lies below the root while only the bystander is there.
    usual: BTreeSet<String>,
}

#[derive(Default)]
struct Bystander {
    id: String,
    init: i32,
    monitor: i32,
    counted: u64,
}

/// A process that holds a mount namespace in which the root is a disk of its own.
struct Disk(Child);

/// The bystander counts as long as it lives.
const COUNTER: &str = "i=0;\u{a0}while\u{a0}:;\u{a0}do\u{a0}i=$((i+1));\u{a0}echo\u{a0}$i\u{a0}>/count;\u{a0}\
                       sleep\u{a0}0.05;\u{a0}done";

/// The programs of the small image.
const LINKS: &str = "cd /bin; for name in sh sleep true touch cat cksum mkdir dd; do \
                     /bin/busybox ln -s busybox $name; done";

impl Stage {
    pub fn new() -> Self {
        Stage::on(None)
    }

    /// A stage whose root is a tmpfs(5) with these options.
    pub fn on_disk(options: &str) -> Self {
        Stage::on(Some(options))
    }

    fn on(disk: Option<&str>) -> Self {
        let engine = TestEngine::empty();
        let files = tempfile::Builder::new().prefix("lifebox-test-files-").tempdir().unwrap();
        let disk = disk.map(|options| Disk::mount(engine.root(), options));
        let (bystander, usual) = (Bystander::default(), BTreeSet::new());
        let mut stage = Stage { engine, files, disk, bystander, usual };
        stage.fill().unwrap();
        stage.usual = stage.entries();
        stage
    }

    /// Makes the small image, what verbs read, and the bystander.
    fn fill(&mut self) -> Result<(), String> {
        let context = self.files.path().join("context");
        std::fs::create_dir(&context).unwrap();
        // One layer with one program: what looks at each image does so soon.
        let fixture = fixture("hundredcounter.docker.tar");
        self.prepare(&format!("load -q -i {fixture}"))?;
        self.prepare("create --name whole hundredcounter")?;
        self.prepare("cp whole:/bin/busybox context/busybox")?;
        self.prepare("rm whole")?;
        self.prepare("rmi hundredcounter")?;
        let file = format!(
            "FROM scratch\nCOPY busybox /bin/\n\
             RUN [\"/bin/busybox\", \"sh\", \"-c\", \"{LINKS}\"]\n"
        );
        std::fs::write(context.join("Dockerfile"), file).unwrap();
        self.prepare("build -q -t small:0 context")?;
        self.prepare("create --name whole small:0 true")?;
        self.prepare("export -o tree.tar whole")?;
        self.prepare("rm whole")?;
        self.prepare("rmi small:0")?;
        self.prepare("import -c CMD\u{a0}[\"sleep\",\"1000\"] tree.tar small:1")?;
        // Another image, as an archive and as a Dockerfile.
        std::fs::write(context.join("Dockerfile"), "FROM small:1\nRUN echo built >/built\n")
            .unwrap();
        std::fs::remove_file(context.join("busybox")).unwrap();
        self.prepare("build -q -t new:1 context")?;
        self.prepare("save -o new.tar new:1")?;
        self.prepare("rmi new:1")?;
        // The steps of builds.
        self.prepare("image prune -f")?;
        std::fs::write(self.files.path().join("file"), "of the host\n".repeat(3000)).unwrap();
        let ran = self.run(&format!("run -d --name bystander small:1 sh -c {COUNTER}"));
        let id = ran.out.trim().to_owned();
        let init = self.run("inspect --format {{.State.Pid}} bystander").out;
        let init = init.trim().parse().map_err(|_| format!("{ran:?}"))?;
        let monitor = monitor_of(&id).ok_or("the bystander has no monitor")?.as_raw();
        self.bystander = Bystander { id, init, monitor, counted: 0 };
        Ok(())
    }

    /// The root, as this process reaches it.
    pub fn root(&self) -> PathBuf {
        let root = self.engine.root();
        match &self.disk {
            None => root.to_owned(),
            Some(Disk(holder)) => {
                let inside = root.strip_prefix("/").unwrap_or(root);
                Path::new("/proc").join(holder.id().to_string()).join("root").join(inside)
            }
        }
    }

    /// The bystander's container, which faults leave alone.
    pub fn bystander(&self) -> &str {
        &self.bystander.id
    }

    /// Runs a line of sh(1) where the root is; `$root` is its path.
    pub fn shell(&self, line: &str) -> Ran {
        let mut command = match self.enter().as_slice() {
            [] => Command::new("sh"),
            [program, rest @ ..] => {
                let mut command = Command::new(program);
                command.args(rest).arg("sh");
                command
            }
        };
        command.args(["-c", line]).env("root", self.engine.root());
        run(command, LIMIT)
    }

    fn enter(&self) -> Vec<String> {
        let holder = self.disk.as_ref().map(|Disk(holder)| holder.id().to_string());
        // setns(2) leads out of the working directory.
        let back = r#"cd "$0" && exec "$@""#;
        holder.map_or_else(Vec::new, |id| {
            let files = self.files.path().to_str().unwrap();
            ["nsenter", "-m", "-t", &id, "sh", "-c", back, files].map(str::to_owned).to_vec()
        })
    }

    /// A command of the engine, below a program such as prlimit(1) if one is given.
    pub fn command_below(&self, wrapper: &[&str], line: &str) -> Command {
        let mut all = self.enter();
        if all.is_empty() {
            all.extend(["env"].map(str::to_owned).into_iter().filter(|_| !wrapper.is_empty()));
        }
        all.extend(wrapper.iter().map(|word| (*word).to_owned()));
        all.push(LIFEBOX.to_owned());
        all.extend(words(line));
        let mut command = self.engine.shell(&all[0]);
        command.args(&all[1..]).current_dir(self.files.path());
        command
    }

    pub fn command(&self, line: &str) -> Command {
        self.command_below(&[], line)
    }

    pub fn run(&self, line: &str) -> Ran {
        run(self.command(line), LIMIT)
    }

    /// Runs a command that has to succeed for the case to begin.
    pub fn prepare(&self, line: &str) -> Result<(), String> {
        let ran = self.run(line);
        if ran.code == 0 {
            Ok(())
        } else {
            Err(format!("`{line}` fails: {}", ran.err.trim().replace('\n', " / ")))
        }
    }

    /// Looks at all records: containers with their states, images, volumes. The bystander and its
    /// image have to be among them, and are left out.
    pub fn look(&self) -> Result<World, String> {
        let mut world = World::new();
        let lists = [
            ("container", "ps -a --format {{.Names}}={{.State}}"),
            ("image", "images --format {{.Repository}}:{{.Tag}}"),
            ("volume", "volume ls --format {{.Name}}"),
        ];
        for (what, line) in lists {
            let ran = self.run(line);
            if ran.code != 0 || ran.err.contains("panicked") {
                return Err(format!("`{line}` fails: {}", ran.err.trim().replace('\n', " / ")));
            }
            for entry in ran.out.lines() {
                let is_anonymous = what == "volume" && entry.len() == 64;
                let entry = if is_anonymous { "anonymous" } else { entry };
                world.insert(format!("{what} {entry}"));
            }
        }
        for expected in ["container bystander=running", "image small:1"] {
            if !world.remove(expected) {
                return Err(format!("the {expected} is no longer there: {world:?}"));
            }
        }
        Ok(world)
    }

    /// Removes all but the bystander and its image.
    pub fn reset(&self, world: &World) -> Result<(), String> {
        let names = |kind: &str| -> Vec<String> {
            let lines = world.iter().filter_map(|line| line.strip_prefix(kind));
            lines.map(|line| line.split('=').next().unwrap_or(line).to_owned()).collect()
        };
        let mut lines = Vec::new();
        let containers = names("container ");
        if !containers.is_empty() {
            lines.push(format!("rm -f -v {}", containers.join(" ")));
        }
        let images = names("image ");
        if images.iter().any(|name| !name.contains("<none>")) {
            let named = images.iter().filter(|name| !name.contains("<none>"));
            let named: Vec<&str> = named.map(String::as_str).collect();
            lines.push(format!("rmi -f {}", named.join(" ")));
        }
        if images.iter().any(|name| name.contains("<none>")) {
            lines.push("image prune -f".to_owned());
        }
        let volumes = names("volume ");
        if volumes.iter().any(|name| name == "anonymous") {
            lines.push("volume prune -f".to_owned());
        }
        let named: Vec<&str> =
            volumes.iter().map(String::as_str).filter(|name| *name != "anonymous").collect();
        if !named.is_empty() {
            lines.push(format!("volume rm -f {}", named.join(" ")));
        }
        lines.iter().try_for_each(|line| self.prepare(line))
    }

    /// What lies below the root now and did not when only the bystander was there.
    pub fn strays(&self) -> BTreeSet<String> {
        let entries = self.entries();
        entries.symmetric_difference(&self.usual).cloned().collect()
    }

    /// The names in the directories of records and of images.
    fn entries(&self) -> BTreeSet<String> {
        let places = [
            "containers",
            "names",
            "volumes",
            "staging",
            "removing",
            "builds",
            "images",
            "images/staging",
            "images/layers",
            "images/flat",
            "images/blobs/sha256",
        ];
        let mut entries = BTreeSet::new();
        for place in places {
            let found = std::fs::read_dir(self.root().join(place)).into_iter().flatten().flatten();
            let names = found.map(|entry| entry.file_name().to_string_lossy().into_owned());
            entries.extend(
                names
                    .filter(|name| !["lock", ".lock", "flat"].contains(&name.as_str()))
                    .filter(|name| !name.contains("index.json"))
                    .map(|name| format!("{place}/{name}")),
            );
        }
        entries
    }

    /// Processes, mounts and cgroups of this root that are not the bystander's.
    pub fn leftovers(&self) -> Vec<String> {
        let mut found: Vec<String> = self
            .engine
            .leftovers()
            .into_iter()
            .filter(|left| !left.contains(&self.bystander.id))
            .collect();
        found.extend(
            self.processes().into_iter().map(|(pid, what)| format!("process {pid} {what}")),
        );
        found
    }

    /// Processes of this root that are not the bystander's: by their cgroup, and by the root that
    /// they were given.
    fn processes(&self) -> Vec<(Pid, String)> {
        let root = self.engine.root().to_string_lossy().into_owned();
        let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
        let ids = entries.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
        let mut found = Vec::new();
        for id in ids {
            let read = |name: &str| {
                let bytes = std::fs::read(format!("/proc/{id}/{name}")).unwrap_or_default();
                String::from_utf8_lossy(&bytes).replace('\0', " ")
            };
            let (group, line) = (read("cgroup"), read("cmdline"));
            let is_ours = group.contains(self.engine.cgroup_parent())
                || (line.contains("lifebox")
                    && (line.contains(&root) || read("environ").contains(&root)));
            let is_bystander = [&group, &line].iter().any(|text| text.contains(&self.bystander.id));
            if is_ours && !is_bystander && id != std::process::id().cast_signed() {
                found.push((Pid::from_raw(id), line));
            }
        }
        found
    }

    /// Whether the bystander counts on, in the processes that it had.
    pub fn bystander_is_well(&mut self) -> Result<(), String> {
        let init = format!("/proc/{}/cgroup", self.bystander.init);
        let is_there =
            std::fs::read_to_string(init).is_ok_and(|line| line.contains(&self.bystander.id));
        let monitor = monitor_of(&self.bystander.id);
        if !is_there || monitor.map(Pid::as_raw) != Some(self.bystander.monitor) {
            return Err("the bystander was killed".to_owned());
        }
        let count = self.root().join("containers").join(&self.bystander.id).join("upper/count");
        let before = self.bystander.counted;
        let mut now = before;
        wait_until(TIMEOUT, || {
            let text = std::fs::read_to_string(&count).unwrap_or_default();
            now = text.trim().parse().unwrap_or(now);
            now > before
        });
        self.bystander.counted = now;
        if now > before {
            Ok(())
        } else {
            Err("the bystander does not count any longer".to_owned())
        }
    }

    /// The process id of a container's monitor.
    pub fn monitor(&self, container: &str) -> Option<Pid> {
        let ran = self.run(&format!("inspect --format {{{{.Id}}}} {container}"));
        monitor_of(ran.out.trim())
    }
}

impl Drop for Stage {
    /// Ends by force what a lost case left, so that the engine's own end finds nothing.
    fn drop(&mut self) {
        let root = self.root();
        for _ in 0..3 {
            let ours = self.processes();
            for (pid, _) in ours {
                let _ = kill(pid, Signal::SIGKILL);
            }
            for directory in self.engine.cgroups() {
                for tasks in ["cgroup.procs", "tasks"] {
                    let text = std::fs::read_to_string(directory.join(tasks)).unwrap_or_default();
                    let ids = text.lines().filter_map(|line| line.parse().ok());
                    for id in ids {
                        let _ = kill(Pid::from_raw(id), Signal::SIGKILL);
                    }
                }
                for (file, thawed) in [("freezer.state", "THAWED"), ("cgroup.freeze", "0")] {
                    if directory.join(file).exists() {
                        let _ = std::fs::write(directory.join(file), thawed);
                    }
                }
            }
        }
        if self.bystander.monitor > 0 {
            let _ = kill(Pid::from_raw(self.bystander.monitor), Signal::SIGKILL);
        }
        let is_empty = |directory: &PathBuf| std::fs::remove_dir(directory).is_ok();
        wait_until(Duration::from_secs(5), || self.engine.cgroups().iter().all(is_empty));
        let _ = std::fs::remove_dir_all(root.join("containers"));
        let _ = std::fs::remove_dir_all(root.join("names"));
    }
}

impl Disk {
    fn mount(root: &Path, options: &str) -> Self {
        let script = format!(
            "mount -t tmpfs -o mode=700,{options} store \"$1\" && echo mounted && exec sleep 100000"
        );
        let mut command = Command::new("unshare");
        command.args(["-m", "--propagation", "private", "sh", "-c", &script, "sh"]).arg(root);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        assert_eq!(line, "mounted\n");
        Disk(child)
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The monitor of a container, by its whole id.
fn monitor_of(id: &str) -> Option<Pid> {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    let mut ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    ids.find(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line);
        !id.is_empty() && line.starts_with("lifebox-monitor\0") && line.contains(id)
    })
    .map(Pid::from_raw)
}

/// The words of a command line: a space parts them, a no-break space is a space within one.
pub fn words(line: &str) -> Vec<String> {
    line.split(' ').map(|word| word.replace('\u{a0}', " ")).collect()
}
