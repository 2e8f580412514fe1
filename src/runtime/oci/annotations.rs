//! The annotations of lifebox in `config.json`, and the paths, kernel parameters and devices of
//! every container.

/// Annotation: the layers of the root, lowest first, as a JSON array of paths relative to the
/// container's directory. Without it the root is the directory `root.path` as it is.
pub const LOWER: &str = "lifebox.root.lower";

/// Annotation: `user[:group]` as the image or the caller names it; resolved inside the container.
pub const USER: &str = "lifebox.user";

/// Annotation: supplementary groups, names or numbers, as a JSON array; resolved inside the
/// container.
pub const GROUPS: &str = "lifebox.groups";

/// Annotation: volumes that get what the image has at their target, if they are new: a JSON array
/// of pairs, the volume's directory relative to the container's, and the target.
pub const COPY_UP: &str = "lifebox.volumes.fill";

/// Annotation: the devices of volumes: a JSON object from the volume's name to its options `type`,
/// `device` and `o`. Each is mounted on the volume's directory, for the container alone.
pub const VOLUME_DEVICES: &str = "lifebox.volumes.devices";

/// Annotation: which place of a volume or an image is mounted: a JSON object from the target to the
/// path inside.
pub const SUBPATHS: &str = "lifebox.mounts.subpaths";

/// Annotation: the layers of the images that are mounted, in the order of [`IMAGES`]: a JSON array
/// of arrays like [`LOWER`].
pub const IMAGE_LAYERS: &str = "lifebox.mounts.images";

/// The directory of a container where its images are mounted, each below its number.
pub const IMAGES: &str = "images";

/// Annotation: the containers whose namespaces are joined: a JSON object from the type in the OCI
/// specification to the container's id.
pub const JOIN: &str = "lifebox.namespaces.join";

/// The path of the program of `--init`, relative to the container's directory.
pub const INIT: &str = "../../init";

/// The path of the program of `--init` in a container, and the argument 0 by which it recognises
/// its role; Docker's.
pub const INIT_PATH: &str = "/sbin/docker-init";

/// Kernel parameters of every private network namespace.
pub const DEFAULT_SYSCTLS: [(&str, &str); 2] =
    [("net.ipv4.ip_unprivileged_port_start", "0"), ("net.ipv4.ping_group_range", "0 2147483647")];

/// The device nodes that every container has: path, major, minor.
pub const DEVICES: [(&str, i64, i64); 6] = [
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
];
