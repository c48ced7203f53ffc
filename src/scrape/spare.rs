//! The memory of bodies that were read, for those that come next: pages of tens of kilobytes are
//! too large for an allocator to have at hand, and come by the hundred in a second.

use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

/// Bodies whose memory is kept. Few scrapes are under way at once.
const SPARE_MAX: usize = 4;

/// Largest memory that is kept, in bytes.
const SPARE_BYTES_MAX: usize = 1 << 20;

/// Memory to be used again.
#[derive(Debug, Default)]
pub(super) struct Spare(Mutex<Vec<Vec<u8>>>);

impl Spare {
    /// An empty buffer, with room where there is one that was used before.
    pub(super) fn take(&self) -> Vec<u8> {
        self.buffers().pop().unwrap_or_default()
    }

    pub(super) fn put(&self, text: String) {
        let mut bytes = text.into_bytes();
        let mut buffers = self.buffers();
        if buffers.len() < SPARE_MAX && bytes.capacity() <= SPARE_BYTES_MAX {
            bytes.clear();
            buffers.push(bytes);
        }
    }

    /// A list of buffers is whole whoever panicked.
    fn buffers(&self) -> MutexGuard<'_, Vec<Vec<u8>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_used_again_and_bounded() {
        let spare = Spare::default();
        let text = "up 1\n".repeat(100);
        let address = text.as_ptr();
        spare.put(text);
        let again = spare.take();
        assert_eq!((again.as_ptr(), again.len()), (address, 0));
        spare.put(String::with_capacity(SPARE_BYTES_MAX + 1));
        assert_eq!(spare.take().capacity(), 0);
        (0..2 * SPARE_MAX).for_each(|_| spare.put("x".to_owned()));
        assert_eq!(spare.buffers().len(), SPARE_MAX);
    }
}
