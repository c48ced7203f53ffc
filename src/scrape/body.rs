//! Collects a body chunk by chunk, decoding gzip on the way, and stops at the limit: neither a body
//! without end nor one that unpacks a thousandfold takes more memory than the limit.

use std::io;
use std::io::Write;

use flate2::write::MultiGzDecoder;

use crate::scrape::failure::ScrapeError;

/// Announced sizes up to which room is made before anything came. Larger bodies grow as they come.
const TRUSTED_BYTES_MAX: u64 = 1 << 20;

/// What a body is collected into.
pub(super) struct Collector {
    decoder: Decoder,
    limit: u64,
    wire_bytes: u64,
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Limited>>),
    Plain(Limited),
}

impl Collector {
    /// For a body sent with this `Content-Encoding` that must stay below `limit` bytes; `announced`
    /// is its size as sent, where that is known. `bytes` is empty, and what it is collected into.
    pub(super) fn new(
        encoding: Option<&str>,
        limit: u64,
        announced: Option<u64>,
        bytes: Vec<u8>,
    ) -> Result<Self, ScrapeError> {
        let mut limited = Limited { bytes, limit, full: false };
        let encoding = encoding.map(|name| name.trim().to_ascii_lowercase());
        let decoder = match encoding.as_deref() {
            None | Some("" | "identity") => {
                // A promise is cheap: more room comes with what is really sent.
                let announced = announced.unwrap_or(0).min(limit).min(TRUSTED_BYTES_MAX);
                limited.bytes.reserve_exact(usize::try_from(announced).unwrap_or(0));
                Decoder::Plain(limited)
            }
            Some("gzip" | "x-gzip") => Decoder::Gzip(Box::new(MultiGzDecoder::new(limited))),
            Some(other) => return Err(ScrapeError::Encoding(other.to_owned())),
        };
        Ok(Self { decoder, limit, wire_bytes: 0 })
    }

    /// Takes the next chunk.
    pub(super) fn push(&mut self, chunk: &[u8]) -> Result<(), ScrapeError> {
        self.wire_bytes += chunk.len() as u64;
        // Empty gzip members decode to nothing, so what is sent has the limit too.
        if self.wire_bytes >= self.limit {
            return Err(ScrapeError::BodyTooLarge { limit: self.limit });
        }
        let written = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.write_all(chunk),
            Decoder::Plain(limited) => limited.write_all(chunk),
        };
        written.map_err(|error| self.fault(&error))
    }

    /// The whole text, and how many bytes were sent for it.
    pub(super) fn finish(mut self) -> Result<(String, u64), ScrapeError> {
        if let Decoder::Gzip(decoder) = &mut self.decoder
            && let Err(error) = decoder.try_finish()
        {
            return Err(self.fault(&error));
        }
        let limited = match &mut self.decoder {
            Decoder::Gzip(decoder) => decoder.get_mut(),
            Decoder::Plain(limited) => limited,
        };
        let text = String::from_utf8(std::mem::take(&mut limited.bytes))
            .map_err(|error| ScrapeError::NotUtf8 { at: error.utf8_error().valid_up_to() })?;
        Ok((text, self.wire_bytes))
    }

    fn fault(&self, error: &io::Error) -> ScrapeError {
        let full = match &self.decoder {
            Decoder::Gzip(decoder) => decoder.get_ref().full,
            Decoder::Plain(limited) => limited.full,
        };
        if full {
            ScrapeError::BodyTooLarge { limit: self.limit }
        } else {
            ScrapeError::Gzip(error.to_string())
        }
    }
}

/// Bytes that stay below a limit; the write that reaches it fails.
struct Limited {
    bytes: Vec<u8>,
    limit: u64,
    full: bool,
}

impl Write for Limited {
    fn write(&mut self, part: &[u8]) -> io::Result<usize> {
        let wanted = self.bytes.len() + part.len();
        if self.full || wanted as u64 >= self.limit {
            self.full = true;
            return Err(io::Error::other("body limit reached"));
        }
        if wanted > self.bytes.capacity() {
            // Doubled as usual, except that the last step goes no further than the limit.
            let limit = usize::try_from(self.limit).unwrap_or(usize::MAX);
            let capacity = (self.bytes.capacity() * 2).min(limit).max(wanted);
            self.bytes.reserve_exact(capacity - self.bytes.len());
        }
        self.bytes.extend_from_slice(part);
        Ok(part.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    #[track_caller]
    fn check(encoding: Option<&str>, body: &[u8], limit: u64, want: &Result<&str, ScrapeError>) {
        let announced = [None, Some(0), Some(body.len() as u64), Some(u64::MAX)];
        for (chunk_bytes, announced) in [1, 7, 8, usize::MAX].into_iter().zip(announced) {
            let mut collector = match Collector::new(encoding, limit, announced, Vec::new()) {
                Ok(collector) => collector,
                Err(error) => return assert_eq!(Err(error), *want),
            };
            let got = body
                .chunks(chunk_bytes.min(body.len().max(1)))
                .try_for_each(|chunk| collector.push(chunk))
                .and_then(|()| collector.finish());
            if let Ok((_, wire_bytes)) = &got {
                assert_eq!(*wire_bytes, body.len() as u64);
            }
            assert_eq!(got.as_ref().map(|(text, _)| text.as_str()), want.as_ref().copied());
        }
    }

    #[test]
    fn bodies_are_decoded() {
        check(None, b"up 1\n", 100, &Ok("up 1\n"));
        check(None, b"", 100, &Ok(""));
        check(Some("identity"), b"up 1\n", 100, &Ok("up 1\n"));
        check(Some("gzip"), &gzip(b"up 1\n"), 100, &Ok("up 1\n"));
        check(Some(" GZip"), &gzip(b""), 100, &Ok(""));
        let members = [gzip(b"a 1\n"), gzip(b""), gzip(b"b 2\n")].concat();
        check(Some("gzip"), &members, 100, &Ok("a 1\nb 2\n"));
    }

    #[test]
    fn a_body_of_the_limit_is_too_large() {
        let fault = Err(ScrapeError::BodyTooLarge { limit: 5 });
        check(None, b"up 1", 5, &Ok("up 1"));
        check(None, b"up 1\n", 5, &fault);
        let fault = Err(ScrapeError::BodyTooLarge { limit: 1000 });
        check(Some("gzip"), &gzip(&[b'x'; 999]), 1000, &Ok(&"x".repeat(999)));
        check(Some("gzip"), &gzip(&[b'x'; 1000]), 1000, &fault);
        check(Some("gzip"), &gzip(b"").repeat(100), 1000, &fault);
    }

    #[test]
    fn damaged_bodies_are_refused() {
        check(None, b"a \xff", 100, &Err(ScrapeError::NotUtf8 { at: 2 }));
        check(Some("gzip"), &gzip(b"a \xff"), 100, &Err(ScrapeError::NotUtf8 { at: 2 }));
        check(Some("br"), b"", 100, &Err(ScrapeError::Encoding("br".to_owned())));
    }

    #[track_caller]
    fn check_damaged_gzip(body: &[u8]) {
        let mut collector = Collector::new(Some("gzip"), 100, None, Vec::new()).unwrap();
        let got = collector.push(body).and_then(|()| collector.finish());
        assert!(matches!(got, Err(ScrapeError::Gzip(_))), "{got:?}");
    }

    #[test]
    fn damaged_gzip_is_refused() {
        let whole = gzip(b"cache_hits_total 1\n");
        for end in 0..whole.len() {
            check_damaged_gzip(&whole[..end]);
        }
        check_damaged_gzip(b"cache_hits_total 1\n");
        check_damaged_gzip(&[whole.as_slice(), b"rest"].concat());
        let mut wrong_sum = whole;
        let at = wrong_sum.len() - 6;
        wrong_sum[at] ^= 1;
        check_damaged_gzip(&wrong_sum);
    }

    #[test]
    fn a_bomb_takes_no_more_than_the_limit() {
        let bomb = gzip(&vec![0; 64 << 20]);
        let mut collector = Collector::new(Some("gzip"), 1 << 20, None, Vec::new()).unwrap();
        let got = bomb.chunks(16 << 10).try_for_each(|chunk| collector.push(chunk));
        assert_eq!(got, Err(ScrapeError::BodyTooLarge { limit: 1 << 20 }));
        let Decoder::Gzip(decoder) = &collector.decoder else { panic!("not gzip") };
        assert!(decoder.get_ref().bytes.capacity() <= 1 << 20);
    }
}
