//! A gzipped page whose long part is compressed once and whose short part each time.
//!
//! What the process uses changes with every look at it, what the board shows does not. Two gzip
//! members one after the other would do by the standard, and several clients read only the first;
//! so both parts are blocks of one member (RFC 1951 §2), and its checksum is put together from
//! those of the parts (RFC 1952 §2.3.1).

use std::io;
use std::io::Write;

use bytes::Bytes;
use flate2::Compression;
use flate2::Crc;
use flate2::write::DeflateEncoder;

/// Deflate, no name, no time, unknown system.
const HEADER: [u8; 10] = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];

/// The long part: a gzip member that is not finished.
#[derive(Debug)]
pub(super) struct Opened {
    /// Header and whole blocks.
    pub(super) pieces: Vec<Bytes>,
    crc: Crc,
}

/// Compresses one run of text. Label sets repeat so much that the fastest level already leaves a
/// tenth or less.
#[derive(Debug)]
pub(super) struct Packer {
    encoder: DeflateEncoder<Vec<u8>>,
    crc: Crc,
}

impl Opened {
    /// Nothing yet.
    pub(super) fn new() -> Self {
        Self { pieces: vec![Bytes::from_static(&HEADER)], crc: Crc::new() }
    }

    /// Goes on with what was packed.
    pub(super) fn push(&mut self, packer: Packer) -> io::Result<()> {
        let Packer { mut encoder, crc } = packer;
        if crc.amount() == 0 {
            return Ok(());
        }
        // Ends the last block at a whole byte, so that others can follow.
        encoder.flush()?;
        self.pieces.push(std::mem::take(encoder.get_mut()).into());
        self.crc.combine(&crc);
        Ok(())
    }
}

impl Packer {
    pub(super) fn new() -> Self {
        Self { encoder: DeflateEncoder::new(Vec::new(), Compression::fast()), crc: Crc::new() }
    }

    pub(super) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        self.crc.update(text);
        self.encoder.write_all(text)
    }
}

/// Ends a member with the short part.
pub(super) fn close(opened: &Opened, text: &[u8]) -> io::Result<Bytes> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text)?;
    let mut end = encoder.finish()?;
    let mut crc = Crc::new();
    crc.update(text);
    let mut whole = Crc::new();
    whole.combine(&opened.crc);
    whole.combine(&crc);
    end.extend_from_slice(&whole.sum().to_le_bytes());
    end.extend_from_slice(&whole.amount().to_le_bytes());
    Ok(Bytes::from(end))
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    #[track_caller]
    fn check(runs: &[&[&str]], end: &str) {
        let mut opened = Opened::new();
        for run in runs {
            let mut packer = Packer::new();
            for text in *run {
                packer.write(text.as_bytes()).unwrap();
            }
            opened.push(packer).unwrap();
        }
        // Twice: what was opened once is closed for each answer.
        for end in [end, "another"] {
            let closed = close(&opened, end.as_bytes()).unwrap();
            let member = [opened.pieces.concat().as_slice(), &closed].concat();
            let mut text = String::new();
            // Not the decoder of several members.
            let mut decoder = GzDecoder::new(&member[..]);
            decoder.read_to_string(&mut text).unwrap();
            assert_eq!(text, runs.concat().concat() + end);
            assert!(decoder.into_inner().is_empty());
        }
    }

    #[test]
    fn both_parts_are_one_member() {
        check(&[], "");
        check(&[&["a"]], "");
        check(&[], "b");
        check(&[&["a", ""], &[], &[""], &["b"]], "c\n");
        let long = "x".repeat(100_000);
        check(&[&[&long, "y"], &["z"], &[&long]], "end\n");
    }
}
