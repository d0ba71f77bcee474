//! `parlante pack inspect`.

use std::path::Path;

use parlante::pack::Pack;

use super::failure::Failure;
use super::models::read_pack;

/// Lists what a pack holds.
pub fn inspect(file: &Path, json: bool) -> Result<String, Failure> {
    let inspection = Pack::from_bytes(read_pack(Some(file))?)?.inspect();
    if json {
        serde_json::to_string_pretty(&inspection).map_err(|error| Failure::Internal(error.to_string()))
    } else {
        Ok(inspection.to_string())
    }
}
