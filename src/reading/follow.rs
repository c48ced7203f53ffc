//! A page laid beside a layout, from top to bottom.
//!
//! Two places move down: one in the layout's text, one in the page's. Both stand at the start of a
//! line whenever something is decided, and what is equal is stepped over many lines at a time.
//! Whatever the alignment of the two: a line counts as known only if it is equal to the layout's
//! up to its value, each of the layout's lines is used once, and every other line is read by the
//! plain parser. So a bad alignment costs time, never truth.

use memchr::memchr;

use crate::exposition;
use crate::exposition::Format;
use crate::reading::layout::Counts;
use crate::reading::layout::Layout;
use crate::reading::layout::Line;
use crate::reading::layout::Meaning;

/// Lines of the layout that are looked ahead for a line that is not the next one: series come and
/// go one or a few at a time.
const MISSING_LINES_MAX: usize = 8;

/// Lines of a page that may fit nowhere before the layout is given up. Reading one alone takes
/// about ten times as long as following a known one, so up to here following is the cheaper way.
const ODD_LINES_MAX: usize = 32;

/// Digits of a number that is taken as good without reading it; with an exponent of two digits it
/// is still far from the largest.
const DIGITS_MAX: usize = 100;

/// Bytes that are compared at once: first many, near the difference few.
const BLOCK_BYTES: usize = 32;
const WORD_BYTES: usize = 8;

/// The way down a page. Whatever does not hold is `None`.
pub(super) struct Follower<'l, 'p, 'v> {
    layout: &'l Layout,
    page: &'p str,
    values: &'v mut [f64],
    /// The next line of the layout.
    next: usize,
    /// Where the page's next line starts.
    at: usize,
    /// Lines of the page so far.
    number: usize,
    odd: usize,
    counts: Counts,
}

impl<'l, 'p, 'v> Follower<'l, 'p, 'v> {
    /// `values` are those of the layout, to be overwritten; `page` ends with a line end.
    pub(super) fn new(layout: &'l Layout, page: &'p str, values: &'v mut [f64]) -> Self {
        let counts = Counts { samples: layout.samples, bad_lines: 0, bad_line: None };
        Self { layout, page, values, next: 0, at: 0, number: 0, odd: 0, counts }
    }

    pub(super) fn run(mut self) -> Option<Counts> {
        while self.at < self.page.len() {
            let differs = self.skip_equal();
            if self.at == self.page.len() {
                break;
            }
            let line = self.layout.lines[self.next];
            let has_same_series = differs >= line.series_end as usize;
            if !(has_same_series && self.take_value(line)?) {
                self.misfit()?;
            }
        }
        // The last line of the layout is its end.
        self.drop_lines(self.layout.lines.len() - 1 - self.next)?;
        Some(self.counts)
    }

    /// Steps over the lines that are equal. Where in the layout's text the next one differs.
    fn skip_equal(&mut self) -> usize {
        let lines = &self.layout.lines;
        let start = lines[self.next].start as usize;
        let known = &self.layout.text.as_bytes()[start..];
        let differs = start + equal_bytes(known, &self.page.as_bytes()[self.at..]);
        let first = self.next;
        while lines.get(self.next + 1).is_some_and(|line| line.start as usize <= differs) {
            self.next += 1;
        }
        self.number += self.next - first;
        self.at += lines[self.next].start as usize - start;
        differs
    }

    /// Takes the page's line if it is a sample of the series of `line`, to which it is equal up to
    /// the end of its labels; says whether it is.
    fn take_value(&mut self, line: Line) -> Option<bool> {
        let bytes = self.page.as_bytes();
        let series_end = self.at + (line.series_end - line.start) as usize;
        if line.meaning == Meaning::None {
            return Some(false);
        }
        let value_at = series_end + 1;
        let length = match bytes[series_end] {
            b' ' => plain_number(&bytes[value_at..]),
            _ => None,
        };
        let Some(length) = length else { return self.take_unusual(line) };
        let value_end = value_at + length;
        match line.meaning {
            Meaning::Wanted(place) => {
                let value =
                    self.page[value_at..value_end].parse().ok().filter(|v: &f64| v.is_finite());
                self.values[place as usize] = value?;
            }
            Meaning::Silent => return None,
            Meaning::None | Meaning::Other | Meaning::Present => {}
        }
        self.next += 1;
        self.number += 1;
        self.at = value_end + 1;
        Some(true)
    }

    /// The same for a value that is spelt unusually, or has a time behind it: no matter where
    /// nothing asks for it.
    fn take_unusual(&mut self, line: Line) -> Option<bool> {
        if line.meaning != Meaning::Other {
            return None;
        }
        let text = self.line_text();
        let series_end = exposition::series_end(text, self.layout.format);
        let is_same_series = series_end == Some((line.series_end - line.start) as usize);
        let read = exposition::parse_line(self.number + 1, text, self.layout.format);
        if !is_same_series || read.samples.is_empty() {
            return Some(false);
        }
        self.next += 1;
        self.number += 1;
        self.at += text.len() + 1;
        Some(true)
    }

    /// Takes a line that is not the layout's next one.
    fn misfit(&mut self) -> Option<()> {
        let rest = &self.page.as_bytes()[self.at..];
        let ahead = self.layout.lines.len() - 1 - self.next;
        for missing in 1..ahead.min(MISSING_LINES_MAX + 1) {
            if self.is_line(self.next + missing, rest) {
                return self.drop_lines(missing);
            }
        }
        self.odd += 1;
        if self.odd > ODD_LINES_MAX {
            return None;
        }
        self.read_alone()
    }

    /// Whether the page goes on with that line of the layout, whatever its value.
    fn is_line(&self, index: usize, rest: &[u8]) -> bool {
        let line = self.layout.lines[index];
        let known = &self.layout.text.as_bytes()[line.start as usize..line.series_end as usize];
        rest.starts_with(known)
            && (line.meaning == Meaning::None || rest.get(known.len()) == Some(&b' '))
    }

    /// The layout's next lines are missing on the page.
    fn drop_lines(&mut self, count: usize) -> Option<()> {
        for line in &self.layout.lines[self.next..self.next + count] {
            match line.meaning {
                Meaning::None => {}
                Meaning::Other => self.counts.samples -= 1,
                Meaning::Present | Meaning::Silent | Meaning::Wanted(_) => return None,
            }
        }
        self.next += count;
        Some(())
    }

    /// Takes a line that the layout does not have.
    fn read_alone(&mut self) -> Option<()> {
        let text = self.line_text();
        // What `# EOF` means depends on what is around it.
        if self.layout.format == Format::OpenMetrics && text.starts_with("# EOF") {
            return None;
        }
        if self.layout.ends_with_eof() && self.next == self.layout.lines.len() - 1 {
            return None;
        }
        let read = exposition::parse_line(self.number + 1, text, self.layout.format);
        if let Some(sample) = read.samples.first() {
            if !self.layout.is_indifferent_to(&sample.name) {
                return None;
            }
            self.counts.samples += 1;
        }
        if let Some(bad) = read.bad_lines.first() {
            self.counts.bad_lines += 1;
            self.counts.bad_line.get_or_insert_with(|| bad.to_string());
        }
        self.number += 1;
        self.at += text.len() + 1;
        Some(())
    }

    /// The page's next line without its line end.
    fn line_text(&self) -> &'p str {
        let rest = &self.page[self.at..];
        &rest[..memchr(b'\n', rest.as_bytes()).unwrap_or(rest.len())]
    }
}

/// How many bytes two texts have in common before they differ.
fn equal_bytes(a: &[u8], b: &[u8]) -> usize {
    let equal = equal_blocks::<BLOCK_BYTES>(a, b);
    let equal = equal + equal_blocks::<WORD_BYTES>(&a[equal..], &b[equal..]);
    equal + equal_blocks::<1>(&a[equal..], &b[equal..])
}

/// The same in whole blocks.
fn equal_blocks<const N: usize>(a: &[u8], b: &[u8]) -> usize {
    let blocks = a.as_chunks::<N>().0.iter().zip(b.as_chunks::<N>().0);
    N * blocks.take_while(|(a, b)| a == b).count()
}

/// The length of the decimal number that the line ends with, if it is written in the usual way.
fn plain_number(line: &[u8]) -> Option<usize> {
    let digits = |from: usize| line[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
    let mut at = usize::from(line.first() == Some(&b'-'));
    let whole = digits(at);
    at += whole;
    let mut count = whole;
    if line.get(at) == Some(&b'.') {
        let fraction = digits(at + 1);
        at += 1 + fraction;
        count += fraction;
        if fraction == 0 {
            return None;
        }
    }
    if whole == 0 || count > DIGITS_MAX {
        return None;
    }
    if let Some(b'e' | b'E') = line.get(at) {
        at += 1 + usize::from(matches!(line.get(at + 1), Some(b'+' | b'-')));
        let exponent = digits(at);
        at += exponent;
        if !(1..=2).contains(&exponent) {
            return None;
        }
    }
    (line.get(at) == Some(&b'\n')).then_some(at)
}
