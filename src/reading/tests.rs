//! For which pages a layout holds. That what it gives is right is shown by comparison with the
//! plain way, in `tests/it/prop_reading.rs`; here it is shown that it is used.

use std::sync::Arc;

use super::*;
use crate::diag::SourceFile;
use crate::reading::layout::LAYOUT_BYTES_MAX;

const PAGE: &str = "# HELP hits Hits.\nhits 10\nother{a=\"b\"} 5\nlast 1\n";

fn now() -> Timestamp {
    Timestamp::from_millis(1_795_355_100_000)
}

fn job() -> Arc<JobReader> {
    let text = "profile: p\ndescription: d\ndetect: hits\nroles:\n  hits: hits\n";
    let profile = profile::load(&SourceFile::new("p.yaml", text)).unwrap();
    Arc::new(JobReader::new(ProfileChoice::Auto(vec![Arc::new(profile)]), Some(60)))
}

fn read(reader: &mut TargetReader, text: &str) -> Result<Reading, Failure> {
    reader.read(RawPage { text, content_type: None }, now())
}

/// Whether the layout of [`PAGE`] holds for a page.
#[track_caller]
fn check(page: &str, want: bool) {
    let mut reader = TargetReader::new(job(), None);
    read(&mut reader, PAGE).unwrap();
    let before = reader.layout().map(Arc::as_ptr);
    assert!(before.is_some());
    let _ = read(&mut reader, page);
    assert_eq!(reader.layout().map(Arc::as_ptr) == before, want, "{page}");
}

#[test]
fn numbers_may_change() {
    check(PAGE, true);
    check(&PAGE.replace("10", "11"), true);
    check(&PAGE.replace("10", "-1.5e-07"), true);
    check(&PAGE.replace("10", "123456.75").replace("5\n", "0\n"), true);
    check(&PAGE.replace(" 5", " NaN"), true);
    check(&PAGE.replace(" 5", " 5 1795355100000"), true);
    check(&PAGE.replace("10", "NaN"), false);
    check(&PAGE.replace("10", "10 1795355100000"), false);
}

#[test]
fn lines_that_nothing_asks_for_may_come_and_go() {
    check(&PAGE.replace("# HELP hits Hits.\n", ""), true);
    check(&PAGE.replace("other", "another"), true);
    check(&PAGE.replace("last 1\n", ""), true);
    check(&format!("{PAGE}more 1\n"), true);
    check(&format!("bad-line\n{PAGE}"), true);
    check(&PAGE.replace("hits 10\n", ""), false);
    check(&PAGE.replace("hits 10", "hits{a=\"b\"} 10"), false);
    check(&format!("{PAGE}hits{{a=\"b\"}} 1\n"), false);
}

#[test]
fn a_page_that_breaks_off_is_read_plainly() {
    check(&PAGE[..PAGE.len() - 1], false);
    check("", false);
}

#[test]
fn too_much_that_is_new_makes_a_new_layout() {
    check(&format!("{PAGE}{}", "new 1\n".repeat(32)), true);
    check(&format!("{PAGE}{}", "new 1\n".repeat(33)), false);
}

#[test]
fn the_sample_limit_holds_for_pages_that_are_followed() {
    let mut reader = TargetReader::new(job(), None);
    let page = format!("{PAGE}{}", "more{} 1\n".repeat(50));
    read(&mut reader, &page).unwrap();
    let failure = read(&mut reader, &format!("{page}{}", "more{} 1\n".repeat(10))).unwrap_err();
    assert_eq!(failure.reason, Reason::SampleLimit);
    assert_eq!(failure.message, "63 samples exceed `sample_limit` 60");
}

#[test]
fn targets_of_a_job_share_a_layout() {
    let job = job();
    let mut first = TargetReader::new(Arc::clone(&job), None);
    let mut second = TargetReader::new(Arc::clone(&job), None);
    read(&mut first, PAGE).unwrap();
    read(&mut second, &PAGE.replace("10", "20")).unwrap();
    let (Some(ours), Some(theirs)) = (first.layout(), second.layout()) else { panic!("layouts") };
    assert!(Arc::ptr_eq(ours, theirs));
}

#[test]
fn pages_that_never_fit_are_seldom_remembered() {
    let mut reader = TargetReader::new(job(), None);
    let mut layouts = 0;
    for scrape in 0..100 {
        let volatile = format!("volatile{{a=\"{scrape}\"}} 1\n");
        read(&mut reader, &format!("hits 1\n{}", volatile.repeat(40))).unwrap();
        layouts += usize::from(reader.layout().is_some());
    }
    assert!((1..10).contains(&layouts), "{layouts}");
}

#[test]
fn a_page_beyond_the_limit_is_not_remembered() {
    let mut reader = TargetReader::new(job(), None);
    let remark = format!("# {}\n", "x".repeat(1 << 20));
    read(&mut reader, &format!("{PAGE}{}", remark.repeat(LAYOUT_BYTES_MAX >> 20))).unwrap();
    assert!(reader.layout().is_none());
}
