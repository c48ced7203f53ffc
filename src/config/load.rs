//! The edge of the shell where configuration files are read from the disk, and the checks between
//! them.

use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use glob::MatchOptions;
use glob::Pattern;

use crate::config::Config;
use crate::config::FILES_MAX;
use crate::config::Job;
use crate::config::ProfileChoice;
use crate::config::parse;
use crate::config::parse::Known;
use crate::config::redact;
use crate::diag::Diagnostic;
use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::profile;
use crate::profile::Profile;
use crate::rule;
use crate::rule::RuleSet;
use crate::units;
use crate::yaml::Document;
use crate::yaml::FILE_BYTES_MAX;
use crate::yaml::Node;

/// A configuration with everything that it names.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The configuration itself.
    pub config: Config,
    /// Its jobs, in order, each with its rules and profiles.
    pub jobs: Vec<LoadedJob>,
    /// The rules as they are in the files, before a job changed a threshold.
    pub rules: Arc<RuleSet>,
    /// All profiles in the order in which they are tried.
    pub profiles: Vec<Arc<Profile>>,
    /// The configuration's text, each secret value replaced by `<secret>`.
    pub config_yaml: String,
}

/// A job with its rules and profiles.
#[derive(Debug, Clone)]
pub struct LoadedJob {
    /// The job itself.
    pub job: Job,
    /// The rules with the job's thresholds.
    pub rules: Arc<RuleSet>,
    /// The profiles that its pages may be read by: the one that it names, or all of them to be
    /// tried in turn.
    pub profiles: Vec<Arc<Profile>>,
}

/// Reads a configuration and all rule and profile files that it names; the warnings come back
/// beside it.
///
/// # Errors
/// All faults of all files, what cannot be read included.
pub fn load(path: &Path) -> Result<(Loaded, Diagnostics), Diagnostics> {
    load_document(&Document::parse(read_file(path)?)?)
}

/// The same for a configuration that was read already.
///
/// # Errors
/// All faults of all files, what cannot be read included.
pub fn load_document(document: &Document) -> Result<(Loaded, Diagnostics), Diagnostics> {
    let mut diagnostics = Diagnostics::new();
    let patterns = parse::patterns(document, &mut diagnostics);
    let folder = parse::folder_of(&document.root().source().name);
    let rules = rules(&patterns.rule_files, folder, &mut diagnostics);
    let profiles = profiles(&patterns.profile_files, folder, &mut diagnostics);
    let known = Known {
        profiles: profiles.as_ref().map(|all| all.iter().map(|it| it.name.as_str()).collect()),
        rules: rules.as_ref(),
    };
    let config = parse::config(document, &patterns, &known, &mut diagnostics);
    let loaded = match (config, rules, profiles) {
        (Some(config), Some(rules), Some(profiles)) if !diagnostics.has_errors() => {
            let config_yaml = redact::redacted(document);
            Some(Loaded::new(config, rules, profiles, config_yaml))
        }
        _ => None,
    };
    diagnostics.finish(loaded)
}

impl Loaded {
    fn new(
        config: Config,
        rules: RuleSet,
        profiles: Vec<Arc<Profile>>,
        config_yaml: String,
    ) -> Self {
        let rules = Arc::new(rules);
        let jobs = config.jobs.iter().map(|job| LoadedJob::new(job, &rules, &profiles)).collect();
        Self { config, jobs, rules, profiles, config_yaml }
    }
}

impl LoadedJob {
    fn new(job: &Job, rules: &Arc<RuleSet>, profiles: &[Arc<Profile>]) -> Self {
        let rules = if job.thresholds.is_empty() {
            Arc::clone(rules)
        } else {
            Arc::new(rules.with_thresholds(&job.thresholds))
        };
        let serves = |profile: &&Arc<Profile>| match &job.profile {
            ProfileChoice::Auto => true,
            ProfileChoice::Named(name) => profile.name == *name,
        };
        let profiles = profiles.iter().filter(serves).map(Arc::clone).collect();
        Self { job: job.clone(), rules, profiles }
    }
}

/// The built-in profiles, in the order in which they are tried.
///
/// # Errors
/// None in a released program: the tests load every file.
pub fn built_in_profiles() -> Result<Vec<Arc<Profile>>, Diagnostics> {
    Ok(profile::built_in()?.into_iter().map(Arc::new).collect())
}

/// `None` where a fault leaves it open which rules there are.
fn rules(
    patterns: &[(String, Node<'_>)],
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<RuleSet> {
    let sources = match patterns {
        [] => Some(vec![SourceFile::new(rule::BUILT_IN.0, rule::BUILT_IN.1)]),
        // Patterns that match nothing have been warned of; without rules nothing would be tuned.
        _ => files(patterns, folder, diagnostics).map(|found| match found.as_slice() {
            [] => vec![SourceFile::new(rule::BUILT_IN.0, rule::BUILT_IN.1)],
            _ => found,
        }),
    };
    match rule::load(sources.as_deref().unwrap_or_default()) {
        Ok((rules, warnings)) => {
            diagnostics.extend(warnings);
            sources.map(|_| rules)
        }
        Err(faults) => {
            diagnostics.extend(faults);
            None
        }
    }
}

/// Profiles of files come before the built-in ones, since whoever wrote one knows the product
/// better, and replace those of the same name. `None` where a fault leaves it open which profiles
/// there are.
fn profiles(
    patterns: &[(String, Node<'_>)],
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Arc<Profile>>> {
    let sources = files(patterns, folder, diagnostics);
    let mut complete = sources.is_some();
    let mut profiles: Vec<Arc<Profile>> = Vec::new();
    for source in sources.iter().flatten() {
        match profile::load(source) {
            Ok(profile) if profiles.iter().any(|earlier| earlier.name == profile.name) => {
                diagnostics.extend(duplicate_profile(source, &profile.name));
            }
            Ok(profile) => profiles.push(Arc::new(profile)),
            Err(faults) => {
                diagnostics.extend(faults);
                complete = false;
            }
        }
    }
    match built_in_profiles() {
        Ok(built_in) => {
            let own = profiles.len();
            for profile in built_in {
                if profiles[..own].iter().all(|replaced| replaced.name != profile.name) {
                    profiles.push(profile);
                }
            }
        }
        Err(faults) => diagnostics.extend(faults),
    }
    complete.then_some(profiles)
}

fn duplicate_profile(source: &Arc<SourceFile>, name: &str) -> Diagnostics {
    let Ok(document) = Document::parse(Arc::clone(source)) else { return Diagnostics::new() };
    let root = document.root();
    let mut ignored = Diagnostics::new();
    let node = root.fields(&mut ignored).and_then(|mut fields| fields.optional("profile"));
    let message = format!("another profile file has a profile `{name}` already");
    let fault = node.unwrap_or(root).error("duplicate-profile", message);
    fault.help("give it another name, or remove one of the files").into()
}

/// Reads the files that patterns match, each once, sorted within a pattern. `None` where one is at
/// fault.
fn files(
    patterns: &[(String, Node<'_>)],
    folder: &Path,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<Arc<SourceFile>>> {
    let mut complete = true;
    let mut found = BTreeSet::new();
    let mut sources = Vec::new();
    for (pattern, node) in patterns {
        let place = |fault: Diagnostic| fault.at(Arc::clone(node.source()), node.span());
        for path in matches(pattern, folder, node, diagnostics).unwrap_or_else(|| {
            complete = false;
            Vec::new()
        }) {
            if !found.insert(path.clone()) {
                continue;
            }
            if found.len() > FILES_MAX {
                let message = format!("more than {FILES_MAX} files");
                diagnostics.push(node.error("too-many-files", message));
                return None;
            }
            match read_file(&path) {
                Ok(source) => sources.push(source),
                Err(fault) => {
                    diagnostics.push(place(fault));
                    complete = false;
                }
            }
        }
    }
    complete.then_some(sources)
}

/// The paths that a pattern matches. One without a wildcard is a file that must be there, so it is
/// its own match; one with a wildcard that matches nothing is a warning.
fn matches(
    pattern: &str,
    folder: &Path,
    node: &Node<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Vec<PathBuf>> {
    if !pattern.contains(['*', '?', '[']) {
        return Some(vec![folder.join(pattern)]);
    }
    let prefix = Pattern::escape(&folder.to_string_lossy());
    let whole = Path::new(&prefix).join(pattern);
    // An editor's hidden copy of a file is not meant.
    let options = MatchOptions { require_literal_leading_dot: true, ..MatchOptions::default() };
    let found = match glob::glob_with(&whole.to_string_lossy(), options) {
        Ok(found) => found,
        Err(error) => {
            let message = format!("`{pattern}` is not a pattern of files: {}", error.msg);
            diagnostics.push(node.error("bad-pattern", message));
            return None;
        }
    };
    let mut paths = Vec::new();
    for path in found.take(FILES_MAX + 1) {
        match path {
            Ok(path) if path.is_dir() => {}
            Ok(path) => paths.push(path),
            Err(error) => {
                let fault = unreadable(error.path(), error.error());
                diagnostics.push(fault.at(Arc::clone(node.source()), node.span()));
                return None;
            }
        }
    }
    if paths.is_empty() {
        let warning = node.error("no-match", format!("no file matches `{pattern}`"));
        let folder = if folder.as_os_str().is_empty() {
            "the current folder".to_owned()
        } else {
            format!("`{}`", folder.display())
        };
        let help = format!(
            "patterns are relative to the configuration's folder, here {folder}; where none \
             matches, what is built in serves"
        );
        diagnostics.push(warning.help(help).into_warning());
    }
    paths.sort();
    Some(paths)
}

/// Reads a file of configuration, rules or a profile.
///
/// # Errors
/// `unreadable` with the operating system's reason, `file-too-large`; without a place.
pub fn read_file(path: &Path) -> Result<Arc<SourceFile>, Diagnostic> {
    let mut bytes = Vec::new();
    let limit = FILE_BYTES_MAX as u64 + 1;
    File::open(path)
        .and_then(|file| file.take(limit).read_to_end(&mut bytes))
        .map_err(|error| unreadable(path, &error))?;
    if bytes.len() > FILE_BYTES_MAX {
        let max = units::format_bytes(FILE_BYTES_MAX as u64);
        let message = format!("`{}` exceeds {max}", path.display());
        return Err(Diagnostic::error("file-too-large", message));
    }
    let Ok(text) = String::from_utf8(bytes) else {
        let error = io::Error::new(io::ErrorKind::InvalidData, "it is not UTF-8 text");
        return Err(unreadable(path, &error));
    };
    Ok(SourceFile::new(path.display().to_string(), text))
}

fn unreadable(path: &Path, error: &io::Error) -> Diagnostic {
    let reason = error.to_string();
    // People have no use for `(os error 2)`.
    let reason = reason.split(" (os error").next().unwrap_or(&reason);
    Diagnostic::error("unreadable", format!("cannot read `{}`: {reason}", path.display()))
}
