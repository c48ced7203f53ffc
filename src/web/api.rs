//! The API: the board and the configuration as JSON, in Prometheus' envelope.
//!
//! What is served is mirrored in types of this module, apart from those it is made from, so that a
//! change inside never changes an answer by accident. Borrowed all the way: nothing is copied but
//! into the text.

mod caches;
mod parameters;
mod rules;
mod targets;
mod tunings;
mod values;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::web::Site;
use crate::web::answer;
use crate::web::answer::Answer;

pub(super) use targets::health_name;

/// A call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    BuildInfo,
    Caches,
    Config,
    Parameters,
    Rules,
    Targets,
    Tunings,
}

impl Call {
    /// The call of that path under `/api/v1/`.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        Some(match name {
            "caches" => Self::Caches,
            "parameters" => Self::Parameters,
            "rules" => Self::Rules,
            "status/buildinfo" => Self::BuildInfo,
            "status/config" => Self::Config,
            "targets" => Self::Targets,
            "tunings" => Self::Tunings,
            _ => return None,
        })
    }
}

/// Answers a call.
pub(super) fn answer(site: &Site, call: Call, query: &str) -> Answer {
    match call {
        Call::BuildInfo => answer::success(build_info(site)),
        Call::Caches => answer::success(caches::data(&site.board.targets())),
        Call::Config => {
            let shown = site.shown.borrow().clone();
            answer::success(Config { yaml: &shown.config_yaml })
        }
        Call::Parameters => {
            let targets = site.board.targets();
            match parameters::data(&targets, &arguments(query)) {
                Ok(data) => answer::success(data),
                Err(fault) => answer::failure(&fault),
            }
        }
        Call::Rules => {
            let shown = site.shown.borrow().clone();
            answer::success(rules::data(&shown))
        }
        Call::Targets => answer::success(targets::data(&site.board.targets())),
        Call::Tunings => answer::success(tunings::data(&site.board.journal())),
    }
}

/// The arguments of a call; the first of each name counts.
fn arguments(query: &str) -> BTreeMap<String, String> {
    let mut arguments = BTreeMap::new();
    for (name, value) in form_urlencoded::parse(query.as_bytes()) {
        arguments.entry(name.into_owned()).or_insert_with(|| value.into_owned());
    }
    arguments
}

#[derive(Serialize)]
struct Config<'a> {
    yaml: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Build {
    version: &'static str,
    revision: &'static str,
    rust_version: &'static str,
}

fn build_info(site: &Site) -> Build {
    let build = site.build;
    Build { version: build.version, revision: build.revision, rust_version: build.rust_version }
}
