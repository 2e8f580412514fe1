//! Views of a container in the kernel and of an image on disk: for `explain`.

use super::stats::Stats;
use crate::model::container::Container;
use crate::model::image::Image;
use crate::model::image::history::History;
use crate::model::value::digest::Digest;
use crate::model::value::name::ContainerName;

/// A container, seen from the host and from inside.
#[derive(Clone, Debug)]
pub struct Introspection {
    /// Spec and state.
    pub container: Container,
    /// The namespaces; none while the container does not run.
    pub namespaces: Vec<Namespace>,
    /// The processes, in order of creation.
    pub processes: Vec<ProcessView>,
    /// The directories of the cgroup, while the container runs.
    pub cgroups: Vec<String>,
    /// The current usage.
    pub stats: Stats,
    /// The mounts inside, in order.
    pub mounts: Vec<MountPoint>,
    /// The layers of the image, lowest first.
    pub layers: Vec<Layer>,
    /// How the files differ from the image's.
    pub difference: Difference,
    /// The bytes in the writable layer.
    pub written: u64,
    /// The TCP ports on which processes inside listen.
    pub ports: Vec<u16>,
}

/// A namespace of a container.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Namespace {
    /// The word of namespaces(7): `pid`, `mnt`, `net`, ...
    pub kind: String,
    /// The inode number, as in `/proc/PID/ns`.
    pub number: u64,
    /// What else is in the namespace: `host`, or names of containers.
    pub shared_with: Vec<String>,
}

/// A process, seen from the host and from inside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessView {
    /// The process id on the host.
    pub host_pid: u32,
    /// The process id inside.
    pub container_pid: u32,
    /// Program and arguments.
    pub command: String,
}

/// A mount, as proc_pid_mountinfo(5) has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MountPoint {
    /// The target, inside.
    pub path: String,
    /// The file system's type.
    pub kind: String,
    /// Whether it can be written.
    pub writable: bool,
}

/// What a layer adds and hides.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The key in the store, which is the diff id of most layers.
    pub key: Digest,
    /// The bytes of its files.
    pub size: u64,
    /// How many files, links and devices the layer has.
    pub files: u64,
    /// How many directories the layer has.
    pub directories: u64,
    /// The first files, or the largest where there are many.
    pub examples: Vec<String>,
    /// The paths of lower layers that this one hides.
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
    /// The first differences, with Docker's letter before each: `A /x`.
    pub examples: Vec<String>,
    /// Why the files cannot be compared, if they cannot.
    pub unknown: Option<String>,
}

/// Which layers provide a path of a container.
#[derive(Clone, Debug)]
pub struct PathLayers {
    /// The container's name.
    pub name: ContainerName,
    /// The mount at the path or above, while the container runs: a mount covers all layers.
    pub mount: Option<MountPoint>,
    /// Each layer that has an entry at the path, topmost first.
    pub layers: Vec<PathLayer>,
}

/// What a layer has at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathLayer {
    /// The number of the image's layer, from 1 at the bottom; `None` for the writable layer.
    pub layer: Option<usize>,
    /// The kind of entry.
    pub entry: Entry,
}

/// What can be at a path of a layer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// A file or device of this size in bytes.
    File(u64),
    /// A symbolic link at the path or on the way to it, not followed.
    Link {
        /// The path of the link.
        at: String,
        /// The target of the link.
        to: String,
    },
    /// A directory, merged with those of the layers below.
    Directory,
    /// An opaque directory: hides those of the layers below.
    OpaqueDirectory,
    /// A whiteout: hides the entries of the layers below.
    Hidden,
}

impl Entry {
    /// Returns the key in the texts of all languages.
    pub fn key(&self) -> &'static str {
        match self {
            Entry::File(_) => "file",
            Entry::Link { .. } => "link",
            Entry::Directory => "directory",
            Entry::OpaqueDirectory => "opaque",
            Entry::Hidden => "hidden",
        }
    }
}

/// An image, step by step.
#[derive(Clone, Debug)]
pub struct ImageIntrospection {
    /// The metadata.
    pub image: Image,
    /// The layers, lowest first.
    pub layers: Vec<Layer>,
    /// The history, latest step first.
    pub history: Vec<History>,
    /// The names of the containers of the image.
    pub users: Vec<String>,
}
