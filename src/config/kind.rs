//! Telling the kind of a file from what is in it, so that `check` takes any of them.

use crate::yaml::Document;
use crate::yaml::Value;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// What the program is started with.
    Configuration,
    /// Profiles say how a product's pages are read.
    ProfileFile,
    /// Rules say when to change what.
    RuleFile,
}

impl Kind {
    /// In words.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::ProfileFile => "profile file",
            Self::RuleFile => "rule file",
        }
    }
}

/// Told from the outermost keys. One of a kind's own keys is enough, so that a file that forgot the
/// others is told about them rather than taken for a configuration.
pub fn kind_of(document: &Document) -> Kind {
    let Value::Map(entries) = document.root().value() else { return Kind::Configuration };
    let has = |keys: &[&str]| entries.iter().any(|(key, _)| keys.contains(&key.as_str()));
    if has(&["groups"]) {
        Kind::RuleFile
    } else if has(&["profile", "roles"]) {
        Kind::ProfileFile
    } else {
        Kind::Configuration
    }
}
