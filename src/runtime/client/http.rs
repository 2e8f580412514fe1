//! Readiness probe by HTTP: one request, of which only the status is read.
//!
//! The socket is created in the container's network namespace, so no port needs to be published.
//! The server is not trusted: time and length of the answer are limited.

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use crate::model::error::Context;
use crate::model::observe::readiness::{HttpGet, ProbeResult};
use crate::model::{Kind, Result};
use crate::runtime::cancel::CancelToken;
use crate::sys;

/// The longest first line of an answer, in bytes.
const MAX_STATUS_LINE: usize = 1024;

/// Sends the request in the network namespace that `namespace` refers to.
///
/// # Errors
/// [`Kind::Cancelled`], or when the namespace cannot be entered.
pub(crate) fn probe(
    namespace: &File,
    request: &HttpGet,
    cancel: &CancelToken,
) -> Result<ProbeResult> {
    let deadline = Instant::now() + request.timeout;
    let port = request.port;
    let mut found = format!("nothing listens on port {port}");
    // A server may listen on one of the addresses only.
    for address in [
        SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        SocketAddr::from((Ipv6Addr::LOCALHOST, port)),
    ] {
        let call = Call { address, request, deadline, cancel };
        match call.status(namespace)? {
            HttpResult::Refused => {}
            HttpResult::NotHttp => found = format!("port {port} gave no answer"),
            HttpResult::Status(status) if request.accepts(status) => {
                return Ok(ProbeResult::Ready);
            }
            HttpResult::Status(status) => found = format!("port {port} answered {status}"),
        }
    }
    Ok(ProbeResult::NotReady(found))
}

/// The result of a call.
enum HttpResult {
    /// Nothing listens on the port.
    Refused,
    /// Something listens, and does not answer with HTTP.
    NotHttp,
    /// The status of the answer.
    Status(u16),
}

/// One call to one address.
struct Call<'a> {
    address: SocketAddr,
    request: &'a HttpGet,
    deadline: Instant,
    cancel: &'a CancelToken,
}

impl Call<'_> {
    fn status(&self, namespace: &File) -> Result<HttpResult> {
        let socket = match sys::net::tcp_socket_in(namespace, self.address) {
            // On a kernel without IPv6 nothing listens there.
            Err(error) if error.kind() == Kind::Unsupported => return Ok(HttpResult::Refused),
            socket => socket?,
        };
        if !sys::net::start_connect(&socket, self.address) {
            return Ok(HttpResult::Refused);
        }
        let mut stream = TcpStream::from(socket);
        sys::poll::wait_writable(&[stream.as_fd(), self.cancel.as_fd()], self.left())?;
        self.cancel.check()?;
        match stream.take_error().context(|| "getsockopt".to_owned())? {
            None => {}
            Some(error) if error.kind() == ErrorKind::ConnectionRefused => {
                return Ok(HttpResult::Refused);
            }
            Some(_) => return Ok(HttpResult::NotHttp),
        }
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: localhost:{}\r\nUser-Agent: lifebox\r\nAccept: */*\r\n\
             Connection: close\r\n\r\n",
            self.request.path(),
            self.request.port
        );
        // The request fits into the socket's buffer; the write fails if there is no connection.
        if stream.write_all(request.as_bytes()).is_err() {
            return Ok(HttpResult::NotHttp);
        }
        let line = self.first_line(&mut stream)?;
        Ok(status(&line).map_or(HttpResult::NotHttp, HttpResult::Status))
    }

    fn left(&self) -> Option<Duration> {
        Some(self.deadline.saturating_duration_since(Instant::now()))
    }

    /// Reads up to the first newline, or to the deadline.
    fn first_line(&self, stream: &mut TcpStream) -> Result<Vec<u8>> {
        let mut line = Vec::with_capacity(MAX_STATUS_LINE);
        let mut part = [0; MAX_STATUS_LINE];
        while line.len() < MAX_STATUS_LINE && !line.contains(&b'\n') {
            match stream.read(&mut part) {
                Ok(0) => break,
                Ok(count) => line.extend_from_slice(&part[..count]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let fds = [stream.as_fd(), self.cancel.as_fd()];
                    let ready = sys::poll::wait_readable(&fds, self.left())?;
                    self.cancel.check()?;
                    if !ready[0] {
                        break;
                    }
                }
                // The server closed the connection.
                Err(_) => break,
            }
        }
        Ok(line)
    }
}

/// Returns the status of `HTTP/1.1 200 OK`.
fn status(line: &[u8]) -> Option<u16> {
    let end = line.iter().position(|byte| *byte == b'\n')?;
    let mut words = std::str::from_utf8(&line[..end]).ok()?.split_ascii_whitespace();
    words.next().filter(|version| version.starts_with("HTTP/"))?;
    words.next().filter(|status| status.len() == 3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_first_line_of_an_answer_counts() {
        assert_eq!(status(b"HTTP/1.1 200 OK\r\nServer: x"), Some(200));
        assert_eq!(status(b"HTTP/1.0 404\n"), Some(404));
        for line in
            [&b""[..], b"HTTP/1.1 200 OK", b"SSH-2.0-x\r\n", b"HTTP/1.1 +20 x\n\xff", b"\xff\n"]
        {
            assert!(!matches!(status(line), Some(200)), "{line:?}");
        }
    }
}
