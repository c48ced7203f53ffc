//! The newest page in one coding, which all who ask for it share.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;

/// The newest page. `E` is what it depends on, `T` is its text.
#[derive(Debug)]
pub(super) struct Newest<E, T> {
    /// How many pages were begun.
    begun: AtomicU64,
    page: Mutex<Option<Page<E, T>>>,
}

#[derive(Debug)]
struct Page<E, T> {
    edition: E,
    /// How many were begun before this one.
    number: u64,
    text: Arc<T>,
}

impl<E: PartialEq, T> Newest<E, T> {
    /// No page yet.
    pub(super) const fn new() -> Self {
        Self { begun: AtomicU64::new(0), page: Mutex::new(None) }
    }

    /// The newest page, if nothing on it changed or it was begun after this call; a new one
    /// otherwise. So of many who ask at once the first gets one and all others share the next,
    /// however fast it changes, and nobody gets one that is older than his question.
    pub(super) fn get<F>(
        &self,
        edition: impl FnOnce() -> E,
        write: impl FnOnce(&E) -> Result<T, F>,
    ) -> Result<Arc<T>, F> {
        let begun_before = self.begun.load(Ordering::Acquire);
        let mut page = self.page.lock().unwrap_or_else(PoisonError::into_inner);
        let edition = edition();
        if let Some(page) = &*page
            && (page.edition == edition || page.number >= begun_before)
        {
            return Ok(Arc::clone(&page.text));
        }
        // Its memory comes back if nobody reads it.
        *page = None;
        let number = self.begun.fetch_add(1, Ordering::AcqRel);
        let text = Arc::new(write(&edition)?);
        *page = Some(Page { edition, number, text: Arc::clone(&text) });
        Ok(text)
    }
}
