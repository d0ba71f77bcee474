//! Finding and opening the model pack and the portrait.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use parlante::animator::Models;
use parlante::decode::Background;
use parlante::exec::Device;
use parlante::pack::Pack;
use parlante::portrait::{FittedFace, LoadOptions, Picture, load};

use super::args::Behind;
use super::failure::Failure;

/// Where `npm start` puts the pack, relative to the repository.
const DEFAULT: &str = "build/parlante-default.gguf";
/// A pack is a few megabytes; this much is never one.
const MAX_PACK_BYTES: u64 = 4 << 30;
/// Photos beyond this many bytes are not read.
const MAX_PHOTO_BYTES: u64 = 512 << 20;

/// The given pack, or the default one, with its networks on a device.
pub fn open(pack: Option<&Path>, device: &Device) -> Result<Models, Failure> {
    Ok(Models::on(Pack::from_bytes(read_pack(pack)?)?, device)?)
}

/// The bytes of the given pack, or of the default one.
pub fn read_pack(pack: Option<&Path>) -> Result<Vec<u8>, Failure> {
    let path = match pack {
        Some(path) => path.to_owned(),
        None => near(DEFAULT).ok_or(Failure::NoPack)?,
    };
    read(&path, MAX_PACK_BYTES).map_err(|source| Failure::PackFile { path, source })
}

/// A file of the repository, looked for beside the current folder and the program and in the folders above them.
pub fn near(relative: &str) -> Option<PathBuf> {
    let starts = [std::env::current_dir().ok(), std::env::current_exe().ok()];
    starts
        .iter()
        .flatten()
        .flat_map(|start| start.ancestors())
        .map(|folder| folder.join(relative))
        .find(|path| path.is_file())
}

/// Reads a photo.
pub fn photo(path: &Path) -> Result<Picture, Failure> {
    let bytes =
        read(path, MAX_PHOTO_BYTES).map_err(|source| Failure::PortraitFile { path: path.to_owned(), source })?;
    load(&bytes, &LoadOptions::default()).map_err(|error| Failure::portrait(path, error))
}

/// Reads what shall be behind the person.
pub fn background(behind: &Behind) -> Result<Background, Failure> {
    let path = match behind {
        Behind::This(background) => return Ok(background.clone()),
        Behind::File(path) => path,
    };
    let failed = |reason: String| Failure::Background { path: path.clone(), reason };
    let bytes = read(path, MAX_PHOTO_BYTES)
        .map_err(|e| failed(format!("the picture cannot be opened ({e}), check the path")))?;
    let picture = load(&bytes, &LoadOptions::default()).map_err(|e| failed(e.to_string()))?;
    Ok(Background::Picture(Arc::new(picture)))
}

/// Reads a photo and fits the face model to it.
pub fn fit(models: &Models, path: &Path, face: Option<usize>) -> Result<FittedFace, Failure> {
    models.fit(&photo(path)?, face).map_err(|error| Failure::portrait(path, error))
}

fn read(path: &Path, most: u64) -> std::io::Result<Vec<u8>> {
    use std::io::Read;
    let file = std::fs::File::open(path)?;
    if file.metadata()?.is_dir() {
        return Err(std::io::ErrorKind::IsADirectory.into());
    }
    let mut bytes = Vec::new();
    file.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most { Err(std::io::ErrorKind::FileTooLarge.into()) } else { Ok(bytes) }
}
