//! Flags of Docker that have one value here: taken with it, refused by name with any other.

use clap::{ArgAction, Args};

use super::options::InvalidFlag;
use crate::model::value::platform::Platform;
use crate::model::value::units::parse_bytes;
use crate::model::value::visible;
use crate::model::{Error, Kind};

/// Flags of `create` and `run` with one value.
#[derive(Args, Debug, Default)]
pub struct FixedFlags {
    /// Runtime to use for this container; only the own one, which Docker calls runc
    #[arg(long, value_name = "NAME")]
    pub runtime: Option<String>,
    /// Whether images are verified.
    #[command(flatten)]
    pub trust: Trust,
    /// The limit of kernel memory.
    #[command(flatten)]
    pub kernel: KernelMemory,
}

/// A flag of `create`, `run` and `update` without effect.
#[derive(Args, Debug, Default)]
pub struct KernelMemory {
    /// Kernel memory limit, which kernels no longer have: without effect
    #[arg(long, value_name = "BYTES")]
    pub kernel_memory: Option<String>,
}

impl KernelMemory {
    /// Refuses what does not read as a size.
    ///
    /// # Errors
    /// [`Kind::Invalid`].
    pub fn check(&self) -> Result<(), InvalidFlag> {
        let size = self.kernel_memory.as_deref().map(parse_bytes).transpose();
        size.map(drop).map_err(|error| InvalidFlag {
            error: error.about("invalid argument for \"--kernel-memory\" flag"),
            by_client: true,
        })
    }

    /// Returns what Docker warns of.
    pub fn warning(&self) -> Option<&'static str> {
        self.kernel_memory.as_ref().map(|_| {
            "WARNING: Specifying a kernel memory limit is discontinued, and has no effect; use \
             --memory"
        })
    }
}

impl FixedFlags {
    /// Refuses other values.
    ///
    /// # Errors
    /// [`Kind::Unsupported`] for what only Docker has, [`Kind::Invalid`] for what it refuses too.
    pub fn check(&self) -> Result<(), InvalidFlag> {
        let runtimes = ["", "runc", "io.containerd.runc.v2", "lifebox"];
        only("runtime", self.runtime.as_deref(), &runtimes, false)?;
        self.trust.check()?;
        self.kernel.check()
    }
}

/// Flags of `build` with one value.
#[derive(Args, Debug, Default)]
pub struct FixedBuildFlags {
    /// Remove intermediate containers after a successful build, as always
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL")]
    pub rm: Option<bool>,
    /// Always remove intermediate containers, as always
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL")]
    pub force_rm: Option<bool>,
    /// Set platform of the build; only that of this host
    #[arg(long, value_name = "OS/ARCH[/VARIANT]")]
    pub platform: Option<Platform>,
    /// Load the image into the store, as always
    #[arg(long)]
    pub load: bool,
    /// Compress the build context, which is read where it is: without effect
    #[arg(long)]
    pub compress: bool,
    /// Images to consider as cache sources; the store's cache is always considered
    #[arg(long, value_name = "IMAGE")]
    pub cache_from: Vec<String>,
    /// Container isolation technology; only `default`
    #[arg(long, value_name = "NAME")]
    pub isolation: Option<String>,
    /// Attest how the image was built; only `false`
    #[arg(long, value_name = "false")]
    pub provenance: Option<String>,
    /// Attest what the image has in it; only `false`
    #[arg(long, value_name = "false")]
    pub sbom: Option<String>,
    /// Whether images are verified.
    #[command(flatten)]
    pub trust: Trust,
}

impl FixedBuildFlags {
    /// Refuses other values. Without `--platform` the build is for the platform `default`.
    ///
    /// # Errors
    /// [`Kind::Unsupported`].
    pub fn check(&self, default: Option<&Platform>) -> Result<(), InvalidFlag> {
        only("isolation", self.isolation.as_deref(), &["", "default"], false)?;
        only("provenance", self.provenance.as_deref(), &["", "false"], false)?;
        only("sbom", self.sbom.as_deref(), &["", "false"], false)?;
        self.trust.check()?;
        if self.rm == Some(false) && self.force_rm != Some(true) {
            let message = "--rm=false is not supported: no intermediate container is kept";
            let error = Error::new(Kind::Unsupported, message)
                .hint("run a step by hand: lifebox run -it IMAGE sh");
            return Err(InvalidFlag { error, by_client: false });
        }
        let host = Platform::host();
        let platform = self.platform.as_ref().or(default);
        match platform.filter(|platform| !host.accepts(platform)) {
            Some(platform) => {
                let message = format!("cannot build for {platform}: this host is {host}");
                let error = Error::new(Kind::Unsupported, message)
                    .hint(format!("write --platform {host}, or build on such a machine"));
                Err(InvalidFlag { error, by_client: false })
            }
            None => Ok(()),
        }
    }
}

/// A flag of all verbs that may bring an image, with one value.
#[derive(Args, Debug, Default)]
pub struct Trust {
    /// Skip image verification, as always
    #[arg(long, action = ArgAction::Set, num_args = 0..=1, require_equals = true,
          default_missing_value = "true", value_name = "BOOL")]
    pub disable_content_trust: Option<bool>,
}

impl Trust {
    /// Refuses to verify images, which nothing here can.
    ///
    /// # Errors
    /// [`Kind::Unsupported`].
    pub fn check(&self) -> Result<(), InvalidFlag> {
        if self.disable_content_trust != Some(false) {
            return Ok(());
        }
        let message = "--disable-content-trust=false is not supported: signatures are not verified";
        let error = Error::new(Kind::Unsupported, message)
            .hint("name the image by its digest: IMAGE@sha256:DIGEST");
        Err(InvalidFlag { error, by_client: true })
    }
}

/// Refuses all values but `known`.
///
/// # Errors
/// [`Kind::Unsupported`].
pub fn only(
    flag: &str,
    value: Option<&str>,
    known: &[&str],
    by_client: bool,
) -> Result<(), InvalidFlag> {
    match value.filter(|value| !known.contains(value)) {
        Some(value) => {
            let message = format!("--{flag} {} is not supported", visible::short(value));
            let usual = known.iter().find(|word| !word.is_empty()).unwrap_or(&"");
            let error = Error::new(Kind::Unsupported, message)
                .hint(format!("write --{flag} {usual}, or leave it out"));
            Err(InvalidFlag { error, by_client })
        }
        None => Ok(()),
    }
}
