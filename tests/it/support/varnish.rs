//! A real Varnish before an origin in the test, and its exporter.

use std::net::SocketAddr;

use crate::support::fault;
use crate::support::http;
use crate::support::process::Launch;
use crate::support::process::Server;
use crate::support::server::HttpServer;
use crate::support::traffic::Served;
use crate::support::traffic::Traffic;

/// `varnishd` with its storage in memory.
#[derive(Debug)]
pub(crate) struct Varnish {
    server: Server,
    _origin: HttpServer,
}

// === impl Varnish ===

impl Varnish {
    /// Starts a Varnish with `storage_bytes` of storage before an origin whose every page has
    /// `page_bytes` and may be kept for an hour.
    #[track_caller]
    pub(crate) fn start(storage_bytes: u64, page_bytes: usize) -> Self {
        let page = vec![b'p'; page_bytes];
        let origin = HttpServer::start(move |_, stream, _| {
            let length = page.len();
            let headers = format!("Content-Length: {length}\r\nCache-Control: max-age=3600\r\n");
            fault::write_head(stream, 200, &headers)?;
            std::io::Write::write_all(stream, &page)
        });
        let backend = origin.address();
        let server = Server::launch(&Launch {
            program: "varnishd",
            args: &|address, dir| {
                let working_dir = dir.join("varnish").display().to_string();
                // Without the jail, so that it needs no users of its own and reads our directory.
                let flags = "-F -j none".split(' ').map(str::to_owned);
                let addresses = ["-a".to_owned(), address.to_string(), "-b".to_owned()];
                let storage = format!("malloc,{storage_bytes}b");
                let files = ["-n".to_owned(), working_dir, "-s".to_owned(), storage];
                flags.chain(addresses).chain([backend.to_string()]).chain(files).collect()
            },
            answers: &answers,
        });
        Self { server, _origin: origin }
    }

    /// Ends Varnish and starts it again, empty, on the same port.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.server.restart(&answers);
    }

    /// Asks for `requests` pages; `X-Varnish` names a second transaction for a hit.
    #[track_caller]
    pub(crate) fn serve(&self, traffic: &mut Traffic, requests: u64) -> Served {
        let mut served = Served::default();
        for _ in 0..requests {
            let url = self.server.url(&format!("/page/{}", traffic.next_key()));
            let response = http::get(&url).expect("Varnish answers");
            assert_eq!(response.status, 200, "GET {url}");
            let transactions = response.headers.first("x-varnish").expect("Varnish names itself");
            match transactions.split(' ').count() {
                2 => served.hits += 1,
                _ => served.misses += 1,
            }
        }
        served
    }

    fn working_dir(&self) -> String {
        self.server.process().dir().join("varnish").display().to_string()
    }
}

fn answers(address: SocketAddr) -> bool {
    http::is_ok(&format!("http://{address}/ready"))
}

/// `prometheus-varnish-exporter` for one Varnish.
#[derive(Debug)]
pub(crate) struct VarnishExporter {
    server: Server,
}

// === impl VarnishExporter ===

impl VarnishExporter {
    #[track_caller]
    pub(crate) fn start(varnish: &Varnish) -> Self {
        let working_dir = varnish.working_dir();
        let server = Server::launch(&Launch {
            program: "prometheus-varnish-exporter",
            args: &|address, _| {
                format!("-n {working_dir} -web.listen-address {address}")
                    .split(' ')
                    .map(str::to_owned)
                    .collect()
            },
            answers: &|address| http::is_ok(&format!("http://{address}/metrics")),
        });
        Self { server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("/metrics")
    }
}
