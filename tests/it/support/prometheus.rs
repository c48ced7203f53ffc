//! A real Prometheus and a real Alertmanager.

use std::fs;
use std::net::SocketAddr;

use serde_json::Value;
use serde_json::json;

use crate::support::dashboard;
use crate::support::http;
use crate::support::process::Launch;
use crate::support::process::Server;

/// `prometheus` with a configuration given as text.
#[derive(Debug)]
pub(crate) struct Prometheus {
    server: Server,
}

// === impl Prometheus ===

impl Prometheus {
    /// Starts Prometheus. `files` (name, text) lie beside the configuration, for its `rule_files`.
    ///
    /// It takes up its targets five seconds later: its discovery hands them over on that beat.
    #[track_caller]
    pub(crate) fn start(config: &str, files: &[(&str, &str)]) -> Self {
        let server = Server::launch(&Launch {
            program: "prometheus",
            args: &|address, dir| {
                for (name, text) in [("prometheus.yml", config)].iter().chain(files) {
                    fs::write(dir.join(name), text).expect("the test's directory can be written");
                }
                vec![
                    format!("--config.file={}", dir.join("prometheus.yml").display()),
                    format!("--storage.tsdb.path={}", dir.join("data").display()),
                    format!("--web.listen-address={address}"),
                    "--log.level=warn".to_owned(),
                ]
            },
            answers: &|address| http::is_ok(&format!("http://{address}/-/ready")),
        });
        Self { server }
    }

    /// The `data` of an API call that must succeed; `path` from `/api/v1/` on.
    #[track_caller]
    pub(crate) fn api(&self, path: &str) -> Value {
        let url = self.server.url(&format!("/api/v1/{path}"));
        let answer = http::get(&url).unwrap_or_else(|error| panic!("GET {url}: {error}")).json();
        assert_eq!(answer["status"], "success", "{path}: {answer}");
        answer["data"].clone()
    }

    /// The result of an instant query: a list of `{metric, value}`.
    #[track_caller]
    pub(crate) fn query(&self, query: &str) -> Vec<Value> {
        let data = self.api(&format!("query?query={}", percent_encode(query)));
        data["result"].as_array().cloned().unwrap_or_default()
    }

    /// The value of a query with exactly one series; `None` while there is none.
    #[track_caller]
    pub(crate) fn query_value(&self, query: &str) -> Option<f64> {
        let result = self.query(query);
        assert!(result.len() <= 1, "`{query}` has {} series", result.len());
        result.first()?["value"][1].as_str()?.parse().ok()
    }
}

/// `prometheus-alertmanager` with a configuration given as text, alone in its cluster.
#[derive(Debug)]
pub(crate) struct Alertmanager {
    server: Server,
}

// === impl Alertmanager ===

impl Alertmanager {
    #[track_caller]
    pub(crate) fn start(config: &str) -> Self {
        let server = Server::launch(&Launch {
            program: "prometheus-alertmanager",
            args: &|address, dir| {
                let file = dir.join("alertmanager.yml");
                fs::write(&file, config).expect("the test's directory can be written");
                vec![
                    format!("--config.file={}", file.display()),
                    format!("--storage.path={}", dir.join("data").display()),
                    format!("--web.listen-address={address}"),
                    "--cluster.listen-address=".to_owned(),
                ]
            },
            answers: &|address| http::is_ok(&format!("http://{address}/-/ready")),
        });
        Self { server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// Posts one alert that fires now.
    #[track_caller]
    pub(crate) fn post_alert(&self, labels: &Value) {
        let body = json!([{ "labels": labels }]).to_string();
        let url = self.server.url("/api/v2/alerts");
        let response = http::post(&url, "application/json", body.as_bytes());
        let response = response.unwrap_or_else(|error| panic!("POST {url}: {error}"));
        assert_eq!(response.status, 200, "{}", String::from_utf8_lossy(&response.body));
    }
}

/// A configuration of Alertmanager that sends everything to one webhook at once.
pub(crate) fn webhook_config(url: &str) -> String {
    format!(
        "route:\n  receiver: test\n  group_by: ['...']\n  group_wait: 0s\n  group_interval: 1s\n\
         receivers:\n  - name: test\n    webhook_configs:\n      - url: {url}\n"
    )
}

/// A configuration of Prometheus that scrapes the exporter and evaluates `alerts.yaml`, both every
/// second; `more` are further lines.
pub(crate) fn scraping(exporter: SocketAddr, more: &str) -> String {
    format!(
        "global: {{scrape_interval: 1s, scrape_timeout: 1s, evaluation_interval: 1s}}\n\
         rule_files: [alerts.yaml]\n{more}\
         scrape_configs:\n  - job_name: cache-tuner\n    \
         static_configs: [{{targets: ['{exporter}']}}]\n"
    )
}

/// The lines that send alerts to an Alertmanager, for [`scraping`].
pub(crate) fn alerting(alertmanager: &Alertmanager) -> String {
    let address = alertmanager.address();
    format!("alerting: {{alertmanagers: [{{static_configs: [{{targets: ['{address}']}}]}}]}}\n")
}

/// The alerts as they are shipped.
#[track_caller]
pub(crate) fn shipped_alerts() -> String {
    fs::read_to_string(dashboard::repository_path("rules/prometheus/alerts.yaml"))
        .expect("the alerts can be read")
}

/// The shipped alerts, all in a hurry: the expressions are the same.
#[track_caller]
pub(crate) fn hurried_alerts() -> String {
    let hurried: Vec<String> = shipped_alerts()
        .lines()
        .map(|line| match line.split_once("for: ") {
            Some((indent, _)) if indent.trim().is_empty() => format!("{indent}for: 2s"),
            _ => line.to_owned(),
        })
        .collect();
    hurried.join("\n") + "\n"
}

pub(crate) fn percent_encode(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}
