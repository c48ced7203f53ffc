//! The commands as they are typed, and what they print.

mod probe;
mod replay;

use std::path::Path;

use crate::support::exporter::BINARY;

/// Transcripts under `tests/cmd`; each runs in the folder of its name with `.in`. After a wanted
/// change run the tests with `TRYCMD=overwrite`, and read what was written.
#[test]
fn transcripts_are_as_recorded() {
    trycmd::TestCases::new()
        .register_bin("cache-tuner-exporter", Path::new(BINARY))
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .case("tests/cmd/*.trycmd");
}
