//! Images as data: metadata, history, filters, build steps and disk usage.

pub mod build;
pub mod filter;
pub mod history;
pub mod metadata;
pub mod own;
pub mod stacking;
pub mod usage;

pub use metadata::{
    Compression, HostImage, Image, ImageConfig, ImageUser, Loaded, PullPolicy, Removed, SaveFormat,
    SaveOptions,
};
