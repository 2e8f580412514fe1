//! User namespaces: unshare(2), user_namespaces(7).
#![allow(unsafe_code)]

use std::sync::OnceLock;

use rustix::io::Errno;

use super::errno::last_errno;

/// One line of `uid_map` or `gid_map`: `count` ids from `inside` on are those from `outside` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Range {
    /// The first id in the namespace.
    pub inside: u32,
    /// The same id in the parent namespace.
    pub outside: u32,
    /// The number of ids.
    pub count: u32,
}

/// The id maps of this process's user namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Identity {
    /// The map of users.
    pub uids: Vec<Range>,
    /// The map of groups; not read in the initial namespace.
    pub gids: Vec<Range>,
    /// Whether setgroups(2) is forbidden, as it is if a user wrote the map of groups itself.
    pub groups_fixed: bool,
}

impl Identity {
    /// Returns whether this is not the initial user namespace.
    pub fn in_user_namespace(&self) -> bool {
        let whole = Range { inside: 0, outside: 0, count: u32::MAX };
        !self.uids.is_empty() && !self.uids.contains(&whole)
    }

    /// Returns whether a user is mapped; for a process [in a user
    /// namespace](Self::in_user_namespace).
    pub fn has_user(&self, uid: u32) -> bool {
        has(&self.uids, uid)
    }

    /// Returns whether a group is mapped; for a process [in a user
    /// namespace](Self::in_user_namespace).
    pub fn has_group(&self, gid: u32) -> bool {
        has(&self.gids, gid)
    }

    /// Returns the user outside who is root inside, if it is another one.
    pub fn root_outside(&self) -> Option<u32> {
        let root =
            self.uids.iter().find(|range| range.inside == 0).filter(|_| self.in_user_namespace());
        root.map(|range| range.outside)
    }
}

fn has(ranges: &[Range], id: u32) -> bool {
    ranges.iter().any(|range| id.checked_sub(range.inside).is_some_and(|n| n < range.count))
}

/// Wraps `unshare(2)` for a new user namespace. The caller must have one thread.
pub fn unshare_user() -> Result<(), Errno> {
    unshare(libc::CLONE_NEWUSER)
}

/// Wraps `unshare(2)` for a new UTS namespace, which needs CAP_SYS_ADMIN and has no side effect.
pub fn unshare_hostname() -> Result<(), Errno> {
    unshare(libc::CLONE_NEWUTS)
}

/// Wraps `unshare(2)` for a new mount namespace of this thread, and with it a working directory of
/// its own. In a new user namespace, no mount there propagates to the host.
pub(super) fn unshare_mounts() -> Result<(), Errno> {
    unshare(libc::CLONE_NEWNS)
}

fn unshare(flags: i32) -> Result<(), Errno> {
    // SAFETY: takes an integer; new namespaces touch no memory.
    let result = unsafe { libc::unshare(flags) };
    if result == 0 { Ok(()) } else { Err(last_errno()) }
}

/// Returns the user namespace of this process. Read once: the namespace must have been entered
/// before.
pub fn identity() -> &'static Identity {
    static IDENTITY: OnceLock<Identity> = OnceLock::new();
    IDENTITY.get_or_init(identity_now)
}

/// As [`identity`], for a process that may enter another user namespace after it.
pub fn identity_now() -> Identity {
    let read = |file: &str| std::fs::read_to_string(format!("/proc/self/{file}"));
    let read = |file: &str| read(file).unwrap_or_default();
    let users = Identity { uids: parse(&read("uid_map")), ..Identity::default() };
    if !users.in_user_namespace() {
        return users;
    }
    Identity {
        gids: parse(&read("gid_map")),
        groups_fixed: read("setgroups").trim() == "deny",
        ..users
    }
}

/// Returns whether this process is in a user namespace that is not the initial one.
pub fn in_user_namespace() -> bool {
    identity().in_user_namespace()
}

fn parse(map: &str) -> Vec<Range> {
    let line = |line: &str| {
        let mut numbers = line.split_whitespace().map(|word| word.parse().ok());
        Some(Range { inside: numbers.next()??, outside: numbers.next()??, count: numbers.next()?? })
    };
    map.lines().filter_map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_machines_own_namespace_maps_every_id_to_itself() {
        let of = |uids: &str| Identity { uids: parse(uids), ..Identity::default() };
        assert!(!of("         0          0 4294967295\n").in_user_namespace());
        assert!(
            of("         0       1000          1\n         1     100000      65536\n")
                .in_user_namespace()
        );
    }

    #[test]
    fn groups_are_looked_up_in_all_ranges() {
        let gids = parse("0 1000 1\n1 100000 4\n");
        let identity = Identity { gids, ..Identity::default() };
        let has = [0, 4, 5].map(|gid| identity.has_group(gid));
        assert_eq!(has, [true, true, false]);
    }
}
