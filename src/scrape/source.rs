//! Reads what a [`Source`] stands for. Files are read at every scrape, so a rotated password or
//! certificate holds from the next one on; they are few and small, and the operating system keeps
//! them in memory.

use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;

use crate::scrape::config::Source;
use crate::scrape::failure::ScrapeError;
use crate::secret::Secret;
use crate::units::format_bytes;

/// Size of a credential or PEM file that is read; a larger one is no credential.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// The text, without the white space around a file's.
pub(super) async fn read_text(source: &Source, what: &str) -> Result<Secret, ScrapeError> {
    let path = match source {
        Source::File(path) => path,
        Source::Inline(secret) => return Ok(secret.clone()),
    };
    let text = String::from_utf8(read_file(path, what).await?)
        .map_err(|_| fault(path, what, "not UTF-8".to_owned()))?;
    Ok(Secret::new(text.trim().to_owned()))
}

/// The bytes as they are.
pub(super) async fn read_bytes(source: &Source, what: &str) -> Result<Vec<u8>, ScrapeError> {
    match source {
        Source::File(path) => read_file(path, what).await,
        Source::Inline(secret) => Ok(secret.expose().as_bytes().to_vec()),
    }
}

/// The bytes, unless they are in a file.
pub(super) fn inline_bytes(source: &Source) -> Option<Vec<u8>> {
    match source {
        Source::File(_) => None,
        Source::Inline(secret) => Some(secret.expose().as_bytes().to_vec()),
    }
}

async fn read_file(path: &Path, what: &str) -> Result<Vec<u8>, ScrapeError> {
    let owned = path.to_owned();
    let read = tokio::task::spawn_blocking(move || read_limited(&owned)).await;
    read.map_err(io::Error::other).flatten().map_err(|error| fault(path, what, error.to_string()))
}

fn read_limited(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > FILE_BYTES_MAX {
        return Err(io::Error::other(format!("larger than {}", format_bytes(FILE_BYTES_MAX))));
    }
    Ok(bytes)
}

fn fault(path: &Path, what: &str, cause: String) -> ScrapeError {
    ScrapeError::Credentials { what: format!("`{what}` in `{}`", path.display()), cause }
}
