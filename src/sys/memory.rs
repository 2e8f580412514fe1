//! A ceiling on the memory of this process: an allocator that counts once it is told to.
//!
//! `setrlimit(RLIMIT_AS)` would do for the process, but what it starts inherits it: monitors and
//! containers would have it too.

// An allocator cannot be written without.
#![allow(unsafe_code)]

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// How a process ends that would go above its ceiling: as one that the kernel kills for it.
const KILLED: libc::c_int = 137;

const REPORTED: &[u8] =
    b"error: memory limit of the script reached\nhint: raise it with --max-memory SIZE\n";

static IS_BOUND: AtomicBool = AtomicBool::new(false);
static LIMIT: AtomicU64 = AtomicU64::new(0);
static USED: AtomicU64 = AtomicU64::new(0);

/// The system's allocator, which ends the process at its ceiling.
#[derive(Debug)]
pub struct Bounded;

/// From now on this process may allocate so many bytes more. Where it would go above, it says so on
/// standard error and ends at once with exit code 137.
pub fn bound(bytes: u64) {
    LIMIT.store(bytes, Ordering::Relaxed);
    IS_BOUND.store(true, Ordering::Relaxed);
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
        // What was taken before the count began may come back now: it counts for nothing.
        let size = size as u64;
        let _ = USED.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            Some(used.saturating_sub(size))
        });
    }
}

/// Ends the process, without any allocation on the way.
fn abort() -> ! {
    // SAFETY: the buffer is a constant of this length.
    unsafe { libc::write(libc::STDERR_FILENO, REPORTED.as_ptr().cast(), REPORTED.len()) };
    // SAFETY: it does not return, and runs nothing of this process.
    unsafe { libc::_exit(KILLED) }
}

// SAFETY: all is left to the system's allocator; counting allocates nothing and cannot unwind.
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
