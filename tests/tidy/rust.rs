//! Just enough of Rust's grammar to list the paths that a file names.

use std::iter::Peekable;
use std::vec::IntoIter;

use crate::tree::Text;

/// A Rust file, cut before its unit tests.
#[derive(Debug)]
pub(crate) struct Source<'a> {
    product: &'a str,
}

/// A path such as `crate::diag::Span` and the line it starts on.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct NamedPath {
    pub(crate) line: usize,
    pub(crate) segments: Vec<String>,
    pub(crate) is_use: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Close,
    Comma,
    Open,
    /// `::`
    Path,
    Semicolon,
    Other(char),
    Word(String),
}

// === impl Source ===

impl<'a> Source<'a> {
    pub(crate) fn of(file: &'a Text) -> Self {
        let is_tests = file.path.ends_with("/tests.rs") || file.path.contains("/tests/");
        let product = if is_tests { "" } else { before_tests(&file.text) };
        Self { product }
    }

    pub(crate) fn product_lines(&self) -> usize {
        self.product.lines().count()
    }

    /// Every path of the product code; those of `use` with their trees spread out.
    pub(crate) fn paths(&self) -> Vec<NamedPath> {
        let mut tokens = tokens(self.product).into_iter().peekable();
        let mut paths = Vec::new();
        while let Some((line, token)) = tokens.next() {
            let Token::Word(word) = token else { continue };
            if word == "use" {
                use_tree(&mut tokens, line, &[], &mut paths);
                continue;
            }
            let mut segments = vec![word];
            while tokens.next_if(|(_, token)| *token == Token::Path).is_some() {
                // After `::` may come generic arguments, which end the path.
                let Some((_, Token::Word(word))) =
                    tokens.next_if(|(_, token)| matches!(token, Token::Word(_)))
                else {
                    break;
                };
                segments.push(word);
            }
            paths.push(NamedPath { line, segments, is_use: false });
        }
        paths
    }
}

/// The file up to its `#[cfg(test)]` module; helpers for tests alone may stand before it.
fn before_tests(text: &str) -> &str {
    text.find("#[cfg(test)]\nmod tests").map_or(text, |at| &text[..at])
}

fn use_tree(
    tokens: &mut Peekable<IntoIter<(usize, Token)>>,
    line: usize,
    prefix: &[String],
    paths: &mut Vec<NamedPath>,
) {
    let mut segments = prefix.to_vec();
    while let Some((_, token)) = tokens.next() {
        match token {
            Token::Word(word) if word == "as" => {
                // The new name is no path.
                tokens.next();
            }
            Token::Word(word) => segments.push(word),
            Token::Other('*') => segments.push("*".to_owned()),
            Token::Open => {
                use_tree(tokens, line, &segments, paths);
                segments.truncate(prefix.len());
            }
            Token::Close | Token::Comma | Token::Semicolon => {
                if segments.len() > prefix.len() {
                    paths.push(NamedPath { line, segments: segments.clone(), is_use: true });
                    segments.truncate(prefix.len());
                }
                if token != Token::Comma {
                    return;
                }
            }
            Token::Path | Token::Other(_) => {}
        }
    }
}

/// Tokens with their lines; comments, strings, characters and lifetimes are left out.
fn tokens(text: &str) -> Vec<(usize, Token)> {
    let mut tokens = Vec::new();
    let mut rest = text;
    let mut line = 1;
    while let Some(first) = rest.chars().next() {
        let length = if is_word(first) { word_length(rest) } else { skipped_length(rest) };
        let taken = if length > 0 { length } else { first.len_utf8() };
        match first {
            _ if is_word(first) => tokens.push((line, Token::Word(rest[..taken].to_owned()))),
            _ if length > 0 || first.is_whitespace() => {}
            ':' if rest.starts_with("::") => tokens.push((line, Token::Path)),
            ':' if text[..text.len() - rest.len()].ends_with(':') => {}
            '{' => tokens.push((line, Token::Open)),
            '}' => tokens.push((line, Token::Close)),
            ',' => tokens.push((line, Token::Comma)),
            ';' => tokens.push((line, Token::Semicolon)),
            other => tokens.push((line, Token::Other(other))),
        }
        line += rest[..taken].matches('\n').count();
        rest = &rest[taken..];
    }
    tokens
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

/// A word; with a string directly behind it, it is the prefix of one and taken along.
fn word_length(text: &str) -> usize {
    let end = text.find(|character| !is_word(character)).unwrap_or(text.len());
    match &text[..end] {
        "r" | "br" | "b" | "c" | "cr" if text[end..].starts_with(['"', '#', '\'']) => {
            end + skipped_length(&text[end..])
        }
        _ => end,
    }
}

/// The length of the comment, string, character or lifetime that stands here; 0 for anything else.
fn skipped_length(text: &str) -> usize {
    let until = |end: &str, from: usize| {
        text[from..].find(end).map_or(text.len(), |at| from + at + end.len())
    };
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if text.starts_with("/*") {
        return until("*/", 2);
    }
    let hashes = text.len() - text.trim_start_matches('#').len();
    if hashes > 0 && text[hashes..].starts_with('"') {
        return until(&format!("\"{}", "#".repeat(hashes)), hashes + 1);
    }
    if text.starts_with('"') {
        return quoted_length(text, '"');
    }
    if let Some(inside) = text.strip_prefix('\'') {
        let mut characters = inside.chars();
        let is_character = characters.next() == Some('\\') || characters.next() == Some('\'');
        return if is_character { quoted_length(text, '\'') } else { 1 + word_length(inside) };
    }
    0
}

fn quoted_length(text: &str, quote: char) -> usize {
    let mut characters = text.char_indices().skip(1);
    while let Some((at, character)) = characters.next() {
        if character == '\\' {
            characters.next();
        } else if character == quote {
            return at + 1;
        }
    }
    text.len()
}

/// The words of a text, with `_` as a part of words.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character| !is_word(character)).filter(|word| !word.is_empty())
}

#[test]
fn paths_are_found_in_code_alone() {
    #[track_caller]
    fn check(text: &str, want: &[&str]) {
        let found: Vec<_> = Source { product: text }
            .paths()
            .into_iter()
            .filter(|path| path.is_use || path.segments.len() > 1)
            .map(|path| format!("{}:{}", path.line, path.segments.join("::")))
            .collect();
        assert_eq!(found, want, "{text}");
    }
    check("use std::fs;", &["1:std::fs"]);
    check("use a::b as c;\nuse d;", &["1:a::b", "2:d"]);
    check(
        "use std::{fs, net::{self, TcpStream}};",
        &["1:std::fs", "1:std::net::self", "1:std::net::TcpStream"],
    );
    check("pub(crate) use crate::a::*;", &["1:crate::a::*"]);
    check(
        "\nlet x = std::fs::read(a::B::<c::D>::new());",
        &["2:std::fs::read", "2:a::B", "2:c::D"],
    );
    check("// std::fs\n/* std::net */ let x = \"std::env \\\" a::b\";", &[]);
    check("let x = r#\"a::b \" c::d\"#; e::f", &["1:e::f"]);
    check(
        "fn f<'a>(x: &'a str) -> char { '\\'' } g::h('\"', '{', b'\"', i::j)",
        &["1:g::h", "1:i::j"],
    );
}

#[test]
fn unit_tests_are_cut_off() {
    let file = |path: &str| Text {
        path: path.to_owned(),
        text: "//! a\nfn a() {}\n\n#[cfg(test)]\nmod tests {\n}\n".to_owned(),
    };
    assert_eq!(Source::of(&file("src/a.rs")).product_lines(), 3);
    assert_eq!(Source::of(&file("src/a/tests.rs")).product_lines(), 0);
}
