//! Scrape tasks over real sockets with short intervals. (Paused time runs on whenever a socket is
//! waited for, so the arithmetic of beats has its tests beside it, without sockets.)

use std::sync::Arc;
use std::time::Duration;

use cache_tuner_exporter::reason::Reason;
use cache_tuner_exporter::scrape::Url;
use cache_tuner_exporter::scrape::client::Client;
use cache_tuner_exporter::scrape::config::ClientConfig;
use cache_tuner_exporter::scrape::schedule::Scraped;
use cache_tuner_exporter::scrape::schedule::TargetId;
use cache_tuner_exporter::scrape::schedule::TargetSpec;
use cache_tuner_exporter::scrape::schedule::run;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::server::Answer;
use super::server::PATIENCE;
use super::server::Server;

const INTERVAL: Duration = Duration::from_millis(60);

fn target(id: u64, url: &Url) -> TargetSpec {
    TargetSpec {
        id: TargetId(id),
        job: "job".to_owned(),
        url: url.clone(),
        interval: INTERVAL,
        timeout: INTERVAL,
        first_at_once: true,
    }
}

fn start(
    target: TargetSpec,
    results: &mpsc::Sender<Scraped>,
    cancel: &CancellationToken,
) -> JoinHandle<()> {
    let client = Arc::new(Client::new(&ClientConfig::default()).unwrap());
    tokio::spawn(run(target, client, results.clone(), cancel.clone()))
}

async fn next(results: &mut mpsc::Receiver<Scraped>) -> Scraped {
    tokio::time::timeout(PATIENCE, results.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_target_is_scraped_until_the_end() {
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    let (sender, mut results) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let task = start(target(1, &server.url), &sender, &cancel);
    let first = next(&mut results).await;
    assert_eq!((first.id, first.result.unwrap().text.as_str()), (TargetId(1), "up 1\n"));
    for _ in 0..3 {
        assert!(next(&mut results).await.result.is_ok());
    }
    cancel.cancel();
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_target_that_hangs_delays_no_other() {
    let hanging = Server::always(Answer::Hang(Vec::new())).await;
    let good = Server::always(Answer::ok("", b"up 1\n")).await;
    let (sender, mut results) = mpsc::channel(16);
    let cancel = CancellationToken::new();
    let slow = TargetSpec { timeout: PATIENCE, ..target(1, &hanging.url) };
    let tasks = [start(slow, &sender, &cancel), start(target(2, &good.url), &sender, &cancel)];
    for _ in 0..5 {
        assert_eq!(next(&mut results).await.id, TargetId(2));
    }
    // A scrape under way does not hold up the end.
    cancel.cancel();
    for task in tasks {
        tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn a_target_that_fails_is_tried_again() {
    let hanging = Server::always(Answer::Hang(Vec::new())).await;
    let (sender, mut results) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let task = start(target(1, &hanging.url), &sender, &cancel);
    for _ in 0..3 {
        let scraped = next(&mut results).await;
        assert_eq!(scraped.result.unwrap_err().reason(), Reason::Timeout);
        assert!(scraped.duration >= INTERVAL);
    }
    // Nobody takes the results any more: the task ends by itself.
    drop(results);
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
    assert!(!cancel.is_cancelled());
}

#[tokio::test]
async fn beats_that_pass_while_nobody_listens_are_skipped() {
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    let (sender, mut results) = mpsc::channel(1);
    let cancel = CancellationToken::new();
    let task = start(target(1, &server.url), &sender, &cancel);
    next(&mut results).await;
    // One result waits in the channel, one in the task; the rest of these beats never happen.
    tokio::time::sleep(INTERVAL * 10).await;
    assert!(server.requests().len() <= 3, "{}", server.requests().len());
    for _ in 0..4 {
        next(&mut results).await;
    }
    cancel.cancel();
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
}
