//! A real Redis used as a cache, and its exporter.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use crate::support::http;
use crate::support::process::Launch;
use crate::support::process::Server;
use crate::support::resp::Answer;
use crate::support::resp::Connection;
use crate::support::traffic::Served;
use crate::support::traffic::Traffic;

/// Commands in one round trip.
const PIPELINE_COMMANDS: u64 = 200;

/// `redis-server` with `allkeys-lru` and nothing on disk.
#[derive(Debug)]
pub(crate) struct Redis {
    server: Server,
}

// === impl Redis ===

impl Redis {
    /// Starts a Redis that may use `memory_bytes_max`, of which it needs about a million itself.
    #[track_caller]
    pub(crate) fn start(memory_bytes_max: u64) -> Self {
        let server = Server::launch(&Launch {
            program: "redis-server",
            args: &|address, _| {
                let port = address.port();
                format!(
                    "--bind 127.0.0.1 --port {port} --appendonly no --maxmemory-policy allkeys-lru"
                )
                .split(' ')
                .map(str::to_owned)
                .chain(["--maxmemory".to_owned(), memory_bytes_max.to_string()])
                .chain(["--save".to_owned(), String::new()])
                .collect()
            },
            answers: &answers_ping,
        });
        Self { server }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }

    #[track_caller]
    pub(crate) fn connect(&self) -> Connection {
        Connection::open(self.address()).expect("a running Redis takes connections")
    }

    /// Every field of `INFO`.
    #[track_caller]
    pub(crate) fn info(&self) -> BTreeMap<String, String> {
        let answer = self.connect().command(&["INFO"]).expect("a running Redis answers");
        let Answer::Bulk(text) = answer else { panic!("INFO gave {answer:?}") };
        let text = String::from_utf8(text).expect("INFO is UTF-8");
        let fields = text.lines().filter_map(|line| line.split_once(':'));
        fields.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }

    /// Calls of a command and the microseconds they took, since the statistics were reset.
    #[track_caller]
    pub(crate) fn command_stats(&self, command: &str) -> (u64, u64) {
        let Ok(Answer::Bulk(text)) = self.connect().command(&["INFO", "commandstats"]) else {
            panic!("INFO commandstats gave no text");
        };
        let text = String::from_utf8(text).expect("INFO is UTF-8");
        let prefix = format!("cmdstat_{command}:");
        let Some(line) = text.lines().find_map(|line| line.strip_prefix(&prefix)) else {
            return (0, 0);
        };
        let number = |key: &str| {
            let value = line.split(',').find_map(|field| field.strip_prefix(key));
            value.and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{key} in {line}"))
        };
        (number("calls="), number("usec="))
    }

    /// Runs a command that must answer `OK`.
    #[track_caller]
    pub(crate) fn set(&self, words: &[&str]) {
        let answer = self.connect().command(words).expect("a running Redis answers");
        assert_eq!(answer, Answer::Simple("OK".to_owned()), "{words:?}");
    }

    /// A number of `INFO`.
    #[track_caller]
    pub(crate) fn info_number(&self, field: &str) -> u64 {
        let info = self.info();
        let value = info.get(field).unwrap_or_else(|| panic!("INFO has no `{field}`"));
        value.parse().unwrap_or_else(|_| panic!("`{field}` is `{value}`, not a whole number"))
    }

    /// Asks for `requests` keys and fills in those that are missing, as an application does.
    #[track_caller]
    pub(crate) fn serve(&self, traffic: &mut Traffic, requests: u64, value_bytes: usize) -> Served {
        let mut connection = self.connect();
        let mut served = Served::default();
        let mut left = requests;
        while left > 0 {
            let batch = left.min(PIPELINE_COMMANDS);
            left -= batch;
            let keys: Vec<_> = (0..batch).map(|_| format!("key:{}", traffic.next_key())).collect();
            let gets: Vec<_> = keys.iter().map(|key| words(&[b"GET", key.as_bytes()])).collect();
            let answers = connection.pipeline(&gets).expect("Redis answers every GET");
            let missing: Vec<_> = keys
                .iter()
                .zip(&answers)
                .filter(|(_, answer)| **answer == Answer::Nil)
                .map(|(key, _)| words(&[b"SET", key.as_bytes(), &vec![b'v'; value_bytes]]))
                .collect();
            served.misses += missing.len() as u64;
            served.hits += batch - missing.len() as u64;
            for answer in connection.pipeline(&missing).expect("Redis answers every SET") {
                assert_eq!(answer, Answer::Simple("OK".to_owned()), "SET");
            }
        }
        served
    }

    /// Ends Redis and starts it again, empty, on the same port.
    #[track_caller]
    pub(crate) fn restart(&mut self) {
        self.server.restart(&answers_ping);
    }

    pub(crate) fn stop(&mut self) {
        self.server.stop();
    }
}

/// `prometheus-redis-exporter` for one Redis.
#[derive(Debug)]
pub(crate) struct RedisExporter {
    server: Server,
}

// === impl RedisExporter ===

impl RedisExporter {
    #[track_caller]
    pub(crate) fn start(redis: &Redis) -> Self {
        let target = redis.address();
        let server = Server::launch(&Launch {
            program: "prometheus-redis-exporter",
            args: &|address, _| {
                vec![
                    format!("-redis.addr=redis://{target}"),
                    format!("-web.listen-address={address}"),
                ]
            },
            answers: &|address| http::is_ok(&format!("http://{address}/health")),
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

fn answers_ping(address: SocketAddr) -> bool {
    let answer = Connection::open(address).and_then(|mut redis| redis.command(&["PING"]));
    answer.is_ok_and(|answer| answer == Answer::Simple("PONG".to_owned()))
}

fn words(words: &[&[u8]]) -> Vec<Vec<u8>> {
    words.iter().map(|word| word.to_vec()).collect()
}
