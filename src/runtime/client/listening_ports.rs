//! The ports that programs of a container listen on, read in the host's `/proc`: nothing inside is
//! executed, and no connection is opened.

use std::collections::BTreeSet;
use std::fs;

use super::runtime::Runtime;
use crate::model::Result;
use crate::model::value::id::ContainerId;
use crate::runtime::host;

/// `TCP_LISTEN` (linux/tcp_states.h), as `/proc/net/tcp` writes it.
const LISTENS: &str = "0A";

impl Runtime {
    /// Returns the TCP ports with a listener in the container's network, in order; none if the
    /// container does not run.
    ///
    /// # Errors
    /// When there is no such container.
    pub fn listening(&self, id: &ContainerId) -> Result<Vec<u16>> {
        let state = self.inspect(id)?.state;
        if !state.status.is_live() || state.pid == 0 {
            return Ok(Vec::new());
        }
        let read = |file: &str| fs::read_to_string(format!("/proc/{}/net/{file}", state.pid));
        let tables = [read("tcp"), read("tcp6")];
        // Read before the check: the process id was not reused.
        if host::start_time(state.pid) != state.pid_start {
            return Ok(Vec::new());
        }
        let tables = tables.into_iter().flatten();
        let ports: BTreeSet<u16> = tables.flat_map(|table| listened(&table)).collect();
        Ok(ports.into_iter().collect())
    }
}

/// Parses the ports of a table of sockets (proc_pid_net(5)): `sl local_address rem_address st ...`.
fn listened(table: &str) -> Vec<u16> {
    let port = |line: &str| {
        let mut fields = line.split_whitespace().skip(1);
        let local = fields.next()?;
        let state = fields.nth(1)?;
        let (_, port) = local.rsplit_once(':').filter(|_| state == LISTENS)?;
        u16::from_str_radix(port, 16).ok()
    };
    table.lines().skip(1).filter_map(port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_sockets_that_listen_count() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue\n   \
             0: 0100007F:1F90 00000000:0000 0A 00000000:00000000\n   \
             1: 0100007F:1F91 0100007F:C350 01 00000000:00000000\n   \
             2: 00000000000000000000000000000000:0050 00000000000000000000000000000000:0000 0A 0\n\
             torn";
        assert_eq!(listened(table), [8080, 80]);
    }
}
