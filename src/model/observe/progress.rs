//! What happens while images travel, as values: the faces turn them into lines and bars.

use std::fmt;

use crate::model::image::Image;
use crate::model::value::digest::Digest;
use crate::model::value::platform::Platform;

/// Something that happened during a pull or a push. Layers are named by the digest of their blob.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// An image that is wanted is not here, so it is pulled. As the user wrote it, with its tag.
    Missing(String),
    /// The registry is asked for a tag or digest of a repository, `library/alpine`.
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
    /// A layer has come to this point.
    Layer(Digest, Step),
    /// A connection broke, or the registry asked to wait; it goes on in so many seconds.
    Waiting {
        /// Why.
        reason: String,
        /// How long.
        seconds: u64,
    },
    /// It is over, well or not.
    End,
}

/// How far a layer is.
#[derive(Clone, Debug, PartialEq)]
pub enum Step {
    /// To be fetched.
    Waiting,
    /// The store has it.
    Exists,
    /// So many bytes have come, of so many.
    Downloading(u64, u64),
    /// It has come, and is what it should be.
    Downloaded,
    /// It is being unpacked.
    Unpacking,
    /// It is in the store.
    Done,
    /// To be sent.
    Preparing,
    /// So many bytes were sent, of so many.
    Uploading(u64, u64),
    /// The registry has it.
    Pushed,
    /// The registry had it.
    AlreadyExists,
    /// The registry took it from another repository of its own.
    Mounted(String),
}

/// Who is told. Called from several threads.
pub trait Progress: Send + Sync + fmt::Debug {
    /// Something happened.
    fn report(&self, event: &Event);
}

/// Nobody.
#[derive(Clone, Copy, Debug)]
pub struct NoProgress;

impl Progress for NoProgress {
    fn report(&self, _: &Event) {}
}

/// How to pull.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PullOptions {
    /// For which platform; this machine's where unset.
    pub platform: Option<Platform>,
    /// How to reach the registry.
    pub access: Access,
}

/// How to reach a registry.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Access {
    /// Allow a registry without TLS, or with a certificate that nobody vouches for. Registries on
    /// this machine (loopback addresses, `localhost`) may always go without TLS.
    pub insecure: bool,
}

/// What a pull brought.
#[derive(Clone, Debug, PartialEq)]
pub struct Pulled {
    /// The image.
    pub image: Image,
    /// The digest of what the reference named, an index where it is one.
    pub digest: Digest,
    /// Whether the image was not here under this reference before.
    pub newer: bool,
}

/// What a push left in the registry.
#[derive(Clone, Debug, PartialEq)]
pub struct Pushed {
    /// The digest of the manifest.
    pub digest: Digest,
    /// Its size in bytes.
    pub size: u64,
}
