//! Reading YAML so that every fault of a file is told at once, each at its line and column.
//!
//! serde's derived readers stop at the first fault, and what they found wrong inside a mapping is
//! placed at the mapping's start. So a file is read once into a plain tree ([`Value`]), which keeps
//! duplicate keys and the order, and the loaders walk that tree with [`Node`] and [`Fields`],
//! collecting faults and going on. Only when a fault is reported is its place looked up, by reading
//! the text again (see `yaml/locate.rs`). `serde_yaml` is named in this module alone.

mod fields;
mod locate;
mod value;

use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::suggest;
use crate::units;
use crate::units::Timestamp;

pub use fields::Fields;
pub use value::Value;

/// Largest configuration, rule or profile file that is read.
pub const FILE_BYTES_MAX: usize = 4 << 20;

/// A file read as YAML.
#[derive(Debug)]
pub struct Document {
    source: Arc<SourceFile>,
    root: Value,
}

impl Document {
    /// Reads the text; what is not YAML is one diagnostic at its place.
    pub fn parse(source: Arc<SourceFile>) -> Result<Self, Diagnostic> {
        if source.text.len() > FILE_BYTES_MAX {
            let limit = units::format_bytes(FILE_BYTES_MAX as u64);
            return Err(Diagnostic::error("file-too-large", format!("file exceeds {limit}"))
                .at(source, 0..0));
        }
        match value::read(&source.text) {
            Ok(root) => Ok(Self { source, root }),
            Err(fault) => {
                let end = source.text.len().min(fault.offset + 1);
                let start = fault.offset.min(end);
                Err(Diagnostic::error("invalid-yaml", fault.message).at(source, start..end))
            }
        }
    }

    /// The outermost value.
    pub fn root(&self) -> Node<'_> {
        Node { document: self, value: &self.root, path: Vec::new() }
    }
}

/// A value of a document, with its place.
#[derive(Debug, Clone)]
pub struct Node<'d> {
    document: &'d Document,
    value: &'d Value,
    /// At each level, the position among the entries or items.
    path: Vec<usize>,
}

impl<'d> Node<'d> {
    /// The value itself.
    pub fn value(&self) -> &'d Value {
        self.value
    }

    /// Whether nothing is written here (`key:` alone, or `null`).
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// The file.
    pub fn source(&self) -> &'d Arc<SourceFile> {
        &self.document.source
    }

    fn child(&self, index: usize, value: &'d Value) -> Self {
        let mut path = self.path.clone();
        path.push(index);
        Self { document: self.document, value, path }
    }

    /// Bytes of the text where the value stands.
    pub fn span(&self) -> Range<usize> {
        locate::value(&self.document.source.text, &self.path, self.value)
    }

    /// Bytes of the text where a text, number or flag stands, to its very last character: over all
    /// its lines, with its quotes. `None` where that cannot be told.
    pub fn scalar_span(&self) -> Option<Range<usize>> {
        locate::scalar(&self.document.source.text, self.span().start, self.value)
    }

    /// An error that points at the value.
    pub fn error(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        Diagnostic::error(code, message).at(Arc::clone(self.source()), self.span())
    }

    /// An error that points at the value's key, or at the value where it has none.
    pub fn key_error(&self, code: &'static str, message: impl Into<String>) -> Diagnostic {
        let text = &self.document.source.text;
        let span = locate::key(text, &self.path).unwrap_or_else(|| self.span());
        Diagnostic::error(code, message).at(Arc::clone(self.source()), span)
    }

    /// An error that points at `inner`, bytes of this text value. Where the text is written in a
    /// way that hides the place (escapes), it points at the whole value.
    pub fn error_inside(
        &self,
        inner: Range<usize>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Diagnostic {
        let text = &self.document.source.text;
        let span = match self.value {
            Value::Text(decoded) => locate::inside(text, self.span(), decoded, inner),
            _ => None,
        };
        let span = span.unwrap_or_else(|| self.span());
        Diagnostic::error(code, message).at(Arc::clone(self.source()), span)
    }

    fn wrong_type(&self, wanted: &str) -> Diagnostic {
        let found = self.value.kind();
        self.error("wrong-type", format!("{wanted} expected, not {found}"))
    }

    /// Text. Whole numbers and `true`/`false` are taken as they are written, as Prometheus does.
    pub fn text(&self, diagnostics: &mut Diagnostics) -> Option<String> {
        match self.value {
            Value::Text(text) => Some(text.clone()),
            Value::Int(number) => Some(self.written().unwrap_or_else(|| number.to_string())),
            Value::Bool(flag) => Some(self.written().unwrap_or_else(|| flag.to_string())),
            Value::Float(_) => {
                let fault = self.wrong_type("text").help("put it in quotes");
                fail(diagnostics, fault)
            }
            _ => fail(diagnostics, self.wrong_type("text")),
        }
    }

    /// A number or flag in its own letters: `0x1F` is a fine password, and not the text `31`.
    fn written(&self) -> Option<String> {
        let text = self.document.source.text.get(self.scalar_span()?)?;
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '+' | '-');
        (!text.is_empty() && text.chars().all(plain)).then(|| text.to_owned())
    }

    /// Text that is not empty.
    pub fn name(&self, diagnostics: &mut Diagnostics) -> Option<String> {
        let text = self.text(diagnostics)?;
        if text.is_empty() {
            return fail(diagnostics, self.error("empty-value", "a name must not be empty"));
        }
        Some(text)
    }

    /// One of `names`; `what` says in words what they are.
    pub fn one_of<'n>(
        &self,
        what: &str,
        names: &[&'n str],
        diagnostics: &mut Diagnostics,
    ) -> Option<&'n str> {
        let name = self.name(diagnostics)?;
        if let Some(known) = names.iter().find(|known| **known == name) {
            return Some(known);
        }
        let help = match suggest::closest(&name, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of `{}`", names.join("`, `")),
        };
        let fault = self.error("unknown-name", format!("unknown {what} `{name}`"));
        fail(diagnostics, fault.help(help))
    }

    /// `true` or `false`.
    pub fn flag(&self, diagnostics: &mut Diagnostics) -> Option<bool> {
        match self.value {
            Value::Bool(flag) => Some(*flag),
            _ => fail(diagnostics, self.wrong_type("`true` or `false`")),
        }
    }

    /// A finite number.
    pub fn number(&self, diagnostics: &mut Diagnostics) -> Option<f64> {
        match *self.value {
            Value::Int(number) => Some(number as f64),
            Value::Float(number) if number.is_finite() => Some(number),
            Value::Float(number) => {
                let fault = self.error("not-finite", format!("`{number}` is not a finite number"));
                fail(diagnostics, fault.help("write a number"))
            }
            _ => fail(diagnostics, self.wrong_type("a number")),
        }
    }

    /// A finite number from `min` to `max`.
    pub fn number_within(&self, min: f64, max: f64, diagnostics: &mut Diagnostics) -> Option<f64> {
        let number = self.number(diagnostics)?;
        if number < min || number > max {
            let message = format!("`{number}` is not between {min} and {max}");
            return fail(diagnostics, self.error("out-of-range", message));
        }
        Some(number)
    }

    /// A finite number of 0 or more.
    pub fn number_not_negative(&self, diagnostics: &mut Diagnostics) -> Option<f64> {
        let number = self.number(diagnostics)?;
        if number < 0.0 {
            return fail(diagnostics, self.error("out-of-range", format!("`{number}` is below 0")));
        }
        Some(number)
    }

    /// A whole number from `min` to `max`.
    pub fn whole(&self, min: u64, max: u64, diagnostics: &mut Diagnostics) -> Option<u64> {
        match self.value {
            Value::Int(number) => match u64::try_from(*number) {
                Ok(number) if (min..=max).contains(&number) => Some(number),
                _ => {
                    let message = format!("`{number}` is not between {min} and {max}");
                    fail(diagnostics, self.error("out-of-range", message))
                }
            },
            _ => fail(diagnostics, self.wrong_type("a whole number")),
        }
    }

    /// A duration such as `15s`.
    pub fn duration(&self, diagnostics: &mut Diagnostics) -> Option<Duration> {
        let parsed = match self.value {
            Value::Text(text) => units::parse_duration(text),
            Value::Int(0) => Ok(Duration::ZERO),
            Value::Int(number) => Err(units::UnitError::Duration(number.to_string())),
            _ => return fail(diagnostics, self.wrong_type("a duration")),
        };
        match parsed {
            Ok(duration) => Some(duration),
            Err(fault) => fail(
                diagnostics,
                self.error("bad-duration", fault.to_string())
                    .help("write a number with its unit, such as `15s`, `5m` or `1h30m`"),
            ),
        }
    }

    /// A size such as `16MiB`.
    pub fn bytes(&self, diagnostics: &mut Diagnostics) -> Option<u64> {
        let parsed = match self.value {
            Value::Text(text) => units::parse_bytes(text),
            Value::Int(number) => units::parse_bytes(&number.to_string()),
            _ => return fail(diagnostics, self.wrong_type("a size")),
        };
        match parsed {
            Ok(bytes) => Some(bytes),
            Err(fault) => fail(
                diagnostics,
                self.error("bad-size", fault.to_string())
                    .help("write a whole number with its unit, such as `16MiB`"),
            ),
        }
    }

    /// An instant such as `2026-12-24T00:00:00Z`.
    pub fn instant(&self, diagnostics: &mut Diagnostics) -> Option<Timestamp> {
        let Value::Text(text) = self.value else {
            return fail(diagnostics, self.wrong_type("an instant"));
        };
        units::parse_instant(text)
            .map_err(|fault| {
                let help = "write date, time and zone, such as `2026-12-24T00:00:00Z`";
                diagnostics.push(self.error("bad-instant", fault.to_string()).help(help));
            })
            .ok()
    }

    /// The items of a list.
    pub fn list(&self, diagnostics: &mut Diagnostics) -> Option<Vec<Self>> {
        match self.value {
            Value::List(items) => {
                Some(items.iter().enumerate().map(|(i, item)| self.child(i, item)).collect())
            }
            _ => fail(diagnostics, self.wrong_type("a list")),
        }
    }

    /// The keys of a mapping, to be asked for one by one.
    pub fn fields(&self, diagnostics: &mut Diagnostics) -> Option<Fields<'d>> {
        match self.value {
            Value::Map(_) => Some(Fields::new(self.clone())),
            _ => fail(diagnostics, self.wrong_type("a mapping")),
        }
    }

    /// The entries of a mapping whose keys are free, in order; a key written twice is a fault.
    pub fn entries(&self, diagnostics: &mut Diagnostics) -> Option<Vec<(&'d str, Self)>> {
        let Value::Map(entries) = self.value else {
            return fail(diagnostics, self.wrong_type("a mapping"));
        };
        let nodes: Vec<_> = entries
            .iter()
            .enumerate()
            .map(|(i, (key, value))| (key.as_str(), self.child(i, value)))
            .collect();
        fields::report_duplicates(&nodes, diagnostics);
        Some(nodes)
    }
}

fn fail<T>(diagnostics: &mut Diagnostics, fault: Diagnostic) -> Option<T> {
    diagnostics.push(fault);
    None
}

#[cfg(test)]
mod tests;
