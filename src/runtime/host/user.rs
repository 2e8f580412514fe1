//! The user of the host who runs this process.

use std::fs;

use crate::sys::userns;

/// Returns number and name of the ordinary user outside of this namespace.
pub(crate) fn caller() -> (u32, String) {
    let uid = userns::identity().root_outside();
    let uid = uid.unwrap_or_else(|| rustix::process::geteuid().as_raw());
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    (uid, name_of(uid, &passwd).unwrap_or_else(|| uid.to_string()))
}

/// Finds the name of a user in the text of passwd(5).
pub(crate) fn name_of(uid: u32, passwd: &str) -> Option<String> {
    let number = uid.to_string();
    let mut lines = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    lines.find(|fields| fields.get(2) == Some(&number.as_str())).map(|fields| fields[0].to_owned())
}

/// Finds the members of a group in the texts of passwd(5) and group(5), by number; `None` if there
/// is no such group. A member without a number is left out.
pub(super) fn members(gid: u32, passwd: &str, groups: &str) -> Option<Vec<u32>> {
    let number = gid.to_string();
    let mut lines = groups.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let group = lines.find(|fields| fields.get(2) == Some(&number.as_str()))?;
    let named: Vec<&str> = group.get(3).map(|names| names.split(',').collect()).unwrap_or_default();
    let users = passwd.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let members =
        users.filter(|user| named.contains(&user[0]) || user.get(3) == Some(&number.as_str()));
    Some(members.filter_map(|user| user.get(2)?.parse().ok()).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_of_a_group_are_those_that_it_lists_and_those_whose_own_it_is() {
        let passwd = "root:x:0:0::/:/bin/sh\nann:x:1000:1000::/:\nbob:x:1001:100::/:\n";
        let groups = "root:x:0:\nann:x:1000:\nusers:x:100:ann,gone\nnone:x:7:\n";
        assert_eq!(members(1000, passwd, groups), Some(vec![1000]));
        assert_eq!(members(100, passwd, groups), Some(vec![1000, 1001]));
        assert_eq!(members(7, passwd, groups), Some(vec![]));
        assert_eq!(members(8, passwd, groups), None);
    }
}
