//! The lines of a page put together: samples, families, and what was wrong.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::exposition::BAD_LINES_KEPT_MAX;
use crate::exposition::BadLine;
use crate::exposition::Family;
use crate::exposition::Format;
use crate::exposition::Page;
use crate::exposition::Sample;
use crate::exposition::comment::Comment;
use crate::exposition::cursor::Quotes;
use crate::exposition::cursor::unescape;
use crate::exposition::plain;

/// A page of which some lines are read.
pub(super) struct Collector<'a> {
    format: Format,
    page: Page<'a>,
    /// Where in the page's families each name is.
    family_indices: HashMap<Cow<'a, str>, usize>,
}

impl<'a> Collector<'a> {
    /// Of a page with about so many samples.
    pub(super) fn new(format: Format, samples: usize) -> Self {
        let page = Page {
            samples: Vec::with_capacity(samples),
            families: Vec::new(),
            bad_lines: Vec::new(),
            bad_lines_total: 0,
            eof: false,
        };
        Self { format, page, family_indices: HashMap::new() }
    }

    pub(super) fn page(self) -> Page<'a> {
        self.page
    }

    /// Reads the next line, whose number this is, the plain way.
    pub(super) fn line(&mut self, number: usize, line: &'a str) {
        let line = line.strip_suffix('\r').unwrap_or(line);
        match plain::line(number, line, self.format, self.page.eof) {
            Ok(plain::Line::Blank) => {}
            Ok(plain::Line::Comment(comment)) => self.comment(comment),
            Ok(plain::Line::Sample(sample)) => self.sample(sample),
            Err(bad) => self.bad_line(|| bad.into_bad_line(number, line)),
        }
    }

    pub(super) fn sample(&mut self, sample: Sample<'a>) {
        self.page.samples.push(sample);
    }

    pub(super) fn bad_line(&mut self, bad: impl FnOnce() -> BadLine) {
        self.page.bad_lines_total += 1;
        if self.page.bad_lines.len() < BAD_LINES_KEPT_MAX {
            self.page.bad_lines.push(bad());
        }
    }

    pub(super) fn comment(&mut self, comment: Comment<'a>) {
        match comment {
            Comment::Eof => self.page.eof = true,
            Comment::Other => {}
            Comment::Help(name, help) => {
                let quotes = match self.format {
                    Format::OpenMetrics => Quotes::Escaped,
                    Format::PrometheusText => Quotes::Plain,
                };
                self.family(name).help = Some(unescape(help, quotes));
            }
            Comment::Type(name, kind) => self.family(name).kind = Some(kind),
            Comment::Unit(name, unit) => self.family(name).unit = Some(Cow::Borrowed(unit)),
        }
    }

    /// The family called `name`, new if no comment named it before.
    fn family(&mut self, name: Cow<'a, str>) -> &mut Family<'a> {
        let families = &mut self.page.families;
        // HELP and TYPE mostly come one after the other.
        if families.last().is_some_and(|last| last.name == name) {
            let last = families.len() - 1;
            return &mut families[last];
        }
        let index = *self.family_indices.entry(name).or_insert_with_key(|name| {
            families.push(Family { name: name.clone(), kind: None, help: None, unit: None });
            families.len() - 1
        });
        &mut families[index]
    }
}
