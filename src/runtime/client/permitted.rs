//! Checks of options that the kernel permits only some users.

use crate::model::container::resources::Ulimit;
use crate::model::{Error, Kind, Result};
use crate::runtime::plan;
use crate::sys::userns;

/// Refuses a score that this process may not set: an ordinary user can only raise it
/// (proc_pid_oom_score_adj(5)).
///
/// # Errors
/// [`Kind::Denied`], with the least that is allowed.
pub(super) fn check_oom_score(score: Option<i64>) -> Result<()> {
    let text = std::fs::read_to_string("/proc/self/oom_score_adj").unwrap_or_default();
    let least = text.trim().parse().unwrap_or(i64::MIN);
    if let Some(score) = score.filter(|score| userns::in_user_namespace() && *score < least) {
        let message = format!("--oom-score-adj {score}: only root may set less than {least}");
        return Err(Error::new(Kind::Denied, message).hint("leave it out, or run as root"));
    }
    Ok(())
}

/// Refuses limits of processes that this process may not set: only CAP_SYS_RESOURCE raises a hard
/// limit (setrlimit(2)).
///
/// # Errors
/// [`Kind::Denied`], with the most that is allowed.
pub(super) fn check_ulimits(ulimits: &[Ulimit]) -> Result<()> {
    const CAP_SYS_RESOURCE: u64 = 24;
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let effective = status.lines().find_map(|line| line.strip_prefix("CapEff:"));
    let effective = effective.and_then(|hex| u64::from_str_radix(hex.trim(), 16).ok());
    // In a user namespace the capability does not count for limits.
    if !userns::in_user_namespace() && effective.unwrap_or_default() >> CAP_SYS_RESOURCE & 1 == 1 {
        return Ok(());
    }
    for ulimit in ulimits {
        let resource = plan::resource(&ulimit.name)?;
        let Some(most) = rustix::process::getrlimit(resource).maximum else { continue };
        if ulimit.hard.cast_unsigned() > most {
            let message = format!("ulimit {ulimit}: only CAP_SYS_RESOURCE may raise a hard limit");
            let hint = format!("use at most --ulimit {0}={most}:{most}", ulimit.name);
            return Err(Error::new(Kind::Denied, message).hint(hint));
        }
    }
    Ok(())
}
