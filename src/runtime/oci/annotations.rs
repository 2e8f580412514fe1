//! The names in `config.json` that are lifebox's own, and the paths, kernel parameters and devices
//! that every container gets.

/// Annotation: the layers of the root, lowest first, as a JSON array of paths relative to the
/// container's directory. Without it the root is the directory `root.path` as it is.
pub const LOWER: &str = "lifebox.root.lower";

/// Annotation: `user[:group]` as the image or the caller names it; resolved inside the container.
pub const USER: &str = "lifebox.user";

/// Annotation: further groups, names or numbers, as a JSON array; resolved inside the container.
pub const GROUPS: &str = "lifebox.groups";

/// Annotation: volumes that take what the image has where they are mounted, if they are new: a
/// JSON array of pairs, the volume's directory relative to the container's, and the target.
pub const COPY_UP: &str = "lifebox.volumes.fill";

/// Annotation: the containers whose namespaces are joined: a JSON object, the standard's word for
/// the namespace to the container's id.
pub const JOIN: &str = "lifebox.namespaces.join";

/// Where the program of `--init` is, relative to the container's directory.
pub const INIT: &str = "../../init";

/// Where the program of `--init` is in a container, and argument 0 by which it knows itself;
/// Docker's.
pub const INIT_PATH: &str = "/sbin/docker-init";

/// Kernel parameters of every network of a container's own.
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
