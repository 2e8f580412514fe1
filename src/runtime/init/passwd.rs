//! Resolves `user[:group]` by the container's own `/etc/passwd` and `/etc/group`.
//!
//! Pure: it parses bytes that init has read inside the container. They are untrusted: a malformed
//! line is skipped (passwd(5), group(5)).

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
}

struct Entry<'a> {
    name: &'a [u8],
    uid: u32,
    gid: u32,
    home: &'a [u8],
}

/// Resolves `spec`: empty (root), `user`, `user:group`, each a name or a number. A number needs no
/// entry. With `:group` the only supplementary groups are `added`, as with Docker.
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
    let spec = if spec.is_empty() { "0" } else { spec };
    let (user, group_name) = match spec.split_once(':') {
        Some((user, group)) => (user, Some(group)),
        None => (spec, None),
    };
    let user = if user.is_empty() { "0" } else { user };
    let number = user.parse::<u32>().ok().filter(|id| *id != u32::MAX);
    // A name takes precedence over a number, as a user may be called `1000`.
    let entry = entries(passwd).find(|entry| entry.name == user.as_bytes());
    let entry = entry.or_else(|| entries(passwd).find(|entry| Some(entry.uid) == number));
    let (uid, primary) = match (&entry, number) {
        (Some(entry), _) => (entry.uid, entry.gid),
        (None, Some(uid)) => (uid, 0),
        (None, None) => return Err(Unknown::User),
    };
    let home = entry.as_ref().map_or(&b"/"[..], |entry| entry.home);
    if let Some(name) = group_name.filter(|group| !group.is_empty()) {
        let gid = find_group(name, group)?;
        return Ok(User { uid, gid, groups: vec![gid], home });
    }
    let mut all = vec![primary];
    if let Some(entry) = &entry {
        let member = |members: &[u8]| members.split(|b| *b == b',').any(|name| name == entry.name);
        let further =
            groups(group).filter(|(_, _, members)| member(members)).map(|(_, gid, _)| gid);
        // The kernel takes 65536 groups; a hostile file is cut long before.
        all.extend(further.filter(|gid| *gid != primary).take(1024));
    }
    Ok(User { uid, gid: primary, groups: all, home })
}

/// Resolves a group. A name takes precedence over a number; a number needs no entry.
fn find_group(name: &str, group: &[u8]) -> Result<u32, Unknown> {
    let known = groups(group)
        .find(|(group_name, _, _)| *group_name == name.as_bytes())
        .map(|(_, gid, _)| gid);
    let number = || name.parse().ok().filter(|gid| *gid != u32::MAX);
    known.or_else(number).ok_or(Unknown::Group)
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
    std::str::from_utf8(field).ok()?.parse().ok().filter(|id| *id != u32::MAX)
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
        assert_eq!(find("4294967295", &[], PASSWD, GROUP), Err(Unknown::User));
    }
}
