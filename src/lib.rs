//! lifebox: a scriptable container engine for Linux.
//!
//! One static binary, no daemon. The same functions serve a command line with Docker's verbs, a
//! REPL and `.rhai` scripts. Another program embeds the engine through three modules: what things
//! are ([`model`]), the contract and its native engine ([`engine`]), and the language
//! ([`script`]). Its `main` begins with [`dispatch`]. To serve ordinary users too, it calls
//! [`engine::enter_user_namespace`] before [`engine::open`].
//!
//! ```no_run
//! use std::path::PathBuf;
//! use std::process::ExitCode;
//!
//! use lifebox::engine::{self, Settings};
//!
//! fn main() -> ExitCode {
//!     if let Some(code) = lifebox::dispatch() {
//!         return ExitCode::from(code);
//!     }
//!     let settings = Settings {
//!         root: PathBuf::from("/var/lib/my-engine"),
//!         cgroup_parent: "my-engine".into(),
//!         storage: None,
//!         docker_config: None,
//!         registries: true,
//!     };
//!     match engine::open(&settings).and_then(|engine| engine.ps()) {
//!         Ok(containers) => {
//!             for container in containers {
//!                 println!("{} {}", container.state.name, container.state.status);
//!             }
//!             ExitCode::SUCCESS
//!         }
//!         Err(error) => {
//!             eprintln!("{error}");
//!             ExitCode::FAILURE
//!         }
//!     }
//! }
//! ```

pub mod engine;
pub mod model;
pub mod script;

// The program's own rooms: public for its `main` and its tests, and no interface of the library.
#[doc(hidden)]
pub mod cli;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
#[doc(hidden)]
pub mod image;
#[doc(hidden)]
pub mod repl;
#[doc(hidden)]
pub mod runtime;
#[doc(hidden)]
pub mod runtimetest;
#[doc(hidden)]
pub mod sys;
#[doc(hidden)]
pub mod ui;

/// Runs what this process was started for, if the engine started it: a monitor, the helper of an
/// exec, a resource reaper, or the init process of `--init`. Returns its exit code.
///
/// The engine starts these from the binary that it is part of, so `main` must begin with this
/// call, before it parses arguments or starts threads. Returns `None` in any other process.
pub fn dispatch() -> Option<u8> {
    if runtime::roles::is_role() {
        return Some(runtime::roles::run());
    }
    // In a container, where no file of the engine is.
    runtime::init::pid1::is_init().then(runtime::init::pid1::run)
}
