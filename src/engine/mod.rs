//! The contract between the commands, scripts and REPL above and a container engine below: the
//! trait `Backend` and its two engines, native and dry.

mod backend;
pub(crate) mod dockerfile;
pub mod dry;
mod native;
mod open;
mod rules;

pub(crate) use backend::pass_on;
pub use backend::{
    Attach, Backend, Builds, CancelToken, ContainerSession, Containers, CopyOptions, EventStream,
    Files, Images, LogStream, Observe, Processes, Registries, RootTarget, Transfer, Volumes,
};
pub use native::Settings;
pub use open::{check_owner, enter_user_namespace, open, open_fenced, open_read_only, remove_root};

pub(crate) use crate::image::stream;
pub use crate::image::write_atomic;
pub use crate::runtime::host::memory::bound as bound_memory;
pub use crate::runtime::trace;
