//! Profile files to checked profiles, with all faults at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::PageFormat;
use super::ProductParameter;
use super::Profile;
use crate::cache_stats::Role;
use crate::diag::Diagnostics;
use crate::diag::SourceFile;
use crate::expr;
use crate::expr::Selection;
use crate::parameter::Parameter;
use crate::suggest;
use crate::yaml::Document;
use crate::yaml::Fields;
use crate::yaml::Node;

/// The job setting that stands for no profile in particular, so no profile may be called so.
const RESERVED_NAME: &str = "auto";

/// What `apply` may have filled in.
const PLACEHOLDERS: [&str; 2] = ["bytes", "value"];

/// Reads and checks a profile file.
///
/// # Errors
/// Every fault of the file, each with its place, those of an expression inside it.
pub fn load(source: &Arc<SourceFile>) -> Result<Profile, Diagnostics> {
    let document = Document::parse(Arc::clone(source))?;
    let mut diagnostics = Diagnostics::new();
    let profile = document
        .root()
        .fields(&mut diagnostics)
        .and_then(|fields| profile(fields, &mut diagnostics));
    diagnostics.finish(profile).map(|(profile, _)| profile)
}

fn profile(mut fields: Fields<'_>, diagnostics: &mut Diagnostics) -> Option<Profile> {
    let name = fields.required("profile", diagnostics).and_then(|node| name(&node, diagnostics));
    let description = fields.optional("description").and_then(|node| node.text(diagnostics));
    let detect = fields.optional("detect").and_then(|node| selection(&node, diagnostics));
    let format = fields.optional("format").and_then(|node| format(&node, diagnostics));
    let cache_label = fields.optional("cache_label").and_then(|node| node.name(diagnostics));
    let start_time = fields.optional("start_time").and_then(|node| selection(&node, diagnostics));
    let uptime = fields.optional("uptime").and_then(|node| selection(&node, diagnostics));
    let roles = fields.required("roles", diagnostics).and_then(|node| roles(&node, diagnostics));
    let parameters = match fields.optional("parameters") {
        Some(node) => parameters(&node, diagnostics),
        None => Parameter::ALL.map(|it| (it, ProductParameter::default())).into(),
    };
    fields.finish(diagnostics);
    Some(Profile {
        name: name?,
        description: description.unwrap_or_default(),
        detect,
        format: format.unwrap_or_default(),
        cache_label,
        start_time,
        uptime,
        roles: roles?,
        parameters,
    })
}

fn name(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let name = node.name(diagnostics)?;
    if name == RESERVED_NAME {
        let fault =
            node.error("reserved-name", format!("`{RESERVED_NAME}` is not a profile's name"));
        diagnostics.push(fault.help("jobs write it to have the profile detected; choose another"));
        return None;
    }
    Some(name)
}

fn format(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<PageFormat> {
    let written = node.text(diagnostics)?;
    let known = [PageFormat::Json, PageFormat::Prometheus];
    let format = known.into_iter().find(|format| format.name() == written);
    if format.is_none() {
        let fault = node.error("unknown-format", format!("unknown format `{written}`"));
        diagnostics.push(fault.help("write `prometheus` or `json`"));
    }
    format
}

/// An expression over series; its faults point inside the text.
fn selection(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<Selection> {
    let text = node.text(diagnostics)?;
    match expr::selection(&text) {
        Ok(selection) => Some(selection),
        Err(faults) => {
            for fault in faults {
                diagnostics.push(fault.within(node));
            }
            None
        }
    }
}

fn roles(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<BTreeMap<Role, Selection>> {
    let mut roles = BTreeMap::new();
    let entries = node.entries(diagnostics)?;
    if entries.is_empty() {
        diagnostics.push(node.error("empty-value", "a profile must have roles"));
    }
    for (key, value) in entries {
        let role = Role::from_name(key);
        if role.is_none() {
            let known = Role::ALL.iter().map(|role| role.name());
            unknown(&value, "unknown-role", "role", key, known, diagnostics);
        }
        let selection = selection(&value, diagnostics);
        if let (Some(role), Some(selection)) = (role, selection) {
            roles.insert(role, selection);
        }
    }
    Some(roles)
}

fn parameters(
    node: &Node<'_>,
    diagnostics: &mut Diagnostics,
) -> BTreeMap<Parameter, ProductParameter> {
    let mut parameters = BTreeMap::new();
    for (key, value) in node.entries(diagnostics).unwrap_or_default() {
        let parameter = Parameter::from_name(key);
        if parameter.is_none() {
            let known = Parameter::ALL.iter().map(|parameter| parameter.name());
            unknown(&value, "unknown-parameter", "parameter", key, known, diagnostics);
        }
        let product = if value.is_null() {
            ProductParameter::default()
        } else {
            product_parameter(&value, diagnostics)
        };
        if let Some(parameter) = parameter {
            parameters.insert(parameter, product);
        }
    }
    parameters
}

fn product_parameter(node: &Node<'_>, diagnostics: &mut Diagnostics) -> ProductParameter {
    let Some(mut fields) = node.fields(diagnostics) else { return ProductParameter::default() };
    let observed = fields.optional("observed").and_then(|node| selection(&node, diagnostics));
    let apply = fields.optional("apply").and_then(|node| apply(&node, diagnostics));
    fields.finish(diagnostics);
    ProductParameter { observed, apply }
}

fn apply(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let text = node.text(diagnostics)?;
    for (open, _) in text.match_indices('{') {
        let rest = &text[open + 1..];
        let Some(end) = rest.find('}') else { continue };
        let word = &rest[..end];
        if !PLACEHOLDERS.contains(&word) {
            let message = format!("unknown placeholder `{{{word}}}`");
            let fault = node.error_inside(open..open + end + 2, "unknown-placeholder", message);
            diagnostics.push(fault.help("`{value}` and `{bytes}` are filled in"));
        }
    }
    Some(text)
}

/// Reports a key that is not among the names of its kind.
fn unknown(
    node: &Node<'_>,
    code: &'static str,
    kind: &str,
    key: &str,
    known: impl Iterator<Item = &'static str> + Clone,
    diagnostics: &mut Diagnostics,
) {
    let help = match suggest::closest(key, known.clone()) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!(
            "known: {}",
            known.map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
        ),
    };
    diagnostics.push(node.key_error(code, format!("unknown {kind} `{key}`")).help(help));
}
