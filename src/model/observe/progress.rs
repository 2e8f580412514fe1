//! Progress of pulls and pushes, as values that the faces turn into lines and bars.

use std::fmt;

use crate::model::image::Image;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;

/// An event of a pull or a push. Layers are named by the digest of their blob.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An image is missing and will be pulled. Holds the reference as the user wrote it, with its
    /// tag.
    Missing(String),
    /// A pull begins, of a tag or digest of the repository `library/alpine`.
    Pulling {
        /// The tag, or the digest.
        name: String,
        /// The repository inside the registry.
        repository: String,
    },
    /// A push begins; the repository with its registry, `docker.io/library/alpine`.
    Pushing {
        /// The repository.
        repository: String,
    },
    /// A layer has reached this step.
    Layer(Digest, Step),
    /// A connection broke, or the registry asked to wait; the next attempt follows in `seconds`.
    Waiting {
        /// Why.
        reason: String,
        /// The seconds until the next attempt.
        seconds: u64,
    },
    /// The pull or push has ended, successful or not.
    End,
}

/// The step that a layer has reached.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// Waits for its download.
    Waiting,
    /// The store has the layer already.
    Exists,
    /// Bytes received, and the total.
    Downloading(u64, u64),
    /// Received and verified.
    Downloaded,
    /// Being unpacked.
    Unpacking,
    /// In the store.
    Done,
    /// Waits for its upload.
    Preparing,
    /// Bytes sent, and the total.
    Uploading(u64, u64),
    /// Sent completely.
    Pushed,
    /// The registry had the layer already.
    AlreadyExists,
    /// The registry mounted the layer from another repository.
    Mounted(String),
}

/// A receiver of progress events. Called from several threads.
pub trait Progress: Send + Sync + fmt::Debug {
    /// Reports an event.
    fn report(&self, event: &Event);
}

/// Ignores all events.
#[derive(Clone, Copy, Debug)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&self, _: &Event) {}
}

/// The options of `pull`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PullOptions {
    /// The platform; the host's where unset.
    pub platform: Option<Platform>,
    /// How to connect to the registry.
    pub access: Access,
}

/// How to connect to a registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Allow a registry without TLS, or with a certificate of an unknown authority. Registries on
    /// the host itself (loopback addresses, `localhost`) may always go without TLS.
    pub insecure: bool,
}

/// The result of a pull.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulled {
    /// The image.
    pub image: Image,
    /// The digest of the manifest or index that the reference named.
    pub digest: Digest,
    /// Whether the image is new under this reference.
    pub newer: bool,
}

/// The result of a push.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    /// The digest of the manifest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}
