//! Which file systems are made by the kernel: statfs(2).

use std::os::fd::AsFd;

use crate::model::{Error, Result};

/// The file systems whose files are views of the kernel, by `f_type` (statfs(2), linux/magic.h):
/// reading and writing them asks the kernel with the rights of the caller.
const KERNEL: &[u32] = &[
    0x0000_9fa0, // proc
    0x6265_6572, // sysfs
    0x0027_e0eb, // cgroup
    0x6367_7270, // cgroup2
    0x6462_6720, // debugfs
    0x7472_6163, // tracefs
    0x7363_6673, // securityfs
    0xcafe_4a11, // bpf
    0x6165_676c, // pstore
    0xde5e_81e4, // efivarfs
    0xf97c_ff8c, // selinuxfs
    0x4341_5d53, // smackfs
    0x6265_6570, // configfs
    0x4249_4e4d, // binfmt_misc
    0x0000_1cd1, // devpts
    0x1980_0202, // mqueue
    0x6573_5543, // fusectl
    0x6e73_6673, // nsfs
    0x0765_5821, // resctrl
];

/// Whether an open file or directory belongs to a file system of the kernel, such as `/proc`.
pub fn is_kernel_file(file: impl AsFd) -> Result<bool> {
    let found = rustix::fs::fstatfs(file)
        .map_err(|errno| Error::from_errno("fstatfs", errno.raw_os_error()))?;
    // The type is signed on some architectures; all magic numbers have 32 bits.
    let magic = u32::try_from(i128::from(found.f_type) & 0xffff_ffff).unwrap_or(0);
    Ok(KERNEL.contains(&magic))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_of_the_kernel_are_told_from_files() {
        let open = |path: &str| std::fs::File::open(path).unwrap();
        for path in ["/proc", "/proc/self/status", "/sys", "/sys/kernel"] {
            assert!(is_kernel_file(open(path)).unwrap(), "{path}");
        }
        for path in ["/", env!("CARGO_MANIFEST_DIR")] {
            assert!(!is_kernel_file(open(path)).unwrap(), "{path}");
        }
    }
}
