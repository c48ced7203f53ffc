//! Pages of all shapes and what the parser makes of them, as files: `tests/golden/exposition`.
//!
//! `.prom` is Prometheus text, `.om` OpenMetrics; `err_…` has bad lines. The snapshot beside each
//! shows the page in a canonical form, with the bad lines as a user sees them.

use std::fmt::Write as _;

use cache_tuner_exporter::exposition::Format;
use cache_tuner_exporter::exposition::Page;
use cache_tuner_exporter::exposition::parse;

use crate::exposition_print::print_sample;

fn render(page: &Page<'_>) -> String {
    let mut text = String::new();
    for family in &page.families {
        writeln!(text, "family {:?}", family.name).unwrap();
        let told = [
            ("type", family.kind.map(|kind| format!("{kind:?}"))),
            ("help", family.help.as_ref().map(|help| format!("{help:?}"))),
            ("unit", family.unit.as_ref().map(|unit| format!("{unit:?}"))),
        ];
        for (what, said) in told {
            if let Some(said) = said {
                writeln!(text, "  {what} {said}").unwrap();
            }
        }
    }
    writeln!(text, "samples {}", page.samples.len()).unwrap();
    for sample in &page.samples {
        let printed = print_sample(sample, Format::OpenMetrics);
        writeln!(text, "{:>4}: {printed}", sample.line).unwrap();
    }
    writeln!(text, "bad lines {}", page.bad_lines_total).unwrap();
    for bad in &page.bad_lines {
        writeln!(text, "  {bad}").unwrap();
    }
    writeln!(text, "eof {}", page.eof).unwrap();
    text
}

#[test]
fn pages_read_as_their_snapshots_say() {
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path("../golden/exposition");
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.bind(|| {
        insta::glob!("../golden/exposition", "*.{prom,om}", |path: &Path| {
            let text = std::fs::read_to_string(path).unwrap();
            let is_openmetrics = path.extension().is_some_and(|extension| extension == "om");
            let format = if is_openmetrics { Format::OpenMetrics } else { Format::PrometheusText };
            insta::assert_snapshot!("page", render(&parse(&text, format)));
        });
    });
}
