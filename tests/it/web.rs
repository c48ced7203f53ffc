//! The HTTP side over real connections: every route, and how connections begin and end.

mod orders;

use std::collections::BTreeMap;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use bytes::Bytes;
use cache_tuner_exporter::rule::Overrides;
use cache_tuner_exporter::signal::Signal;
use cache_tuner_exporter::web;
use cache_tuner_exporter::web::Coding;
use cache_tuner_exporter::web::Fetch;
use cache_tuner_exporter::web::Options;
use cache_tuner_exporter::web::Order;
use cache_tuner_exporter::web::Shown;
use cache_tuner_exporter::web::Site;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use serde_json::Value;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::boards;

const METRICS: &str = "# HELP a An a.\n# TYPE a gauge\na 1\n";

/// A site being served.
pub(crate) struct Served {
    address: SocketAddr,
    ready: Arc<AtomicBool>,
    reloads: mpsc::Receiver<oneshot::Sender<Result<(), String>>>,
    orders: mpsc::Receiver<Order>,
    fetches: mpsc::Receiver<Fetch>,
    shutdown: CancellationToken,
    serving: JoinHandle<()>,
    // Whoever drops the sender ends what is shown.
    _shown: watch::Sender<Arc<Shown>>,
}

async fn serve_with(
    options: Options,
    metrics: impl Fn() -> Vec<u8> + Send + Sync + 'static,
) -> Served {
    let page = move |coding| {
        let page = metrics();
        Ok(vec![match coding {
            Coding::Identity => page.into(),
            Coding::Gzip => zipped(&page).into(),
        }])
    };
    serve_pages(options, page).await
}

pub(crate) async fn serve_pages(
    options: Options,
    metrics: impl Fn(Coding) -> Result<Vec<Bytes>, String> + Send + Sync + 'static,
) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (reload, reloads) = mpsc::channel(1);
    let (order, orders) = mpsc::channel(1);
    let (fetched, fetches) = mpsc::channel(1);
    let decline = BTreeMap::from([("decline".to_owned(), 0.02)]);
    let overrides: Overrides = BTreeMap::from([("hit_rate_declining".to_owned(), decline)]);
    let (shown_sender, shown) = watch::channel(Arc::new(Shown {
        config_yaml: "password: <secret>\n".to_owned(),
        rules: boards::rules(),
        overrides: BTreeMap::from([("sessions".to_owned(), overrides)]),
    }));
    let ready = Arc::new(AtomicBool::new(true));
    let board = boards::board();
    // The same address in two jobs, so that an address alone does not always do.
    let mut twin = (*board.targets()[1]).clone();
    twin.id = boards::id("twins", "varnish:9131");
    twin.caches.clear();
    board.publish(twin);
    let site = Site {
        board: Arc::new(board),
        metrics: Box::new(metrics),
        reload,
        orders: order,
        fetched,
        ready: Arc::clone(&ready),
        shown,
        options,
        now: boards::now,
        build: boards::BUILD,
    };
    let shutdown = CancellationToken::new();
    let serving = tokio::spawn(web::serve(vec![listener], Arc::new(site), shutdown.clone()));
    Served { address, ready, reloads, orders, fetches, shutdown, serving, _shown: shown_sender }
}

fn zipped(page: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(page).unwrap();
    encoder.finish().unwrap()
}

async fn serve() -> Served {
    let options = Options { enable_lifecycle: true, ..Options::default() };
    serve_with(options, || METRICS.into()).await
}

/// An answer as it came over the wire.
pub(crate) struct Reply {
    pub(crate) status: u16,
    headers: BTreeMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Reply {
    fn parse(bytes: &[u8]) -> Self {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
        let head = String::from_utf8(bytes[..end].to_vec()).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines.map(|line| {
            let (name, value) = line.split_once(": ").unwrap();
            (name.to_ascii_lowercase(), value.to_owned())
        });
        Self { status, headers: headers.collect(), body: bytes[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) async fn ask(served: &Served, method: &str, path: &str, headers: &str) -> Reply {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let request =
        format!("{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{headers}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Reply::parse(&bytes)
}

async fn get(served: &Served, path: &str) -> Reply {
    ask(served, "GET", path, "").await
}

#[track_caller]
fn check(reply: &Reply, case: &str, status: u16, content_type: &str, text: &str) {
    assert_eq!(reply.status, status, "{case}: {}", reply.text());
    assert_eq!(reply.header("content-type"), content_type, "{case}");
    assert!(reply.text().contains(text), "{case}: {}", reply.text());
    assert_eq!(reply.header("x-content-type-options"), "nosniff", "{case}");
}

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";

#[tokio::test]
async fn every_route_answers() {
    let served = serve().await;
    for (path, status, content_type, text) in [
        ("/", 200, "text/html; charset=utf-8", "Cache Tuner Exporter"),
        ("/metrics", 200, "text/plain; version=0.0.4; charset=utf-8", METRICS),
        ("/-/healthy", 200, TEXT, "healthy"),
        ("/-/ready", 200, TEXT, "ready"),
        ("/api/v1/caches", 200, JSON, "{\"status\":\"success\",\"data\":[{\"scrape_job\":"),
        ("/api/v1/tunings", 200, JSON, "{\"status\":\"success\",\"data\":[{\"scrape_job\":"),
        ("/api/v1/targets", 200, JSON, "{\"status\":\"success\",\"data\":{\"activeTargets\":[{"),
        ("/api/v1/rules", 200, JSON, "{\"status\":\"success\",\"data\":{\"groups\":[{"),
        ("/api/v1/status/config", 200, JSON, r#""data":{"yaml":"password: <secret>\n"}"#),
        (
            "/api/v1/status/buildinfo",
            200,
            JSON,
            r#"{"version":"1.2.3","revision":"0123abc","rustVersion":"1.90.0"}"#,
        ),
        ("/favicon.ico", 404, TEXT, "not found"),
        ("/metrics/", 404, TEXT, "not found"),
        ("/api/v1/nothing", 404, JSON, r#"{"status":"error","errorType":"not_found","error":"#),
        ("/api/", 404, JSON, "no such path: /api/"),
    ] {
        check(&get(&served, path).await, path, status, content_type, text);
    }
}

#[tokio::test]
async fn other_methods_are_told_which_would_do() {
    let served = serve().await;
    for (method, path, allow) in [
        ("POST", "/", "GET, HEAD"),
        ("DELETE", "/metrics", "GET, HEAD"),
        ("PUT", "/-/healthy", "GET, HEAD"),
        ("POST", "/-/ready", "GET, HEAD"),
        ("GET", "/-/reload", "POST, PUT"),
        ("HEAD", "/-/reload", "POST, PUT"),
        ("POST", "/api/v1/caches", "GET, HEAD"),
        ("PUT", "/api/v1/tunings", "GET, HEAD, POST"),
        ("GET", "/api/v1/outcomes", "POST"),
        ("HEAD", "/api/v1/outcomes", "POST"),
        ("OPTIONS", "/api/v1/outcomes", "POST"),
        ("OPTIONS", "/api/v1/targets", "GET, HEAD"),
    ] {
        let reply = ask(&served, method, path, "").await;
        assert_eq!((reply.status, reply.header("allow")), (405, allow), "{method} {path}");
    }
    assert_eq!(ask(&served, "POST", "/nothing", "").await.status, 404);
}

#[tokio::test]
async fn head_has_the_length_and_no_body() {
    let served = serve().await;
    for path in ["/", "/metrics", "/-/healthy", "/api/v1/caches"] {
        let (got, head) = (get(&served, path).await, ask(&served, "HEAD", path, "").await);
        assert_eq!(head.status, 200, "{path}");
        assert_eq!(head.header("content-length"), got.body.len().to_string(), "{path}");
        assert!(head.body.is_empty(), "{path}");
    }
}

#[tokio::test]
async fn gzip_is_the_same_page() {
    let served = serve().await;
    let reply = ask(&served, "GET", "/metrics", "Accept-Encoding: gzip\r\n").await;
    assert_eq!(reply.header("content-encoding"), "gzip");
    assert_eq!(reply.header("vary"), "Accept-Encoding");
    let mut page = String::new();
    GzDecoder::new(&*reply.body).read_to_string(&mut page).unwrap();
    assert_eq!(page, METRICS);
    for headers in ["", "Accept-Encoding: gzip;q=0, *\r\n", "Accept-Encoding: br\r\n"] {
        let reply = ask(&served, "GET", "/metrics", headers).await;
        assert_eq!((reply.header("content-encoding"), reply.text()), ("", METRICS), "{headers}");
        assert_eq!(reply.header("vary"), "Accept-Encoding");
    }
}

#[tokio::test]
async fn a_large_page_arrives_whole() {
    let page = "a{b=\"c\"} 1\n".repeat(400_000);
    let served = serve_with(Options::default(), {
        let page = page.clone();
        move || page.clone().into_bytes()
    })
    .await;
    assert!(get(&served, "/metrics").await.text() == page);
    let reply = ask(&served, "GET", "/metrics", "Accept-Encoding: gzip\r\n").await;
    let mut unzipped = String::new();
    GzDecoder::new(&*reply.body).read_to_string(&mut unzipped).unwrap();
    assert!(unzipped == page && reply.body.len() < page.len() / 10);
}

#[tokio::test]
async fn the_telemetry_path_can_be_another() {
    let options = Options { telemetry_path: "/m".to_owned(), ..Options::default() };
    let served = serve_with(options, || METRICS.into()).await;
    assert_eq!(get(&served, "/m").await.text(), METRICS);
    assert_eq!(get(&served, "/metrics").await.status, 404);
    assert!(get(&served, "/").await.text().contains("href=\"/m\""));
}

#[tokio::test]
async fn ready_follows_the_first_round() {
    let served = serve().await;
    served.ready.store(false, Ordering::Release);
    check(&get(&served, "/-/ready").await, "not ready", 503, TEXT, "not ready");
    assert_eq!(get(&served, "/-/healthy").await.status, 200);
    served.ready.store(true, Ordering::Release);
    assert_eq!(get(&served, "/-/ready").await.status, 200);
}

#[tokio::test]
async fn reload_says_how_it_went() {
    let mut served = serve().await;
    for (method, outcome, status, text) in [
        ("POST", Ok(()), 200, "reloaded"),
        ("PUT", Ok(()), 200, "reloaded"),
        (
            "POST",
            Err("c.yaml:3:1: no\n".to_owned()),
            500,
            "failed to reload config: c.yaml:3:1: no\n",
        ),
    ] {
        let mut reloads = served.reloads;
        let answering = tokio::spawn(async move {
            reloads.recv().await.unwrap().send(outcome).unwrap();
            reloads
        });
        served.reloads = mpsc::channel(1).1;
        let reply = ask(&served, method, "/-/reload", "").await;
        check(&reply, method, status, TEXT, text);
        served.reloads = answering.await.unwrap();
    }
}

#[tokio::test]
async fn reload_is_refused_when_off_busy_or_stopping() {
    let mut served = serve_with(Options::default(), || METRICS.into()).await;
    let reply = ask(&served, "POST", "/-/reload", "").await;
    check(&reply, "off", 403, TEXT, "--web.enable-lifecycle");

    served = serve().await;
    // One request waits in the queue, which holds one.
    let mut waiting = TcpStream::connect(served.address).await.unwrap();
    waiting.write_all(b"POST /-/reload HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    while served.reloads.is_empty() {
        tokio::task::yield_now().await;
    }
    check(&ask(&served, "POST", "/-/reload", "").await, "busy", 503, TEXT, "waiting");
    drop(served.reloads);
    served.reloads = mpsc::channel(1).1;
    check(&ask(&served, "POST", "/-/reload", "").await, "stopping", 503, TEXT, "stopping");
}

#[tokio::test]
async fn a_cache_reads_its_parameters() {
    let served = serve().await;
    let all = concat!(
        r#"{"status":"success","data":{"l1_size_multiplier":1.2,"l2_size_multiplier":1.0,"#,
        r#""promotion_threshold":3,"eviction_aggressiveness":0.6,"ttl_multiplier":1.0,"#,
        r#""preheating_aggressiveness":0.3}}"#
    );
    let two = r#"{"l1_size_multiplier":1.0,"promotion_threshold":3}"#;
    for (query, status, text) in [
        ("?target=localhost:9121&cache=redis", 200, all),
        ("?target=localhost%3A9121", 200, all),
        ("?target=localhost:9121&scrape_job=sessions&more=1", 200, all),
        ("?target=varnish:9131&scrape_job=pages&cache=s%3C1%3E", 200, two),
        ("", 400, "parameter `target` is missing"),
        ("?target=", 400, "parameter `target` is missing"),
        ("?cache=redis", 400, "\"errorType\":\"bad_data\""),
        ("?target=elsewhere", 404, "\"errorType\":\"not_found\""),
        ("?target=localhost:9121&cache=other", 404, "has no cache `other`"),
        ("?target=localhost:9121&scrape_job=pages", 404, "in job `pages`"),
        ("?target=varnish:9131", 400, "say which with `scrape_job`: `pages`, `twins`"),
        ("?target=varnish:9131&scrape_job=pages", 400, "say which with `cache`: `s0`, `s<1>`"),
        ("?target=varnish:9131&scrape_job=twins", 404, "shows no cache"),
    ] {
        let reply = get(&served, &format!("/api/v1/parameters{query}")).await;
        check(&reply, query, status, JSON, text);
        assert_eq!(reply.header("cache-control"), "no-store");
    }
}

#[tokio::test]
async fn the_api_is_as_it_was() {
    let served = serve().await;
    for name in ["caches", "tunings", "targets", "rules"] {
        let reply = get(&served, &format!("/api/v1/{name}")).await;
        let pretty = serde_json::to_string_pretty(&reply.json()).unwrap();
        let mut settings = insta::Settings::clone_current();
        settings.set_prepend_module_to_snapshot(false);
        settings.set_snapshot_path("../golden");
        settings.bind(|| insta::assert_snapshot!(format!("api-{name}"), pretty));
    }
}

#[tokio::test]
async fn numbers_read_back_as_the_same_float() {
    let served = serve().await;
    let json = get(&served, "/api/v1/caches").await.json();
    let shown =
        json["data"].as_array().unwrap().iter().find(|cache| cache["scrape_job"] == "sessions");
    let board = boards::board();
    let target = board.target(&boards::id("sessions", "localhost:9121")).unwrap();
    let snapshot = target.caches[0].snapshot.unwrap();
    for signal in Signal::ALL {
        let number = shown.unwrap()["snapshot"][signal.name()].as_f64();
        assert_eq!(number.map(f64::to_bits), snapshot.value(signal).map(f64::to_bits), "{signal}");
    }
}

#[tokio::test]
async fn the_status_page_escapes_and_forbids_scripts() {
    let served = serve().await;
    let reply = get(&served, "/").await;
    let page = reply.text();
    assert!(reply.header("content-security-policy").starts_with("default-src 'none'"));
    for hidden in ["<b>varnish", "s<1>", "\"gold\"", "<script", "http://cdn", "NaN"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
    for shown in [
        "no answer within 10s from &#60;b&#62;varnish",
        "s&#60;1&#62;",
        "76.0 %",
        "2.22 ms",
        "12 s ago",
        "Hit rate declining, increasing L1 cache size",
        "CONFIG SET maxmemory 120000000",
        ">80 %<",
        "The breaker is open.",
        "In progress",
        "the cache has not taken it over yet",
        "the objective improved",
        "As of 2023-11-14 22:15:00 UTC",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
}

#[tokio::test]
async fn slow_clients_and_slow_pages_delay_nobody() {
    let (release, held) = std_mpsc::channel::<()>();
    let held = Mutex::new(held);
    let served = serve_with(Options::default(), move || {
        held.lock().unwrap().recv().unwrap();
        METRICS.into()
    })
    .await;
    let mut slow = Vec::new();
    for _ in 0..50 {
        let mut stream = TcpStream::connect(served.address).await.unwrap();
        stream.write_all(b"GET /metrics HTTP/1.1\r\nHo").await.unwrap();
        slow.push(stream);
    }
    let scrape = async {
        let reply = get(&served, "/metrics").await;
        assert_eq!(reply.text(), METRICS);
    };
    let others = async {
        assert_eq!(get(&served, "/-/healthy").await.status, 200);
        assert_eq!(get(&served, "/api/v1/caches").await.status, 200);
        release.send(()).unwrap();
    };
    tokio::join!(scrape, others);
}

#[tokio::test(start_paused = true)]
async fn a_silent_client_is_cut_off() {
    let served = serve().await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET /metrics HTTP/1.1\r\nHo").await.unwrap();
    let mut bytes = Vec::new();
    // Either way of ending it will do; it is the end that counts.
    drop(stream.read_to_end(&mut bytes).await);
    assert_eq!(get(&served, "/-/healthy").await.status, 200);
}

#[tokio::test]
async fn a_head_that_is_too_large_is_refused() {
    let served = serve().await;
    let headers = format!("X: {}\r\n", "x".repeat(web::HEAD_BYTES_MAX));
    assert_eq!(ask(&served, "GET", "/", &headers).await.status, 431);
}

#[tokio::test]
async fn shutdown_lets_answers_finish_and_takes_nobody_new() {
    let (release, held) = std_mpsc::channel::<()>();
    let (entered_sender, mut entered) = mpsc::channel(1);
    let held = Mutex::new(held);
    let served = serve_with(Options::default(), move || {
        entered_sender.blocking_send(()).unwrap();
        held.lock().unwrap().recv().unwrap();
        METRICS.into()
    })
    .await;
    let mut idle = TcpStream::connect(served.address).await.unwrap();
    let mut under_way = TcpStream::connect(served.address).await.unwrap();
    under_way.write_all(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n").await.unwrap();
    entered.recv().await.unwrap();
    served.shutdown.cancel();
    let mut bytes = Vec::new();
    assert_eq!(idle.read_to_end(&mut bytes).await.unwrap(), 0);
    while TcpStream::connect(served.address).await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert!(!served.serving.is_finished());
    release.send(()).unwrap();
    under_way.read_to_end(&mut bytes).await.unwrap();
    let reply = Reply::parse(&bytes);
    assert_eq!((reply.status, reply.text()), (200, METRICS));
    assert_eq!(reply.header("connection"), "close");
    tokio::time::timeout(Duration::from_secs(5), served.serving).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_page_that_cannot_be_made_is_an_error_and_no_more() {
    let served = serve_with(Options::default(), || panic!("on purpose")).await;
    check(&get(&served, "/metrics").await, "panic", 500, TEXT, "internal error");
    assert_eq!(get(&served, "/-/healthy").await.status, 200);
}
