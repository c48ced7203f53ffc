//! How diagnostics look: `full` with a frame of the source for people, `concise` with one line each
//! for editors and CI, `json` with one object a line for programs. All three show the same facts.

use annotate_snippets::Annotation;
use annotate_snippets::AnnotationKind;
use annotate_snippets::Group;
use annotate_snippets::Level;
use annotate_snippets::Renderer;
use annotate_snippets::Snippet;
use serde::Serialize;

use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::diag::Place;
use crate::diag::Severity;

/// The way to show diagnostics.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// With a frame of the source and help.
    Full,
    /// `file:line:column: severity[code]: message`.
    Concise,
    /// One JSON object a line.
    Json,
}

/// All diagnostics as text that ends with a newline; `color` only matters to [`Format::Full`].
pub fn render(diagnostics: &Diagnostics, format: Format, color: bool) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics.iter() {
        match format {
            Format::Full => {
                text.push_str(&full(diagnostic, color));
                text.push_str("\n\n");
            }
            Format::Concise => {
                text.push_str(&concise(diagnostic));
                text.push('\n');
            }
            Format::Json => {
                text.push_str(&json(diagnostic));
                text.push('\n');
            }
        }
    }
    text
}

/// `2 errors, 1 warning`; "no problems" where there are none.
pub fn summary(diagnostics: &Diagnostics) -> String {
    let part = |count: usize, word: &str| match count {
        0 => None,
        1 => Some(format!("1 {word}")),
        _ => Some(format!("{count} {word}s")),
    };
    let parts = [
        part(diagnostics.count(Severity::Error), "error"),
        part(diagnostics.count(Severity::Warning), "warning"),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    if parts.is_empty() { "no problems".to_owned() } else { parts.join(", ") }
}

/// One line that says where, what and what to do.
pub fn concise(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.place.as_ref().map_or_else(String::new, |place| {
        let (line, column) = place.source.line_column(place.span.start);
        format!("{}:{line}:{column}: ", place.source.name)
    });
    let help = diagnostic.help.as_ref().map_or_else(String::new, |help| format!(" ({help})"));
    let Diagnostic { code, severity, message, .. } = diagnostic;
    format!("{place}{}[{code}]: {message}{help}", severity.name())
}

fn full(diagnostic: &Diagnostic, color: bool) -> String {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let title = level.primary_title(diagnostic.message.as_str()).id(diagnostic.code);
    let mut group = Group::with_title(title);
    if let Some(place) = &diagnostic.place {
        group = group.element(frame(place));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(help.as_str()));
    }
    let renderer = if color { Renderer::styled() } else { Renderer::plain() };
    renderer.render(&[group])
}

fn frame(place: &Place) -> Snippet<'_, Annotation<'_>> {
    let text = &place.source.text;
    let end = place.span.end.min(text.len());
    let annotation = AnnotationKind::Primary.span(place.span.start.min(end)..end);
    let annotation =
        if place.label.is_empty() { annotation } else { annotation.label(place.label.as_str()) };
    Snippet::source(text.as_str()).path(place.source.name.as_str()).annotation(annotation)
}

/// What a program reads; line and column are 1-based, columns in characters.
#[derive(Serialize)]
struct Json<'a> {
    code: &'a str,
    severity: &'a str,
    message: &'a str,
    file: Option<&'a str>,
    line: Option<usize>,
    column: Option<usize>,
    end_line: Option<usize>,
    end_column: Option<usize>,
    label: Option<&'a str>,
    help: Option<&'a str>,
}

fn json(diagnostic: &Diagnostic) -> String {
    let place = diagnostic.place.as_ref();
    let start = place.map(|place| place.source.line_column(place.span.start));
    let end = place.map(|place| place.source.line_column(place.span.end));
    let object = Json {
        code: diagnostic.code,
        severity: diagnostic.severity.name(),
        message: &diagnostic.message,
        file: place.map(|place| place.source.name.as_str()),
        line: start.map(|(line, _)| line),
        column: start.map(|(_, column)| column),
        end_line: end.map(|(line, _)| line),
        end_column: end.map(|(_, column)| column),
        label: place.map(|place| place.label.as_str()).filter(|label| !label.is_empty()),
        help: diagnostic.help.as_deref(),
    };
    // A struct of strings and numbers always serializes; an empty line would be the honest rest.
    serde_json::to_string(&object).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::diag::SourceFile;

    fn sample() -> Diagnostics {
        let source = SourceFile::new("rules/a.yaml", "groups:\n  - when: hit_ration < 0.8\n");
        let mut diagnostics = Diagnostics::new();
        diagnostics.push(
            Diagnostic::error("unknown-name", "unknown name `hit_ration`")
                .at(source, 18..28)
                .label("not a signal, threshold, setting or parameter")
                .help("did you mean `hit_rate`?"),
        );
        diagnostics.push(Diagnostic::error("unreadable", "no such file").into_warning());
        diagnostics.sort();
        diagnostics
    }

    #[test]
    fn full_shows_a_frame() {
        insta::assert_snapshot!(render(&sample(), Format::Full, false));
    }

    #[test]
    fn concise_is_one_line_each() {
        insta::assert_snapshot!(render(&sample(), Format::Concise, false));
        assert_eq!(summary(&sample()), "1 error, 1 warning");
        assert_eq!(summary(&Diagnostics::new()), "no problems");
    }

    #[test]
    fn json_is_one_object_a_line() {
        insta::assert_snapshot!(render(&sample(), Format::Json, false));
    }
}
