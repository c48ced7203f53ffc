//! The page as a scraper gets it: over a connection, in pieces, plain and compressed.

use std::io::Read;
use std::sync::Arc;

use cache_tuner_exporter::export::Exporter;
use cache_tuner_exporter::web::Coding;
use cache_tuner_exporter::web::Options;
use flate2::read::GzDecoder;

use crate::boards;
use crate::export::exporter;
use crate::export::reference;
use crate::export::same::BESIDE;
use crate::export::same::ours;
use crate::web;

fn page(exporter: &Exporter, coding: Coding) -> Result<Vec<bytes::Bytes>, String> {
    let page = match coding {
        Coding::Identity => exporter.page(),
        Coding::Gzip => exporter.page_gzipped(),
    };
    page.map_err(|fault| fault.to_string())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_served_is_what_the_prometheus_crate_writes() {
    let board = Arc::new(boards::board());
    let want = reference::page(Arc::clone(&board), BESIDE).unwrap();
    let exporter = exporter(&board);
    let served = web::serve_pages(Options::default(), move |coding| page(&exporter, coding)).await;
    for _ in 0..2 {
        let plain = web::ask(&served, "GET", "/metrics", "").await;
        assert_eq!(ours(plain.text()), want);
        assert_eq!(plain.header("content-length"), plain.body.len().to_string());
        let zipped = web::ask(&served, "GET", "/metrics", "Accept-Encoding: gzip\r\n").await;
        assert_eq!(zipped.header("content-encoding"), "gzip");
        let mut text = String::new();
        GzDecoder::new(&*zipped.body).read_to_string(&mut text).unwrap();
        assert_eq!(ours(&text), want);
    }
    let head = web::ask(&served, "HEAD", "/metrics", "").await;
    assert!(head.body.is_empty());
}

#[tokio::test]
async fn where_there_is_no_page_it_says_why() {
    let served = web::serve_pages(Options::default(), |_| Err("no memory".to_owned())).await;
    let answer = web::ask(&served, "GET", "/metrics", "").await;
    assert_eq!((answer.status, answer.text()), (503, "no memory\n"));
}
