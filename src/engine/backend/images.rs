//! The contract about images: made, found, listed, tagged, archived, checked and removed.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::Value;

use super::CancelToken;
use super::contract::contract;
use crate::model::Result;
use crate::model::image::history::History;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, RemoveImageOptions};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::observe::check_report::{CheckOptions, Report};
use crate::model::observe::introspection::ImageIntrospection;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;

contract! {
    /// The images that an engine keeps.
    pub trait Images, passed on by images($) {
        /// The image that `reference` names: a reference, an id or the unique beginning of one.
        /// `host` is made from this machine's own programs where it is missing.
        fn image(&self, reference: &str, pull: PullPolicy) -> Result<Image>;
        /// All images, newest first.
        fn images(&self) -> Result<Vec<Image>>;
        /// One image as Docker's JSON, without the array around it.
        fn image_json(&self, reference: &str) -> Result<Value>;
        /// What an image is on the disk.
        fn introspect_image(&self, reference: &str) -> Result<ImageIntrospection>;
        /// Makes an image of programs of this machine, with the libraries that they need, under
        /// this name.
        fn image_from_host(&self, programs: &[&str], reference: &Reference) -> Result<Image>;
        /// Takes the images of an archive written by `docker save`, or of an OCI image layout in a
        /// tar or a directory; `-` in `archive` is the caller's business, here it is a path. Of an
        /// image for several platforms it takes the one for `platform`, or for this machine.
        fn load(
            &self,
            archive: &Path,
            platform: Option<&Platform>,
            cancel: &CancelToken,
        ) -> Result<Vec<Loaded>>;
        /// Takes the images of an archive that arrives as a stream, such as standard input.
        fn load_stream(
            &self,
            archive: &mut (dyn Read + Send),
            platform: Option<&Platform>,
            cancel: &CancelToken,
        ) -> Result<Vec<Loaded>>;
        /// Writes images for other engines to a new file, or a new directory; it is there only when
        /// it is whole.
        fn save(
            &self,
            images: &[&str],
            options: &SaveOptions,
            path: &Path,
            cancel: &CancelToken,
        ) -> Result<()>;
        /// Writes images for other engines to a stream, such as standard output.
        fn save_stream(
            &self,
            images: &[&str],
            options: &SaveOptions,
            out: &mut (dyn Write + Send),
            cancel: &CancelToken,
        ) -> Result<()>;
        /// Gives an image a further tag, which another image may lose. Returns the image.
        fn tag(&self, image: &str, reference: &Reference) -> Result<Image>;
        /// The steps by which an image was made, the latest first.
        fn history(&self, image: &str) -> Result<Vec<History>>;
        /// What each image takes of the disk, newest first.
        fn image_usage(&self) -> Result<Vec<ImageUsage>>;
        /// Removes images that nobody needs, or tells which ones; never one that a container uses.
        fn prune_images(&self, options: &PruneOptions) -> Result<Pruned>;
        /// Holds all images and layers against their digests, and looks for leftovers. What runs is
        /// left alone.
        fn check(&self, options: &CheckOptions, cancel: &CancelToken) -> Result<Report>;
        /// Removes a reference, and the image with its last reference. Refuses an image in use.
        fn rmi(&self, image: &str, options: &RemoveImageOptions) -> Result<Vec<Removed>>;
    }
}
