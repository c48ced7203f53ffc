//! The memory of pages: used again for the next page once nobody reads the last one, and limited.
//!
//! A page of a large fleet has tens of megabytes. Asking the system for that much each time costs
//! as much as writing the page, so a buffer that its last reader lets go of comes back here. And
//! since a reader may be as slow as it likes, what all of them hold is counted.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use bytes::Bytes;

/// A buffer of which the last page left more than this part empty is given back to the system: the
/// fleet became smaller.
const WASTE_FACTOR_MAX: usize = 4;

/// A part of the length that is added as room to grow where a buffer is made anew.
const SLACK_DIVISOR: usize = 16;

/// Buffers for pieces of pages, by the place of the piece.
#[derive(Debug, Clone)]
pub(super) struct Buffers(Arc<Mutex<Shelf>>);

#[derive(Debug)]
struct Shelf {
    /// Empty buffers, by place; what is not there was taken or never made.
    free: Vec<Vec<u8>>,
    /// Length of the newest piece, by place.
    lengths: Vec<usize>,
    bytes_out: usize,
    bytes_out_max: usize,
}

/// A piece of a page that somebody may still read.
struct Piece {
    place: usize,
    text: Vec<u8>,
    home: Buffers,
}

impl Buffers {
    /// No buffers yet; `bytes_out_max` limits what readers hold.
    pub(super) fn new(bytes_out_max: usize) -> Self {
        let shelf = Shelf { free: Vec::new(), lengths: Vec::new(), bytes_out: 0, bytes_out_max };
        Self(Arc::new(Mutex::new(shelf)))
    }

    /// Whether readers hold so much that there must not be one more page.
    pub(super) fn is_exhausted(&self) -> bool {
        let shelf = self.shelf();
        shelf.bytes_out > shelf.bytes_out_max
    }

    /// An empty buffer for the piece at that place, with room for one like the last.
    pub(super) fn take(&self, place: usize) -> Vec<u8> {
        let mut shelf = self.shelf();
        let expected = shelf.lengths.get(place).copied().unwrap_or(0);
        let mut buffer = shelf.free.get_mut(place).map(std::mem::take).unwrap_or_default();
        drop(shelf);
        if buffer.capacity() / WASTE_FACTOR_MAX > expected {
            buffer = Vec::new();
        }
        if buffer.capacity() < expected {
            buffer.reserve(expected + expected / SLACK_DIVISOR);
        }
        buffer
    }

    /// The piece, to be read; its buffer comes back when the last reader is done.
    pub(super) fn lend(&self, place: usize, text: Vec<u8>) -> Bytes {
        let mut shelf = self.shelf();
        if shelf.lengths.len() <= place {
            shelf.lengths.resize(place + 1, 0);
            shelf.free.resize_with(place + 1, Vec::new);
        }
        shelf.lengths[place] = text.len();
        shelf.bytes_out += text.capacity();
        drop(shelf);
        Bytes::from_owner(Piece { place, text, home: self.clone() })
    }

    /// A lock that a panicking thread left is still whole: the counts are changed one at a time.
    fn shelf(&self) -> MutexGuard<'_, Shelf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl AsRef<[u8]> for Piece {
    fn as_ref(&self) -> &[u8] {
        &self.text
    }
}

impl Drop for Piece {
    fn drop(&mut self) {
        let mut buffer = std::mem::take(&mut self.text);
        let mut shelf = self.home.shelf();
        shelf.bytes_out = shelf.bytes_out.saturating_sub(buffer.capacity());
        if let Some(free) = shelf.free.get_mut(self.place) {
            buffer.clear();
            *free = buffer;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_once_nobody_reads_it() {
        let buffers = Buffers::new(100);
        let mut text = buffers.take(3);
        text.extend_from_slice(&[7; 1000]);
        let address = text.as_ptr();
        let piece = buffers.lend(3, text);
        let reader = piece.clone();
        drop(piece);
        let other = buffers.take(3);
        assert_ne!(other.as_ptr(), address);
        drop(reader);
        let again = buffers.take(3);
        assert_eq!(again.as_ptr(), address);
        assert!(again.is_empty());
    }

    #[test]
    fn what_readers_hold_is_limited() {
        let buffers = Buffers::new(100);
        let piece = buffers.lend(0, vec![0; 101]);
        assert!(buffers.is_exhausted());
        drop(piece);
        assert!(!buffers.is_exhausted());
    }

    #[test]
    fn a_buffer_that_became_too_large_goes() {
        let buffers = Buffers::new(100);
        drop(buffers.lend(0, vec![0; 10_000]));
        drop(buffers.lend(0, vec![0; 10]));
        drop(buffers.lend(0, Vec::with_capacity(10_000)));
        assert!(buffers.take(0).capacity() < 10_000);
    }
}
