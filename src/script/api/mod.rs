//! The functions of the language, one file per noun. A function is written once: its name, its
//! types and its doc comment are what `help`, completion and error messages show.
// Rhai's macros want its plugin prelude as a whole.
#![allow(clippy::wildcard_imports)]

mod build;
mod concurrency;
mod containers;
mod data;
mod events;
mod exec;
mod files;
mod find;
mod images;
mod lifecycle;
mod limits;
mod logs;
mod properties;
mod registry;
mod signature;
pub(super) mod stdlib;
mod store;
mod system;
mod teaching;
pub mod testing;
mod volumes;
mod wait_for;

use crate::script::docs::{ApiModule, Library};
use rhai::plugin::*;

/// The groups of functions, in the order of help.
pub const MODULES: &[ApiModule] = &[
    ApiModule { title: "Images", build: || exported_module!(images::images) },
    ApiModule { title: "Building images", build: || exported_module!(build::build) },
    ApiModule {
        title: "Images from files and containers",
        build: || exported_module!(files::files),
    },
    ApiModule { title: "Managing images", build: || exported_module!(store::store) },
    ApiModule { title: "Volumes", build: || exported_module!(volumes::volumes) },
    ApiModule { title: "Registries", build: || exported_module!(registry::registry) },
    ApiModule { title: "Creating containers", build: || exported_module!(containers::containers) },
    ApiModule { title: "Finding containers", build: || exported_module!(find::find) },
    ApiModule { title: "Life cycle", build: || exported_module!(lifecycle::lifecycle) },
    ApiModule { title: "Limits", build: limits::module },
    ApiModule { title: "Inside containers", build: || exported_module!(exec::processes) },
    ApiModule { title: "Logs", build: logs::module },
    ApiModule { title: "Waiting", build: || exported_module!(wait_for::waiting) },
    ApiModule {
        title: "Concurrency and cleanup",
        build: || exported_module!(concurrency::concurrency),
    },
    ApiModule { title: "Events", build: events::module },
    ApiModule { title: "Teaching", build: || exported_module!(teaching::teaching_functions) },
    ApiModule { title: "Properties", build: || exported_module!(properties::properties) },
    ApiModule { title: "Data", build: || exported_module!(data::data) },
    ApiModule { title: "System", build: || exported_module!(system::system) },
];

/// All functions of scripts: the groups, and the modules to import.
pub static LIBRARY: Library = Library::new(MODULES, stdlib::MODULES);

/// Returns all groups in one module.
pub fn module() -> Module {
    let mut all = Module::new();
    for part in MODULES {
        all.combine_flatten((part.build)());
    }
    all
}
