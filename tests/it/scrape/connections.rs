//! Connections are kept from scrape to scrape, and one that ends meanwhile costs no scrape.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cache_tuner_exporter::reason::Reason;
use cache_tuner_exporter::scrape::client::Client;
use cache_tuner_exporter::scrape::client::ScrapeRequest;
use cache_tuner_exporter::scrape::config::ClientConfig;
use cache_tuner_exporter::scrape::plain::Kept;

use super::server::Answer;
use super::server::PATIENCE;
use super::server::Server;

/// Scrapes a target three times that gives its requests these answers in turn; checks that each is
/// good, and how many requests and connections that took.
#[track_caller]
fn check(answers: &[Answer], want_requests: usize, want_connections: usize) {
    let answers = answers.to_vec();
    let next = AtomicUsize::new(0);
    let answer = move |_: &str| answers[next.fetch_add(1, Ordering::Relaxed)].clone();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let got = runtime.block_on(async {
        let server = Server::start(answer).await;
        let client = Client::new(&ClientConfig::default()).unwrap();
        let request = ScrapeRequest { url: server.url.clone(), timeout: PATIENCE };
        let mut kept = Kept::default();
        for _ in 0..3 {
            let body = client.scrape(&request, &mut kept).await.unwrap();
            assert_eq!(body.text, "up 1\n");
        }
        (server.requests().len(), server.connections())
    });
    assert_eq!(got, (want_requests, want_connections));
}

/// An answer on a connection that stays open.
fn kept() -> Answer {
    Answer::kept(b"up 1\n")
}

/// The same on one that ends after it, without a word of that.
fn ended() -> Answer {
    Answer::ok("", b"up 1\n")
}

#[test]
fn a_connection_serves_scrape_after_scrape() {
    check(&[kept(), kept(), kept()], 3, 1);
}

#[test]
fn a_kept_connection_may_end_while_it_is_idle() {
    check(&[kept(), ended(), kept()], 3, 2);
    check(&[ended(), ended(), ended()], 3, 3);
}

#[test]
fn a_kept_connection_may_end_when_it_is_used_again() {
    let unanswered = || Answer::Bytes(Vec::new());
    check(&[kept(), unanswered(), kept(), kept()], 4, 2);
    check(&[kept(), kept(), unanswered(), ended()], 4, 2);
}

/// After an answer that fails, of which a part is left unread, the next scrape succeeds.
async fn check_recovery(failing: Answer, config: &ClientConfig, want: Reason) {
    let next = AtomicUsize::new(0);
    let server = Server::start(move |_| match next.fetch_add(1, Ordering::Relaxed) {
        0 => failing.clone(),
        _ => kept(),
    })
    .await;
    let client = Client::new(config).unwrap();
    let request = |timeout| ScrapeRequest { url: server.url.clone(), timeout };
    let mut held = Kept::default();
    let fault = client.scrape(&request(Duration::from_millis(300)), &mut held).await.unwrap_err();
    assert_eq!(fault.reason(), want);
    let body = client.scrape(&request(PATIENCE), &mut held).await.unwrap();
    assert_eq!(body.text, "up 1\n");
    assert_eq!(server.connections(), 2);
}

#[tokio::test]
async fn a_half_read_answer_leaves_nothing_behind() {
    let head = b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nup 1\n";
    let any = ClientConfig::default();
    check_recovery(Answer::Hang(head.to_vec()), &any, Reason::Timeout).await;
    check_recovery(Answer::Hang(b"HTTP/1.1 200 OK\r\n".to_vec()), &any, Reason::Timeout).await;
    let refused = b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nbusy\n";
    check_recovery(Answer::Kept(refused.to_vec()), &any, Reason::HttpStatus).await;
    let limited = ClientConfig { body_size_limit: Some(50), ..ClientConfig::default() };
    check_recovery(Answer::kept(&[b'x'; 60]), &limited, Reason::BodyTooLarge).await;
}

#[tokio::test]
async fn a_target_that_never_answers_is_asked_once() {
    let server = Server::always(Answer::Bytes(Vec::new())).await;
    let fault = server.scrape(&ClientConfig::default()).await.unwrap_err();
    assert_eq!((fault.reason(), server.requests().len()), (Reason::ClosedEarly, 1));
}
