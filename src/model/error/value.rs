//! The one error of lifebox: a kind that code can match on, and a message for people.
//!
//! An error is serialisable because it crosses the monitor's socket and becomes a script value
//! (`e.kind == "not_found"`), an exit code and a rendered message. The code that knows the cause
//! builds the error; `cli`, `repl` or the monitor's loop reports it once.
//!
//! No text of an error holds credentials: each text passes [`shown`].

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::credentials;

/// The result of everything that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// What went wrong, as far as a caller would act differently.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// The named container, image or file does not exist.
    NotFound,
    /// The name is taken.
    Exists,
    /// An argument is wrong: a bad name, option, signal or duration.
    Invalid,
    /// The state machine does not allow it now.
    Refused,
    /// This host or this version cannot do it.
    Unsupported,
    /// The kernel or the file permissions do not allow it.
    Denied,
    /// A peer across the network failed.
    Network,
    /// Stored or received data is damaged.
    Corrupt,
    /// A timeout expired.
    Timeout,
    /// The container exited while the caller waited for something else.
    Died,
    /// The user interrupted the operation.
    Cancelled,
    /// A system call failed.
    System,
    /// A bug of lifebox.
    Bug,
}

impl Kind {
    /// Returns the word that scripts see, such as `not_found`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::NotFound => "not_found",
            Kind::Exists => "exists",
            Kind::Invalid => "invalid",
            Kind::Refused => "refused",
            Kind::Unsupported => "unsupported",
            Kind::Denied => "denied",
            Kind::Network => "network",
            Kind::Corrupt => "corrupt",
            Kind::Timeout => "timeout",
            Kind::Died => "died",
            Kind::Cancelled => "cancelled",
            Kind::System => "system",
            Kind::Bug => "bug",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why something failed. Cheap to return: one pointer.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Error {
    detail: Box<Detail>,
}

/// The fields of an [`Error`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Detail {
    kind: Kind,
    message: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    causes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    container: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    status: Option<String>,
    /// The verb that the state machine refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    errno: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    exit_code: Option<u8>,
}

impl Error {
    /// Returns an error of `kind`. The message is lower case, without a full stop, and names the
    /// object in backticks.
    pub fn new(kind: Kind, message: impl Into<String>) -> Self {
        Error {
            detail: Box::new(Detail {
                kind,
                message: shown(message),
                hint: None,
                causes: Vec::new(),
                container: None,
                status: None,
                refused: None,
                errno: None,
                exit_code: None,
            }),
        }
    }

    /// Returns the error of a system call: `call` with its arguments, and its `errno`.
    /// `EACCES`, `EPERM` and `EROFS` become [`Kind::Denied`], `ENOENT` [`Kind::NotFound`].
    pub fn from_errno(call: impl Into<String>, errno: i32) -> Self {
        const EPERM: i32 = 1;
        const ENOENT: i32 = 2;
        const EACCES: i32 = 13;
        const EROFS: i32 = 30;
        let kind = match errno {
            EPERM | EACCES | EROFS => Kind::Denied,
            ENOENT => Kind::NotFound,
            _ => Kind::System,
        };
        let reason = std::io::Error::from_raw_os_error(errno).to_string();
        let reason = reason.split(" (os error").next().unwrap_or(&reason).to_lowercase();
        let mut error = Error::new(kind, format!("{}: {reason}", call.into()));
        error.detail.errno = Some(errno);
        error
    }

    /// Returns the [`Error`] inside an I/O error, as our readers and writers return it.
    pub fn downcast_io(error: &std::io::Error) -> Option<Error> {
        error.get_ref()?.downcast_ref::<Error>().cloned()
    }

    /// Returns an I/O error of `what`, such as ``read `/x/y` ``.
    pub fn from_io(what: impl Into<String>, error: &std::io::Error) -> Self {
        if let Some(ours) = Error::downcast_io(error) {
            return ours.context(what);
        }
        match error.raw_os_error() {
            Some(errno) => Error::from_errno(what, errno),
            None => Error::new(Kind::System, format!("{}: {error}", what.into())),
        }
    }

    /// Sets the hint: what to do about the error.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.detail.hint = Some(shown(hint));
        self
    }

    /// Adds a further cause, such as a failure while cleaning up. The message stays.
    #[must_use]
    pub fn cause(mut self, cause: impl fmt::Display) -> Self {
        self.detail.causes.push(shown(cause.to_string()));
        self
    }

    /// Sets the message to what was attempted: the present message becomes the first cause.
    #[must_use]
    pub fn context(mut self, attempted: impl Into<String>) -> Self {
        let message = std::mem::replace(&mut self.detail.message, shown(attempted));
        self.detail.causes.insert(0, message);
        self
    }

    /// Puts the thing that the error is about before the message.
    #[must_use]
    pub fn about(mut self, thing: impl fmt::Display) -> Self {
        self.detail.message = shown(format!("{thing}: {}", self.detail.message));
        self
    }

    /// Replaces the kind, where a caller knows better what the error means.
    #[must_use]
    pub fn with_kind(mut self, kind: Kind) -> Self {
        self.detail.kind = kind;
        self
    }

    /// Sets the container, and its status where that is the reason.
    #[must_use]
    pub fn container(mut self, name: impl Into<String>, status: Option<&str>) -> Self {
        self.detail.container = Some(name.into());
        self.detail.status = status.map(str::to_owned);
        self
    }

    /// Sets the verb that the state machine refused, for messages in other languages.
    #[must_use]
    pub fn refusal_of(mut self, verb: &str) -> Self {
        self.detail.refused = Some(verb.to_owned());
        self
    }

    /// Returns the verb that the state machine refused, where it did.
    pub fn refused_verb(&self) -> Option<&str> {
        self.detail.refused.as_deref()
    }

    /// Replaces the message.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>, hint: impl Into<String>) -> Self {
        self.detail.message = shown(message);
        self.detail.hint = Some(shown(hint));
        self
    }

    /// Sets the exit code that Docker gives this failure of a start: 126, 127 or 128.
    #[must_use]
    pub fn with_exit_code(mut self, code: u8) -> Self {
        self.detail.exit_code = Some(code);
        self
    }

    /// Returns the kind, for code.
    pub fn kind(&self) -> Kind {
        self.detail.kind
    }

    /// Returns the message, for people: one sentence without a full stop.
    pub fn message(&self) -> &str {
        &self.detail.message
    }

    /// Returns the hint: what to do about the error.
    pub fn hint_text(&self) -> Option<&str> {
        self.detail.hint.as_deref()
    }

    /// Returns the causes, outermost first.
    pub fn causes(&self) -> &[String] {
        &self.detail.causes
    }

    /// Returns the container.
    pub fn container_name(&self) -> Option<&str> {
        self.detail.container.as_deref()
    }

    /// Returns the status of the container, where that is the reason.
    pub fn status(&self) -> Option<&str> {
        self.detail.status.as_deref()
    }

    /// Returns the error number of the system call that failed.
    pub fn errno(&self) -> Option<i32> {
        self.detail.errno
    }

    /// Returns the exit code of a start that failed: 126, 127 or 128.
    pub fn exit_code(&self) -> Option<u8> {
        self.detail.exit_code
    }
}

/// Returns a text of an error as it is kept: without credentials.
fn shown(text: impl Into<String>) -> String {
    let text = text.into();
    match credentials::mask(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => masked,
    }
}

/// Writes message and causes in one line: `cannot start ...: mount overlay on /: invalid argument`.
impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail.message)?;
        for cause in &self.detail.causes {
            write!(f, ": {cause}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.detail, f)
    }
}

impl std::error::Error for Error {}

/// Adds what was attempted to the error of a result.
pub trait Context<T> {
    /// Sets the message to `attempted`; the present message becomes the first cause.
    ///
    /// # Errors
    /// The error itself, with the context.
    fn context(self, attempted: impl FnOnce() -> String) -> Result<T>;
}

impl<T> Context<T> for Result<T> {
    fn context(self, attempted: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| error.context(attempted()))
    }
}

impl<T> Context<T> for std::io::Result<T> {
    fn context(self, attempted: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Error::from_io(attempted(), &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn context_keeps_the_reason_as_a_cause() {
        let error = Error::from_errno("mount(overlay)", 22).context("cannot start `web`");
        assert_eq!(error.to_string(), "cannot start `web`: mount(overlay): invalid argument");
        assert_eq!(error.errno(), Some(22));
    }

    #[test]
    fn an_error_survives_the_socket() {
        let error = Error::new(Kind::Refused, "no").hint("wait").container("web", Some("paused"));
        let json = serde_json::to_string(&error).unwrap();
        assert_eq!(serde_json::from_str::<Error>(&json).unwrap(), error);
    }
}
