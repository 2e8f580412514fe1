//! Copies files between two trees that other processes may be changing: the host's and a
//! container's.
//!
//! A container is a descriptor of its root, and everything is done relative to it, following no
//! link: links are resolved as if the tree were the whole file system, and a path that is swapped
//! meanwhile makes an open fail and never leads out of the tree (CVE-2018-15664). Nothing of the
//! image is executed or loaded (CVE-2019-14271).

mod owner;
mod tree_path;
mod unpacking;

pub use owner::Owner;
pub use tree_path::{FinalLink, TreePath, copy, unpack_packed};
