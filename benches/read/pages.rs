//! The pages that are read: real ones, and a large one made of a real one.

/// A page at two moments, with the profile that it is read by, if there is one.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    pub(crate) profile: Option<&'static str>,
    pub(crate) pages: [String; 2],
}

/// Copies of the Redis page in the large one: 130,052 samples.
const LARGE_PAGE_COPIES: usize = 244;

pub(crate) fn scenarios() -> Vec<Scenario> {
    let redis = [
        include_str!("../../tests/pages/redis_1.txt"),
        include_str!("../../tests/pages/redis_2.txt"),
    ];
    let varnish = [
        include_str!("../../tests/pages/varnish_1.txt"),
        include_str!("../../tests/pages/varnish_2.txt"),
    ];
    let micrometer = include_str!("../pages/micrometer_200.txt");
    let prometheus = include_str!("../../tests/pages/prometheus.txt");
    let victoriametrics = include_str!("../pages/victoriametrics.txt");
    let scenario = |name, profile, pages: [String; 2]| Scenario { name, profile, pages };
    vec![
        scenario("redis", Some("redis"), redis.map(str::to_owned)),
        scenario("varnish", Some("varnish"), varnish.map(str::to_owned)),
        scenario("micrometer", Some("micrometer"), [micrometer.to_owned(), later(micrometer)]),
        scenario("prometheus", None, [prometheus.to_owned(), later(prometheus)]),
        scenario("victoriametrics", None, [victoriametrics.to_owned(), later(victoriametrics)]),
        scenario("large", Some("redis"), redis.map(large)),
    ]
}

/// The page with another last digit in every second sample.
pub(crate) fn later(page: &str) -> String {
    let mut is_moved = false;
    let lines = page.split_inclusive('\n').map(|line| {
        let moved = line.strip_suffix('\n').and_then(|line| {
            let digit = line.chars().next_back()?.to_digit(10)?;
            Some(format!("{}{}\n", &line[..line.len() - 1], (digit + 3) % 10))
        });
        is_moved = !is_moved;
        moved.filter(|_| is_moved && !line.starts_with('#')).unwrap_or_else(|| line.to_owned())
    });
    lines.collect()
}

/// A page of ten megabytes: the page many times, under other names from the second time on.
fn large(page: &str) -> String {
    let mut text = page.to_owned();
    for copy in 1..LARGE_PAGE_COPIES {
        for line in page.split_inclusive('\n') {
            let keyword = ["# HELP ", "# TYPE "].into_iter().find(|word| line.starts_with(word));
            let (before, rest) = line.split_at(keyword.map_or(0, str::len));
            text.extend([before, &format!("x{copy}_"), rest]);
        }
    }
    text
}
