//! The layout of a page: which line says what, so that the next page of the same layout costs
//! little more than comparing it with this one.
//!
//! From one scrape to the next a page changes in its numbers and in nothing else, and most of them
//! stay too. So the text of a page is kept with the places of its lines, and a new page is laid
//! beside it: where both are equal nothing has to be read; where they differ in a number, only the
//! number is. A line that fits nowhere is read alone, as the plain reader does it, as long as it
//! does not concern what the profile asks for.
//!
//! A layout never guesses. What it gives is what the plain way gives; where it cannot be sure, it
//! gives nothing, and the page is read the plain way.

use std::sync::Arc;

use crate::exposition;
use crate::exposition::Entry;
use crate::exposition::Format;
use crate::exposition::SampleRef;
use crate::profile;
use crate::profile::Names;
use crate::profile::Plan;
use crate::profile::Profile;
use crate::reading::follow::Follower;

/// Largest layout, in bytes of its text and its table of lines; larger pages are read the plain way
/// each time. Holds a page of 100,000 samples; pages of a product have some tens of kilobytes.
/// What the profile asks for adds about as much as its lines have text.
pub const LAYOUT_BYTES_MAX: usize = 16 << 20;

/// A page's text with the meaning of its lines.
#[derive(Debug)]
pub(super) struct Layout {
    pub(super) format: Format,
    pub(super) profile: Arc<Profile>,
    /// What it makes of the values.
    pub(super) plan: Plan,
    /// The good lines of the page, each with its line end.
    pub(super) text: String,
    /// One for each line of the text, and one for its end.
    pub(super) lines: Vec<Line>,
    /// Samples among them.
    pub(super) samples: usize,
    /// The page's values of the plan's lines.
    pub(super) values: Vec<f64>,
    /// Metrics that a line which fits nowhere must not be of.
    names: Names,
}

/// A line of a layout.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    /// Where in the text it starts.
    pub(super) start: u32,
    /// Where in the text its name and labels end; its own end if it is no sample.
    pub(super) series_end: u32,
    pub(super) meaning: Meaning,
}

/// What a line is to the profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A comment or a blank line.
    None,
    /// A sample that nothing asks for.
    Other,
    /// A sample whose value the plan has no place for, as long as it is there and a number. It
    /// tells that a product is there, or repeats a series.
    Present,
    /// A sample that says nothing, as long as it is no number.
    Silent,
    /// The sample whose value has this place in the plan.
    Wanted(u32),
}

/// What a page says that a layout holds for.
#[derive(Debug, PartialEq)]
pub(super) struct Counts {
    pub(super) samples: usize,
    pub(super) bad_lines: usize,
    pub(super) bad_line: Option<String>,
}

impl Layout {
    /// The layout of a page; `names` are the metrics that decide by which profile it is read.
    /// `None` where a layout would not hold for long, or would be too large.
    pub(super) fn new<'n>(
        text: &str,
        format: Format,
        profile: &'n Arc<Profile>,
        plan: Plan,
        names: impl Iterator<Item = &'n str>,
    ) -> Option<Self> {
        let mut layout = Self {
            format,
            profile: Arc::clone(profile),
            values: Vec::with_capacity(plan.lines().len()),
            plan,
            text: String::new(),
            lines: Vec::new(),
            samples: 0,
            names: names.chain(profile::names(profile)).collect(),
        };
        for (line, entry) in text.split_inclusive('\n').zip(exposition::scan(text, format)) {
            match entry {
                Entry::Bad(_) => {}
                Entry::Blank | Entry::Comment(_) => layout.push_line(line, None, Meaning::None)?,
                Entry::Sample(sample) => layout.push_sample(line, &sample)?,
            }
        }
        layout.push_line("", None, Meaning::None)?;
        layout.text.shrink_to_fit();
        layout.lines.shrink_to_fit();
        Some(layout)
    }

    fn push_sample(&mut self, line: &str, sample: &SampleRef<'_>) -> Option<()> {
        self.samples += 1;
        let meaning = self.meaning(sample)?;
        let series_bytes = sample.series_bytes().or_else(|| {
            // The parser's line ends before `\r\n`.
            let text = line.strip_suffix('\n').unwrap_or(line);
            let text = text.strip_suffix('\r').unwrap_or(text);
            exposition::series_end(text, self.format)
        });
        self.push_line(line, Some(series_bytes?), meaning)
    }

    fn push_line(&mut self, line: &str, series: Option<usize>, meaning: Meaning) -> Option<()> {
        let start = self.text.len();
        self.text.push_str(line);
        if !line.is_empty() && !line.ends_with('\n') {
            self.text.push('\n');
        }
        let series_end = series.map_or(self.text.len(), |length| start + length);
        let line = Line {
            start: u32::try_from(start).ok()?,
            series_end: u32::try_from(series_end).ok()?,
            meaning,
        };
        self.lines.push(line);
        let bytes = self.text.len() + self.lines.len() * size_of::<Line>();
        (bytes <= LAYOUT_BYTES_MAX).then_some(())
    }

    /// What a sample is to the profile. None if that depends on the time.
    fn meaning(&mut self, sample: &SampleRef<'_>) -> Option<Meaning> {
        if !self.names.contains(sample.name()) {
            return Some(Meaning::Other);
        }
        if sample.timestamp_ms.is_some() {
            return None;
        }
        if self.plan.lines().get(self.values.len()) == Some(&sample.line) {
            let place = u32::try_from(self.values.len()).ok()?;
            self.values.push(sample.value);
            return Some(Meaning::Wanted(place));
        }
        Some(if sample.value.is_finite() { Meaning::Present } else { Meaning::Silent })
    }

    /// Whether a sample of this metric may stand anywhere without changing what is read.
    pub(super) fn is_indifferent_to(&self, name: &str) -> bool {
        !self.names.contains(name)
    }

    /// Whether nothing good can come after its last line.
    pub(super) fn ends_with_eof(&self) -> bool {
        self.format == Format::OpenMetrics
            && (self.text.ends_with("# EOF\n") || self.text.ends_with("# EOF\r\n"))
    }

    /// Reads a page: its counts, and into `values` the values for the plan. `None` if the layout
    /// does not hold for it.
    pub(super) fn follow(
        &self,
        text: &str,
        format: Format,
        values: &mut Vec<f64>,
    ) -> Option<Counts> {
        // A page that breaks off in a line is left to the plain way.
        if format != self.format || !text.ends_with('\n') {
            return None;
        }
        values.clear();
        values.extend_from_slice(&self.values);
        Follower::new(self, text, values).run()
    }
}
