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

/// The part of the whole by which the compressed page is expected to be smaller.
const RATIO_EXPECTED: usize = 16;

/// The long part: a gzip member that is not finished.
#[derive(Debug)]
pub(super) struct Opened {
    /// Header and whole blocks.
    pub(super) blocks: Bytes,
    crc: Crc,
}

/// Begins a member with these pieces. Label sets repeat so much that the fastest level already
/// leaves a tenth or less.
pub(super) fn open(pieces: &[Bytes]) -> io::Result<Opened> {
    let length: usize = pieces.iter().map(Bytes::len).sum();
    let mut blocks = Vec::with_capacity(length / RATIO_EXPECTED + HEADER.len());
    blocks.extend_from_slice(&HEADER);
    let mut crc = Crc::new();
    let mut encoder = DeflateEncoder::new(blocks, Compression::fast());
    for piece in pieces {
        crc.update(piece);
        encoder.write_all(piece)?;
    }
    // Ends the last block at a whole byte, so that others can follow.
    encoder.flush()?;
    let blocks = std::mem::take(encoder.get_mut());
    Ok(Opened { blocks: Bytes::from(blocks), crc })
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
    fn check(pieces: &[&str], end: &str) {
        let bytes: Vec<_> = pieces.iter().map(|piece| Bytes::from((*piece).to_owned())).collect();
        let opened = open(&bytes).unwrap();
        // Twice: what was opened once is closed for each answer.
        for end in [end, "another"] {
            let closed = close(&opened, end.as_bytes()).unwrap();
            let member = [&opened.blocks[..], &closed].concat();
            let mut text = String::new();
            // Not the decoder of several members.
            let mut decoder = GzDecoder::new(&member[..]);
            decoder.read_to_string(&mut text).unwrap();
            assert_eq!(text, pieces.concat() + end);
            assert!(decoder.into_inner().is_empty());
        }
    }

    #[test]
    fn both_parts_are_one_member() {
        check(&[], "");
        check(&["a"], "");
        check(&[], "b");
        check(&["a", "", "b"], "c\n");
        check(&["x".repeat(100_000).as_str(), "y"], "end\n");
    }
}
