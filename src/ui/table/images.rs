//! The table of `images`, with Docker's columns and template fields.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::ps::age;
use crate::model::image::Image;
use crate::model::value::digest::Digest;
use crate::model::value::reference::Reference;
use crate::model::value::units::{human_bytes, human_duration, human_size};
use crate::ui::format::columns::align;

/// The text for a missing repository, tag or digest.
const NONE: &str = "<none>";

/// A row of the table: an image under one of its references, or under none.
#[derive(Clone, Debug)]
pub struct Row<'a> {
    image: &'a Image,
    repository: String,
    tag: &'a str,
    digest: &'a str,
}

/// Returns the rows of these images: one for each tag, or one for an untagged image. With
/// `digests`, one for each tag and digest; without, a repository with digests only has one row
/// (docker/cli, `imageFormatTaggedAndDigest`).
pub fn rows(images: &[Image], digests: bool) -> Vec<Row<'_>> {
    let mut rows = Vec::with_capacity(images.len());
    for image in images {
        let start = rows.len();
        // By repository, as an image may have thousands of tags.
        let digests_of = by_repository(&image.digests);
        for tag in &image.tags {
            let repository = tag.repository();
            let row = |digest| Row {
                image,
                repository: repository.clone(),
                tag: tag.tag().unwrap_or(NONE),
                digest,
            };
            let known = digests_of.get(&repository).filter(|_| digests);
            match known {
                Some(known) => rows.extend(known.iter().copied().map(row)),
                None => rows.push(row(NONE)),
            }
        }
        let tagged: HashSet<String> = image.tags.iter().map(Reference::repository).collect();
        let mut shown: HashSet<String> = HashSet::new();
        for reference in &image.digests {
            let (repository, digest) = (reference.repository(), reference.digest());
            if !tagged.contains(&repository) && (shown.insert(repository.clone()) || digests) {
                let digest = digest.map_or(NONE, Digest::as_str);
                rows.push(Row { image, repository, tag: NONE, digest });
            }
        }
        if rows.len() == start {
            rows.push(Row { image, repository: NONE.to_owned(), tag: NONE, digest: NONE });
        }
    }
    rows
}

fn by_repository(references: &[Reference]) -> HashMap<String, Vec<&str>> {
    let mut found: HashMap<String, Vec<&str>> = HashMap::new();
    for reference in references {
        let digest = reference.digest().map(Digest::as_str);
        found.entry(reference.repository()).or_default().extend(digest);
    }
    found
}

/// Formats the table of `images`; `digests` adds a column.
pub fn images(rows: &[Row<'_>], now: Timestamp, no_trunc: bool, digests: bool) -> String {
    let heading = if digests { "DIGEST\t" } else { "" };
    let mut text = format!("REPOSITORY\tTAG\t{heading}IMAGE ID\tCREATED\tSIZE\n");
    for row in rows {
        let (created, size) = (row.created(now), human_size(row.image.size));
        let mut cells = vec![&row.repository, row.tag, row.digest, row.id(no_trunc)];
        if !digests {
            cells.remove(2);
        }
        cells.extend([created.as_str(), &size]);
        text.push_str(&cells.join("\t"));
        text.push('\n');
    }
    align(&text)
}

/// Returns a row as the fields of `images --format`; all values are text, as Docker's.
pub fn fields(row: &Row<'_>, now: Timestamp, zone: &TimeZone, no_trunc: bool) -> Value {
    let created = row.image.created.map_or_else(
        || "N/A".to_owned(),
        |time| time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string(),
    );
    let size = human_size(row.image.size);
    json!({
        "Containers": "N/A",
        "CreatedAt": created,
        "CreatedSince": row.created(now),
        "Digest": row.digest,
        "ID": row.id(no_trunc),
        "Repository": row.repository,
        "SharedSize": "N/A",
        "Size": size,
        "Tag": row.tag,
        "UniqueSize": "N/A",
        "VirtualSize": human_bytes(row.image.size),
    })
}

/// The template of `--format raw`.
pub const RAW: &str = "repository: {{.Repository}}\ntag: {{.Tag}}\nimage_id: {{.ID}}\n\
    created_at: {{.CreatedAt}}\nvirtual_size: {{.Size}}\n";

/// Returns the headings of the fields, for `table` templates.
pub fn headings() -> Value {
    json!({
        "Containers": "CONTAINERS", "CreatedAt": "CREATED AT", "CreatedSince": "CREATED",
        "Digest": "DIGEST", "ID": "IMAGE ID", "Repository": "REPOSITORY",
        "SharedSize": "SHARED SIZE", "Size": "SIZE", "Tag": "TAG", "UniqueSize": "UNIQUE SIZE",
        "VirtualSize": "SIZE",
    })
}

impl Row<'_> {
    /// Returns the image's id: short, or in full with `sha256:`.
    pub fn id(&self, no_trunc: bool) -> &str {
        if no_trunc { self.image.id.as_str() } else { self.image.id.short() }
    }

    /// Returns the image.
    pub fn image(&self) -> &'_ Image {
        self.image
    }

    fn created(&self, now: Timestamp) -> String {
        match self.image.created {
            Some(time) => format!("{} ago", human_duration(age(time, now))),
            None => "N/A".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;

    fn image(digit: &str, tags: &[&str], size: u64) -> Image {
        Image {
            id: format!("sha256:{}", digit.repeat(64)).parse().unwrap(),
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            created: Some(Timestamp::UNIX_EPOCH),
            size,
            ..Image::plain(0)
        }
    }

    #[test]
    fn each_tag_is_a_line_and_dangling_images_have_none() {
        let mut undated = image("c", &[], 0);
        undated.created = None;
        let mut pulled = image("b", &["team/app:1"], 97);
        let digest = |digit: &str| format!("@sha256:{}", digit.repeat(64));
        for name in ["team/app", "other"] {
            pulled.digests.push(format!("{name}{}", digest("d")).parse().unwrap());
        }
        pulled.digests.push(format!("other{}", digest("e")).parse().unwrap());
        let list = [image("a", &["alpine:3", "alpine"], 8_990), pulled, undated];
        let now = Timestamp::from_second(7200).unwrap();
        let shown = [false, true].map(|digests| images(&rows(&list, digests), now, false, digests));
        let shown =
            shown.join("\n").replace(&"d".repeat(64), "ddd").replace(&"e".repeat(64), "eee");
        expect![[r#"
            REPOSITORY   TAG       IMAGE ID       CREATED       SIZE
            alpine       3         aaaaaaaaaaaa   2 hours ago   8.99kB
            alpine       latest    aaaaaaaaaaaa   2 hours ago   8.99kB
            team/app     1         bbbbbbbbbbbb   2 hours ago   97B
            other        <none>    bbbbbbbbbbbb   2 hours ago   97B
            <none>       <none>    cccccccccccc   N/A           0B

            REPOSITORY   TAG       DIGEST                                                                    IMAGE ID       CREATED       SIZE
            alpine       3         <none>                                                                    aaaaaaaaaaaa   2 hours ago   8.99kB
            alpine       latest    <none>                                                                    aaaaaaaaaaaa   2 hours ago   8.99kB
            team/app     1         sha256:ddd   bbbbbbbbbbbb   2 hours ago   97B
            other        <none>    sha256:ddd   bbbbbbbbbbbb   2 hours ago   97B
            other        <none>    sha256:eee   bbbbbbbbbbbb   2 hours ago   97B
            <none>       <none>    <none>                                                                    cccccccccccc   N/A           0B
        "#]].assert_eq(&shown);
        let fields = fields(&rows(&list, true)[2], now, &TimeZone::UTC, true);
        assert_eq!(fields["Digest"], format!("sha256:{}", "d".repeat(64)));
        assert_eq!(fields["ID"], format!("sha256:{}", "b".repeat(64)));
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&fields), keys(&headings()));
    }
}
