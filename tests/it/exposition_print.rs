//! Writes samples as either format has them: the inverse of the parser, for its tests.

use cache_tuner_exporter::exposition::Format;
use cache_tuner_exporter::exposition::Label;
use cache_tuner_exporter::exposition::Sample;

/// One line, without its end. Exemplars are left out of Prometheus text.
pub(crate) fn print_sample(sample: &Sample<'_>, format: Format) -> String {
    let is_bare = is_bare_name(&sample.name, true);
    let name_in_braces = (!is_bare).then(|| quote(&sample.name));
    let mut line = if is_bare { sample.name.to_string() } else { String::new() };
    if !is_bare || !sample.labels.is_empty() {
        line += &braces(name_in_braces, &sample.labels);
    }
    line += &point(sample.value, sample.timestamp_ms, format);
    if let (Some(exemplar), Format::OpenMetrics) = (&sample.exemplar, format) {
        line += " # ";
        line += &braces(None, &exemplar.labels);
        line += &point(exemplar.value, exemplar.timestamp_ms, format);
    }
    line
}

fn point(value: f64, timestamp_ms: Option<i64>, format: Format) -> String {
    let time = match (timestamp_ms, format) {
        (None, _) => String::new(),
        (Some(ms), Format::PrometheusText) => format!(" {ms}"),
        (Some(ms), Format::OpenMetrics) => {
            let sign = if ms < 0 { "-" } else { "" };
            let ms = ms.unsigned_abs();
            format!(" {sign}{}.{:03}", ms / 1000, ms % 1000)
        }
    };
    format!(" {value:?}{time}")
}

fn braces(name: Option<String>, labels: &[Label<'_>]) -> String {
    let labels = labels.iter().map(|label| {
        let name = &label.name;
        let name = if is_bare_name(name, false) { name.to_string() } else { quote(name) };
        format!("{name}={}", quote(&label.value))
    });
    format!("{{{}}}", name.into_iter().chain(labels).collect::<Vec<_>>().join(","))
}

fn is_bare_name(name: &str, may_have_colon: bool) -> bool {
    !name.starts_with(|c: char| c.is_ascii_digit())
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || (may_have_colon && c == ':'))
}

fn quote(text: &str) -> String {
    let escaped = text.replace('\\', "\\\\").replace('\n', "\\n").replace('"', "\\\"");
    format!("\"{escaped}\"")
}
