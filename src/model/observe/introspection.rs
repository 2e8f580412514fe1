//! What a container is in the kernel, and what an image is on the disk: for `explain`.

use super::stats::Stats;
use crate::model::container::Container;
use crate::model::image::Image;
use crate::model::image::history::History;
use crate::model::value::digest::Digest;
use crate::model::value::name::ContainerName;

/// A container, seen from both sides.
#[derive(Clone, Debug)]
pub struct Introspection {
    /// What it was made from, and how it is.
    pub container: Container,
    /// Its namespaces; none while it does not run.
    pub namespaces: Vec<Namespace>,
    /// Its processes, in the order in which they were made.
    pub processes: Vec<ProcessView>,
    /// The directories of its cgroup, where it runs.
    pub cgroups: Vec<String>,
    /// What it uses now.
    pub stats: Stats,
    /// What is mounted inside, in order.
    pub mounts: Vec<MountPoint>,
    /// The layers of its image, lowest first.
    pub layers: Vec<Layer>,
    /// How many paths it has added, changed and deleted, and the first of them.
    pub difference: Difference,
    /// The bytes that it wrote.
    pub written: u64,
    /// The TCP ports that are listened on inside.
    pub ports: Vec<u16>,
}

/// A namespace of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// The word of namespaces(7): `pid`, `mnt`, `net`, ...
    pub kind: String,
    /// Its number, as `/proc/PID/ns` shows it.
    pub number: u64,
    /// Who else is in it: `host`, or names of containers.
    pub shared_with: Vec<String>,
}

/// A process, from both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessView {
    /// Its number on the host.
    pub host_pid: u32,
    /// Its number inside.
    pub container_pid: u32,
    /// Program and arguments.
    pub command: String,
}

/// A mount, as proc_pid_mountinfo(5) has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPoint {
    /// Where, inside.
    pub path: String,
    /// The file system's type.
    pub kind: String,
    /// Whether it can be written.
    pub writable: bool,
}

/// What a layer adds and hides.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its key in the store, which is its digest for most.
    pub key: Digest,
    /// The bytes of its files.
    pub size: u64,
    /// How many files, links and devices it has.
    pub files: u64,
    /// How many directories.
    pub directories: u64,
    /// The first of its files, or the greatest where there are many.
    pub examples: Vec<String>,
    /// What it hides of the layers below.
    pub hidden: Vec<String>,
}

/// How a container's files differ from its image's.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// How many paths are new.
    pub added: usize,
    /// How many are changed.
    pub changed: usize,
    /// How many are deleted.
    pub deleted: usize,
    /// The first of them, with Docker's letter before each: `A /x`.
    pub examples: Vec<String>,
}

/// Where what a container has at a path comes from.
#[derive(Clone, Debug)]
pub struct PathLayers {
    /// The container's name.
    pub name: ContainerName,
    /// What is mounted there, or above it, of one that runs: it covers all layers.
    pub mount: Option<MountPoint>,
    /// Each layer that has something there, the topmost first.
    pub layers: Vec<PathLayer>,
}

/// What a layer has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathLayer {
    /// Which layer of the image, from 1 at the bottom; `None` is the container's own.
    pub layer: Option<usize>,
    /// What it is.
    pub entry: Entry,
}

/// What can be at a path of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file or device of so many bytes.
    File(u64),
    /// A link, there or on the way there. It is not followed.
    Link {
        /// Its own path.
        at: String,
        /// What it holds.
        to: String,
    },
    /// A directory: what several layers have in it is seen together.
    Directory,
    /// A directory that hides those of the layers below.
    OpaqueDirectory,
    /// Nothing, but what hides what the layers below have there.
    Hidden,
}

impl Entry {
    /// Its name in the texts of all languages.
    pub fn key(&self) -> &'static str {
        match self {
            Entry::File(_) => "file",
            Entry::Link { .. } => "link",
            Entry::Directory => "directory",
            Entry::OpaqueDirectory => "alone",
            Entry::Hidden => "hidden",
        }
    }
}

/// An image, step by step.
#[derive(Clone, Debug)]
pub struct ImageIntrospection {
    /// Its metadata.
    pub image: Image,
    /// Its layers, lowest first.
    pub layers: Vec<Layer>,
    /// How it was made, the latest first.
    pub history: Vec<History>,
    /// The names of the containers that use it.
    pub users: Vec<String>,
}
