//! The status page as a browser shows it, of the running program.

use crate::support::chromium;
use crate::support::exporter::Exporter;
use crate::support::watched::Watched;

#[test]
fn the_status_page_shows_the_demo() {
    let exporter = Exporter::start(&[], &[]);
    // Recommendations of the latest analysis come and go; take the page when there are some.
    Watched::new(&exporter, "search")
        .wait("a tuned cache", |shown| shown.tunings() >= 1.0 && shown.recommendations() > 0);
    let url = exporter.url("/");
    let document = chromium::dump_dom(&url, &[]);
    for part in [
        ">up<",
        "demo",
        "catalog",
        "checkout",
        "search",
        "sessions",
        "Hit ratio",
        "Memory used",
        "l1_size_multiplier",
        "eviction_rate_high",
        "in force",
    ] {
        assert!(document.contains(part), "no `{part}` in\n{document}");
    }
    let page = exporter.get("/");
    let policy = page.headers.first("content-security-policy").expect("the page has a policy");
    assert!(policy.contains("default-src 'none'"), "{policy}");
    // Whatever the page refers to is a place of its own, or data within it, or a target.
    let own = |reference: &str| reference.starts_with(['/', '#']) || reference.starts_with("data:");
    let target = |reference: &str| reference.starts_with("http://127.0.0.1:");
    for attribute in ["href=\"", "src=\"", "action=\""] {
        for part in document.split(attribute).skip(1) {
            let reference = part.split('"').next().unwrap_or_default();
            assert!(own(reference) || target(reference), "refers to {reference}");
        }
    }
    for word in ["<script", "url(", "@import"] {
        assert!(!document.contains(word), "{word}");
    }
    for (name, width, height) in [("status-1280", 1280, 2600), ("status-600", 600, 4200)] {
        assert!(chromium::screenshot(name, &url, width, height).starts_with(b"\x89PNG"));
    }
}
