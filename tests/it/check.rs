//! The `check` command: exit status, and what goes where in which format.

use std::path::PathBuf;

use cache_tuner_exporter::check::CheckArgs;
use cache_tuner_exporter::check::run;
use cache_tuner_exporter::diag::render::Format;

/// Runs the command over files of the project; gives exit status, standard output and error.
fn command(files: &[&str], output_format: Format) -> (u8, String, String) {
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let args = CheckArgs { files: files.iter().map(PathBuf::from).collect(), output_format };
    let status = run(&args, &mut out, &mut err, false);
    (status, String::from_utf8(out).unwrap(), String::from_utf8(err).unwrap())
}

#[test]
fn good_files_of_every_kind_are_no_problem() {
    let files = [
        "tests/config/good/interface.yaml",
        "rules/tuning/default.yaml",
        "rules/tuning/sizing.yaml",
        "rules/profiles/redis.yaml",
    ];
    let want = (0, String::new(), "4 files checked: no problems\n".to_owned());
    assert_eq!(command(&files, Format::Full), want);
}

#[test]
fn warnings_alone_are_no_failure() {
    let (status, out, err) = command(&["tests/config/good/no_jobs.yaml"], Format::Concise);
    assert_eq!((status, out.as_str()), (0, ""));
    insta::assert_snapshot!(err);
}

#[test]
fn errors_fail_and_a_fault_of_a_shared_file_is_told_once() {
    let files = ["tests/config/bad/other_files_too.yaml", "tests/config/bad/files/rules.yaml"];
    let (status, out, err) = command(&files, Format::Concise);
    assert_eq!((status, out.as_str()), (1, ""));
    insta::assert_snapshot!(err);
}

#[test]
fn json_is_data_and_goes_to_standard_output() {
    let (status, out, err) = command(&["tests/config/bad/duplicate_job.yaml"], Format::Json);
    assert_eq!(status, 1);
    insta::assert_snapshot!(out);
    insta::assert_snapshot!(err);
}

#[test]
fn a_file_that_cannot_be_read_is_an_error_with_the_reason() {
    let (status, _, err) = command(&["tests/config/none.yaml", "tests"], Format::Full);
    assert_eq!(status, 1);
    insta::assert_snapshot!(err);
}
