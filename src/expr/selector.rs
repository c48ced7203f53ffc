//! Which series a selector means: a metric's name and label matchers, with Prometheus' meaning.
//!
//! The name is that of the *sample*: the family's name depends on the format asked for
//! (`OpenMetrics` drops `_total` from it), the sample's does not. A label that a series does not
//! have equals the empty string; regular expressions are anchored at both ends.

use regex::Regex;
use regex::RegexBuilder;

use crate::expr::Fault;
use crate::expr::ast::MatcherExpr;

/// Largest compiled regular expression of a matcher, in bytes. Lists of a hundred command names
/// take some 50 KiB.
pub const REGEX_BYTES_MAX: usize = 1 << 20;

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MatchOperator {
    /// `=`
    Equal,
    /// `=~`
    Matches,
    /// `!=`
    NotEqual,
    /// `!~`
    NotMatches,
}

impl MatchOperator {
    /// As it is written.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Matches => "=~",
            Self::NotEqual => "!=",
            Self::NotMatches => "!~",
        }
    }
}

/// A metric's name and what its labels must be.
#[derive(Clone, Debug)]
pub struct Selector {
    name: String,
    matchers: Vec<Matcher>,
}

#[derive(Clone, Debug)]
struct Matcher {
    label: String,
    /// Whether the series is wanted if the value matches, or if it does not.
    wanted: bool,
    value: Pattern,
}

#[derive(Clone, Debug)]
enum Pattern {
    Exact(String),
    Regex(Regex),
}

impl Selector {
    /// Compiles the matchers; every regular expression that does not compile is a fault.
    pub(crate) fn compile(name: &str, matchers: &[MatcherExpr]) -> Result<Self, Vec<Fault>> {
        let mut faults = Vec::new();
        let compiled = matchers
            .iter()
            .filter_map(|matcher| {
                Matcher::compile(matcher).map_err(|fault| faults.push(fault)).ok()
            })
            .collect();
        if faults.is_empty() {
            Ok(Self { name: name.to_owned(), matchers: compiled })
        } else {
            Err(faults)
        }
    }

    /// The metric's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a series of this metric is meant. `label` gives the value of one of its labels.
    pub fn matches_labels<'a>(&self, label: impl Fn(&str) -> Option<&'a str>) -> bool {
        self.matchers.iter().all(|matcher| {
            let value = label(&matcher.label).unwrap_or_default();
            let equal = match &matcher.value {
                Pattern::Exact(wanted) => value == wanted,
                Pattern::Regex(regex) => regex.is_match(value),
            };
            equal == matcher.wanted
        })
    }
}

impl Matcher {
    fn compile(source: &MatcherExpr) -> Result<Self, Fault> {
        let (wanted, is_regex) = match source.operator {
            MatchOperator::Equal => (true, false),
            MatchOperator::Matches => (true, true),
            MatchOperator::NotEqual => (false, false),
            MatchOperator::NotMatches => (false, true),
        };
        let value = if is_regex {
            Pattern::Regex(anchored(&source.value).map_err(|reason| {
                Fault::new(
                    "bad-regex",
                    source.value_span.clone(),
                    "regular expression does not compile",
                    reason,
                )
            })?)
        } else {
            Pattern::Exact(source.value.clone())
        };
        Ok(Self { label: source.label.clone(), wanted, value })
    }
}

fn anchored(pattern: &str) -> Result<Regex, String> {
    // Compiled alone first: `a)(b` would pass once it stands inside our own group.
    let alone = RegexBuilder::new(pattern).size_limit(REGEX_BYTES_MAX).build();
    alone
        .and_then(|_| {
            RegexBuilder::new(&format!("^(?s:{pattern})$")).size_limit(REGEX_BYTES_MAX).build()
        })
        .map_err(|error| match error {
            regex::Error::CompiledTooBig(limit) => {
                format!("larger than {limit} bytes when compiled")
            }
            // The library draws a picture of several lines; its last line names the fault.
            other => {
                let text = other.to_string();
                let last = text.lines().last().unwrap_or_default();
                last.trim().trim_start_matches("error: ").to_owned()
            }
        })
}
