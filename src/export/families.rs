//! The families of the page while they are written, each into a buffer of its own.
//!
//! The page lists families one after the other, and the board lists caches. Going over all caches
//! once a family would bring each cache into the processor's own memory forty times; so each cache
//! is looked at once and writes a line here and a line there. What comes out is the page in pieces,
//! which are sent as they are and never joined; or, where it is compressed, each long family has a
//! compressor of its own, and no more of its text in memory than that takes at once.

use std::io;

use crate::export::buffers::Buffers;
use crate::export::gzip::Opened;
use crate::export::gzip::Packer;
use crate::export::labels;
use crate::export::names;
use crate::export::names::Metric;
use crate::export::number;

/// Room for a number and the end of its line; only the largest and smallest need more.
const NUMBER_BYTES: usize = 32;

/// Text of a family that is compressed at once. A page that is shorter has one compressor, of some
/// hundred kilobytes; a longer one as many as it has long families.
const PACKED_BYTES: usize = 128 << 10;

/// Where a metric is in the table of metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place(usize);

impl Place {
    /// Found by name. To be asked in a `const` alone: then it costs nothing when the program runs,
    /// and a metric that is not in the table does not compile.
    pub(super) const fn of(metric: &Metric) -> Self {
        let mut place = 0;
        while !is_same(names::ALL[place].name, metric.name) {
            place += 1;
        }
        Self(place)
    }
}

const fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut at = 0;
    while at < a.len() && at < b.len() && a[at] == b[at] {
        at += 1;
    }
    at == a.len() && at == b.len()
}

/// One family.
#[derive(Debug)]
struct Family {
    name: &'static str,
    /// The lines before the first series.
    head: String,
    text: Vec<u8>,
    /// What came before the text, where that was packed already.
    packer: Option<Packer>,
}

/// All families, in the order of the table.
#[derive(Debug)]
pub(super) struct Families {
    all: Vec<Family>,
    packs: bool,
    /// The first fault of a packer.
    fault: Option<io::Error>,
}

impl Families {
    /// Without series, on paper from `buffers`.
    pub(super) fn new(buffers: &Buffers) -> Self {
        Self::with(false, |place| buffers.take(place))
    }

    /// Without series, to be compressed.
    pub(super) fn packing() -> Self {
        Self::with(true, |_| Vec::new())
    }

    fn with(packs: bool, text: impl Fn(usize) -> Vec<u8>) -> Self {
        let families = names::ALL.iter().enumerate().map(|(place, metric)| Family {
            name: metric.name,
            head: head(metric),
            text: text(place),
            packer: None,
        });
        Self { all: families.collect(), packs, fault: None }
    }

    /// Adds a series: its labels are `labels` and then `rest`, which between them have the braces
    /// and the space before the value. A value that is not finite says nothing and stays here.
    #[inline]
    pub(super) fn add(&mut self, place: Place, labels: &[u8], rest: &str, value: f64) {
        if !value.is_finite() {
            return;
        }
        let family = &mut self.all[place.0];
        let text = &mut family.text;
        if text.is_empty() && family.packer.is_none() {
            text.extend_from_slice(family.head.as_bytes());
        }
        text.reserve(family.name.len() + labels.len() + rest.len() + NUMBER_BYTES);
        text.extend_from_slice(family.name.as_bytes());
        text.extend_from_slice(labels);
        text.extend_from_slice(rest.as_bytes());
        number::push(text, value);
        text.push(b'\n');
        if self.packs && text.len() >= PACKED_BYTES {
            self.pack(place);
        }
    }

    #[cold]
    fn pack(&mut self, place: Place) {
        let Family { text, packer, .. } = &mut self.all[place.0];
        let packed = packer.get_or_insert_with(Packer::new).write(text);
        text.clear();
        if let Err(fault) = packed {
            self.fault.get_or_insert(fault);
        }
    }

    /// Adds a series without labels of its own, if there is a value.
    #[inline]
    pub(super) fn add_some(&mut self, place: Place, labels: &[u8], value: Option<f64>) {
        if let Some(value) = value {
            self.add(place, labels, if labels.is_empty() { " " } else { "} " }, value);
        }
    }

    /// The texts of the families by name, each with its place in the table.
    pub(super) fn finish(self) -> impl Iterator<Item = (usize, Vec<u8>)> {
        self.by_name().map(|(place, family)| (place, family.text))
    }

    /// The beginning of a gzip member with the same.
    ///
    /// # Errors
    /// If something could not be compressed.
    pub(super) fn finish_packed(mut self) -> io::Result<Opened> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        let mut opened = Opened::new();
        // Short families are packed together.
        let mut short = Packer::new();
        for (_, Family { text, packer, .. }) in self.by_name() {
            let Some(mut packer) = packer else {
                short.write(&text)?;
                continue;
            };
            opened.push(std::mem::replace(&mut short, Packer::new()))?;
            packer.write(&text)?;
            opened.push(packer)?;
        }
        opened.push(short)?;
        Ok(opened)
    }

    /// The families by name, each with its place in the table.
    fn by_name(self) -> impl Iterator<Item = (usize, Family)> {
        let mut families: Vec<(usize, Family)> = self.all.into_iter().enumerate().collect();
        families.sort_unstable_by_key(|(_, family)| family.name);
        families.into_iter()
    }
}

fn head(metric: &Metric) -> String {
    let Metric { name, kind, help, .. } = metric;
    // Unlike a label's value, a help text keeps its quotes.
    let help = help.replace('\\', r"\\").replace('\n', r"\n");
    format!("# HELP {name} {help}\n# TYPE {name} {}\n", kind.name())
}

/// Appends one label, without what parts it from others.
pub(super) fn label(text: &mut Vec<u8>, name: &str, value: &str) {
    text.extend_from_slice(name.as_bytes());
    text.extend_from_slice(b"=\"");
    labels::escape(text, value);
    text.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_has_its_place() {
        for (place, metric) in names::ALL.iter().enumerate() {
            assert_eq!(Place::of(metric), Place(place));
        }
    }

    #[test]
    fn values_that_are_not_finite_stay_here() {
        let mut families = Families::new(&Buffers::new(1 << 20));
        let place = Place::of(&names::BREAKER_OPEN);
        for value in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            families.add_some(place, b"", Some(value));
        }
        assert!(families.finish().all(|(_, text)| text.is_empty()));
    }
}
