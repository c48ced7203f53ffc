//! A page line by line: each line checked, nothing of it copied.
//!
//! What is a line in the usual spelling is read by the short way, what is not by the plain one, and
//! both say the same of every line: `tests/it/prop_scan.rs` and a fuzz target hold them to it. So a
//! page costs what its usual lines cost, and no line is lost or taken that the formats do not have
//! so.

use std::iter::FusedIterator;

use memchr::memchr;

use crate::exposition::BadLine;
use crate::exposition::Format;
use crate::exposition::comment::Comment;
use crate::exposition::fault::Bad;
use crate::exposition::plain;
use crate::exposition::sample_ref::SampleRef;
use crate::exposition::usual::Usual;

/// A line of a page.
#[derive(Debug, Clone)]
pub enum Entry<'a> {
    /// One that could not be read.
    Bad(BadRef<'a>),
    /// A blank one, in Prometheus text.
    Blank,
    /// One that starts with `#`.
    Comment(Comment<'a>),
    /// One with a sample.
    Sample(SampleRef<'a>),
}

/// A line that could not be read, as it lies on the page.
#[derive(Debug, Clone)]
pub struct BadRef<'a> {
    number: usize,
    text: &'a str,
    bad: Bad,
}

impl BadRef<'_> {
    /// The line with what is wrong with it.
    pub fn to_bad_line(&self) -> BadLine {
        self.bad.into_bad_line(self.number, self.text)
    }
}

/// The lines of a page, in its order: for each line one entry.
#[derive(Debug)]
pub struct Scan<'a> {
    text: &'a str,
    format: Format,
    usual: Usual<'a>,
    /// Where the next line starts.
    at: usize,
    /// Lines so far.
    number: usize,
    is_after_eof: bool,
}

/// Reads a page lazily. Never fails: what cannot be read is an [`Entry::Bad`].
pub fn scan(text: &str, format: Format) -> Scan<'_> {
    let usual = Usual::new(text, format);
    Scan { text, format, usual, at: 0, number: 0, is_after_eof: false }
}

impl<'a> Iterator for Scan<'a> {
    type Item = Entry<'a>;

    #[expect(clippy::inline_always, reason = "an entry need not be put together to be looked at")]
    #[inline(always)]
    fn next(&mut self) -> Option<Entry<'a>> {
        let first = *self.text.as_bytes().get(self.at)?;
        self.number += 1;
        if self.is_after_eof {
            return Some(self.plain());
        }
        if first == b'#' {
            if let Some((comment, next)) = self.usual.comment(self.at) {
                self.at = next;
                return Some(Entry::Comment(comment));
            }
        } else if let Some((sample, next)) = self.usual.sample(self.at, self.number) {
            self.at = next;
            return Some(Entry::Sample(sample));
        }
        Some(self.plain())
    }
}

impl FusedIterator for Scan<'_> {}

impl<'a> Scan<'a> {
    /// Reads the next line the plain way.
    #[cold]
    #[inline(never)]
    fn plain(&mut self) -> Entry<'a> {
        let rest = &self.text[self.at..];
        let (line, bytes) = match memchr(b'\n', rest.as_bytes()) {
            Some(end) => (&rest[..end], end + 1),
            None => (rest, rest.len()),
        };
        self.at += bytes;
        let line = line.strip_suffix('\r').unwrap_or(line);
        match plain::line(self.number, line, self.format, self.is_after_eof) {
            Ok(plain::Line::Blank) => Entry::Blank,
            Ok(plain::Line::Comment(comment)) => {
                self.is_after_eof = comment == Comment::Eof;
                Entry::Comment(comment)
            }
            Ok(plain::Line::Sample(sample)) => Entry::Sample(SampleRef::other(sample)),
            Err(bad) => Entry::Bad(BadRef { number: self.number, text: line, bad }),
        }
    }
}
