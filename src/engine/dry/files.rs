//! Files that would be copied: what the script writes is kept, all else can only be told.

use super::state::Dry;
use crate::engine::backend::{Cancel, CopyOptions, Transfer};
use crate::engine::native::transfer::lexical;
use crate::model::Result;
use crate::model::value::id::ContainerId;

impl Dry {
    pub(super) fn copied(
        &self,
        id: &ContainerId,
        what: Transfer<'_>,
        options: CopyOptions,
        cancel: &Cancel,
    ) -> Result<()> {
        let name = self.container(id)?.state.name;
        match what {
            Transfer::In { from, path } => {
                self.would(format_args!("copy {} to {name}:{path}", from.display()));
                self.forget(id, path);
            }
            Transfer::Out { path, to } => {
                self.would(format_args!("copy {name}:{path} to {}", to.display()));
            }
            Transfer::Write { path, content } => {
                self.would(format_args!("write {} bytes to {name}:{path}", content.len()));
                self.forget(id, path);
                self.world().entry(id)?.files.insert(lexical(path), content.to_vec());
            }
            Transfer::Unpack { path, .. } => {
                self.would(format_args!("unpack a tar into {name}:{path}"));
                self.forget(id, path);
            }
            Transfer::Read { path, content } => {
                if let Some(known) = self.world().entry(id)?.files.get(&lexical(path)) {
                    content.clone_from(known);
                    return Ok(());
                }
                if self.is_real(id) {
                    return self.real.copy(id, Transfer::Read { path, content }, options, cancel);
                }
                self.would(format_args!("read {name}:{path} (taken to be empty)"));
            }
            // It changes nothing.
            read @ Transfer::Pack { .. } => {
                if self.is_real(id) {
                    return self.real.copy(id, read, options, cancel);
                }
            }
        }
        Ok(())
    }

    /// What was written there before is there no more, for all that is known.
    fn forget(&self, id: &ContainerId, path: &str) {
        let path = lexical(path);
        if let Ok(entry) = self.world().entry(id) {
            entry.files.retain(|written, _| !written.starts_with(&path));
        }
    }
}
