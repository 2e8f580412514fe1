//! The contract about images: created, found, listed, tagged, archived, checked and removed.

use std::io::{Read, Write};
use std::path::Path;

use serde_json::Value;

use super::CancelToken;
use super::contract_macro::contract;
use crate::model::Result;
use crate::model::image::history::History;
use crate::model::image::usage::{ImageUsage, PruneOptions, Pruned, RemoveImageOptions};
use crate::model::image::{Image, Loaded, PullPolicy, Removed, SaveOptions};
use crate::model::observe::check_report::{CheckOptions, Report};
use crate::model::observe::introspection::ImageIntrospection;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;
use crate::model::value::reference::Reference;

contract! {
    /// The images that an engine keeps.
    pub trait Images, passed on by images($) {
        /// Finds the image that `reference` names: a reference, an id or the unique beginning of
        /// one. `host` is created from the host's own programs if it is missing.
        fn image(&self, reference: &str, pull: PullPolicy) -> Result<Image>;
        /// Returns all images, newest first.
        fn images(&self) -> Result<Vec<Image>>;
        /// Returns the id that each name stands for now, as [`Images::image`] takes names; `None`
        /// where there is no such image. It reads only the list of images.
        fn image_ids(&self, names: &[&str]) -> Result<Vec<Option<Digest>>>;
        /// Returns an image as Docker's JSON, without the array around it.
        fn image_json(&self, reference: &str) -> Result<Value>;
        /// Returns what an image is on disk.
        fn introspect_image(&self, reference: &str) -> Result<ImageIntrospection>;
        /// Creates an image from programs of the host, with the libraries that they need, under
        /// this name.
        fn image_from_host(&self, programs: &[&str], reference: &Reference) -> Result<Image>;
        /// Loads the images of an archive written by `docker save`, or of an OCI image layout in a
        /// tar or a directory. `-` in `archive` is resolved by the caller: here it is a path. Of an
        /// image for several platforms it loads the one for `platform`, or for the host.
        fn load(
            &self,
            archive: &Path,
            platform: Option<&Platform>,
            cancel: &CancelToken,
        ) -> Result<Vec<Loaded>>;
        /// Loads the images of an archive from a stream, such as standard input.
        fn load_stream(
            &self,
            archive: &mut (dyn Read + Send),
            platform: Option<&Platform>,
            cancel: &CancelToken,
        ) -> Result<Vec<Loaded>>;
        /// Writes images for other engines to a new file or directory, which appears only when it
        /// is complete.
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
        /// Tags an image; another image loses the tag. Returns the image.
        fn tag(&self, image: &str, reference: &Reference) -> Result<Image>;
        /// Returns the build steps of an image, the latest first.
        fn history(&self, image: &str) -> Result<Vec<History>>;
        /// Returns the disk usage of each image, newest first.
        fn image_usage(&self) -> Result<Vec<ImageUsage>>;
        /// Removes unused images, or lists them; never one that a container uses.
        fn prune_images(&self, options: &PruneOptions) -> Result<Pruned>;
        /// Checks all images and layers against their digests, and looks for leftovers. Running
        /// containers are left alone.
        fn check(&self, options: &CheckOptions, cancel: &CancelToken) -> Result<Report>;
        /// Removes a reference, and the image with its last reference. Refuses an image in use.
        fn rmi(&self, image: &str, options: &RemoveImageOptions) -> Result<Vec<Removed>>;
        /// Removes each of `images` as [`Images::rmi`] does, in one change of the list of images.
        /// Returns one result for each.
        fn rmi_each(
            &self,
            images: &[&str],
            options: &RemoveImageOptions,
        ) -> Result<Vec<Result<Vec<Removed>>>>;
    }
}
