//! The messages between client and monitor over `monitor.sock`.
//!
//! A frame is one byte for its kind, four for the length of the payload (little endian), and the
//! payload. Requests and replies are JSON; output travels unchanged. The peer may be of another
//! version or hostile: decoding never panics and never takes more than [`MAX_MESSAGE`] bytes.

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

/// A request of a client to a monitor.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Request {
    /// Start the container: the first request of the client that started the monitor. With `attach`
    /// the container's output follows the reply.
    Start(StartOptions),
    /// Run another process: the first request to the helper of an exec.
    Exec(Box<ExecSpec>),
    /// Set the size of the terminal.
    Resize(Size),
    /// Send the container's output from now on.
    Attach {
        /// Whether this client feeds standard input.
        stdin: bool,
    },
    /// Close standard input.
    CloseStdin,
    /// Pause the container.
    Pause,
    /// Pause the container for as long as this client is connected.
    HoldPaused,
    /// Unpause the container.
    Unpause,
    /// Send a signal.
    Kill {
        /// The signal.
        signal: Signal,
    },
    /// Send a signal, wait, kill. Answered when the container has exited.
    Stop {
        /// The first signal.
        signal: Signal,
        /// How long to wait before the kill.
        #[serde(rename = "grace")]
        timeout: StopTimeout,
        /// Do not remove the container at its exit, even if it was created with `--rm`.
        #[serde(rename = "keep")]
        keep_container: bool,
    },
    /// Wait: answered when the container has exited.
    Wait,
    /// Change limits and restart policy.
    Update {
        /// The changes.
        changes: Box<Changes>,
    },
    /// Rename the container.
    Rename {
        /// The new name, which the client has claimed.
        name: ContainerName,
    },
    /// Carry the request out, and send the steps of the trace.
    Traced(Box<Request>),
    /// Carry out the reported step.
    Go,
}

impl Request {
    /// Returns whether it is carried out even if its client is gone: it ends the container, or its
    /// input.
    pub fn is_lasting(&self) -> bool {
        matches!(
            self,
            Request::Stop { .. } | Request::Kill { signal: Signal::KILL } | Request::CloseStdin
        )
    }
}

/// The options of a start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartOptions {
    /// Whether this connection gets the output.
    pub attach: bool,
    /// Whether this client feeds standard input, which is closed when the client disconnects.
    pub stdin: bool,
    /// The size of the terminal.
    pub size: Option<Size>,
    /// Whether the start is part of a `restart`.
    #[serde(rename = "again")]
    pub restarting: bool,
    /// Whether each step is reported before it is carried out, and waits for [`Request::Go`]. Only
    /// in [`Request::Traced`].
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

/// Another process for a container.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExecSpec {
    /// The id in events.
    pub id: String,
    /// Program and arguments.
    pub args: Vec<String>,
    /// The complete environment.
    pub env: Vec<String>,
    /// `user[:group]`; the container's if unset.
    pub user: Option<String>,
    /// The working directory; the container's if unset.
    pub workdir: Option<String>,
    /// Whether it gets all capabilities.
    pub privileged: bool,
    /// Whether it gets a terminal of its own.
    pub tty: bool,
    /// Whether its standard input is fed.
    pub stdin: bool,
    /// Whether its output is dropped.
    pub detach: bool,
    /// The size of its terminal.
    pub size: Option<Size>,
}

/// A reply of a monitor.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reply {
    /// The request is done.
    Done,
    /// The container has exited.
    Exited {
        /// The exit code.
        code: i32,
    },
    /// The request failed.
    Failed(Error),
    /// The steps of the trace until now; the actual reply follows.
    #[serde(rename = "deeds")]
    TraceSteps(Vec<TraceStep>),
    /// The next step, carried out after [`Request::Go`].
    #[serde(rename = "next")]
    NextStep(Box<TraceStep>),
}

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// A request or a reply, as JSON.
    Message(Vec<u8>),
    /// Output of the container.
    Output(Stream, Vec<u8>),
    /// Input of the client.
    Input(Vec<u8>),
}

/// Appends a message to `buffer`.
pub fn encode(message: &impl Serialize, buffer: &mut Vec<u8>) {
    // These types have only string keys, so serialising them cannot fail.
    let json = serde_json::to_vec(message).unwrap_or_default();
    append(0, &json, buffer);
}

/// Appends output of a container to `buffer`.
pub fn encode_output(stream: Stream, bytes: &[u8], buffer: &mut Vec<u8>) {
    append(if stream == Stream::Stdout { 1 } else { 2 }, bytes, buffer);
}

/// Appends input of a program to `buffer`.
pub fn encode_input(bytes: &[u8], buffer: &mut Vec<u8>) {
    append(3, bytes, buffer);
}

fn append(kind: u8, payload: &[u8], buffer: &mut Vec<u8>) {
    let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
    buffer.push(kind);
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(payload);
}

/// Takes the first complete frame from `buffer`; `None` while it is incomplete.
///
/// # Errors
/// [`Kind::Corrupt`] for an unknown kind or a length beyond [`MAX_MESSAGE`].
pub fn decode(buffer: &mut Vec<u8>) -> Result<Option<Frame>> {
    let Some((header, rest)) = buffer.split_first_chunk::<HEADER>() else { return Ok(None) };
    let length = u32::from_le_bytes([header[1], header[2], header[3], header[4]]);
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > MAX_MESSAGE || header[0] > 3 {
        return Err(Error::new(Kind::Corrupt, "invalid frame on the monitor's socket")
            .hint("use the version of lifebox that started the container"));
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
/// [`Kind::Corrupt`] if this version does not know the message.
pub fn parse<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T> {
    serde_json::from_slice(json)
        .map_err(|error| Error::new(Kind::Corrupt, format!("unknown message: {error}")))
}

/// Init's report of a failed step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Report {
    /// The index of the step in the plan.
    pub step: u32,
    /// The error number.
    pub errno: i32,
}

impl Report {
    /// The size of a report on the pipe, in bytes.
    pub const SIZE: usize = 8;

    /// Encodes the report for the pipe.
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[..4].copy_from_slice(&self.step.to_ne_bytes());
        bytes[4..].copy_from_slice(&self.errno.to_ne_bytes());
        bytes
    }

    /// Decodes a report from the pipe; `None` if it is cut short.
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
