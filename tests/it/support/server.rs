//! An HTTP server inside the test, one thread a connection, for scripted targets and receivers.

use std::fmt;
use std::io;
use std::io::BufReader;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crate::support::http;
use crate::support::http::Headers;

/// A client that sends nothing for this long is dropped.
const READ_TIMEOUT: Duration = Duration::from_secs(10);

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) headers: Headers,
    pub(crate) body: Vec<u8>,
}

/// What becomes of a connection after its request was read. The stream is closed afterwards.
type Handler = dyn Fn(&Request, &mut TcpStream, &Stop) -> io::Result<()> + Send + Sync;

/// A listening server; dropping it closes its port and wakes whoever hangs.
pub(crate) struct HttpServer {
    address: SocketAddr,
    stop: Stop,
    acceptor: Option<JoinHandle<()>>,
}

/// Tells the server's threads to end.
#[derive(Clone, Default)]
pub(crate) struct Stop(Arc<(Mutex<bool>, Condvar)>);

// === impl HttpServer ===

impl HttpServer {
    pub(crate) fn start<H>(handler: H) -> Self
    where
        H: Fn(&Request, &mut TcpStream, &Stop) -> io::Result<()> + Send + Sync + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("a bound listener has an address");
        let stop = Stop::default();
        let acceptor = thread::spawn({
            let stop = stop.clone();
            move || accept(&listener, &stop, &(Arc::new(handler) as Arc<Handler>))
        });
        Self { address, stop, acceptor: Some(acceptor) }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

impl Drop for HttpServer {
    fn drop(&mut self) {
        self.stop.request();
        // The acceptor blocks in `accept`: one more connection lets it look at `stop`.
        TcpStream::connect(self.address).ok();
        if let Some(acceptor) = self.acceptor.take() {
            acceptor.join().ok();
        }
    }
}

impl fmt::Debug for HttpServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpServer").field("address", &self.address).finish_non_exhaustive()
    }
}

// === impl Stop ===

impl Stop {
    fn request(&self) {
        *self.0.0.lock().expect("no holder panics") = true;
        self.0.1.notify_all();
    }

    pub(crate) fn is_requested(&self) -> bool {
        *self.0.0.lock().expect("no holder panics")
    }

    /// Blocks until the server is dropped.
    pub(crate) fn wait(&self) {
        let guard = self.0.0.lock().expect("no holder panics");
        drop(self.0.1.wait_while(guard, |requested| !*requested).expect("no holder panics"));
    }
}

fn accept(listener: &TcpListener, stop: &Stop, handler: &Arc<Handler>) {
    for stream in listener.incoming() {
        if stop.is_requested() {
            return;
        }
        let Ok(stream) = stream else { continue };
        let (handler, stop) = (Arc::clone(handler), stop.clone());
        // A client that goes away is its own affair; tests look at what the client reports.
        thread::spawn(move || serve(stream, &stop, &*handler).ok());
    }
}

fn serve(stream: TcpStream, stop: &Stop, handler: &Handler) -> io::Result<()> {
    stream.set_read_timeout(Some(READ_TIMEOUT))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let line = http::read_line(&mut reader)?;
    let mut words = line.split(' ').map(str::to_owned);
    let (method, path) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let headers = Headers::read(&mut reader)?;
    let body = http::read_body(&mut reader, &headers)?.unwrap_or_default();
    let mut stream = stream;
    handler(&Request { method, path, headers, body }, &mut stream, stop)
}
