//! Scrape tasks over real sockets with short intervals. (Paused time runs on whenever a socket is
//! waited for, so the arithmetic of beats has its tests beside it, without sockets.)

use std::sync::Arc;
use std::time::Duration;

use cache_tuner_exporter::reason::Reason;
use cache_tuner_exporter::scrape::Url;
use cache_tuner_exporter::scrape::client::Client;
use cache_tuner_exporter::scrape::config::ClientConfig;
use cache_tuner_exporter::scrape::schedule::Scraped;
use cache_tuner_exporter::scrape::schedule::Scrapes;
use cache_tuner_exporter::scrape::schedule::TargetSpec;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::server::Answer;
use super::server::PATIENCE;
use super::server::Server;

const INTERVAL: Duration = Duration::from_millis(60);

fn target(url: &Url) -> TargetSpec {
    TargetSpec {
        job: "job".to_owned(),
        url: url.clone(),
        interval: INTERVAL,
        timeout: INTERVAL,
        first_at_once: true,
    }
}

/// Scrapes until nobody takes the results.
fn start(target: &TargetSpec, results: &mpsc::Sender<Scraped>) -> JoinHandle<()> {
    let client = Arc::new(Client::new(&ClientConfig::default()).unwrap());
    let mut scrapes = Scrapes::new(target, client);
    let results = results.clone();
    tokio::spawn(async move { while results.send(scrapes.next().await).await.is_ok() {} })
}

async fn next(results: &mut mpsc::Receiver<Scraped>) -> Scraped {
    tokio::time::timeout(PATIENCE, results.recv()).await.unwrap().unwrap()
}

#[tokio::test]
async fn a_target_is_scraped_until_the_end() {
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    let (sender, mut results) = mpsc::channel(1);
    let task = start(&target(&server.url), &sender);
    for _ in 0..4 {
        assert_eq!(next(&mut results).await.result.unwrap().text, "up 1\n");
    }
    drop(results);
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
}

#[tokio::test]
async fn a_target_that_hangs_delays_no_other() {
    let hanging = Server::always(Answer::Hang(Vec::new())).await;
    let good = Server::always(Answer::ok("", b"up 1\n")).await;
    let (sender, mut results) = mpsc::channel(16);
    let slow = TargetSpec { timeout: PATIENCE, ..target(&hanging.url) };
    let tasks = [start(&slow, &sender), start(&target(&good.url), &sender)];
    for _ in 0..5 {
        assert!(next(&mut results).await.result.is_ok());
    }
    // A scrape under way does not hold up the end.
    for task in tasks {
        task.abort();
        let ended = tokio::time::timeout(PATIENCE, task).await.unwrap();
        assert!(ended.unwrap_err().is_cancelled());
    }
}

#[tokio::test]
async fn a_target_that_fails_is_tried_again() {
    let hanging = Server::always(Answer::Hang(Vec::new())).await;
    let (sender, mut results) = mpsc::channel(1);
    let task = start(&target(&hanging.url), &sender);
    for _ in 0..3 {
        let scraped = next(&mut results).await;
        assert_eq!(scraped.result.unwrap_err().reason(), Reason::Timeout);
        assert!(scraped.duration >= INTERVAL);
    }
    // Nobody takes the results any more: the task ends by itself.
    drop(results);
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
}

#[tokio::test]
async fn beats_that_pass_while_nobody_listens_are_skipped() {
    let server = Server::always(Answer::ok("", b"up 1\n")).await;
    let (sender, mut results) = mpsc::channel(1);
    let task = start(&target(&server.url), &sender);
    next(&mut results).await;
    // One result waits in the channel, one in the task; the rest of these beats never happen.
    tokio::time::sleep(INTERVAL * 10).await;
    assert!(server.requests().len() <= 3, "{}", server.requests().len());
    for _ in 0..4 {
        next(&mut results).await;
    }
    drop(results);
    tokio::time::timeout(PATIENCE, task).await.unwrap().unwrap();
}
