//! What containers write, between the contract and the runtime.

use std::time::Duration;

use crate::engine::backend::{Attach, CancelToken, LogStream};
use crate::model::Result;
use crate::model::observe::log::LogLine;
use crate::runtime::client::attach::Streams;
use crate::runtime::log::reader::Reader;

impl<'a> From<Attach<'a>> for Streams<'a> {
    fn from(attach: Attach<'a>) -> Self {
        let Attach { stdin, stdout, stderr, forward_signals, detach_keys, terminal, .. } = attach;
        Streams { stdin, stdout, stderr, forward_signals, detach_keys, terminal }
    }
}

impl LogStream for Reader {
    fn next_line(
        &mut self,
        timeout: Option<Duration>,
        cancel: &CancelToken,
    ) -> Result<Option<LogLine>> {
        Reader::next_line(self, timeout, cancel)
    }
}
