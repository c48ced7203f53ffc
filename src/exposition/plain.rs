//! One line, read word by word: exactly as the formats have it, and the measure for every faster
//! way.

use crate::exposition::Format;
use crate::exposition::Sample;
use crate::exposition::comment;
use crate::exposition::comment::Comment;
use crate::exposition::cursor::Cursor;
use crate::exposition::fault::Bad;
use crate::exposition::fault::Fault;
use crate::exposition::sample;

/// What a good line is.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Line<'a> {
    Blank,
    Comment(Comment<'a>),
    Sample(Sample<'a>),
}

/// Reads line `number`, given without its line end. `is_after_eof` says whether `# EOF` came
/// before it.
pub(super) fn line(
    number: usize,
    line: &str,
    format: Format,
    is_after_eof: bool,
) -> Result<Line<'_>, Bad> {
    let mut cursor = Cursor::new(line, format);
    if is_after_eof {
        return Err(cursor.bad(Fault::AfterEof));
    }
    match cursor.peek() {
        None if format == Format::OpenMetrics => Err(cursor.bad(Fault::BlankLine)),
        None => Ok(Line::Blank),
        Some(b'#') => comment::comment(&mut cursor).map(Line::Comment),
        Some(_) => sample::sample(&mut cursor, number).map(Line::Sample),
    }
}
