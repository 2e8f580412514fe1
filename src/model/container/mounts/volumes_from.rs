//! Mounts taken over from another container: `--volumes-from`.

use std::collections::HashMap;

use super::contradictions::Decisions;
use super::mount::{Mount, MountKind, MountSpec, Mounts};
use crate::model::{Error, Kind, Result};

/// Parses `CONTAINER[:ro|rw]`: the container, and whether the mounts are read-only.
///
/// # Errors
/// [`Kind::Invalid`], in Docker's words.
pub fn volumes_from(text: &str) -> Result<(&str, bool)> {
    let (container, mode) = text.split_once(':').unwrap_or((text, "rw"));
    let wrong = |message: String| {
        Err(Error::new(Kind::Invalid, message)
            .hint("write CONTAINER, CONTAINER:ro or CONTAINER:rw"))
    };
    if container.is_empty() {
        return wrong(format!("invalid volumes-from specification: '{}'", text.escape_debug()));
    }
    let mut read_only = false;
    let mut decisions = Decisions::default();
    for word in mode.split(',') {
        decisions.record_word(word)?;
        match word {
            "ro" => read_only = true,
            // Labels of SELinux change nothing, as for `-v`.
            "rw" | "z" | "Z" => {}
            _ => return wrong(format!("invalid mode for volumes-from: {}", mode.escape_debug())),
        }
    }
    Ok((container, read_only))
}

impl Mounts {
    /// Adds the mounts of another container where the user has set none but an anonymous volume of
    /// `-v`. Of two containers with a mount at one target the latter wins, as in Docker. A tmpfs is
    /// never shared.
    pub fn inherit(&mut self, others: &Mounts, read_only: bool) {
        let shared = others.list.iter().filter(|mount| mount.kind != MountKind::Tmpfs);
        let targets = self.list.iter().enumerate().filter(|(_, mount)| !mount.is_default());
        let mut places: HashMap<String, usize> =
            targets.rev().map(|(place, mount)| (mount.target.clone(), place)).collect();
        for mount in shared {
            let there = places.get(&mount.target).copied();
            let taken = Mount {
                read_only: mount.read_only || read_only,
                nocopy: mount.kind == MountKind::Volume,
                spec: MountSpec::From,
                ..mount.clone()
            };
            match there {
                None => {
                    places.insert(taken.target.clone(), self.list.len());
                    self.list.push(taken);
                }
                Some(at) if self.list[at].spec == MountSpec::From => self.list[at] = taken,
                Some(_) => {}
            }
        }
    }
}
