//! `logs`: prints a container's output, byte for byte.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::context::CommandContext;
use crate::cli::arguments::LogsArguments;
use crate::cli::terminal::command_result::CommandResult;
use crate::cli::terminal::screen::Terminal;
use crate::cli::terminal::time_arg::time_arg;
use crate::model::Result;
use crate::model::observe::log::{LogLine, LogOptions, Stream};

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
    let mut writer = Writer { timestamps: arguments.timestamps, ..Writer::default() };
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
        let given = text.as_deref().filter(|text| !text.is_empty());
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

/// Writes records, with a timestamp at the beginning of each line.
#[derive(Debug, Default)]
struct Writer {
    timestamps: bool,
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
                name: "web".into(),
            };
            assert_eq!(options(&arguments, Timestamp::UNIX_EPOCH).unwrap().tail, expected);
        }
    }
}
