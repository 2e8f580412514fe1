//! Files that would be copied: what the script writes is kept, all else can only be told.

use super::state::Dry;
use crate::engine::backend::{CancelToken, CopyOptions, Transfer};
use crate::engine::native::transfer::lexical;
use crate::model::Result;
use crate::model::value::id::ContainerId;

impl Dry {
    pub(super) fn copied(
        &self,
        id: &ContainerId,
        what: Transfer<'_>,
        options: CopyOptions,
        cancel: &CancelToken,
    ) -> Result<()> {
        let name = self.container(id)?.state.name;
        match what {
            Transfer::In { from, path } => {
                self.record(format_args!("copy {} to {name}:{path}", from.display()));
                self.invalidate(id, path);
            }
            Transfer::Out { path, to } => {
                self.record(format_args!("copy {name}:{path} to {}", to.display()));
            }
            Transfer::Write { path, content } => {
                self.record(format_args!("write {} bytes to {name}:{path}", content.len()));
                self.invalidate(id, path);
                self.state().entry(id)?.files.insert(lexical(path), content.to_vec());
            }
            Transfer::Unpack { path, .. } => {
                self.record(format_args!("unpack a tar into {name}:{path}"));
                self.invalidate(id, path);
            }
            Transfer::Read { path, content } => {
                if let Some(known) = self.state().entry(id)?.files.get(&lexical(path)) {
                    content.clone_from(known);
                    return Ok(());
                }
                if self.is_real(id) {
                    return self.inner.copy(id, Transfer::Read { path, content }, options, cancel);
                }
                self.record(format_args!("read {name}:{path} (taken to be empty)"));
            }
            // It changes nothing.
            read @ Transfer::Pack { .. } => {
                if self.is_real(id) {
                    return self.inner.copy(id, read, options, cancel);
                }
            }
        }
        Ok(())
    }

    /// What was written there before is there no more, for all that is known.
    fn invalidate(&self, id: &ContainerId, path: &str) {
        let path = lexical(path);
        if let Ok(entry) = self.state().entry(id) {
            entry.files.retain(|written, _| !written.starts_with(&path));
        }
    }
}
