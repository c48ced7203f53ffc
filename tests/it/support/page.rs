//! Samples of a metrics page, read without the parser that is under test.

/// A page in the text format, as lines of (name, labels, value).
#[derive(Debug)]
pub(crate) struct Page(Vec<Sample>);

/// One line of a page.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    pub(crate) name: String,
    pub(crate) labels: Vec<(String, String)>,
    pub(crate) value: f64,
}

// === impl Page ===

impl Page {
    /// Reads a page that some exporter wrote.
    ///
    /// # Panics
    ///
    /// On every line that is not a comment and not a sample.
    #[track_caller]
    pub(crate) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
        Self(
            lines
                .map(|line| parse_line(line).unwrap_or_else(|| panic!("not a sample: {line}")))
                .collect(),
        )
    }

    /// Every sample, in the page's order.
    pub(crate) fn all(&self) -> impl Iterator<Item = &Sample> {
        self.0.iter()
    }

    /// The samples of a name that have these labels, and maybe more.
    pub(crate) fn samples(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let has = |sample: &Sample, (key, value): &(&str, &str)| sample.label(key) == Some(*value);
        let samples = self.0.iter().filter(|sample| sample.name == name);
        samples.filter(|sample| labels.iter().all(|label| has(sample, label))).collect()
    }

    /// Those of [`samples`](Self::samples) that count something: of a closed set of reasons every
    /// one has a series, most at 0.
    pub(crate) fn counted(&self, name: &str, labels: &[(&str, &str)]) -> Vec<&Sample> {
        let samples = self.samples(name, labels).into_iter();
        samples.filter(|sample| sample.value > 0.0).collect()
    }

    /// The value of the one sample that matches; `None` when none does.
    ///
    /// # Panics
    ///
    /// When several match: the test has to say which it means.
    #[track_caller]
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> Option<f64> {
        let samples = self.samples(name, labels);
        assert!(samples.len() <= 1, "{} samples match {name} {labels:?}", samples.len());
        samples.first().map(|sample| sample.value)
    }
}

// === impl Sample ===

impl Sample {
    pub(crate) fn label(&self, name: &str) -> Option<&str> {
        self.labels.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

fn parse_line(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            rest = rest.trim_start_matches([',', ' ']);
            if let Some(after) = rest.strip_prefix('}') {
                rest = after;
                break;
            }
            let (key, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.push((key.to_owned(), value));
            rest = after;
        }
    }
    // What follows the value is a timestamp.
    let value = rest.split_whitespace().next()?.parse().ok()?;
    Some(Sample { name: name.to_owned(), labels, value })
}

/// A label value up to its closing quote, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &text[at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}
