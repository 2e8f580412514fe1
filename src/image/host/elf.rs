//! The needs of a program at the dynamic linker, read from its ELF headers.
//!
//! `ldd` would list them too, but it may run the program. No program of the host is run here.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use object::Endianness;
use object::elf::{
    DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_STRSZ, DT_STRTAB, FileHeader32, FileHeader64, PT_LOAD,
};
use object::read::elf::{Dyn, FileHeader, ProgramHeader};
use object::read::{ReadCache, ReadRef};

use super::presence::is_missing;
use crate::image::bytes::stream::open_regular;
use crate::model::error::Context;
use crate::model::{Kind, Result};

/// The longest file that is read, in bytes: programs of a small image are shorter.
const MAX_FILE: u64 = 512 << 20;
const MAX_STRINGS: u64 = 16 << 20;

/// The dynamic section of an ELF file. A static program has none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct DynamicSection {
    /// Word size, byte order and machine: a library of another kind is skipped.
    pub(super) kind: (bool, bool, u16),
    /// `PT_INTERP`: the dynamic linker.
    pub(super) interpreter: Option<PathBuf>,
    /// `DT_NEEDED`: file names, or paths where they contain a `/`.
    pub(super) libraries: Vec<PathBuf>,
    /// `DT_RUNPATH`, or else `DT_RPATH`, as written.
    pub(super) search: Vec<String>,
}

/// Reads the ELF headers of `path`; `None` if it is missing, or not an intact ELF file.
///
/// # Errors
/// When the file is there and cannot be opened.
pub(super) fn dynamic_section(path: &Path) -> Result<Option<DynamicSection>> {
    let file = match open_regular(path) {
        Ok(file) => file,
        // Another kind of file is not a library.
        Err(error) if error.kind() == Kind::Invalid || is_missing(error.errno()) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let length = file.metadata().context(|| format!("stat `{}`", path.display()))?.len();
    if length > MAX_FILE {
        return Ok(None);
    }
    let data = ReadCache::new(file);
    let class = data.read_bytes_at(0, 5).ok().and_then(|start| start.get(4).copied());
    Ok(match class {
        Some(2) => read::<FileHeader64<Endianness>, _>(&data).ok(),
        Some(1) => read::<FileHeader32<Endianness>, _>(&data).ok(),
        _ => None,
    })
}

fn read<'data, Elf, R>(data: R) -> object::read::Result<DynamicSection>
where
    Elf: FileHeader<Endian = Endianness>,
    R: ReadRef<'data>,
{
    let header = Elf::parse(data)?;
    let endian = header.endian()?;
    let segments = header.program_headers(endian, data)?;
    let mut needs = DynamicSection {
        kind: (header.is_class_64(), header.is_little_endian(), header.e_machine(endian).0),
        ..DynamicSection::default()
    };
    let mut dynamic = Vec::new();
    for segment in segments {
        if let Some(interpreter) = segment.interpreter(endian, data)? {
            needs.interpreter = Some(to_path(interpreter));
        }
        if let Some(entries) = segment.dynamic(endian, data)? {
            dynamic.extend(entries.iter().map(|entry| (entry.tag(endian), entry.val(endian))));
        }
    }
    let value = |key| dynamic.iter().find(|(tag, _)| *tag == key).map(|(_, value)| *value);
    let (Some(address), Some(size)) = (value(DT_STRTAB), value(DT_STRSZ)) else {
        return Ok(needs);
    };
    // The table is given by its address in memory; the segment that contains it gives its offset in
    // the file.
    let offset = segments.iter().find_map(|segment| {
        let start: u64 = segment.p_vaddr(endian).into();
        let length: u64 = segment.p_filesz(endian).into();
        let inside = address.checked_sub(start).filter(|inside| *inside < length)?;
        let file: u64 = segment.p_offset(endian).into();
        (segment.p_type(endian) == PT_LOAD).then(|| file.checked_add(inside)).flatten()
    });
    let strings = offset
        .and_then(|offset| data.read_bytes_at(offset, size.min(MAX_STRINGS)).ok())
        .unwrap_or_default();
    let string = |offset: u64| {
        let rest = strings.get(usize::try_from(offset).ok()?..)?;
        rest.split(|byte| *byte == 0).next()
    };
    let all = |key| {
        let found = dynamic.iter().filter(move |(tag, _)| *tag == key);
        found.filter_map(|(_, value)| string(*value)).collect::<Vec<_>>()
    };
    needs.libraries = all(DT_NEEDED).into_iter().map(to_path).collect();
    // DT_RPATH is ignored if there is a DT_RUNPATH (ld.so(8)).
    let search = [all(DT_RUNPATH), all(DT_RPATH)].into_iter().find(|found| !found.is_empty());
    for list in search.into_iter().flatten() {
        let list = String::from_utf8_lossy(list);
        needs.search.extend(list.split(':').filter(|dir| !dir.is_empty()).map(str::to_owned));
    }
    Ok(needs)
}

fn to_path(bytes: &[u8]) -> PathBuf {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    PathBuf::from(std::ffi::OsStr::from_bytes(&bytes[..end]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_elf_file_needs_nothing() {
        let directory = tempfile::tempdir().unwrap();
        for content in
            [&b""[..], b"#!/bin/sh\n", b"\x7fELF", b"\x7fELF\x02\x01\x01aaaaaaaaaaaaaaaa"]
        {
            let path = directory.path().join("x");
            std::fs::write(&path, content).unwrap();
            assert_eq!(dynamic_section(&path).unwrap(), None);
        }
        for path in [directory.path(), Path::new("/dev/zero"), &directory.path().join("missing")] {
            assert_eq!(dynamic_section(path).unwrap(), None);
        }
    }

    #[test]
    fn this_test_is_an_elf_file() {
        let needs = dynamic_section(&std::env::current_exe().unwrap()).unwrap().unwrap();
        assert_eq!(needs.kind.0, cfg!(target_pointer_width = "64"));
    }
}
