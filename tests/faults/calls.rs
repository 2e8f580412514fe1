//! System calls: which of them change something, and with what errors they may fail.

use nix::errno::Errno;
use nix::libc::{self, user_regs_struct};
use nix::sys::ptrace;
use nix::unistd::Pid;

/// A system call that a process is about to make.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    number: i64,
    /// The flags of an open(2) of any kind, the command of a fcntl(2).
    flags: u64,
    /// The first argument: often a descriptor.
    first: u64,
}

impl Call {
    pub fn of(pid: Pid, registers: &user_regs_struct) -> Self {
        let number = registers.orig_rax.cast_signed();
        let flags = match number {
            libc::SYS_open | libc::SYS_fcntl => registers.rsi,
            libc::SYS_openat | libc::SYS_mmap => registers.rdx,
            libc::SYS_openat2 => {
                let address = usize::try_from(registers.rdx).unwrap_or_default();
                let read = ptrace::read(pid, std::ptr::without_provenance_mut(address));
                read.unwrap_or_default().cast_unsigned()
            }
            libc::SYS_clone => registers.rdi,
            _ => 0,
        };
        Call { number, flags, first: registers.rdi }
    }

    /// The name of the call, where it is one that faults are put in.
    pub fn name(&self) -> String {
        let named = NAMES.iter().find(|(number, _)| *number == self.number);
        named.map_or_else(|| format!("call {}", self.number), |(_, name)| (*name).to_owned())
    }

    fn creates(&self) -> bool {
        let flags = libc::O_CREAT | libc::O_TRUNC;
        self.flags & u64::from(flags.cast_unsigned()) != 0
    }

    /// Whether another process can see what this call does. A kill between two such calls leaves
    /// the same as one before the second.
    pub fn changes(&self) -> bool {
        match self.number {
            libc::SYS_open | libc::SYS_openat | libc::SYS_openat2 => self.creates(),
            libc::SYS_fcntl => LOCKS.contains(&self.flags),
            // Standard output and error.
            libc::SYS_write | libc::SYS_writev => ![1, 2].contains(&self.first),
            libc::SYS_clone => self.flags & u64::from(libc::CLONE_THREAD.cast_unsigned()) == 0,
            number => CHANGES.contains(&number),
        }
    }

    /// Whether the call may fail with this error.
    pub fn may_fail(&self, errno: Errno) -> bool {
        let opens = [libc::SYS_open, libc::SYS_openat, libc::SYS_openat2].contains(&self.number);
        let is = |calls: &[i64]| calls.contains(&self.number);
        match errno {
            Errno::ENOSPC => is(GROWS) || opens && self.creates(),
            Errno::EIO => opens || is(GROWS) || is(READS) || is(REMOVES),
            Errno::EROFS => is(GROWS_NAMES) || is(REMOVES) || opens && self.creates(),
            Errno::EMFILE => opens || is(DESCRIPTORS),
            Errno::ENOMEM => is(MEMORY),
            Errno::EAGAIN => is(&[libc::SYS_openat2, libc::SYS_clone, libc::SYS_clone3]),
            Errno::EINTR => is(WAITS),
            _ => false,
        }
    }
}

const LOCKS: [u64; 4] = [6, 7, 37, 38];

/// Calls whose effect another process can see.
const CHANGES: &[i64] = &[
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_rmdir,
    libc::SYS_unlink,
    libc::SYS_unlinkat,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_link,
    libc::SYS_linkat,
    libc::SYS_symlink,
    libc::SYS_symlinkat,
    libc::SYS_mknod,
    libc::SYS_mknodat,
    libc::SYS_chmod,
    libc::SYS_fchmod,
    libc::SYS_fchmodat,
    libc::SYS_chown,
    libc::SYS_fchown,
    libc::SYS_lchown,
    libc::SYS_fchownat,
    libc::SYS_utimensat,
    libc::SYS_setxattr,
    libc::SYS_fsetxattr,
    libc::SYS_lsetxattr,
    libc::SYS_truncate,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_pwrite64,
    libc::SYS_sendto,
    libc::SYS_sendmsg,
    libc::SYS_sendfile,
    libc::SYS_copy_file_range,
    libc::SYS_splice,
    libc::SYS_mount,
    libc::SYS_umount2,
    libc::SYS_fsmount,
    libc::SYS_move_mount,
    libc::SYS_mount_setattr,
    libc::SYS_pivot_root,
    libc::SYS_setns,
    libc::SYS_unshare,
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_clone3,
    libc::SYS_execve,
    libc::SYS_execveat,
    libc::SYS_kill,
    libc::SYS_tgkill,
    libc::SYS_pidfd_send_signal,
    libc::SYS_flock,
    libc::SYS_bind,
    libc::SYS_listen,
    libc::SYS_connect,
    libc::SYS_accept4,
    libc::SYS_setsid,
    libc::SYS_exit_group,
];

/// Calls that need room on a disk.
const GROWS: &[i64] = &[
    libc::SYS_write,
    libc::SYS_writev,
    libc::SYS_pwrite64,
    libc::SYS_ftruncate,
    libc::SYS_fallocate,
    libc::SYS_copy_file_range,
    libc::SYS_sendfile,
    libc::SYS_fsync,
    libc::SYS_fdatasync,
    libc::SYS_syncfs,
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_symlink,
    libc::SYS_symlinkat,
    libc::SYS_link,
    libc::SYS_linkat,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
    libc::SYS_mknodat,
    libc::SYS_fsetxattr,
    libc::SYS_lsetxattr,
];

const GROWS_NAMES: &[i64] = &[
    libc::SYS_mkdir,
    libc::SYS_mkdirat,
    libc::SYS_symlink,
    libc::SYS_symlinkat,
    libc::SYS_rename,
    libc::SYS_renameat,
    libc::SYS_renameat2,
];

const REMOVES: &[i64] = &[libc::SYS_unlink, libc::SYS_unlinkat, libc::SYS_rmdir];

const READS: &[i64] = &[
    libc::SYS_read,
    libc::SYS_pread64,
    libc::SYS_getdents64,
    libc::SYS_statx,
    libc::SYS_newfstatat,
    libc::SYS_fstat,
    libc::SYS_readlinkat,
    libc::SYS_readlink,
];

const DESCRIPTORS: &[i64] = &[
    libc::SYS_socket,
    libc::SYS_socketpair,
    libc::SYS_pipe2,
    libc::SYS_dup,
    libc::SYS_epoll_create1,
    libc::SYS_eventfd2,
    libc::SYS_signalfd4,
    libc::SYS_timerfd_create,
    libc::SYS_inotify_init1,
    libc::SYS_memfd_create,
    libc::SYS_pidfd_open,
    libc::SYS_accept4,
    libc::SYS_open_tree,
    libc::SYS_fsopen,
    libc::SYS_fsmount,
];

const MEMORY: &[i64] = &[
    libc::SYS_fork,
    libc::SYS_vfork,
    libc::SYS_clone,
    libc::SYS_clone3,
    libc::SYS_execve,
    libc::SYS_mount,
    libc::SYS_move_mount,
    libc::SYS_fsconfig,
    libc::SYS_socket,
    libc::SYS_openat,
    libc::SYS_openat2,
];

const WAITS: &[i64] = &[
    libc::SYS_read,
    libc::SYS_write,
    libc::SYS_poll,
    libc::SYS_ppoll,
    libc::SYS_epoll_wait,
    libc::SYS_epoll_pwait,
    libc::SYS_wait4,
    libc::SYS_waitid,
    libc::SYS_connect,
    libc::SYS_accept4,
    libc::SYS_recvmsg,
    libc::SYS_recvfrom,
    libc::SYS_sendmsg,
    libc::SYS_sendto,
    libc::SYS_flock,
    libc::SYS_nanosleep,
    libc::SYS_clock_nanosleep,
];

/// The names of calls that a report may mention.
const NAMES: &[(i64, &str)] = &[
    (libc::SYS_open, "open"),
    (libc::SYS_openat, "openat"),
    (libc::SYS_openat2, "openat2"),
    (libc::SYS_read, "read"),
    (libc::SYS_write, "write"),
    (libc::SYS_writev, "writev"),
    (libc::SYS_fcntl, "fcntl"),
    (libc::SYS_clone, "clone"),
    (libc::SYS_clone3, "clone3"),
    (libc::SYS_mkdir, "mkdir"),
    (libc::SYS_mkdirat, "mkdirat"),
    (libc::SYS_rmdir, "rmdir"),
    (libc::SYS_unlink, "unlink"),
    (libc::SYS_unlinkat, "unlinkat"),
    (libc::SYS_rename, "rename"),
    (libc::SYS_renameat, "renameat"),
    (libc::SYS_renameat2, "renameat2"),
    (libc::SYS_symlink, "symlink"),
    (libc::SYS_symlinkat, "symlinkat"),
    (libc::SYS_linkat, "linkat"),
    (libc::SYS_ftruncate, "ftruncate"),
    (libc::SYS_fallocate, "fallocate"),
    (libc::SYS_fsync, "fsync"),
    (libc::SYS_fdatasync, "fdatasync"),
    (libc::SYS_flock, "flock"),
    (libc::SYS_fchmod, "fchmod"),
    (libc::SYS_getdents64, "getdents64"),
    (libc::SYS_statx, "statx"),
    (libc::SYS_newfstatat, "newfstatat"),
    (libc::SYS_fstat, "fstat"),
    (libc::SYS_readlinkat, "readlinkat"),
    (libc::SYS_sendto, "sendto"),
    (libc::SYS_sendmsg, "sendmsg"),
    (libc::SYS_recvmsg, "recvmsg"),
    (libc::SYS_recvfrom, "recvfrom"),
    (libc::SYS_mount, "mount"),
    (libc::SYS_fsmount, "fsmount"),
    (libc::SYS_move_mount, "move_mount"),
    (libc::SYS_open_tree, "open_tree"),
    (libc::SYS_pivot_root, "pivot_root"),
    (libc::SYS_execve, "execve"),
    (libc::SYS_execveat, "execveat"),
    (libc::SYS_socket, "socket"),
    (libc::SYS_bind, "bind"),
    (libc::SYS_connect, "connect"),
    (libc::SYS_accept4, "accept4"),
    (libc::SYS_pipe2, "pipe2"),
    (libc::SYS_pidfd_open, "pidfd_open"),
    (libc::SYS_memfd_create, "memfd_create"),
    (libc::SYS_signalfd4, "signalfd4"),
    (libc::SYS_poll, "poll"),
    (libc::SYS_ppoll, "ppoll"),
    (libc::SYS_wait4, "wait4"),
    (libc::SYS_waitid, "waitid"),
    (libc::SYS_kill, "kill"),
    (libc::SYS_pidfd_send_signal, "pidfd_send_signal"),
    (libc::SYS_exit_group, "exit_group"),
];
