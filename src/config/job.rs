//! One of `scrape_configs`.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use crate::config::Job;
use crate::config::ProfileChoice;
use crate::config::Scheme;
use crate::config::Target;
use crate::config::client;
use crate::config::parse::Context;
use crate::config::parse::pace;
use crate::config::static_config;
use crate::config::tuning;
use crate::diag::Diagnostics;
use crate::diag::Severity;
use crate::rule::Overrides;
use crate::rule::PRICE;
use crate::rule::Rule;
use crate::rule::RuleSet;
use crate::suggest;
use crate::yaml::Fields;
use crate::yaml::Node;
use crate::yaml::Value;

/// Where Prometheus looks.
const METRICS_PATH_DEFAULT: &str = "/metrics";

/// The choice that leaves the profile to the page.
const PROFILE_AUTO: &str = "auto";

/// Keys that Prometheus has and that are not built yet.
const NOT_SUPPORTED: [&str; 3] = ["file_sd_configs", "http_sd_configs", "relabel_configs"];

/// Reads a job; `names` are those of earlier jobs, `targets` counts the targets of all.
pub(super) fn job(
    node: &Node<'_>,
    names: &mut BTreeSet<String>,
    targets: &mut usize,
    context: &Context<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<Job> {
    let mut fields = node.fields(diagnostics)?;
    let name = job_name(&mut fields, names, diagnostics);
    let profile = profile(&mut fields, context, diagnostics);
    let metrics_path = match fields.optional("metrics_path") {
        Some(node) => metrics_path(&node, diagnostics),
        None => Some(METRICS_PATH_DEFAULT.to_owned()),
    };
    let scheme = scheme(&mut fields, diagnostics);
    let params = fields.optional("params").map(|node| params(&node, diagnostics));
    let pace = pace(&mut fields, context.global, diagnostics);
    let client = client::client(&mut fields, context.folder, diagnostics);
    let tuning = match fields.optional("tuning") {
        Some(node) => tuning::tuning(&node, context.tuning.clone(), diagnostics),
        None => context.tuning.clone(),
    };
    let thresholds = match fields.optional("thresholds") {
        Some(node) => thresholds(&node, context.known.rules, diagnostics),
        None => Overrides::new(),
    };
    let targets = job_targets(&mut fields, name.as_deref(), targets, diagnostics);
    fields.finish(diagnostics);
    Some(Job {
        name: name?,
        profile: profile?,
        metrics_path: metrics_path?,
        scheme: scheme?,
        params: params.unwrap_or_default(),
        scrape_interval: pace.scrape_interval,
        scrape_timeout: pace.scrape_timeout,
        targets,
        client,
        tuning: tuning.config,
        freeze: tuning.freeze,
        is_feedback_written: tuning.is_feedback_written,
        thresholds,
    })
}

/// The targets of `static_configs`; a job without any is a warning, unless a fault tells why.
fn job_targets(
    fields: &mut Fields<'_>,
    name: Option<&str>,
    count: &mut usize,
    diagnostics: &mut Diagnostics,
) -> Vec<Target> {
    let errors_before = diagnostics.count(Severity::Error);
    not_supported(fields, diagnostics);
    let statics = fields.optional("static_configs").and_then(|node| node.list(diagnostics));
    let targets = static_config::targets(&statics.unwrap_or_default(), count, diagnostics);
    if targets.is_empty() && diagnostics.count(Severity::Error) == errors_before {
        let job = name.map_or_else(|| "the job".to_owned(), |name| format!("job `{name}`"));
        let warning = fields.node().error("no-targets", format!("{job} has no targets"));
        diagnostics.push(warning.help("list them under `static_configs`").into_warning());
    }
    targets
}

fn job_name(
    fields: &mut Fields<'_>,
    names: &mut BTreeSet<String>,
    diagnostics: &mut Diagnostics,
) -> Option<String> {
    let node = fields.required("job_name", diagnostics)?;
    let name = node.name(diagnostics)?;
    if !names.insert(name.clone()) {
        let fault = node.error("duplicate-job", format!("there is a job `{name}` already"));
        diagnostics.push(fault.help("job names are labels of metrics: give it another"));
        return None;
    }
    Some(name)
}

fn profile(
    fields: &mut Fields<'_>,
    context: &Context<'_>,
    diagnostics: &mut Diagnostics,
) -> Option<ProfileChoice> {
    let Some(node) = fields.optional("profile") else { return Some(ProfileChoice::Auto) };
    let name = node.name(diagnostics)?;
    if name == PROFILE_AUTO {
        return Some(ProfileChoice::Auto);
    }
    let Some(known) = &context.known.profiles else { return Some(ProfileChoice::Named(name)) };
    if known.contains(&name.as_str()) {
        return Some(ProfileChoice::Named(name));
    }
    let help = match suggest::closest(&name, known.iter().copied().chain([PROFILE_AUTO])) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("one of `{}`, or `{PROFILE_AUTO}` to detect it", known.join("`, `")),
    };
    diagnostics.push(node.error("unknown-name", format!("unknown profile `{name}`")).help(help));
    None
}

fn metrics_path(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let path = node.name(diagnostics)?;
    let help = if path.contains("://") {
        "set `scheme`, and list the host under `static_configs`"
    } else if !path.starts_with('/') {
        "begin it with `/`"
    } else if path.contains('?') {
        "move what follows the `?` to `params`"
    } else if path.contains(|c: char| c == '#' || c.is_whitespace() || c.is_control()) {
        "write `#` and white space as `%23` and `%20`"
    } else {
        return Some(path);
    };
    let fault = node.error("bad-path", format!("`{path}` is not the path of a URL"));
    diagnostics.push(fault.help(help));
    None
}

fn scheme(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Scheme> {
    let Some(node) = fields.optional("scheme") else { return Some(Scheme::default()) };
    let schemes = [Scheme::Http, Scheme::Https];
    let name = node.one_of("scheme", &schemes.map(Scheme::name), diagnostics)?;
    schemes.into_iter().find(|scheme| scheme.name() == name)
}

fn params(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Vec<(String, Vec<String>)> {
    let mut params = Vec::new();
    for (name, node) in node.entries(diagnostics).unwrap_or_default() {
        let values = node.list(diagnostics).unwrap_or_default();
        let values = values.iter().filter_map(|node| node.text(diagnostics)).collect();
        params.push((name.to_owned(), values));
    }
    params
}

/// Refuses what is not built; an empty list asks for nothing.
fn not_supported(fields: &mut Fields<'_>, diagnostics: &mut Diagnostics) {
    for key in NOT_SUPPORTED {
        let Some(node) = fields.optional(key) else { continue };
        if !matches!(node.value(), Value::List(items) if items.is_empty()) {
            let fault = node.key_error("not-supported", format!("`{key}` is not supported yet"));
            diagnostics.push(fault.help("list the targets under `static_configs`"));
        }
    }
}

fn thresholds(
    node: &Node<'_>,
    rules: Option<&RuleSet>,
    diagnostics: &mut Diagnostics,
) -> Overrides {
    let mut overrides = Overrides::new();
    for (name, node) in node.entries(diagnostics).unwrap_or_default() {
        let rule = rules.and_then(|rules| rules.find(name));
        if let Some(rules) = rules
            && rule.is_none()
        {
            let names: Vec<&str> = rules.iter().map(|rule| &*rule.name).collect();
            unknown_name(&node, format!("unknown rule `{name}`"), name, &names, diagnostics);
        }
        let mut values = BTreeMap::new();
        for (threshold, node) in node.entries(diagnostics).unwrap_or_default() {
            if let Some(rule) = rule {
                check_threshold(&node, rule, threshold, diagnostics);
            }
            let is_price = threshold == PRICE && rule.is_some_and(Rule::is_of_size);
            let read = if is_price { Node::number_not_negative } else { Node::number };
            if let Some(number) = read(&node, diagnostics) {
                values.insert(threshold.to_owned(), number);
            }
        }
        overrides.insert(name.to_owned(), values);
    }
    overrides
}

fn check_threshold(node: &Node<'_>, rule: &Rule, name: &str, diagnostics: &mut Diagnostics) {
    let names: Vec<&str> = rule.thresholds.iter().map(|it| it.name.as_str()).collect();
    if !names.contains(&name) {
        let message = format!("rule `{}` has no threshold `{name}`", rule.name);
        unknown_name(node, message, name, &names, diagnostics);
    }
}

/// Reports a key that names nothing.
fn unknown_name(
    node: &Node<'_>,
    message: String,
    name: &str,
    known: &[&str],
    diagnostics: &mut Diagnostics,
) {
    let help = match suggest::closest(name, known.iter().copied()) {
        Some(near) => format!("did you mean `{near}`?"),
        None if known.is_empty() => "it has none".to_owned(),
        None => format!("one of `{}`", known.join("`, `")),
    };
    diagnostics.push(node.key_error("unknown-name", message).help(help));
}
