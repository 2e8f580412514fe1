//! The memory of this process: its limit, an allocator that counts once that is set, and what it
//! gives back.
//!
//! `setrlimit(RLIMIT_AS)` would limit the process too, but its children inherit that: monitors and
//! containers would be limited.

// An allocator needs unsafe code.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The exit code at the limit: that of a process that the kernel kills for it.
const KILLED: libc::c_int = 137;

const REPORTED: &[u8] =
    b"error: memory limit of the script reached\nhint: raise it with --max-memory SIZE\n";

static IS_BOUND: AtomicBool = AtomicBool::new(false);
static LIMIT: AtomicU64 = AtomicU64::new(0);
static USED: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, which ends the process at the limit.
#[derive(Debug)]
pub struct Bounded;

/// Limits what this process may allocate from now on. At the limit it prints an error to standard
/// error and exits immediately with code 137.
pub fn bound(bytes: u64) {
    LIMIT.store(bytes, Ordering::Relaxed);
    IS_BOUND.store(true, Ordering::Relaxed);
}

/// Gives the kernel back what was freed, and the stack below this call: `malloc_trim(3)` and
/// `madvise(2)`. For the first thread of a process that lives long and needs little later.
pub fn give_back_unused() {
    /// How much of the stack is given back.
    const DEPTH: usize = 1 << 20;
    /// How much the calls here may use.
    const IN_USE: usize = 16 << 10;
    #[cfg(target_env = "gnu")]
    // SAFETY: takes an integer, and touches no memory that is in use.
    unsafe {
        libc::malloc_trim(0);
    }
    let here = 0u8;
    // SAFETY: takes an integer.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(64 << 10);
    let end = ((&raw const here).addr() - IN_USE) & !(page - 1);
    // SAFETY: nothing in use is below the frame of this call and those that it makes: the kernel
    // keeps other mappings at least 128 MiB away from the first thread's stack. What is not mapped
    // there is passed over.
    unsafe {
        let start = std::ptr::without_provenance_mut::<libc::c_void>(end - DEPTH);
        libc::madvise(start, DEPTH, libc::MADV_DONTNEED);
    }
}

fn take(size: usize) {
    if IS_BOUND.load(Ordering::Relaxed) {
        let size = size as u64;
        let before = USED.fetch_add(size, Ordering::Relaxed);
        if before.saturating_add(size) > LIMIT.load(Ordering::Relaxed) {
            abort();
        }
    }
}

fn give_back(size: usize) {
    if IS_BOUND.load(Ordering::Relaxed) {
        // Memory allocated before the limit was set may be freed now: it does not count.
        let size = size as u64;
        let _ = USED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            Some(used.saturating_sub(size))
        });
    }
}

/// Ends the process without allocating.
fn abort() -> ! {
    // SAFETY: the buffer is a constant of this length.
    unsafe { libc::write(libc::STDERR_FILENO, REPORTED.as_ptr().cast(), REPORTED.len()) };
    // SAFETY: it does not return, and runs nothing of this process.
    unsafe { libc::_exit(KILLED) }
}

// SAFETY: the system's allocator does all the work; counting allocates nothing and cannot unwind.
unsafe impl GlobalAlloc for Bounded {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        take(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        give_back(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.dealloc(pointer, layout) };
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        take(size);
        give_back(layout.size());
        // SAFETY: as the caller promises.
        unsafe { System.realloc(pointer, layout, size) }
    }
}
