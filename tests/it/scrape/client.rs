//! What is sent, what is read, and how every way of failing is named.

use std::time::Duration;

use cache_tuner_exporter::reason::Reason;
use cache_tuner_exporter::scrape::Url;
use cache_tuner_exporter::scrape::client::Client;
use cache_tuner_exporter::scrape::client::ClientError;
use cache_tuner_exporter::scrape::client::REDIRECTS_MAX;
use cache_tuner_exporter::scrape::client::ScrapeRequest;
use cache_tuner_exporter::scrape::config::Auth;
use cache_tuner_exporter::scrape::config::Authorization;
use cache_tuner_exporter::scrape::config::BODY_BYTES_MAX;
use cache_tuner_exporter::scrape::config::BasicAuth;
use cache_tuner_exporter::scrape::config::ClientConfig;
use cache_tuner_exporter::scrape::config::Source;
use cache_tuner_exporter::scrape::failure::ScrapeError;
use cache_tuner_exporter::scrape::plain::Kept;

use super::server::Answer;
use super::server::Server;
use super::server::gzip;
use super::server::scrape;
use tokio::time::Instant;

fn basic(username: &str, password: &str) -> ClientConfig {
    ClientConfig {
        auth: Some(Auth::Basic(BasicAuth {
            username: Source::inline(username),
            password: Some(Source::inline(password)),
        })),
        ..ClientConfig::default()
    }
}

fn bearer(credentials: Source) -> ClientConfig {
    let kind = Authorization::KIND_DEFAULT.to_owned();
    ClientConfig {
        auth: Some(Auth::Token(Authorization { kind, credentials })),
        ..ClientConfig::default()
    }
}

fn headers(list: &[(&str, &[&str])]) -> ClientConfig {
    let values = |list: &[&str]| list.iter().map(|value| Source::inline(*value)).collect();
    ClientConfig {
        http_headers: list.iter().map(|(name, list)| ((*name).to_owned(), values(list))).collect(),
        ..ClientConfig::default()
    }
}

/// The failure of a scrape with the default configuration, and its message.
async fn failure(answer: Answer) -> (Reason, String) {
    let error = Server::always(answer).await.scrape(&ClientConfig::default()).await.unwrap_err();
    (error.reason(), error.to_string())
}

#[tokio::test]
async fn requests_look_like_prometheus() {
    let server = Server::always(Answer::ok("Content-Type: text/plain\r\n", b"up 1\n")).await;
    let client = Client::new(&ClientConfig::default()).unwrap();
    let url = server.url.join("/metrics?a=b%20c").unwrap();
    let request = ScrapeRequest { url, timeout: Duration::from_millis(12_500) };
    let body = client.scrape(&request, &mut Kept::default()).await.unwrap();
    assert_eq!(body.text, "up 1\n");
    assert_eq!(body.content_type.as_deref(), Some("text/plain"));
    assert_eq!(body.wire_bytes, 5);
    let head = &server.requests()[0];
    let mut lines: Vec<_> = head.trim_end().lines().filter(|l| !l.starts_with("host:")).collect();
    lines[1..].sort_unstable();
    assert_eq!(
        lines,
        [
            "get /metrics?a=b%20c http/1.1",
            "accept-encoding: gzip",
            "accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
             application/openmetrics-text;version=0.0.1;q=0.5,\
             text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,\
             text/plain;version=0.0.4;q=0.3,*/*;q=0.2",
            concat!("user-agent: cache-tuner-exporter/", env!("CARGO_PKG_VERSION")),
            "x-prometheus-scrape-timeout-seconds: 12.5",
        ]
    );
}

#[tokio::test]
async fn compression_can_be_off() {
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    let config = ClientConfig { enable_compression: false, ..ClientConfig::default() };
    server.scrape(&config).await.unwrap();
    assert!(server.requests()[0].contains("accept-encoding: identity\r\n"));
}

#[tokio::test]
async fn gzip_is_decoded() {
    let packed = gzip(b"up 1\n");
    let server = Server::always(Answer::ok("Content-Encoding: gzip\r\n", &packed)).await;
    let body = server.scrape(&ClientConfig::default()).await.unwrap();
    assert_eq!((body.text.as_str(), body.wire_bytes), ("up 1\n", packed.len() as u64));
}

#[tokio::test]
async fn chunked_and_close_delimited_bodies_are_read() {
    for answer in [
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nup 1\n\r\n0\r\n\r\n",
        "HTTP/1.0 200 OK\r\n\r\nup 1\n",
    ] {
        let server = Server::always(Answer::text(answer)).await;
        assert_eq!(server.scrape(&ClientConfig::default()).await.unwrap().text, "up 1\n");
    }
}

#[tokio::test]
async fn a_gzip_bomb_stops_at_the_limit() {
    // 80 MiB of zeros in some hundred kilobytes.
    let bomb = gzip(&vec![0; 80 << 20]);
    let got = failure(Answer::ok("Content-Encoding: gzip\r\n", &bomb)).await;
    assert_eq!(got, (Reason::BodyTooLarge, "body reaches the limit of 64MiB".to_owned()));
}

#[tokio::test]
async fn an_endless_body_stops_at_the_limit() {
    let got = failure(Answer::Endless("HTTP/1.1 200 OK\r\n\r\n", vec![b'#'; 1 << 20])).await;
    assert_eq!(got.0, Reason::BodyTooLarge);
    // A gigabyte that is announced is not even begun.
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 1073741824\r\n\r\n";
    assert_eq!(failure(Answer::text(head)).await.0, Reason::BodyTooLarge);
}

#[tokio::test]
async fn body_size_limit_lowers_the_limit_and_never_raises_it() {
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    let limit = |bytes| ClientConfig { body_size_limit: bytes, ..ClientConfig::default() };
    assert!(server.scrape(&limit(Some(6))).await.is_ok());
    let got = server.scrape(&limit(Some(5))).await;
    assert_eq!(got, Err(ScrapeError::BodyTooLarge { limit: 5 }));
    let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {BODY_BYTES_MAX}\r\n\r\n");
    let server = Server::always(Answer::text(&head)).await;
    let got = server.scrape(&limit(Some(u64::MAX))).await;
    assert_eq!(got, Err(ScrapeError::BodyTooLarge { limit: BODY_BYTES_MAX }));
}

#[tokio::test]
async fn credentials_are_sent() {
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    server.scrape(&basic("tuner", "hunter2")).await.unwrap();
    server.scrape(&bearer(Source::inline("token"))).await.unwrap();
    server.scrape(&headers(&[("X-Tenant", &["a", "b"]), ("X-Key", &["c"])])).await.unwrap();
    let [first, second, third] = server.requests().try_into().unwrap();
    assert!(first.contains("authorization: basic dhvuzxi6ahvudgvymg==\r\n"), "{first}");
    assert!(second.contains("authorization: bearer token\r\n"), "{second}");
    assert!(third.contains("x-tenant: a\r\nx-tenant: b\r\nx-key: c\r\n"), "{third}");
}

#[tokio::test]
async fn user_information_in_the_url_gives_way_to_basic_auth() {
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    let mut url = server.url.clone();
    url.set_username("url").unwrap();
    for config in [ClientConfig::default(), basic("tuner", "hunter2")] {
        scrape(&Client::new(&config).unwrap(), &url).await.unwrap();
    }
    let [first, second] = server.requests().try_into().unwrap();
    assert!(first.contains("authorization: basic dxjsog==\r\n"), "{first}");
    assert_eq!(second.matches("authorization:").count(), 1, "{second}");
    assert!(second.contains("authorization: basic dhvuzxi6ahvudgvymg==\r\n"), "{second}");
}

#[tokio::test]
async fn a_rotated_credential_file_holds_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("token");
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    let client = Client::new(&bearer(Source::File(path.clone()))).unwrap();
    let error = scrape(&client, &server.url).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Credentials);
    assert!(error.to_string().starts_with("`credentials` in `"), "{error}");
    for token in ["one", "two"] {
        std::fs::write(&path, format!("{token}\n")).unwrap();
        scrape(&client, &server.url).await.unwrap();
        let head = server.requests().pop().unwrap();
        assert!(head.contains(&format!("authorization: bearer {token}\r\n")), "{head}");
    }
    std::fs::write(&path, "two\nlines").unwrap();
    let error = scrape(&client, &server.url).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Credentials);
    assert!(!error.to_string().contains("lines"), "{error}");
    assert_eq!(server.requests().len(), 2);
}

#[test]
fn headers_that_cannot_be_sent_are_refused() {
    let fault = |name: &str, value: &str| Client::new(&headers(&[(name, &[value])])).unwrap_err();
    assert_eq!(fault("two words", "x"), ClientError::HeaderName("two words".to_owned()));
    assert_eq!(fault("X-Key", "a\nb"), ClientError::HeaderValue("X-Key".to_owned()));
    assert_eq!(
        fault("Authorization", "x"),
        ClientError::ReservedHeader("Authorization".to_owned())
    );
}

#[tokio::test]
async fn redirects_are_followed() {
    let server = Server::start(|head| match head.split(' ').nth(1).unwrap() {
        "/metrics" => Answer::redirect("/a"),
        "/a" => Answer::redirect("b?c=d"),
        _ => Answer::ok("", b"up 1\n"),
    })
    .await;
    assert_eq!(server.scrape(&basic("u", "p")).await.unwrap().text, "up 1\n");
    let heads = server.requests();
    assert!(heads[2].starts_with("get /b?c=d "), "{heads:?}");
    assert!(heads.iter().all(|head| head.contains("authorization: ")), "{heads:?}");
    let off = ClientConfig { follow_redirects: false, ..ClientConfig::default() };
    assert_eq!(server.scrape(&off).await, Err(ScrapeError::HttpStatus { status: 302 }));
}

#[tokio::test]
async fn redirect_loops_end() {
    let server = Server::always(Answer::redirect("/metrics")).await;
    let got = server.scrape(&ClientConfig::default()).await;
    assert_eq!(got, Err(ScrapeError::TooManyRedirects { limit: REDIRECTS_MAX }));
    assert_eq!(server.requests().len(), REDIRECTS_MAX + 1);
}

#[tokio::test]
async fn redirects_to_nowhere_are_refused() {
    for location in ["file:///etc/passwd", "http://", "ftp://host/", "http://[::1"] {
        let got = failure(Answer::redirect(location)).await;
        assert_eq!(got.0, Reason::Redirects, "{location}");
    }
    let without = Answer::text("HTTP/1.1 301 Moved\r\nContent-Length: 0\r\n\r\n");
    assert_eq!(failure(without).await.0, Reason::HttpStatus);
}

#[tokio::test]
async fn credentials_never_reach_another_origin() {
    let second = Server::start(|head| match head.split(' ').nth(1).unwrap() {
        "/metrics" => Answer::redirect("/again"),
        _ => Answer::ok("", b"up 1\n"),
    })
    .await;
    let first = Server::always(Answer::redirect(second.url.as_str())).await;
    let mut config = basic("tuner", "hunter2");
    config.http_headers = headers(&[("X-Key", &["secret"])]).http_headers;
    assert_eq!(first.scrape(&config).await.unwrap().text, "up 1\n");
    assert!(first.requests()[0].contains("x-key: secret"));
    for head in second.requests() {
        assert!(!head.contains("authorization") && !head.contains("x-key"), "{head}");
    }
}

#[tokio::test]
async fn wrong_statuses_are_named() {
    for status in [204, 404, 500] {
        let head = format!("HTTP/1.1 {status} X\r\nContent-Length: 0\r\n\r\n");
        let (reason, message) = failure(Answer::text(&head)).await;
        assert_eq!(reason, Reason::HttpStatus);
        assert_eq!(message, format!("target answered {status}, not 200"));
    }
}

#[tokio::test]
async fn html_with_200_is_given_as_it_is() {
    let page = b"<!DOCTYPE html><p>hello";
    let server = Server::always(Answer::ok("Content-Type: text/html\r\n", page)).await;
    let body = server.scrape(&ClientConfig::default()).await.unwrap();
    assert_eq!(body.text.as_bytes(), page);
}

#[tokio::test]
async fn undecodable_bodies_are_named() {
    let gzip_head = "Content-Encoding: gzip\r\n";
    let packed = gzip(b"up 1\n");
    for answer in [
        Answer::ok("", b"cache\xff 1\n"),
        Answer::ok(gzip_head, b"up 1\n"),
        Answer::ok(gzip_head, &packed[..packed.len() - 1]),
        Answer::ok("Content-Encoding: br\r\n", b"up 1\n"),
    ] {
        assert_eq!(failure(answer).await.0, Reason::Undecodable);
    }
}

#[tokio::test]
async fn early_ends_are_named() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\nContent-Le",
        "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nup 1\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nup",
    ] {
        assert_eq!(failure(Answer::text(answer)).await.0, Reason::ClosedEarly, "{answer}");
    }
}

#[tokio::test]
async fn peers_that_do_not_speak_http_are_named() {
    for answer in
        ["-ERR unknown command\r\n", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"]
    {
        assert_eq!(failure(Answer::text(answer)).await.0, Reason::NotHttp, "{answer}");
    }
}

#[tokio::test]
async fn nobody_listening_is_named() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let url: Url = format!("http://user:hunter2@{address}/metrics").parse().unwrap();
    let client = Client::new(&ClientConfig::default()).unwrap();
    let error = scrape(&client, &url).await.unwrap_err();
    assert_eq!(error.reason(), Reason::Connect);
    let message = error.to_string();
    assert!(message.starts_with(&format!("no connection to `{address}`: ")), "{message}");
    assert!(!format!("{error:?}{message}").contains("hunter2"));
}

#[tokio::test]
async fn one_deadline_holds_over_everything() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nup 1\n";
    for sent in [&b""[..], b"HTTP/1.1 200 OK\r\n", head] {
        let server = Server::always(Answer::Hang(sent.to_vec())).await;
        let client = Client::new(&ClientConfig::default()).unwrap();
        let after = Duration::from_millis(150);
        let start = Instant::now();
        let request = ScrapeRequest { url: server.url.clone(), timeout: after };
        let got = client.scrape(&request, &mut Kept::default()).await;
        assert_eq!(got, Err(ScrapeError::Timeout { after }));
        assert!(start.elapsed() >= after);
        assert_eq!(got.unwrap_err().to_string(), "no complete answer within 150ms");
    }
}

#[test]
fn secrets_are_not_shown() {
    let mut config = basic("tuner", "hunter2");
    config.http_headers = headers(&[("X-Key", &["hunter2"])]).http_headers;
    let client = Client::new(&config).unwrap();
    assert!(!format!("{config:?}{client:?}").contains("hunter2"));
}
