//! A place in a line, and the words that both formats are made of: blanks, names, tokens, quotes.
//!
//! The formats' different views on blanks live here and nowhere else. Prometheus text allows any
//! number of blanks and tabs between any two words, and round the line; OpenMetrics allows exactly
//! one space at the few places where it wants one.

use std::borrow::Cow;

use memchr::memchr;
use memchr::memchr2;

use crate::exposition::Format;
use crate::exposition::fault::Bad;
use crate::exposition::fault::Fault;

/// Reads one line from left to right.
#[derive(Debug)]
pub(super) struct Cursor<'a> {
    line: &'a str,
    /// Byte offset of the next character; always at a character's start.
    at: usize,
    format: Format,
}

impl<'a> Cursor<'a> {
    /// At the first character that matters. `line` has no line end.
    pub(super) fn new(line: &'a str, format: Format) -> Self {
        let line = match format {
            Format::OpenMetrics => line,
            Format::PrometheusText => line.trim_end_matches([' ', '\t']),
        };
        let mut cursor = Self { line, at: 0, format };
        cursor.skip_blanks();
        cursor
    }

    pub(super) fn at(&self) -> usize {
        self.at
    }

    pub(super) fn format(&self) -> Format {
        self.format
    }

    pub(super) fn rest(&self) -> &'a str {
        &self.line[self.at..]
    }

    pub(super) fn is_at_end(&self) -> bool {
        self.at == self.line.len()
    }

    /// The next byte: enough to decide by, as all punctuation is ASCII.
    pub(super) fn peek(&self) -> Option<u8> {
        self.line.as_bytes().get(self.at).copied()
    }

    /// `fault`, here.
    pub(super) fn bad(&self, fault: Fault) -> Bad {
        Bad { at: self.at, fault }
    }

    pub(super) fn is_at_blank(&self) -> bool {
        self.peek().is_some_and(is_blank)
    }

    /// Takes `word` if it comes next.
    pub(super) fn eat(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// Blanks where Prometheus text allows them and OpenMetrics has none.
    pub(super) fn skip_blanks(&mut self) {
        if self.format == Format::PrometheusText {
            self.take_while(is_blank);
        }
    }

    /// The gap before the next field: one space in OpenMetrics, any blanks, also none, in
    /// Prometheus text (where `a{b="c"}1` is a sample).
    pub(super) fn gap(&mut self) -> Result<(), Bad> {
        self.skip_blanks();
        match self.format {
            Format::OpenMetrics if !self.rest().starts_with(' ') => {
                Err(self.bad(Fault::ExpectedSpace))
            }
            Format::OpenMetrics => {
                self.at += 1;
                Ok(())
            }
            Format::PrometheusText => Ok(()),
        }
    }

    /// Everything up to the next blank, to be read as a number. May be empty.
    pub(super) fn token(&mut self) -> &'a str {
        match self.format {
            Format::OpenMetrics => self.take_while(|byte| byte != b' '),
            Format::PrometheusText => self.take_while(|byte| !is_blank(byte)),
        }
    }

    /// `[a-zA-Z_:][a-zA-Z0-9_:]*`, if that comes next.
    pub(super) fn metric_name(&mut self) -> Option<&'a str> {
        if self.peek()?.is_ascii_digit() {
            return None;
        }
        let name =
            self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':');
        (!name.is_empty()).then_some(name)
    }

    /// `[a-zA-Z_][a-zA-Z0-9_]*`, if that comes next.
    pub(super) fn label_name(&mut self) -> Option<&'a str> {
        if self.peek()?.is_ascii_digit() {
            return None;
        }
        let name = self.take_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        (!name.is_empty()).then_some(name)
    }

    /// The text in quotes that comes next, unescaped; `None` if no quote comes next.
    pub(super) fn quoted(&mut self) -> Result<Option<Cow<'a, str>>, Bad> {
        let rest = self.rest();
        let Some(inner) = rest.strip_prefix('"') else { return Ok(None) };
        let Some(length) = closing_quote(inner) else {
            return Err(self.bad(Fault::UnclosedQuote));
        };
        self.at += length + 2;
        Ok(Some(unescape(&inner[..length], Quotes::Escaped)))
    }

    /// A quoted name, which must not be empty; `None` if no quote comes next.
    pub(super) fn quoted_name(&mut self) -> Result<Option<Cow<'a, str>>, Bad> {
        let start = self.at;
        match self.quoted()? {
            Some(name) if name.is_empty() => Err(Bad { at: start, fault: Fault::EmptyName }),
            name => Ok(name),
        }
    }

    /// Takes bytes up to one that is not kept, which must be ASCII or a character's first.
    fn take_while(&mut self, keep: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let length = rest.bytes().position(|byte| !keep(byte)).unwrap_or(rest.len());
        let taken = &rest[..length];
        self.at += taken.len();
        taken
    }
}

/// Both formats know no other blanks; a no-break space is a fault.
fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Where the quote is that ends `text`, which starts after the opening one.
pub(super) fn closing_quote(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = 0;
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}

/// Whether `\"` stands for `"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quotes {
    /// In label values everywhere, and in OpenMetrics' HELP.
    Escaped,
    /// In the HELP of Prometheus text, which is not quoted.
    Plain,
}

/// Replaces `\\`, `\n` and, with [`Quotes::Escaped`], `\"`. A backslash before anything else
/// stands for itself, as in Prometheus. Borrows when there is nothing to replace.
pub(super) fn unescape(text: &str, quotes: Quotes) -> Cow<'_, str> {
    if memchr(b'\\', text.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let mut unescaped = String::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            unescaped.push(c);
            continue;
        }
        match chars.next() {
            Some('n') => unescaped.push('\n'),
            Some('\\') | None => unescaped.push('\\'),
            Some('"') if quotes == Quotes::Escaped => unescaped.push('"'),
            Some(other) => unescaped.extend(['\\', other]),
        }
    }
    Cow::Owned(unescaped)
}
