//! What front and monitor say to each other over `monitor.sock`.
//!
//! A frame is one byte for its kind, four for the length of what follows (little endian), and
//! that. Requests and replies are JSON; what a container writes travels as it is. Both ends may be
//! of different versions or a stranger's: decoding never panics and never takes more than
//! [`MAX_MESSAGE`] bytes.

use serde::{Deserialize, Serialize};

use crate::model::container::Changes;
use crate::model::container::options::StopTimeout;
use crate::model::observe::log::Stream;
use crate::model::script::trace::TraceStep;
use crate::model::value::name::ContainerName;
use crate::model::value::signal::Signal;
use crate::model::{Error, Kind, Result};

/// The longest frame, in bytes.
pub const MAX_MESSAGE: usize = 1 << 20;
const HEADER: usize = 5;

/// What a front asks of a monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Start the container; only the front that made the monitor asks this, and first. With
    /// `attach` the reply is followed by what the container writes.
    Start(StartOptions),
    /// Run a further program; asked of a helper of its own, and first.
    Exec(Box<ExecSpec>),
    /// The front's terminal has this size now.
    Resize(Size),
    /// Send what the container writes from now on.
    Attach {
        /// Whether this front feeds standard input.
        stdin: bool,
    },
    /// Nothing more will come on standard input.
    CloseStdin,
    /// Freeze.
    Pause,
    /// Thaw.
    Unpause,
    /// Send a signal.
    Kill {
        /// Which.
        signal: Signal,
    },
    /// Send a signal, wait, kill. Answered when the container has ended.
    Stop {
        /// Which signal first.
        signal: Signal,
        /// How long to wait.
        #[serde(rename = "grace")]
        timeout: StopTimeout,
        /// Do not remove the container when it ends, even if it was made with `--rm`.
        #[serde(rename = "keep")]
        keep_container: bool,
    },
    /// Answered when the container has ended.
    Wait,
    /// Change limits and restart policy.
    Update {
        /// What is changed.
        changes: Box<Changes>,
    },
    /// Take another name.
    Rename {
        /// The new name, which the front has reserved.
        name: ContainerName,
    },
    /// Do this, and tell what was done for it.
    Traced(Box<Request>),
    /// The step that was told may be taken.
    Go,
}

/// How a container is started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartOptions {
    /// Whether this connection gets the output.
    pub attach: bool,
    /// Whether this front feeds standard input: it is closed when the front goes.
    pub stdin: bool,
    /// The size of its terminal.
    pub size: Option<Size>,
    /// Whether it was stopped for this, as `restart` does.
    #[serde(rename = "again")]
    pub restarting: bool,
    /// Whether the front wants to hear of each step before it is taken, and answers each with
    /// [`Request::Go`]. Only in [`Request::Traced`].
    #[serde(default, rename = "watched")]
    pub stepwise: bool,
}

/// The size of a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// A further program for a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// What events call it.
    pub id: String,
    /// Program and arguments.
    pub args: Vec<String>,
    /// Its whole environment.
    pub env: Vec<String>,
    /// `user[:group]`; the container's where unset.
    pub user: Option<String>,
    /// The working directory; the container's where unset.
    pub workdir: Option<String>,
    /// Whether it gets all capabilities.
    pub privileged: bool,
    /// Whether it gets a terminal of its own.
    pub tty: bool,
    /// Whether its standard input is fed.
    pub stdin: bool,
    /// Whether nobody wants to see what it writes.
    pub detach: bool,
    /// The size of its terminal.
    pub size: Option<Size>,
}

/// What a monitor answers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// It is done.
    Done,
    /// The container has ended.
    Exited {
        /// With this exit code.
        code: i32,
    },
    /// It has another name.
    Renamed {
        /// The one that it had until then, which is the front's to free.
        old: ContainerName,
    },
    /// It could not be done.
    Failed(Error),
    /// What was done until now; the reply proper follows.
    #[serde(rename = "deeds")]
    TraceSteps(Vec<TraceStep>),
    /// What is to be done next, once the front says [`Request::Go`].
    #[serde(rename = "next")]
    NextStep(Box<TraceStep>),
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A request or a reply, as JSON.
    Message(Vec<u8>),
    /// What the container wrote.
    Output(Stream, Vec<u8>),
    /// What the front types.
    Input(Vec<u8>),
}

/// Appends a message to `buffer`.
pub fn encode(message: &impl Serialize, buffer: &mut Vec<u8>) {
    // These types have only string keys, so they can't fail to serialise.
    let json = serde_json::to_vec(message).unwrap_or_default();
    append(0, &json, buffer);
}

/// Appends what a container wrote to `buffer`.
pub fn encode_output(stream: Stream, bytes: &[u8], buffer: &mut Vec<u8>) {
    append(if stream == Stream::Stdout { 1 } else { 2 }, bytes, buffer);
}

/// Appends what a program is to read to `buffer`.
pub fn encode_input(bytes: &[u8], buffer: &mut Vec<u8>) {
    append(3, bytes, buffer);
}

fn append(kind: u8, payload: &[u8], buffer: &mut Vec<u8>) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    buffer.push(kind);
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(payload);
}

/// Takes the first whole frame off `buffer`; `None` while it is incomplete.
///
/// # Errors
/// [`Kind::Corrupt`] for an unknown kind or a length beyond [`MAX_MESSAGE`].
pub fn decode(buffer: &mut Vec<u8>) -> Result<Option<Frame>> {
    let Some((header, rest)) = buffer.split_first_chunk::<HEADER>() else { return Ok(None) };
    let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_MESSAGE || header[0] > 3 {
        return Err(Error::new(
            Kind::Corrupt,
            "the monitor's socket carries something else than frames",
        )
        .hint("is another version of lifebox running this container?"));
    }
    let Some(payload) = rest.get(..length) else { return Ok(None) };
    let payload = payload.to_vec();
    let frame = match header[0] {
        0 => Frame::Message(payload),
        1 => Frame::Output(Stream::Stdout, payload),
        2 => Frame::Output(Stream::Stderr, payload),
        _ => Frame::Input(payload),
    };
    buffer.drain(..HEADER + length);
    Ok(Some(frame))
}

/// Reads a message's JSON.
///
/// # Errors
/// [`Kind::Corrupt`] where it is not one that this version knows.
pub fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T> {
    serde_json::from_slice(json).map_err(|error| {
        Error::new(Kind::Corrupt, format!("a message that this version does not know: {error}"))
    })
}

/// What init says of a step that failed: its number, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// Which step of the plan, from 0.
    pub step: u32,
    /// The error number.
    pub errno: i32,
}

impl Report {
    /// The size of a report on the pipe, in bytes.
    pub const SIZE: usize = 8;

    /// As it is written to the pipe.
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..4].copy_from_slice(&self.step.to_ne_bytes());
        bytes[4..].copy_from_slice(&self.errno.to_ne_bytes());
        bytes
    }

    /// As it is read from the pipe; `None` where it is cut short.
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let step = u32::from_ne_bytes(bytes.get(..4)?.try_into().ok()?);
        let errno = i32::from_ne_bytes(bytes.get(4..Self::SIZE)?.try_into().ok()?);
        Some(Report { step, errno })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn frames_come_out_as_they_went_in() {
        let mut buffer = Vec::new();
        encode(&Request::Wait, &mut buffer);
        encode_output(Stream::Stderr, b"\xff\0", &mut buffer);
        let Some(Frame::Message(json)) = decode(&mut buffer).unwrap() else { panic!() };
        assert_eq!(parse::<Request>(&json).unwrap(), Request::Wait);
        let output = decode(&mut buffer).unwrap();
        assert_eq!(output, Some(Frame::Output(Stream::Stderr, b"\xff\0".to_vec())));
        assert_eq!(decode(&mut buffer).unwrap(), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_decoding_panic(bytes: Vec<u8>) {
            let mut buffer = bytes;
            while let Ok(Some(frame)) = decode(&mut buffer) {
                if let Frame::Message(json) = frame {
                    let _ = parse::<Request>(&json);
                }
            }
        }
    }
}
