//! Formats records in the language as on the command line.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::model::container::Container;
use crate::model::image::Image;
use crate::model::observe::event::Event;
use crate::ui;

/// Returns the table of `ps`.
pub fn containers(list: &[Container]) -> String {
    ui::table::ps::containers(list, None, Timestamp::now(), false).trim_end().to_owned()
}

/// Returns a line of `events`.
pub fn event(event: &Event) -> String {
    ui::table::events::event(event, &TimeZone::system())
}

/// Returns the table of `images`.
pub fn images(list: &[Image]) -> String {
    ui::table::images::images(&ui::table::images::rows(list, false), Timestamp::now(), false, false)
        .trim_end()
        .to_owned()
}
