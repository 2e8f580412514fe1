//! What runs between clone and exec.
//!
//! The process is a copy of the monitor with one thread. It walks a finished `Plan`, drops its
//! rights and executes the user's program. It decides nothing, prints nothing and never returns.
//!
//! With one thread init may allocate, so it walks paths and reads `/etc/passwd` as any program. It
//! formats no error text: a failure is one `Report`, (step, errno), on a pipe. The end of that pipe
//! means that exec succeeded.

pub mod device;
mod marks;
mod null;
pub mod passwd;
pub mod pid1;
pub(super) mod privileges;
pub(super) mod proc_self;
pub(super) mod read_etc;
pub(super) mod root_mount;
pub mod rooted_path;
mod runner;
pub(super) mod terminal;
pub(super) mod traced;
pub mod volume_copy_up;
mod volume_mount;

pub use self::runner::Init;
pub use self::volume_mount::{SharedVolume, create as open_volume};
