//! `logs`: prints a container's output, byte for byte.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use super::context::CommandContext;
use crate::cli::arguments::LogsArguments;
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::cli::terminal::time_arg::time_arg;
use crate::model::Result;
use crate::model::container::Container;
use crate::model::observe::log::{LogLine, LogOptions, Stream, log_details};
use crate::ui::format::template::Template;

/// Carries out `logs`.
///
/// # Errors
/// When the log cannot be read, or the output cannot be written.
pub fn logs(
    context: &CommandContext,
    terminal: &mut Terminal,
    arguments: &LogsArguments,
) -> CommandResult {
    let options = options(arguments, Timestamp::now())?;
    let backend = context.backend()?;
    let id = backend.find(&arguments.name)?;
    let cancel = match options.follow {
        true => context.interruptible()?,
        false => context.cancel(),
    };
    let mut lines = backend.logs(&id, &options)?;
    let details = match arguments.details {
        true => Some(details(&backend.inspect(&id)?)?),
        false => None,
    };
    let mut writer = Writer { timestamps: arguments.timestamps, details, ..Writer::default() };
    // Existing records are read without waiting.
    while let Some(line) = terminal.before_wait(|timeout| lines.next_line(timeout, cancel))? {
        if let Some(lost) = &line.lost {
            terminal.notice(format_args!("[lifebox: {lost}]"))?;
            if line.bytes.is_empty() {
                continue;
            }
        }
        match line.stream {
            Stream::Stdout => writer.write(&line, terminal.out()?)?,
            Stream::Stderr => writer.write(&line, terminal.err()?)?,
        }
    }
    Ok(0)
}

fn options(arguments: &LogsArguments, now: Timestamp) -> Result<LogOptions> {
    let time = |text: &Option<String>| {
        // As Docker: a zero is none.
        let given = text.as_deref().filter(|text| !matches!(*text, "" | "0"));
        given.map(|text| time_arg(text, now, TimeZone::system)).transpose()
    };
    Ok(LogOptions {
        follow: arguments.follow,
        across_restarts: false,
        // As Docker: a negative or malformed number means all.
        tail: arguments.tail.parse().ok(),
        since: time(&arguments.since)?,
        until: time(&arguments.until)?,
        stream: None,
    })
}

/// Returns the labels, variables and the tag that the options of the log name, escaped as in a URL.
fn details(container: &Container) -> Result<String> {
    let mut all = log_details(&container.spec);
    if let Some(tag) = tag(container)? {
        all.insert("tag".to_owned(), tag);
    }
    let pairs = all.iter().map(|(key, value)| format!("{}={}", escaped(key), escaped(value)));
    Ok(pairs.collect::<Vec<_>>().join(","))
}

/// Returns the tag, a template of Docker's that is filled with the container.
fn tag(container: &Container) -> Result<Option<String>> {
    let options = &container.spec.host_config.supervision.log_options;
    let Some(text) = options.get("tag").filter(|text| !text.is_empty()) else { return Ok(None) };
    let (spec, image) = (&container.spec, &container.spec.image);
    let fields = json!({
        "ID": spec.id.short(),
        "FullID": spec.id.as_str(),
        "Name": container.state.name.as_str(),
        "ImageID": image.id.hex().get(..12),
        "ImageFullID": image.id.as_str(),
        "ImageName": image.reference,
        "DaemonName": "docker",
        "Command": spec.config.argv().join(" "),
    });
    Template::parse(text)?.render(&fields).map(Some)
}

/// Escapes a text as Go's `url.QueryEscape` does.
fn escaped(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    let escape = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        byte if plain(byte) => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(escape).collect()
}

/// Writes records, with a timestamp at the beginning of each line.
#[derive(Debug, Default)]
struct Writer {
    timestamps: bool,
    /// What is written before each line, but for the space after it.
    details: Option<String>,
    /// Whether the last record of standard output and of standard error lacked its newline.
    open: [bool; 2],
}

impl Writer {
    fn write(&mut self, line: &LogLine, to: &mut impl Write) -> io::Result<()> {
        let open = &mut self.open[usize::from(line.stream == Stream::Stderr)];
        // A line longer than a record has only one timestamp, at its beginning.
        if self.timestamps && !*open {
            write!(to, "{} ", line.time.strftime("%Y-%m-%dT%H:%M:%S.%9fZ"))?;
        }
        if let Some(details) = self.details.as_ref().filter(|_| !*open) {
            write!(to, "{details} ")?;
        }
        *open = !line.bytes.ends_with(b"\n");
        to.write_all(&line.bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_stamps_have_a_fixed_width_and_stand_at_the_beginning_of_lines() {
        let mut writer = Writer { timestamps: true, ..Writer::default() };
        let mut text = Vec::new();
        for (stream, bytes) in [
            (Stream::Stdout, "long"),
            (Stream::Stderr, "other\n"),
            (Stream::Stdout, "er\n"),
            (Stream::Stdout, "next\n"),
        ] {
            let time = Timestamp::new(0, 120_000_000).unwrap();
            writer
                .write(&LogLine { time, stream, bytes: bytes.into(), lost: None }, &mut text)
                .unwrap();
        }
        let time = "1970-01-01T00:00:00.120000000Z ";
        let expected = format!("{time}long{time}other\ner\n{time}next\n");
        assert_eq!(String::from_utf8(text).unwrap(), expected);
    }

    #[test]
    fn a_tail_that_is_no_number_means_all() {
        for (tail, expected) in
            [("5", Some(5)), ("0", Some(0)), ("-1", None), ("all", None), ("x", None)]
        {
            let arguments = LogsArguments {
                follow: false,
                tail: tail.into(),
                since: None,
                until: None,
                timestamps: false,
                details: false,
                name: "web".into(),
            };
            assert_eq!(options(&arguments, Timestamp::UNIX_EPOCH).unwrap().tail, expected);
        }
    }
}
