//! The ids of an ordinary user: the user's own, and those of /etc/subuid and /etc/subgid.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::runtime::host::user;
use crate::sys;
use crate::sys::userns::{Identity, Range};

/// The id maps of this user's user namespace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Maps {
    /// Users.
    pub uids: Vec<Range>,
    /// Groups.
    pub gids: Vec<Range>,
    /// `newuidmap` and `newgidmap`, if they are needed and found.
    programs: Option<(PathBuf, PathBuf)>,
    /// Problems, each with the command that solves it.
    pub warnings: Vec<String>,
}

/// The inputs of the maps.
#[derive(Debug)]
pub(super) struct Sources {
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// The user's name.
    pub(super) name: String,
    /// The text of /etc/subuid and of /etc/subgid.
    pub(super) subuid: String,
    pub(super) subgid: String,
    pub(super) newuidmap: Option<Helper>,
    pub(super) newgidmap: Option<Helper>,
    /// Whether `no_new_privs` is set for this process (prctl(2)).
    pub(super) no_new_privs: bool,
}

/// A program that maps ids.
#[derive(Clone, Debug)]
pub(super) struct Helper {
    pub(super) path: PathBuf,
    /// Whether it may map ids: it is set-user-ID root, or has file capabilities.
    pub(super) privileged: bool,
}

impl Helper {
    /// Finds the first program that may map ids, or else the first.
    fn find(name: &str) -> Option<Self> {
        let privileged = |path: &Path| {
            let Ok(metadata) = fs::metadata(path) else { return false };
            let set_uid = metadata.uid() == 0 && metadata.mode() & 0o4000 != 0;
            let file = fs::File::open(path).ok();
            let capabilities = |file| sys::fs::get_xattr(file, "security.capability").ok()?;
            set_uid || file.and_then(capabilities).is_some()
        };
        let helper = |path: PathBuf| Helper { privileged: privileged(&path), path };
        let mut all: Vec<_> = programs(name).map(helper).collect();
        all.sort_by_key(|helper| !helper.privileged);
        all.into_iter().next()
    }
}

impl Maps {
    /// Returns the maps of the user who runs this process, which must not be in a namespace yet.
    pub fn for_caller() -> Self {
        let uid = rustix::process::geteuid().as_raw();
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let variable = || std::env::var("USER").unwrap_or_default();
        Maps::from_sources(Sources {
            uid,
            gid: rustix::process::getegid().as_raw(),
            name: user::name_of(uid, &read("/etc/passwd")).unwrap_or_else(variable),
            subuid: read("/etc/subuid"),
            subgid: read("/etc/subgid"),
            newuidmap: Helper::find("newuidmap"),
            newgidmap: Helper::find("newgidmap"),
            no_new_privs: read("/proc/self/status").contains("NoNewPrivs:\t1"),
        })
    }

    pub(super) fn from_sources(sources: Sources) -> Self {
        let Sources { uid, gid, name, subuid, subgid, newuidmap, newgidmap, no_new_privs } =
            sources;
        let mut maps = Maps {
            uids: vec![Range { inside: 0, outside: uid, count: 1 }],
            gids: vec![Range { inside: 0, outside: gid, count: 1 }],
            ..Maps::default()
        };
        let users = subordinate_ranges(&subuid, "/etc/subuid", uid, &name, &mut maps.warnings);
        let groups = subordinate_ranges(&subgid, "/etc/subgid", uid, &name, &mut maps.warnings);
        if users.is_empty() || groups.is_empty() {
            let files = match (users.is_empty(), groups.is_empty()) {
                (true, true) => "/etc/subuid and /etc/subgid give",
                (true, false) => "/etc/subuid gives",
                (false, _) => "/etc/subgid gives",
            };
            maps.warnings.push(format!(
                "{files} `{name}` no subordinate ids, so containers have one user, root: {}",
                subid_hint(&name)
            ));
            return maps;
        }
        let (Some(newuidmap), Some(newgidmap)) = (newuidmap, newgidmap) else {
            maps.warnings.push(
                "newuidmap and newgidmap are missing, so containers have one user, root: \
                 sudo apt-get install uidmap (elsewhere the package is shadow-utils)"
                    .to_owned(),
            );
            return maps;
        };
        if let Some((what, way)) = helper_problem([&newuidmap, &newgidmap], no_new_privs) {
            maps.warnings.push(format!("{what}, so containers have one user, root: {way}"));
            return maps;
        }
        append(&mut maps.uids, &users);
        append(&mut maps.gids, &groups);
        maps.programs = Some((newuidmap.path, newgidmap.path));
        maps
    }

    /// Adopts the ids of a namespace that was joined, and warns if different ones are configured
    /// now.
    pub(super) fn adopt_maps(&mut self, joined: &Identity) {
        if (&self.uids, &self.gids) == (&joined.uids, &joined.gids) {
            return;
        }
        self.warnings.push(
            "containers that run were started with other ids than this user would get now, and \
             keep them: stop all containers, and close every REPL"
                .to_owned(),
        );
        (self.uids, self.gids) = (joined.uids.clone(), joined.gids.clone());
    }

    /// Returns `newuidmap` and `newgidmap`, if there are ids that only they may map.
    pub(super) fn helpers(&self) -> Option<(&Path, &Path)> {
        self.programs.as_ref().map(|(users, groups)| (users.as_path(), groups.as_path()))
    }
}

/// Returns why the programs cannot map ids, and the command that solves it.
fn helper_problem(helpers: [&Helper; 2], no_new_privs: bool) -> Option<(String, String)> {
    let without: Vec<_> = helpers.iter().filter(|helper| !helper.privileged).collect();
    if !without.is_empty() {
        let paths: Vec<_> =
            without.iter().map(|helper| helper.path.display().to_string()).collect();
        let what = format!("{} may not map ids", paths.join(" and "));
        let paths = paths.join(" ");
        return Some((what, format!("sudo chown root {paths}; sudo chmod u+s {paths}")));
    }
    no_new_privs.then(|| {
        let what = "no program may gain rights in this session (no_new_privs), not even \
                    newuidmap";
        (
            what.to_owned(),
            "start lifebox from another session; check it with: setpriv --dump".to_owned(),
        )
    })
}

/// Returns the command that gives a user subordinate ids.
pub fn subid_hint(name: &str) -> String {
    format!("sudo usermod --add-subuids 100000-165535 --add-subgids 100000-165535 {name}")
}

/// Formats ranges for `uid_map`.
pub(super) fn lines(ranges: &[Range]) -> String {
    let line = |range: &Range| format!("{} {} {}", range.inside, range.outside, range.count);
    ranges.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Appends the ids of `given` without gaps, from 1 on.
fn append(map: &mut Vec<Range>, given: &[(u32, u32)]) {
    let mut inside = 1u32;
    for (outside, count) in given {
        let count = (*count).min(u32::MAX - inside);
        map.push(Range { inside, outside: *outside, count });
        inside = inside.saturating_add(count);
    }
}

/// Returns the ranges (first, count) that the text of subuid(5) gives to a user, by name or number.
/// Warns of overlaps; a range that overlaps another of this user is left out, because the kernel
/// refuses such a map.
fn subordinate_ranges(
    text: &str,
    file: &str,
    uid: u32,
    name: &str,
    warnings: &mut Vec<String>,
) -> Vec<(u32, u32)> {
    let number = uid.to_string();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    let mut others = Vec::new();
    for line in text.lines() {
        let mut fields = line.trim().split(':');
        let (Some(owner), Some(first), Some(count)) = (fields.next(), fields.next(), fields.next())
        else {
            continue;
        };
        let (Ok(first), Ok(count)) = (first.parse::<u32>(), count.parse::<u32>()) else { continue };
        if count == 0 || first.checked_add(count).is_none() {
            continue;
        }
        if owner != name && owner != number {
            others.push((owner.to_owned(), first, count));
        } else if ranges.iter().any(|(begin, length)| meet(*begin, *length, first, count)) {
            warnings.push(format!(
                "{file} gives `{name}` the ids from {first} on twice; the second entry is left \
                 out: remove it"
            ));
        } else {
            ranges.push((first, count));
        }
    }
    for (owner, first, count) in others {
        if ranges.iter().any(|(begin, length)| meet(*begin, *length, first, count)) {
            warnings.push(format!(
                "{file} gives `{name}` and `{owner}` the same ids, so each can change the files of \
                 the other's containers: change one entry"
            ));
        }
    }
    ranges
}

fn meet(a: u32, a_count: u32, b: u32, b_count: u32) -> bool {
    a < b.saturating_add(b_count) && b < a.saturating_add(a_count)
}

/// Finds the programs of a name in PATH, and in the usual directories.
fn programs(name: &str) -> impl Iterator<Item = PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let usual = ["/usr/bin", "/usr/sbin", "/bin", "/sbin"].map(PathBuf::from);
    let places: Vec<_> = std::env::split_paths(&path).chain(usual).collect();
    let all = places.into_iter().filter(|place| place.is_absolute()).map(move |p| p.join(name));
    all.filter(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sources(subuid: &str, subgid: &str) -> Sources {
        Sources {
            uid: 1000,
            gid: 100,
            name: "ann".to_owned(),
            subuid: subuid.to_owned(),
            subgid: subgid.to_owned(),
            newuidmap: Some(Helper { path: "/usr/bin/newuidmap".into(), privileged: true }),
            newgidmap: Some(Helper { path: "/usr/bin/newgidmap".into(), privileged: true }),
            no_new_privs: false,
        }
    }

    #[test]
    fn subordinate_ids_follow_root_without_a_gap() {
        let text = "bob:100000:65536\nann:200000:65536\n1000:400000:10\n";
        let maps = Maps::from_sources(sources(text, "ann:300000:65536\n"));
        assert_eq!(lines(&maps.uids), "0 1000 1\n1 200000 65536\n65537 400000 10");
        assert_eq!(lines(&maps.gids), "0 100 1\n1 300000 65536");
        assert!(maps.helpers().is_some());
        assert!(maps.warnings.is_empty(), "{:?}", maps.warnings);
    }

    #[test]
    fn without_subordinate_ids_there_is_one_and_the_command_for_more() {
        let maps = Maps::from_sources(sources("bob:100000:65536\n", "ann:300000:65536\n"));
        assert_eq!(lines(&maps.uids), "0 1000 1");
        assert!(maps.helpers().is_none());
        let [warning] = &maps.warnings[..] else { panic!("{:?}", maps.warnings) };
        assert!(warning.starts_with("/etc/subuid gives `ann` no subordinate ids"), "{warning}");
        assert!(warning.contains("usermod --add-subuids"), "{warning}");
    }

    #[test]
    fn without_newuidmap_there_is_one_and_the_package_is_named() {
        let ids = "ann:300000:65536\n";
        let maps = Maps::from_sources(Sources { newuidmap: None, ..sources(ids, ids) });
        assert_eq!(lines(&maps.gids), "0 100 1");
        assert!(maps.warnings[0].contains("apt-get install uidmap"), "{:?}", maps.warnings);
    }

    #[test]
    fn helpers_without_power_are_told_from_those_that_are_missing() {
        let ids = "ann:300000:65536\n";
        let weak = Helper { path: "/usr/bin/newgidmap".into(), privileged: false };
        let maps = Maps::from_sources(Sources { newgidmap: Some(weak), ..sources(ids, ids) });
        assert_eq!(lines(&maps.uids), "0 1000 1");
        assert!(maps.warnings[0].starts_with("/usr/bin/newgidmap may not map ids, "));
        assert!(maps.warnings[0].ends_with("sudo chmod u+s /usr/bin/newgidmap"));
        let maps = Maps::from_sources(Sources { no_new_privs: true, ..sources(ids, ids) });
        assert!(maps.helpers().is_none());
        assert!(maps.warnings[0].contains("(no_new_privs)"), "{:?}", maps.warnings);
    }

    #[test]
    fn ranges_that_overlap_are_complained_of() {
        let text = "ann:1000000:10\nann:1000005:10\nbob:1000009:1\nann:x:1\nann:4294967295:9\n";
        let maps = Maps::from_sources(sources(text, "ann:300000:65536\n"));
        assert_eq!(lines(&maps.uids), "0 1000 1\n1 1000000 10");
        assert!(maps.warnings[0].contains("from 1000005 on twice"), "{:?}", maps.warnings);
        assert!(maps.warnings[1].contains("`ann` and `bob` the same"), "{:?}", maps.warnings);
    }
}
