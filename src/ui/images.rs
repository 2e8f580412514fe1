//! Images as `images` shows them: Docker's columns and template fields.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::columns::align;
use super::ps::age;
use crate::model::image::Image;
use crate::model::reference::Reference;
use crate::model::units::{human_duration, human_size};

/// What stands where an image has no repository, tag or digest.
const NONE: &str = "<none>";

/// One line of the table: an image under one of its references, or under none.
#[derive(Clone, Copy, Debug)]
pub struct Row<'a> {
    image: &'a Image,
    tag: Option<&'a Reference>,
}

/// The lines of these images: one for each reference, or one for an image without.
pub fn rows(images: &[Image]) -> Vec<Row<'_>> {
    let mut rows = Vec::with_capacity(images.len());
    for image in images {
        rows.extend(image.tags.iter().map(|tag| Row { image, tag: Some(tag) }));
        if image.tags.is_empty() {
            rows.push(Row { image, tag: None });
        }
    }
    rows
}

/// The table of `images`.
pub fn images(rows: &[Row<'_>], now: Timestamp, no_trunc: bool) -> String {
    let mut text = String::from("REPOSITORY\tTAG\tIMAGE ID\tCREATED\tSIZE\n");
    for row in rows {
        let size = human_size(row.image.size);
        let cells = [&row.repository(), row.tag(), row.id(no_trunc), &row.created(now), &size];
        text.push_str(&cells.map(|cell| cell).join("\t"));
        text.push('\n');
    }
    align(&text)
}

/// A line as the fields that `images --format` knows; all values are text, as Docker's.
pub fn fields(row: &Row<'_>, now: Timestamp, zone: &TimeZone, no_trunc: bool) -> Value {
    let created = row.image.created.map_or_else(
        || "N/A".to_owned(),
        |time| time.to_zoned_datetime(zone.clone()).strftime("%Y-%m-%d %H:%M:%S %z %Z").to_string(),
    );
    let digest = row.tag.and_then(Reference::digest).map_or(NONE, |digest| digest.as_str());
    let size = human_size(row.image.size);
    json!({
        "Containers": "N/A",
        "CreatedAt": created,
        "CreatedSince": row.created(now),
        "Digest": digest,
        "ID": row.id(no_trunc),
        "Repository": row.repository(),
        "SharedSize": "N/A",
        "Size": size,
        "Tag": row.tag(),
        "UniqueSize": "N/A",
        "VirtualSize": size,
    })
}

/// The headings of the fields, for a `table` of one's own.
pub fn headings() -> Value {
    json!({
        "Containers": "CONTAINERS", "CreatedAt": "CREATED AT", "CreatedSince": "CREATED",
        "Digest": "DIGEST", "ID": "IMAGE ID", "Repository": "REPOSITORY",
        "SharedSize": "SHARED SIZE", "Size": "SIZE", "Tag": "TAG", "UniqueSize": "UNIQUE SIZE",
        "VirtualSize": "SIZE",
    })
}

impl Row<'_> {
    /// The image's id: short, or whole with its `sha256:`.
    pub fn id(&self, no_trunc: bool) -> &str {
        if no_trunc { self.image.id.as_str() } else { self.image.id.short() }
    }

    fn repository(&self) -> String {
        self.tag.map_or_else(|| NONE.to_owned(), Reference::repository)
    }

    fn tag(&self) -> &str {
        self.tag.and_then(Reference::tag).unwrap_or(NONE)
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
    use crate::model::image::ImageConfig;

    fn image(digit: &str, tags: &[&str], size: u64) -> Image {
        Image {
            id: format!("sha256:{}", digit.repeat(64)).parse().unwrap(),
            tags: tags.iter().map(|tag| tag.parse().unwrap()).collect(),
            digests: vec![],
            manifest: None,
            parent: None,
            intermediate: false,
            created: Some(Timestamp::UNIX_EPOCH),
            tagged: None,
            size,
            layers: vec![],
            architecture: "amd64".into(),
            os: "linux".into(),
            config: ImageConfig::default(),
            document: Value::Null,
        }
    }

    #[test]
    fn each_reference_is_a_line_and_dangling_images_have_none() {
        let mut undated = image("c", &[], 0);
        undated.created = None;
        let digest = format!("team/app@sha256:{}", "d".repeat(64));
        let list =
            [image("a", &["alpine:3", "alpine"], 8_990), image("b", &[&digest], 97), undated];
        let now = Timestamp::from_second(7200).unwrap();
        expect![[r#"
            REPOSITORY   TAG       IMAGE ID       CREATED       SIZE
            alpine       3         aaaaaaaaaaaa   2 hours ago   8.99kB
            alpine       latest    aaaaaaaaaaaa   2 hours ago   8.99kB
            team/app     <none>    bbbbbbbbbbbb   2 hours ago   97B
            <none>       <none>    cccccccccccc   N/A           0B
        "#]]
        .assert_eq(&images(&rows(&list), now, false));
        let fields = fields(&rows(&list)[2], now, &TimeZone::UTC, true);
        assert_eq!(fields["Digest"], format!("sha256:{}", "d".repeat(64)));
        assert_eq!(fields["ID"], format!("sha256:{}", "b".repeat(64)));
        let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(keys(&fields), keys(&headings()));
    }
}
