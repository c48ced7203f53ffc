//! The programs: how each is told to scrape the targets, and started.

use std::fs;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

use crate::options::Options;
use crate::targets;

/// The metrics that the peers keep: as many as our profiles read.
const KEPT: &str = "redis_(uptime_in_seconds|start_time_seconds|keyspace_hits_total|\
    keyspace_misses_total|memory_used_bytes|memory_max_bytes|evicted_keys_total|\
    expired_keys_total|commands_processed_total|commands_duration_seconds_total|commands_total|\
    db_keys|connected_clients|up|config_maxmemory)|cache_.*";

/// One program.
pub(crate) struct Program {
    pub(crate) name: &'static str,
    pub(crate) is_ours: bool,
    path: String,
    /// Its arguments, of which `{…}` is filled in.
    arguments: &'static [&'static str],
}

/// One that runs.
pub(crate) struct Running {
    pub(crate) child: Child,
    /// Where its own metrics are.
    pub(crate) page: SocketAddr,
}

const OURS: &[&str] = &[
    "--config.file={directory}/config.yaml",
    "--web.listen-address={listen}",
    "--storage.path={directory}/store",
    "--log.level=warn",
];

const PROMETHEUS: &[&str] = &[
    "--config.file={directory}/config.yaml",
    "--web.listen-address={listen}",
    "--storage.tsdb.path={directory}/store",
    "--log.level=warn",
];

const VMAGENT: &[&str] = &[
    "-promscrape.config={directory}/config.yaml",
    "-httpListenAddr={listen}",
    "-remoteWrite.tmpDataPath={directory}/store",
    "-remoteWrite.url=http://127.0.0.1:{targets}/write",
    "-loggerLevel=WARN",
];

const VICTORIA: &[&str] = &[
    "-promscrape.config={directory}/config.yaml",
    "-httpListenAddr={listen}",
    "-storageDataPath={directory}/store",
    "-loggerLevel=WARN",
];

/// Ours, and the peers that are installed.
pub(crate) fn installed(options: &Options) -> Vec<Program> {
    let peer = |name, arguments| Program { name, is_ours: false, path: name.to_owned(), arguments };
    let path = env!("CARGO_BIN_EXE_cache-tuner-exporter").to_owned();
    let mut programs = vec![Program { name: "ours", is_ours: true, path, arguments: OURS }];
    for peer in [
        peer("vmagent", VMAGENT),
        peer("prometheus", PROMETHEUS),
        peer("victoria-metrics", VICTORIA),
    ] {
        let asked = Command::new(&peer.path)
            .arg("-version")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if asked.is_ok() {
            programs.push(peer);
        } else if options.only.is_none() {
            println!("{:12} is not installed", peer.name);
        }
    }
    let is_wanted = |name| options.only.as_ref().is_none_or(|only| only == name);
    programs.retain(|program| is_wanted(program.name));
    programs
}

impl Program {
    pub(crate) fn start(
        &self,
        directory: &Path,
        targets: u16,
        options: &Options,
    ) -> anyhow::Result<Running> {
        fs::write(directory.join("config.yaml"), self.config(targets, options))?;
        // Free now; nobody else takes ports in this order.
        let page = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
        let filled = self.arguments.iter().map(|argument| {
            let argument = argument.replace("{directory}", &directory.display().to_string());
            let argument = argument.replace("{listen}", &page.to_string());
            argument.replace("{targets}", &targets.to_string())
        });
        let log = fs::File::create(directory.join("log"))?;
        let child = Command::new(&self.path)
            .args(filled)
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log)
            .spawn()?;
        Ok(Running { child, page })
    }

    fn config(&self, port: u16, options: &Options) -> String {
        let interval = options.interval.as_millis();
        let addresses: Vec<String> =
            (0..options.targets).map(|target| targets::address(target, port)).collect();
        let kept = if self.is_ours {
            String::new()
        } else {
            format!(
                "\n    metric_relabel_configs:\n      - source_labels: [__name__]\n        \
                 regex: '{KEPT}'\n        action: keep"
            )
        };
        format!(
            "global:\n  scrape_interval: {interval}ms\n  scrape_timeout: {interval}ms\n\
             scrape_configs:\n  - job_name: bench{kept}\n    static_configs:\n      \
             - targets: [{}]\n",
            addresses.join(", ")
        )
    }
}
