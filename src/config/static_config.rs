//! `static_configs`: addresses and their labels.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::net::Ipv6Addr;
use std::sync::Arc;

use crate::config::LABELS_MAX;
use crate::config::TARGETS_MAX;
use crate::config::Target;
use crate::diag::Diagnostics;
use crate::published::OWN_LABELS;
use crate::scrape::Url;
use crate::yaml::Node;

/// All targets of a job; `count` counts those of all jobs.
pub(super) fn targets(
    list: &[Node<'_>],
    count: &mut usize,
    diagnostics: &mut Diagnostics,
) -> Vec<Target> {
    let mut addresses = BTreeSet::new();
    let mut targets = Vec::new();
    for node in list {
        let Some(mut fields) = node.fields(diagnostics) else { continue };
        let nodes = fields.required("targets", diagnostics);
        let nodes = nodes.and_then(|node| node.list(diagnostics)).unwrap_or_default();
        let labels = match fields.optional("labels") {
            Some(node) => labels(&node, diagnostics),
            None => BTreeMap::new(),
        };
        fields.finish(diagnostics);
        let labels = Arc::new(labels);
        for node in nodes {
            if *count == TARGETS_MAX {
                let message = format!("more than {TARGETS_MAX} targets");
                diagnostics.push(node.error("too-many-targets", message));
                return targets;
            }
            *count += 1;
            let Some(address) = address(&node, diagnostics) else { continue };
            if !addresses.insert(address.clone()) {
                let message = format!("`{address}` is a target of this job already");
                diagnostics.push(node.error("duplicate-target", message).help("remove one"));
                continue;
            }
            targets.push(Target { address: address.into(), labels: Arc::clone(&labels) });
        }
    }
    targets
}

fn labels(node: &Node<'_>, diagnostics: &mut Diagnostics) -> BTreeMap<String, String> {
    let entries = node.entries(diagnostics).unwrap_or_default();
    if entries.len() > LABELS_MAX {
        diagnostics.push(node.error("too-many-labels", format!("more than {LABELS_MAX} labels")));
        return BTreeMap::new();
    }
    let mut labels = BTreeMap::new();
    for (name, node) in entries {
        if !is_label_name(name) {
            let fault = node.key_error("bad-label", format!("`{name}` is not a label's name"));
            diagnostics.push(fault.help("use letters, digits and `_`, no digit first"));
        } else if name.starts_with("__") {
            let message = format!("`{name}` begins with `__`, which Prometheus keeps to itself");
            diagnostics.push(node.key_error("bad-label", message).help("choose another name"));
        } else if OWN_LABELS.contains(&name) {
            let message = format!(
                "`{name}` is a label of the exporter's own metrics, so this one is exported as \
                 `exported_{name}`"
            );
            let fault = node.key_error("renamed-label", message).help("choose another name");
            diagnostics.push(fault.into_warning());
        }
        if let Some(value) = node.text(diagnostics) {
            labels.insert(name.to_owned(), value);
        }
    }
    labels
}

fn is_label_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
}

fn address(node: &Node<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let address = node.name(diagnostics)?;
    if address.contains('@') {
        // The address holds a password, so the message, which may be logged, does not repeat it.
        let fault = node.error("bad-target", "a target's address has no name and password");
        diagnostics.push(fault.help("move them to `basic_auth`"));
        return None;
    }
    match fault_of_address(&address) {
        None => Some(address),
        Some(help) => {
            let message = format!("`{address}` is not `host:port` or `host`");
            diagnostics.push(node.error("bad-target", message).help(help));
            None
        }
    }
}

/// What to do about an address that is none.
fn fault_of_address(address: &str) -> Option<String> {
    if let Some((scheme, rest)) = address.split_once("://") {
        let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
        let path =
            if path.is_empty() { String::new() } else { format!(" and `metrics_path: /{path}`") };
        return Some(format!("write `{host}`, and set `scheme: {scheme}`{path}"));
    }
    if let Some((host, path)) = address.split_once('/') {
        return Some(format!("write `{host}`, and set `metrics_path: /{path}`"));
    }
    if address.parse::<Ipv6Addr>().is_ok() {
        return Some(format!("write `[{address}]`, with `:` and the port behind it"));
    }
    let (host, port) = match address.strip_prefix('[') {
        Some(rest) => {
            let Some((host, port)) = rest.split_once(']') else {
                return Some("close the bracket".to_owned());
            };
            if host.parse::<Ipv6Addr>().is_err() {
                return Some("write an IPv6 address between the brackets".to_owned());
            }
            (host, port)
        }
        None => address.split_at(address.find(':').unwrap_or(address.len())),
    };
    fault_of_host(host).or_else(|| fault_of_port(port)).or_else(|| fault_of_url(address))
}

/// The last word is that of the library which will ask the target: `10.0.0.256` is no host to it.
fn fault_of_url(address: &str) -> Option<String> {
    let error = Url::parse(&format!("http://{address}/")).err()?;
    Some(format!("write an address that a URL can have; here: {error}"))
}

fn fault_of_host(host: &str) -> Option<String> {
    if host.is_empty() {
        return Some("write the host before the port".to_owned());
    }
    if host.chars().all(|c| c.is_ascii_digit()) {
        return Some(format!("a number alone is no host: did you mean `localhost:{host}`?"));
    }
    let bad = |c: &char| {
        c.is_whitespace()
            || c.is_control()
            || (c.is_ascii_punctuation() && !['-', '.', '_', ':'].contains(c))
    };
    let found = host.chars().find(bad)?;
    Some(if found.is_whitespace() || found.is_control() {
        "remove the white space".to_owned()
    } else {
        format!("a host has no `{found}` in its name")
    })
}

/// `port` is all behind the host: nothing, or `:` and the port.
fn fault_of_port(port: &str) -> Option<String> {
    if port.is_empty() {
        return None;
    }
    let digits = port.strip_prefix(':').filter(|text| text.chars().all(|c| c.is_ascii_digit()));
    match digits.and_then(|digits| digits.parse::<u16>().ok()) {
        Some(1..) => None,
        _ => Some("write a port from 1 to 65535 behind the `:`".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(address: &str, help: Option<&str>) {
        assert_eq!(fault_of_address(address).as_deref(), help, "{address}");
    }

    #[test]
    fn hosts_with_and_without_port_are_addresses() {
        for good in ["localhost:9121", "localhost", "10.0.0.1:1", "[::1]:9121", "[fe80::1]"] {
            check(good, None);
        }
        check("cache-1.example_x.org:65535", None);
        check("bücher.example:80", None);
    }

    #[test]
    fn what_is_more_than_an_address_is_told_its_place() {
        check(
            "http://a:1/x/y",
            Some("write `a:1`, and set `scheme: http` and `metrics_path: /x/y`"),
        );
        check("https://a", Some("write `a`, and set `scheme: https`"));
        check("a:1/metrics", Some("write `a:1`, and set `metrics_path: /metrics`"));
        check("::1", Some("write `[::1]`, with `:` and the port behind it"));
    }

    #[test]
    fn faults_of_host_and_port_are_told() {
        let port = Some("write a port from 1 to 65535 behind the `:`");
        check("a:", port);
        check("a:0", port);
        check("a:65536", port);
        check("a:+1", port);
        check("a:b:1", port);
        check("[::1]9", port);
        check("9121", Some("a number alone is no host: did you mean `localhost:9121`?"));
        check(":9121", Some("write the host before the port"));
        check("a b:1", Some("remove the white space"));
        check("a?b", Some("a host has no `?` in its name"));
        check(
            "10.0.0.256:1",
            Some("write an address that a URL can have; here: invalid IPv4 address"),
        );
        check("[::1", Some("close the bracket"));
        check("[x]:1", Some("write an IPv6 address between the brackets"));
    }
}
