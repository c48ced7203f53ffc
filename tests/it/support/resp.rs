//! A Redis connection: the RESP protocol, pipelined, over one blocking socket.

use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::time::Duration;

use crate::support::http::read_line;

/// Longest wait for an answer.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// An answer of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Array(Vec<Self>),
    Bulk(Vec<u8>),
    Error(String),
    Integer(i64),
    Nil,
    Simple(String),
}

/// One connection.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: BufReader<TcpStream>,
}

// === impl Connection ===

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(READ_TIMEOUT))?;
        Ok(Self { stream: BufReader::new(stream) })
    }

    /// Sends all commands in one write and reads an answer to each.
    pub(crate) fn pipeline(&mut self, commands: &[Vec<Vec<u8>>]) -> io::Result<Vec<Answer>> {
        let mut bytes = Vec::new();
        for command in commands {
            write!(bytes, "*{}\r\n", command.len())?;
            for word in command {
                write!(bytes, "${}\r\n", word.len())?;
                bytes.extend_from_slice(word);
                bytes.extend_from_slice(b"\r\n");
            }
        }
        self.stream.get_mut().write_all(&bytes)?;
        commands.iter().map(|_| read_answer(&mut self.stream)).collect()
    }

    pub(crate) fn command(&mut self, words: &[&str]) -> io::Result<Answer> {
        let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
        self.pipeline(&[words])?.pop().ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

fn read_answer(stream: &mut impl BufRead) -> io::Result<Answer> {
    let line = read_line(stream)?;
    let Some((kind, rest)) = line.split_at_checked(1) else { return Err(malformed(&line)) };
    let number = || rest.parse::<i64>().map_err(|_| malformed(&line));
    Ok(match kind {
        "+" => Answer::Simple(rest.to_owned()),
        "-" => Answer::Error(rest.to_owned()),
        ":" => Answer::Integer(number()?),
        "$" | "*" => match (kind, usize::try_from(number()?)) {
            (_, Err(_)) => Answer::Nil,
            ("$", Ok(length)) => Answer::Bulk(read_bulk(stream, length)?),
            (_, Ok(length)) => {
                Answer::Array((0..length).map(|_| read_answer(stream)).collect::<io::Result<_>>()?)
            }
        },
        _ => return Err(malformed(&line)),
    })
}

fn read_bulk(stream: &mut impl Read, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length + 2];
    stream.read_exact(&mut bytes)?;
    bytes.truncate(length);
    Ok(bytes)
}

fn malformed(line: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("malformed answer: {line}"))
}
