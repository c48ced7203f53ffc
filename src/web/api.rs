//! The API: the board and the configuration as JSON, in Prometheus' envelope.
//!
//! What is served is mirrored in types of this module, apart from those it is made from, so that a
//! change inside never changes an answer by accident. Borrowed all the way: nothing is copied but
//! into the text.

pub(super) mod body;
mod caches;
pub(super) mod outcomes;
mod parameters;
pub(super) mod place;
mod rules;
mod targets;
pub(super) mod tunings;
mod values;
mod verdict;

use std::collections::BTreeMap;

use serde::Serialize;

use crate::web::Site;
use crate::web::answer;
use crate::web::answer::Answer;
use crate::web::answer::ApiError;

pub(super) use targets::health_name;
pub(super) use tunings::next_look;

/// A call of the API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Call {
    BuildInfo,
    Caches,
    Config,
    Outcomes,
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
            "outcomes" => Self::Outcomes,
            "parameters" => Self::Parameters,
            "rules" => Self::Rules,
            "status/buildinfo" => Self::BuildInfo,
            "status/config" => Self::Config,
            "targets" => Self::Targets,
            "tunings" => Self::Tunings,
            _ => return None,
        })
    }

    /// The methods that it takes; `POST` changes something.
    pub(super) const fn allow(self) -> &'static str {
        match self {
            Self::Outcomes => "POST",
            Self::Tunings => "GET, HEAD, POST",
            _ => "GET, HEAD",
        }
    }
}

/// Answers a call that changes nothing. The body of the answer is not sent unless `has_body`.
pub(super) fn answer(site: &Site, call: Call, query: &str, has_body: bool) -> Answer {
    match call {
        Call::BuildInfo => answer::success(build_info(site)),
        Call::Caches => answer::success(caches::data(&site.board.targets())),
        Call::Config => {
            let shown = site.shown.borrow().clone();
            answer::success(Config { yaml: &shown.config_yaml })
        }
        Call::Outcomes => answer::failure(&ApiError::Method(call.allow())),
        Call::Parameters => match parameters::answer(site, &arguments(query), has_body) {
            Ok(answer) => answer,
            Err(fault) => answer::failure(&fault),
        },
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
