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
