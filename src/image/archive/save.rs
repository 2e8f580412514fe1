//! Writes images for other engines: what `docker load`, `podman load` and skopeo read.
//!
//! An archive for Docker is, as Docker's own since 25.0, an OCI image layout with a `manifest.json`
//! beside it, its layers uncompressed. The OCI formats contain manifests and layers exactly as
//! stored, so the digests stay those of the registry.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::Path;

use once_cell::unsync::OnceCell;
use serde_json::{Value, json};

use crate::image::bytes::atomic_file::write_atomic;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::image::bytes::compression::{Compression, compress};
use crate::image::bytes::spool::{self, SpoolWriter, digest_of};
use crate::image::bytes::staging::Staging;
use crate::image::layer;
use crate::image::store::handle::scratch;
use crate::image::store::import::media_type;
use crate::image::store::index::{Index, MEDIA_CONFIG, MEDIA_INDEX, MEDIA_MANIFEST};
use crate::image::store::lookup::Lookup;
use crate::image::store::{Store, as_reference};
use crate::image::tar::error::corrupt;
use crate::model::error::Context;
use crate::model::image::{Image, SaveFormat, SaveOptions};
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::{Error, Result};
use crate::sys::inherited::users_mode;
use crate::sys::{fs, tree};

/// An image to save, with the requested names.
struct Saved {
    image: Image,
    tags: Vec<Reference>,
}

/// A blob to write.
struct Blob {
    digest: Digest,
    size: u64,
    media_type: String,
}

impl Store {
    /// Writes the images that `queries` name to a new file, which appears only when it is complete,
    /// or to a new directory.
    pub fn save_file(
        &self,
        queries: &[&str],
        options: &SaveOptions,
        path: &Path,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        let failed = || format!("cannot save to `{}`", path.display());
        if options.format == SaveFormat::OciDirectory {
            return self.save_directory(queries, options, path, check).context(failed);
        }
        write_atomic(path, check, |out| self.save(queries, options, out, check)).context(failed)
    }

    /// Writes the images that `queries` name to a stream, as an archive.
    pub fn save(
        &self,
        queries: &[&str],
        options: &SaveOptions,
        out: &mut (dyn Write + Send),
        check: CancelCheck<'_>,
    ) -> Result<()> {
        let writing = |error: io::Error| Error::from_io("write the archive", &error);
        let whole = options.compress.filter(|_| options.format == SaveFormat::Docker);
        let mut out = compress(out, whole)?;
        let mut target = Target::Tar(&mut out);
        self.save_to(queries, options, &mut target, check)?;
        // Two blocks of zeros end a tar (pax(1)).
        out.write_all(&[0; 1024]).map_err(writing)?;
        out.finish()
    }

    fn save_directory(
        &self,
        queries: &[&str],
        options: &SaveOptions,
        path: &Path,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        let mut directory = std::fs::DirBuilder::new();
        directory.mode(users_mode(0o777));
        directory.create(path).context(|| "create the directory".to_owned())?;
        let mut save = || {
            directory
                .recursive(true)
                .create(path.join("blobs/sha256"))
                .context(|| "create the directory of blobs".to_owned())?;
            let mut target = Target::<io::Sink>::Directory(fs::open_dir(path)?);
            self.save_to(queries, options, &mut target, check)
        };
        save().inspect_err(|_| {
            let _ = tree::remove_tree_at(path);
        })
    }

    fn save_to<W: Write>(
        &self,
        queries: &[&str],
        options: &SaveOptions,
        target: &mut Target<'_, W>,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        let images = self.all_saved(queries)?;
        let staging = scratch(self.staging())?;
        let mut writer = Writer {
            store: self,
            staging: &staging,
            options,
            target,
            written: BTreeSet::new(),
            check,
        };
        let mut manifests = Vec::new();
        let mut listed = Vec::new();
        for saved in &images {
            let (manifest, layers) = writer.image(saved)?;
            listed.push(json!({
                "Config": blob_name(&saved.image.id),
                "RepoTags": saved.tags.iter().map(Reference::familiar).collect::<Vec<_>>(),
                "Layers": layers.iter().map(|layer| blob_name(&layer.digest)).collect::<Vec<_>>(),
            }));
            manifests.extend(index_entries(saved, &manifest));
        }
        let index = json!({
            "schemaVersion": 2, "mediaType": MEDIA_INDEX, "manifests": manifests,
        });
        writer.document("oci-layout", &json!({ "imageLayoutVersion": "1.0.0" }))?;
        writer.document("index.json", &index)?;
        if options.format == SaveFormat::Docker {
            writer.document("manifest.json", &Value::Array(listed))?;
        }
        Ok(())
    }

    fn all_saved(&self, queries: &[&str]) -> Result<Vec<Saved>> {
        let index = Index::read(self.images())?;
        let (lookup, all) = (Lookup::new(self, &index), OnceCell::new());
        let all = || all.get_or_init(|| self.list_of(&index)).as_slice();
        let saved = queries.iter().map(|query| saved(query, &lookup, &all));
        Ok(saved.collect::<Result<Vec<_>>>()?.into_iter().flatten().collect())
    }
}

/// Returns the images that `query` names, with the requested tags: all of a repository if it has no
/// tag, as in Docker; none if it is an id. `all` returns all images.
fn saved<'a>(
    query: &str,
    lookup: &Lookup<'_>,
    all: &dyn Fn() -> &'a [Image],
) -> Result<Vec<Saved>> {
    let requested = as_reference(query).filter(|requested| requested.digest().is_none());
    let bare = requested.as_ref().filter(|requested| requested.familiar() != query);
    let bare = bare.filter(|requested| requested.to_string() != query);
    if let Some(repository) = bare.map(Reference::repository) {
        let named = all().iter().map(|image| {
            let tags = image.tags.iter().filter(|tag| tag.repository() == repository);
            (tags.cloned().collect::<Vec<_>>(), image)
        });
        let named = named.filter(|(tags, _)| !tags.is_empty());
        let named: Vec<_> =
            named.map(|(tags, image)| Saved { tags, image: image.clone() }).collect();
        if !named.is_empty() {
            return Ok(named);
        }
    }
    let image = lookup.find(query)?;
    let tags = requested.into_iter().filter(|requested| image.tags.contains(requested)).collect();
    Ok(vec![Saved { image, tags }])
}

/// The destination of an archive.
enum Target<'a, W> {
    Tar(&'a mut W),
    Directory(OwnedFd),
}

impl<W: Write> Target<'_, W> {
    /// Writes a file of `size` bytes.
    fn file(
        &mut self,
        name: &str,
        size: u64,
        mut content: impl Read,
        check: CancelCheck<'_>,
    ) -> Result<()> {
        match self {
            Target::Directory(directory) => {
                let file = create_beneath(directory, name)?;
                spool::copy(&mut content, file, size, check)?;
            }
            Target::Tar(out) => {
                let writing = |error: io::Error| Error::from_io("write the archive", &error);
                let mut header = tar::Header::new_gnu();
                header.set_path(name).map_err(writing)?;
                header.set_size(size);
                header.set_mode(0o644);
                header.set_mtime(0);
                header.set_cksum();
                out.write_all(header.as_bytes()).map_err(writing)?;
                copy_exactly(&mut content, out, size, check)?;
                let padding = usize::try_from(size.next_multiple_of(512) - size).unwrap_or(0);
                out.write_all(&[0; 512][..padding]).map_err(writing)?;
            }
        }
        // Readers check digests at the end.
        let more = io::copy(&mut content, &mut io::sink())
            .map_err(|error| Error::from_io("read the store", &error))?;
        if more == 0 { Ok(()) } else { Err(corrupt(format!("`{name}` is longer than it was"))) }
    }
}

fn create_beneath(directory: &OwnedFd, name: &str) -> Result<OwnedFd> {
    match name.rsplit_once('/') {
        None => fs::create_file(directory, name.as_bytes()),
        Some((holder, name)) => {
            fs::create_file(fs::open_dir_beneath(directory, holder.as_bytes())?, name.as_bytes())
        }
    }
}

fn copy_exactly(
    content: &mut impl Read,
    out: &mut impl Write,
    size: u64,
    check: CancelCheck<'_>,
) -> Result<()> {
    let mut buffer = vec![0; 128 * 1024];
    let mut left = size;
    while left > 0 {
        check()?;
        let part = usize::try_from(left).unwrap_or(usize::MAX).min(buffer.len());
        let count = content
            .read(&mut buffer[..part])
            .map_err(|error| Error::from_io("read the store", &error))?;
        if count == 0 {
            return Err(corrupt("a layer is shorter than it was"));
        }
        out.write_all(&buffer[..count])
            .map_err(|error| Error::from_io("write the archive", &error))?;
        left -= count as u64;
    }
    Ok(())
}

struct Writer<'a, 'b, W> {
    store: &'a Store,
    staging: &'a Staging,
    options: &'a SaveOptions,
    target: &'a mut Target<'b, W>,
    /// The written blobs: images share layers, and each blob is written once.
    written: BTreeSet<Digest>,
    check: CancelCheck<'a>,
}

impl<W: Write> Writer<'_, '_, W> {
    /// Writes the blobs of one image; returns its manifest and layers.
    fn image(&mut self, saved: &Saved) -> Result<(Blob, Vec<Blob>)> {
        let image = &saved.image;
        let config = self.store.read_blob(&image.id)?;
        let config_size = config.len() as u64;
        self.bytes(&image.id, &config)?;
        let (docker, compress) = (self.options.format == SaveFormat::Docker, self.options.compress);
        let kept = image.manifest.as_ref().filter(|_| !docker && compress.is_none());
        let mut layers = Vec::new();
        for number in 0..image.layers.len() {
            layers.push(match (docker, compress) {
                (true, _) => self.plain_layer(image, number)?,
                (false, None) => self.kept_layer(image, number)?,
                (false, Some(compression)) => self.packed_layer(image, number, compression)?,
            });
        }
        let bytes = match kept {
            Some(manifest) => self.store.read_blob(manifest)?,
            None => written_manifest(&image.id, config_size, &layers).to_string().into_bytes(),
        };
        let manifest: Value = serde_json::from_slice(&bytes)
            .map_err(|error| corrupt(format!("its manifest is damaged: {error}")))?;
        let media_type = manifest.get("mediaType").and_then(Value::as_str);
        let manifest = Blob {
            digest: digest_of(&bytes),
            size: bytes.len() as u64,
            media_type: media_type.unwrap_or(MEDIA_MANIFEST).to_owned(),
        };
        self.bytes(&manifest.digest, &bytes)?;
        Ok((manifest, layers))
    }

    /// Returns a layer as a plain tar.
    fn plain_layer(&mut self, image: &Image, number: usize) -> Result<Blob> {
        let digest = image.diff_ids().into_iter().nth(number);
        let digest = digest.ok_or_else(|| corrupt(format!("it has no layer {number}")))?;
        let size = match layer::tar_size(self.store.images(), &image.layers[number]) {
            Some(size) => size,
            // The size is only known after reading.
            None => io::copy(&mut self.store.layer_tar(image, number)?, &mut io::sink())
                .map_err(|error| Error::from_io("read a layer", &error))?,
        };
        if self.written.insert(digest.clone()) {
            let content = self.store.layer_tar(image, number)?;
            self.target.file(&blob_name(&digest), size, content, self.check)?;
        }
        Ok(Blob { digest, size, media_type: media_type(None) })
    }

    /// Returns a layer exactly as stored.
    fn kept_layer(&mut self, image: &Image, number: usize) -> Result<Blob> {
        let (descriptor, content) = self.store.open_blob(image, number)?;
        let (digest, size) = (descriptor.digest, descriptor.size);
        if self.written.insert(digest.clone()) {
            self.target.file(&blob_name(&digest), size, content, self.check)?;
        }
        Ok(Blob { digest, size, media_type: descriptor.media_type })
    }

    /// Returns a layer with the requested compression; one that has it already is unchanged.
    fn packed_layer(
        &mut self,
        image: &Image,
        number: usize,
        compression: Compression,
    ) -> Result<Blob> {
        let (descriptor, _) = self.store.open_blob(image, number)?;
        let suffix = match compression {
            Compression::Gzip => "gzip",
            Compression::Zstd => "zstd",
        };
        if descriptor.media_type.ends_with(suffix) {
            return self.kept_layer(image, number);
        }
        let tar = self.store.layer_tar(image, number)?;
        let name = format!("packed-{number}-{}", image.id.short());
        let spooled = pack(self.staging, &name, tar, compression, self.check)?;
        if self.written.insert(spooled.digest.clone()) {
            let file = fs::open_file_beneath(self.staging.directory(), name.as_bytes())?;
            let file = File::from(file);
            self.target.file(&blob_name(&spooled.digest), spooled.size, file, self.check)?;
        }
        fs::unlink(self.staging.directory(), name.as_bytes())?;
        let media_type = media_type(Some(compression));
        Ok(Blob { digest: spooled.digest, size: spooled.size, media_type })
    }

    fn bytes(&mut self, digest: &Digest, bytes: &[u8]) -> Result<()> {
        if self.written.insert(digest.clone()) {
            self.target.file(&blob_name(digest), bytes.len() as u64, bytes, self.check)?;
        }
        Ok(())
    }

    fn document(&mut self, name: &str, value: &Value) -> Result<()> {
        let bytes = value.to_string().into_bytes();
        self.target.file(name, bytes.len() as u64, &bytes[..], self.check)
    }
}

/// Compresses a layer into a file of the staging directory.
pub(crate) fn pack(
    staging: &Staging,
    name: &str,
    mut tar: impl Read,
    compression: Compression,
    check: CancelCheck<'_>,
) -> Result<spool::Spooled> {
    let mut writer = SpoolWriter::create(staging.directory(), name)?;
    let mut packed = compress(&mut writer, Some(compression))?;
    let mut buffer = vec![0; 128 * 1024];
    loop {
        check()?;
        let count =
            tar.read(&mut buffer).map_err(|error| Error::from_io("read a layer", &error))?;
        if count == 0 {
            break;
        }
        packed
            .write_all(&buffer[..count])
            .map_err(|error| Error::from_io("compress a layer", &error))?;
    }
    packed.finish()?;
    Ok(writer.finish())
}

fn blob_name(digest: &Digest) -> String {
    format!("blobs/sha256/{}", digest.hex())
}

fn written_manifest(id: &Digest, config_size: u64, layers: &[Blob]) -> Value {
    let layer = |layer: &Blob| json!({ "mediaType": layer.media_type, "digest": layer.digest, "size": layer.size });
    json!({
        "schemaVersion": 2,
        "mediaType": MEDIA_MANIFEST,
        "config": { "mediaType": MEDIA_CONFIG, "digest": id, "size": config_size },
        "layers": layers.iter().map(layer).collect::<Vec<_>>(),
    })
}

/// Returns one entry for each tag: skopeo reads the bare tag, containerd the full reference.
fn index_entries(saved: &Saved, manifest: &Blob) -> Vec<Value> {
    let entry = |annotations: Value| {
        let mut entry = json!({
            "mediaType": manifest.media_type,
            "digest": manifest.digest,
            "size": manifest.size,
            "platform": { "os": saved.image.os, "architecture": saved.image.architecture },
        });
        if annotations != Value::Null {
            entry["annotations"] = annotations;
        }
        entry
    };
    if saved.tags.is_empty() {
        return vec![entry(Value::Null)];
    }
    let named = |tag: &Reference| {
        entry(json!({
            "io.containerd.image.name": tag.to_string(),
            "org.opencontainers.image.ref.name": tag.tag(),
        }))
    };
    saved.tags.iter().map(named).collect()
}

#[cfg(test)]
#[path = "tests/save.rs"]
mod tests;
