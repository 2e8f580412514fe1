//! Resolves `user[:group]` by the container's own `/etc/passwd` and `/etc/group`.
//!
//! Pure: it parses bytes that init has read inside the container. They are untrusted: a malformed
//! line is skipped (passwd(5), group(5)).

use crate::model::value::account::{self, Account};

/// A user as the kernel and the program know it.
#[derive(Debug, PartialEq, Eq)]
pub struct User<'a> {
    /// The user id.
    pub uid: u32,
    /// The primary group.
    pub gid: u32,
    /// All groups, including the primary one.
    pub groups: Vec<u32>,
    /// The home directory; `/` if `/etc/passwd` has no line for the user.
    pub home: &'a [u8],
}

/// Why a user cannot be resolved.
#[derive(Debug, PartialEq, Eq)]
pub enum Unknown {
    /// No such name in `/etc/passwd`.
    User,
    /// No such name in `/etc/group`.
    Group,
    /// A number that is not an id.
    Range,
}

struct Entry<'a> {
    name: &'a [u8],
    uid: u32,
    gid: u32,
    home: &'a [u8],
}

/// Resolves `spec`: empty (root), `user`, `user:group`, each a name or a number. A number is that
/// id and needs no entry; its entry adds only home and groups. With `:group` the only
/// supplementary groups are `added`, as with Docker.
pub fn find<'a>(
    spec: &str,
    added: &[String],
    passwd: &'a [u8],
    group: &[u8],
) -> Result<User<'a>, Unknown> {
    let mut user = find_user(spec, passwd, group)?;
    for name in added {
        let gid = find_group(name, group)?;
        if !user.groups.contains(&gid) {
            user.groups.push(gid);
        }
    }
    Ok(user)
}

fn find_user<'a>(spec: &str, passwd: &'a [u8], group: &[u8]) -> Result<User<'a>, Unknown> {
    let (user, group_name) = account::split(spec);
    // An entry is found by its number alone where a number is given (moby/sys/user,
    // `GetExecUser`): an image may have a user whose name is `1001`.
    let entry = match Account::of(user) {
        Account::OutOfRange => return Err(Unknown::Range),
        Account::Id(uid) => {
            let known = entries(passwd).find(|entry| entry.uid == uid);
            known.unwrap_or(Entry { name: b"", uid, gid: 0, home: b"/" })
        }
        Account::Name(name) => {
            let known = entries(passwd).find(|entry| entry.name == name.as_bytes());
            known.ok_or(Unknown::User)?
        }
    };
    let (uid, primary, home) = (entry.uid, entry.gid, entry.home);
    if let Some(name) = group_name {
        let gid = find_group(name, group)?;
        return Ok(User { uid, gid, groups: vec![gid], home });
    }
    let mut all = vec![primary];
    // A number without an entry has no name, and is a member of nothing.
    if !entry.name.is_empty() {
        let member = |members: &[u8]| members.split(|b| *b == b',').any(|name| name == entry.name);
        let further =
            groups(group).filter(|(_, _, members)| member(members)).map(|(_, gid, _)| gid);
        // The kernel takes 65536 groups; a hostile file is cut long before.
        all.extend(further.filter(|gid| *gid != primary).take(1024));
    }
    Ok(User { uid, gid: primary, groups: all, home })
}

/// Resolves a group. A number is that group and needs no entry.
fn find_group(name: &str, group: &[u8]) -> Result<u32, Unknown> {
    match Account::of(name) {
        Account::OutOfRange => Err(Unknown::Range),
        Account::Id(gid) => Ok(gid),
        Account::Name(name) => {
            let known = groups(group).find(|(known, _, _)| *known == name.as_bytes());
            known.map(|(_, gid, _)| gid).ok_or(Unknown::Group)
        }
    }
}

fn entries(passwd: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    passwd.split(|b| *b == b'\n').filter_map(|line| {
        let mut fields = line.split(|b| *b == b':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let (uid, gid) = (id(fields.nth(1)?)?, id(fields.next()?)?);
        let home = fields.nth(1).filter(|home| !home.is_empty()).unwrap_or(b"/");
        Some(Entry { name, uid, gid, home })
    })
}

fn groups(group: &[u8]) -> impl Iterator<Item = (&[u8], u32, &[u8])> {
    group.split(|b| *b == b'\n').filter_map(|line| {
        let mut fields = line.split(|b| *b == b':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        let gid = id(fields.nth(1)?)?;
        Some((name, gid, fields.next().unwrap_or_default()))
    })
}

fn id(field: &[u8]) -> Option<u32> {
    match Account::of(std::str::from_utf8(field).ok()?) {
        Account::Id(id) => Some(id),
        Account::Name(_) | Account::OutOfRange => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &[u8] = b"root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:1000:1001::/home/app:\n";
    const GROUP: &[u8] = b"root:x:0:\napp:x:1001:\nvideo:x:44:app,root\n";

    fn check(spec: &str, uid: u32, gid: u32, groups: &[u32], home: &str) {
        let home = home.as_bytes();
        let expected = User { uid, gid, groups: groups.to_vec(), home };
        assert_eq!(find(spec, &[], PASSWD, GROUP), Ok(expected), "{spec}");
    }

    #[test]
    fn users_are_found_by_name_and_by_number() {
        check("", 0, 0, &[0, 44], "/root");
        check("app", 1000, 1001, &[1001, 44], "/home/app");
        check("1000", 1000, 1001, &[1001, 44], "/home/app");
        check("app:video", 1000, 44, &[44], "/home/app");
        check("4242", 4242, 0, &[0], "/");
        check("4242:7", 4242, 7, &[7], "/");
    }

    #[test]
    fn groups_are_added_by_name_and_by_number() {
        let find = |added: &[&str]| {
            let added: Vec<String> = added.iter().map(|name| (*name).to_owned()).collect();
            find("1000:7", &added, PASSWD, GROUP).map(|user| user.groups)
        };
        assert_eq!(find(&["video", "9", "7", "9"]), Ok(vec![7, 44, 9]));
        assert_eq!(find(&["nope"]), Err(Unknown::Group));
    }

    #[test]
    fn an_unknown_name_is_told() {
        assert_eq!(find("nobody", &[], PASSWD, GROUP), Err(Unknown::User));
        assert_eq!(find("app:nogroup", &[], PASSWD, GROUP), Err(Unknown::Group));
    }

    #[test]
    fn a_number_is_that_id_whatever_the_image_calls_its_users_and_groups() {
        const PASSWD: &[u8] = b"1001:x:0:0::/:\n2147483648:x:0:0::/:\nbig:x:4294967295:0::/:\n";
        const GROUP: &[u8] = b"1001:x:0:\n7:x:0:1001\n";
        let find = |spec: &str, added: &[&str]| {
            let added: Vec<String> = added.iter().map(|name| (*name).to_owned()).collect();
            find(spec, &added, PASSWD, GROUP).map(|user| (user.uid, user.groups))
        };
        assert_eq!(find("1001", &[]), Ok((1001, vec![0])));
        assert_eq!(find("1001:1001", &["7"]), Ok((1001, vec![1001, 7])));
        for spec in ["2147483648", "4294967295", "-1", "1:2147483648"] {
            assert_eq!(find(spec, &[]), Err(Unknown::Range), "{spec}");
        }
        assert_eq!(find("1", &["2147483648"]), Err(Unknown::Range));
        assert_eq!(find("big", &[]), Err(Unknown::User));
    }
}
