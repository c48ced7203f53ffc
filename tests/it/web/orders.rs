//! The calls that change something, and the notes of caches that read their parameters: what
//! reaches the loop, and what is answered.

use cache_tuner_exporter::engine::HandError;
use cache_tuner_exporter::outcome::Outcome;
use cache_tuner_exporter::tuner::Refusal;
use cache_tuner_exporter::web;
use cache_tuner_exporter::web::Deed;
use cache_tuner_exporter::web::Done;
use cache_tuner_exporter::web::Options;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::sync::mpsc;

use crate::boards;
use crate::web::JSON;
use crate::web::METRICS;
use crate::web::Reply;
use crate::web::Served;
use crate::web::ask;
use crate::web::check;
use crate::web::get;
use crate::web::serve;
use crate::web::serve_with;

const OUTCOMES: &str = "/api/v1/outcomes";
const TUNINGS: &str = "/api/v1/tunings";

const IMPROVED: &str = r#"{"target": "localhost:9121", "rule": "hit_rate_declining",
    "outcome": "improved", "improvement": 0.25}"#;
const FORCE: &str = r#"{"target": "localhost:9121", "rule": "get_latency_rising"}"#;

async fn serve_admin() -> Served {
    let options = Options { enable_admin_api: true, ..Options::default() };
    serve_with(options, || METRICS.into()).await
}

async fn send(served: &Served, path: &str, body: &str) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close");
    let length = body.len();
    let request = format!("{head}\r\nContent-Length: {length}\r\n\r\n{body}");
    stream.write_all(request.as_bytes()).await.unwrap();
    stream
}

async fn reply(mut stream: TcpStream) -> Reply {
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.unwrap();
    Reply::parse(&bytes)
}

async fn post(served: &Served, path: &str, body: &str) -> Reply {
    reply(send(served, path, body).await).await
}

/// Posts, and answers the order that comes of it; returns what it was.
async fn carry_out(
    served: &mut Served,
    path: &str,
    body: &str,
    result: Result<Done, HandError>,
) -> (Reply, String, Deed) {
    let stream = send(served, path, body).await;
    let order = served.orders.recv().await.unwrap();
    order.answer.send(result).unwrap();
    let what = format!("{} {} {}", order.id.target, order.cache, order.rule);
    (reply(stream).await, what, order.deed)
}

#[tokio::test]
async fn an_outcome_reaches_the_loop() {
    let mut served = serve_admin().await;
    let (reply, what, deed) = carry_out(&mut served, OUTCOMES, IMPROVED, Ok(Done::Reported)).await;
    assert_eq!(what, "localhost:9121 redis hit_rate_declining");
    assert_eq!(deed, Deed::Report { outcome: Outcome::Improved, improvement: Some(0.25) });
    let data = concat!(
        r#"{"status":"success","data":{"scrape_job":"sessions","target":"localhost:9121","#,
        r#""cache":"redis","rule":"hit_rate_declining","outcome":"improved","improvement":0.25}}"#
    );
    check(&reply, "outcome", 200, JSON, data);
}

#[tokio::test]
async fn a_recommendation_is_put_in_force_by_hand() {
    let mut served = serve_admin().await;
    let entry = boards::board().journal().remove(0);
    let done = Done::Forced(Box::new((*entry).clone()));
    let (reply, what, deed) = carry_out(&mut served, TUNINGS, FORCE, Ok(done)).await;
    assert_eq!((what.as_str(), deed), ("localhost:9121 redis get_latency_rising", Deed::Force));
    assert_eq!(reply.status, 200);
    let journal = get(&served, TUNINGS).await.json();
    assert_eq!(reply.json()["data"], journal["data"][0]);
}

#[tokio::test]
async fn what_the_loop_refuses_is_told() {
    let mut served = serve_admin().await;
    for (fault, status, kind, text) in [
        (HandError::UnknownCache, 404, "not_found", "no such cache"),
        (HandError::UnknownRule, 404, "not_found", "rule `get_latency_rising`, cache `redis`"),
        (HandError::Refused(Refusal::Pending), 409, "conflict", "is not judged yet"),
        (HandError::Refused(Refusal::NotRecommended), 409, "conflict", "no such recommendation"),
    ] {
        let (reply, ..) = carry_out(&mut served, TUNINGS, FORCE, Err(fault)).await;
        check(&reply, text, status, JSON, text);
        assert_eq!(reply.json()["errorType"], kind, "{text}");
    }
}

#[tokio::test]
async fn bad_bodies_never_reach_the_loop() {
    let served = serve_admin().await;
    let long = format!(r#"{{"target": "{}"}}"#, "x".repeat(web::BODY_BYTES_MAX));
    for (path, body, status, text) in [
        (OUTCOMES, "", 400, "the body is no JSON object"),
        (OUTCOMES, "{}", 400, "`target` is missing; `rule` is missing; `outcome` is missing"),
        (TUNINGS, IMPROVED, 400, "there is no key `outcome`"),
        (TUNINGS, r#"{"target": "elsewhere", "rule": "r"}"#, 404, "no target `elsewhere`"),
        (TUNINGS, r#"{"target": "varnish:9131", "rule": "r"}"#, 400, "`pages`, `twins`"),
        (TUNINGS, r#"{"target": "localhost:9121", "cache": "x", "rule": "r"}"#, 404, "cache `x`"),
        (TUNINGS, &long, 413, "more than 16384 bytes"),
    ] {
        check(&post(&served, path, body).await, body, status, JSON, text);
    }
    let headers = "Content-Type: text/plain\r\nContent-Length: 0\r\n";
    let reply = ask(&served, "POST", OUTCOMES, headers).await;
    check(&reply, "text", 415, JSON, "send JSON with `Content-Type: application/json`");
    assert!(served.orders.is_empty());
}

#[tokio::test]
async fn orders_are_refused_when_off_busy_or_stopping() {
    let mut served = serve().await;
    for (path, body) in [(OUTCOMES, IMPROVED), (TUNINGS, FORCE), (TUNINGS, "")] {
        let reply = post(&served, path, body).await;
        check(&reply, "off", 403, JSON, "start with --web.enable-admin-api");
    }
    assert!(served.orders.is_empty());

    served = serve_admin().await;
    // One order waits in the queue, which holds one.
    let _waiting = send(&served, OUTCOMES, IMPROVED).await;
    while served.orders.is_empty() {
        tokio::task::yield_now().await;
    }
    check(&post(&served, OUTCOMES, IMPROVED).await, "busy", 503, JSON, "waiting");
    drop(served.orders);
    served.orders = mpsc::channel(1).1;
    check(&post(&served, OUTCOMES, IMPROVED).await, "stopping", 503, JSON, "stopping");
}

#[tokio::test]
async fn a_read_of_parameters_is_noted_and_never_waited_for() {
    let mut served = serve().await;
    let path = "/api/v1/parameters?target=localhost:9121";
    for unnoted in ["?target=elsewhere", ""] {
        get(&served, &format!("/api/v1/parameters{unnoted}")).await;
    }
    assert_eq!(ask(&served, "HEAD", path, "").await.status, 200);
    assert!(served.fetches.is_empty());
    // The queue holds one.
    for _ in 0..3 {
        assert_eq!(get(&served, path).await.status, 200);
    }
    let fetch = served.fetches.recv().await.unwrap();
    assert_eq!((&*fetch.id.target, &*fetch.cache), ("localhost:9121", "redis"));
    assert!((fetch.parameters.l1_size_multiplier - 1.2).abs() < 1e-12);
    assert!(served.fetches.is_empty());
    drop(served.fetches);
    served.fetches = mpsc::channel(1).1;
    assert_eq!(get(&served, path).await.status, 200);
}
