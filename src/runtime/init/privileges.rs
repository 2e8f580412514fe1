//! Giving up rights, between clone and exec: who the program is, and what it may do.
//!
//! Runs in init, inside the new root; the files of accounts are a stranger's.

use std::ffi::CString;
use std::os::fd::OwnedFd;

use rustix::io::Errno;

use super::{passwd, read_etc};
use crate::runtime::plan::Credentials;
use crate::sys::{identity, process};

/// Becomes the user; `HOME=...` of it, where the environment has none.
///
/// Order: the bounding set first, while CAP_SETPCAP is there; then groups and user, which take
/// the capabilities of a user that is not root; then what remains (capabilities(7)).
pub(crate) fn set_credentials(
    environment: &[CString],
    streams: &[Option<OwnedFd>; 3],
    terminal: Option<&OwnedFd>,
    step: &Credentials,
) -> Result<CString, Errno> {
    let passwd = read_etc::read(c"/etc/passwd")?;
    let group = read_etc::read(c"/etc/group")?;
    let user =
        passwd::find(&step.user, &step.groups, &passwd, &group).map_err(
            |unknown| match unknown {
                passwd::Unknown::User => Errno::NOENT,
                passwd::Unknown::Group => Errno::SRCH,
            },
        )?;
    let has_home = environment.iter().any(|entry| entry.to_bytes().starts_with(b"HOME="));
    let home = match has_home {
        true => CString::default(),
        false => CString::new([b"HOME=", user.home].concat()).unwrap_or_default(),
    };
    chown_streams(streams, terminal, user.uid)?;
    let bounding = step.bounding & identity::bounding();
    identity::drop_bounding(bounding)?;
    identity::keep_capabilities(true)?;
    identity::become_user(user.uid, user.gid, &user.groups)?;
    identity::keep_capabilities(false)?;
    match user.uid {
        0 => identity::set_capabilities(bounding)?,
        _ => identity::set_ambient_capabilities(bounding & step.ambient)?,
    }
    // A change of user takes the death signal away (PR_SET_PDEATHSIG(2const)).
    process::die_with_parent()?;
    Ok(home)
}

/// `/dev/stdout` can be opened again only by who owns the pipe behind it.
fn chown_streams(
    streams: &[Option<OwnedFd>; 3],
    terminal: Option<&OwnedFd>,
    uid: u32,
) -> Result<(), Errno> {
    if uid == 0 {
        return Ok(());
    }
    for stream in streams.iter().flatten().chain(terminal) {
        rustix::fs::fchown(stream, Some(rustix::fs::Uid::from_raw(uid)), None)?;
    }
    Ok(())
}
