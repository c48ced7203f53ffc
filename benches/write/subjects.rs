//! What is measured: ours, the peers, and the floor.

use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::encoding::text;
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use crate::fleet::BESIDE;
use crate::fleet::Fleet;
use crate::reference;

/// What ratios are against.
pub(crate) const FLOOR: &str = "memcpy of the page";

/// One way to write a page; it returns the number of bytes.
pub(crate) struct Subject {
    pub(crate) name: &'static str,
    pub(crate) write: Box<dyn FnMut(&Fleet) -> usize>,
}

fn subject(name: &'static str, write: impl FnMut(&Fleet) -> usize + 'static) -> Subject {
    Subject { name, write: Box::new(write) }
}

/// The program's own ways.
pub(crate) fn ours(_: &Fleet) -> Vec<Subject> {
    vec![
        subject("ours, changed page", |fleet| {
            fleet.change();
            length(fleet.exporter.page())
        }),
        subject("ours, changed page, gzip", |fleet| {
            fleet.change();
            length(fleet.exporter.page_gzipped())
        }),
        subject("ours, unchanged page, gzip", |fleet| length(fleet.exporter.page_gzipped())),
    ]
}

fn length<E>(pieces: Result<Vec<bytes::Bytes>, E>) -> usize {
    pieces.map_or(0, |pieces| pieces.iter().map(bytes::Bytes::len).sum())
}

/// The floor.
pub(crate) fn floor() -> Subject {
    let mut buffer = Vec::new();
    subject(FLOOR, move |fleet| {
        buffer.clear();
        buffer.extend_from_slice(&fleet.page);
        std::hint::black_box(&buffer);
        buffer.len()
    })
}

/// The crates that programs like this one use.
pub(crate) fn peers(fleet: &Fleet) -> Vec<Subject> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Prepared::new(&fleet.page)));
    vec![
        subject("prometheus-client, custom collector", move |fleet| {
            let mut page = String::with_capacity(fleet.page.len());
            let written = text::encode(&mut page, &registry);
            written.map_or(0, |()| page.len())
        }),
        subject("prometheus, custom collector", |fleet| {
            let page = reference::page(Arc::clone(&fleet.board), BESIDE);
            page.map_or(0, |page| page.len())
        }),
    ]
}

/// The series of a page, ready to be written: prometheus-client only has to encode.
#[derive(Debug)]
struct Prepared(Vec<Family>);

/// A name, and series by labels.
#[derive(Debug)]
struct Family {
    name: String,
    series: Vec<(Vec<(String, String)>, f64)>,
}

impl Prepared {
    fn new(page: &[u8]) -> Self {
        let mut families: Vec<Family> = Vec::new();
        for line in String::from_utf8_lossy(page).lines().filter(|line| !line.starts_with('#')) {
            let Some((series, value)) = line.rsplit_once(' ') else { continue };
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            if families.last().is_none_or(|family| family.name != name) {
                families.push(Family { name: name.to_owned(), series: Vec::new() });
            }
            let labels = labels.trim_end_matches('}').split("\",").filter_map(|label| {
                let (name, value) = label.split_once("=\"")?;
                Some((name.to_owned(), value.trim_end_matches('"').to_owned()))
            });
            if let Some(family) = families.last_mut() {
                family.series.push((labels.collect(), value.parse().unwrap_or(0.0)));
            }
        }
        Self(families)
    }
}

impl Collector for Prepared {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> std::fmt::Result {
        for Family { name, series } in &self.0 {
            let help = "A text as long as such texts are.";
            let mut family = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            for (labels, value) in series {
                let one = family.encode_family(labels)?;
                ConstGauge::new(*value).encode(one)?;
            }
        }
        Ok(())
    }
}
