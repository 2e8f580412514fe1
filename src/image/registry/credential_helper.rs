//! Credential helpers: programs that keep passwords, as Docker runs them
//! (docker-credential-helpers, `credentials/credentials.go`).

use std::io::{ErrorKind, Read, Write as _};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde::Deserialize;

use super::credential::Credentials;
use crate::image::bytes::cancel_check::CancelCheck;
use crate::model::error::Context;
use crate::model::{Error, Kind, Result};

/// The timeout of a helper, which may prompt the user for a password of its own.
const LIMIT: Duration = Duration::from_secs(60);
/// How often the helper's exit is polled.
const POLL_INTERVAL: Duration = Duration::from_millis(10);
/// The timeout of the output after the exit: a child of the helper may hold the pipe open.
const OUTPUT_TIMEOUT: Duration = Duration::from_secs(1);
/// The longest answer.
const MAX_ANSWER: u64 = 1 << 20;
/// How much of a helper's message is printed.
const MAX_MESSAGE: usize = 300;
/// The message of a helper without an entry; docker-credential-helpers, `credentials/error.go`.
const UNKNOWN: &str = "credentials not found";
/// The name that stands for a token; Docker's `cli/config/credentials/native_store.go`.
const TOKEN: &str = "<token>";

/// A helper, by the suffix of its name.
pub(super) struct CredentialHelper<'a> {
    pub(super) name: String,
    pub(super) check: CancelCheck<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Secret {
    #[serde(default)]
    username: String,
    #[serde(default)]
    secret: String,
}

impl CredentialHelper<'_> {
    /// Returns the credentials for a registry.
    pub(super) fn get(&self, server: &str) -> Result<Option<Credentials>> {
        let Some(answer) = self.run("get", server.as_bytes(), LIMIT)? else { return Ok(None) };
        // The answer contains a secret, so an error contains none of it.
        let stored: Secret = serde_json::from_slice(&answer)
            .map_err(|_| self.failed("get").cause("its answer is not valid JSON"))?;
        Ok(match stored.username.as_str() {
            TOKEN => Some(Credentials::Token(stored.secret)),
            "" if stored.secret.is_empty() => None,
            _ => Some(Credentials::Password(stored.username, stored.secret)),
        })
    }

    /// Stores credentials.
    pub(super) fn store(&self, message: &str) -> Result<()> {
        self.run("store", message.as_bytes(), LIMIT).map(drop)
    }

    /// Erases the credentials for a registry. Returns false if there were none.
    pub(super) fn erase(&self, server: &str) -> Result<bool> {
        Ok(self.run("erase", server.as_bytes(), LIMIT)?.is_some())
    }

    fn program(&self) -> String {
        format!("docker-credential-{}", self.name)
    }

    fn failed(&self, verb: &str) -> Error {
        let message = format!("the credential helper `{} {verb}` failed", self.program());
        let hint =
            "fix the helper, or remove `credsStore` and `credHelpers` from the configuration";
        Error::new(Kind::System, message).hint(hint)
    }

    /// Runs the helper with `input` on its standard input. `None` if it has no entry.
    fn run(&self, verb: &str, input: &[u8], limit: Duration) -> Result<Option<Vec<u8>>> {
        let mut child = Command::new(self.program())
            .arg(verb)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| match error.kind() {
                ErrorKind::NotFound => self.missing(),
                _ => self.failed(verb).cause(error),
            })?;
        let result = self.communicate(&mut child, verb, input, limit);
        if result.is_err() {
            let _ = child.kill();
            let _ = child.wait();
        }
        let (status, out, err) = result?;
        if status.success() {
            return Ok(Some(out));
        }
        let (out, err) = (String::from_utf8_lossy(&out), String::from_utf8_lossy(&err));
        if out.contains(UNKNOWN) || err.contains(UNKNOWN) {
            return Ok(None);
        }
        let failed = self.failed(verb).cause(status);
        match error_line(&err, input).or_else(|| error_line(&out, input)) {
            Some(words) => Err(failed.cause(words)),
            None => Err(failed),
        }
    }

    fn missing(&self) -> Error {
        let message = format!("cannot find the credential helper `{}`", self.program());
        Error::new(Kind::NotFound, message).hint(
            "install it in a directory of PATH, or remove `credsStore` and `credHelpers` from the \
             configuration",
        )
    }

    /// Writes its input and reads its output until it exits.
    fn communicate(
        &self,
        child: &mut Child,
        verb: &str,
        input: &[u8],
        limit: Duration,
    ) -> Result<(ExitStatus, Vec<u8>, Vec<u8>)> {
        if let Some(mut stdin) = child.stdin.take() {
            let input = input.to_owned();
            // A helper that does not read its input reports the reason by its exit code.
            in_background(move || drop(stdin.write_all(&input)))?;
        }
        let (out, err) = (read_to_end(child.stdout.take())?, read_to_end(child.stderr.take())?);
        let started = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().context(|| "wait for a helper".to_owned())? {
                break status;
            }
            (self.check)()?;
            if started.elapsed() >= limit {
                let message = format!("the credential helper `{} {verb}`", self.program());
                let message = format!("{message} did not exit within {} seconds", limit.as_secs());
                return Err(
                    Error::new(Kind::Timeout, message).hint("run it by hand to see why it blocks")
                );
            }
            std::thread::sleep(POLL_INTERVAL);
        };
        let rest = |from: Receiver<Vec<u8>>| from.recv_timeout(OUTPUT_TIMEOUT).unwrap_or_default();
        Ok((status, rest(out), rest(err)))
    }
}

fn in_background(work: impl FnOnce() + Send + 'static) -> Result<()> {
    let thread = std::thread::Builder::new().name("helper".to_owned()).spawn(work);
    thread.map(drop).context(|| "start a thread".to_owned())
}

/// Reads a pipe to its end.
fn read_to_end(pipe: Option<impl Read + Send + 'static>) -> Result<Receiver<Vec<u8>>> {
    let (sender, receiver) = channel();
    in_background(move || {
        let mut bytes = Vec::new();
        let read = pipe.map(|pipe| pipe.take(MAX_ANSWER).read_to_end(&mut bytes));
        drop((read, sender.send(bytes)));
    })?;
    Ok(receiver)
}

/// Returns the helper's error as one printable line, without a possible secret.
fn error_line(output: &str, input: &[u8]) -> Option<String> {
    let line = output.lines().map(str::trim).find(|line| !line.is_empty())?;
    let line: String = line.chars().filter(|c| !c.is_control()).take(MAX_MESSAGE).collect();
    let stored = serde_json::from_slice::<Secret>(input).ok();
    let secret =
        stored.is_some_and(|stored| !stored.secret.is_empty() && output.contains(&stored.secret));
    Some(line).filter(|line| !secret && !line.starts_with('{'))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    /// Runs a helper with this shell script, by its path: a name with a slash is not searched in
    /// PATH.
    fn played(script: &str, check: CancelCheck<'_>) -> Result<Option<Vec<u8>>> {
        let directory = tempfile::tempdir().unwrap();
        // `docker-credential-` is a directory here.
        let program = directory.path().join("docker-credential-x");
        std::fs::write(&program, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
        let mut child = loop {
            let spawned = Command::new(&program)
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped())
                .spawn();
            match spawned {
                // Another test's child may still hold the script open for writing.
                Err(error) if error.kind() == ErrorKind::ExecutableFileBusy => {}
                child => break child.unwrap(),
            }
        };
        let helper = CredentialHelper { name: "x".to_owned(), check };
        let limit = Duration::from_millis(300);
        let result = helper.communicate(&mut child, "get", b"r.example", limit);
        let _ = (child.kill(), child.wait());
        result.map(|(status, out, _)| status.success().then_some(out))
    }

    #[test]
    fn a_helper_that_hangs_is_given_up() {
        let go = || Ok(());
        assert_eq!(played("cat", &go).unwrap().unwrap(), b"r.example");
        let error = played("exec sleep 1000", &go).unwrap_err();
        assert_eq!(error.kind(), Kind::Timeout);
        assert!(error.message().contains("`docker-credential-x get`"), "{error}");
        let interrupted = || Err(Error::new(Kind::Cancelled, "interrupted"));
        assert_eq!(played("exec sleep 1000", &interrupted).unwrap_err().kind(), Kind::Cancelled);
        // A child that holds the output open does not block for long.
        assert_eq!(played("sleep 5 & exit 0", &go).unwrap().unwrap(), b"");
    }

    #[test]
    fn its_words_are_shown_without_a_secret() {
        let input = br#"{"ServerURL":"r","Username":"me","Secret":"s3cret"}"#;
        assert_eq!(error_line("\n no keychain\nmore", input).unwrap(), "no keychain");
        assert_eq!(error_line("what is s3cret?", input), None);
        assert_eq!(error_line(r#"{"Secret":"x"}"#, b"r"), None);
        assert_eq!(error_line("", b"r"), None);
    }
}
