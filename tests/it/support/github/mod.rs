//! A GitHub with a memory, on loopback: REST and the GraphQL that is used, faults on any call, and every request and answer
//! held to GitHub's own documents (`tests/fixtures/github`).

mod backed;
pub mod contract;
mod deploy;
mod graphql;
mod objects;
mod rest;
mod state;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

use serde_json::{Value, json};

use contract::Contract;
pub use state::{Reviewer, State, pull_record};

/// What happens to a request instead of, or besides, being answered.
#[derive(Clone, Debug)]
pub enum Fault {
    /// It is answered so, and nothing is done.
    Refuse(u16, Vec<(&'static str, String)>, Value),
    /// It is done, and the answer is lost.
    Lose,
    /// It is done, the answer is lost, and so is every later request: the process died, or so it seems.
    Die,
    /// No answer comes, and the connection stays; it is done or not.
    Hang { done: bool },
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    pub path: String,
    pub token: String,
    pub headers: BTreeMap<String, String>,
    pub body: Value,
}

/// An answer to be sent.
#[derive(Clone, Debug)]
pub struct Said {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Value,
}

impl Said {
    pub fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    pub fn error(status: u16, message: &str) -> Self {
        Self::new(status, json!({ "message": message, "documentation_url": "https://docs.github.com" }))
    }
}

/// The server's inner part, shared with its threads.
struct Inner {
    state: Mutex<State>,
    seen: Mutex<Vec<Seen>>,
    faults: Mutex<BTreeMap<usize, Fault>>,
    dead: Mutex<bool>,
    contract: Contract,
}

/// A GitHub on loopback.
pub struct FakeGitHub {
    address: SocketAddr,
    inner: Arc<Inner>,
}

impl FakeGitHub {
    pub fn start(state: State) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            state: Mutex::new(state),
            seen: Mutex::default(),
            faults: Mutex::default(),
            dead: Mutex::default(),
            contract: Contract::default(),
        });
        let shared = Arc::clone(&inner);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || serve(stream, &shared));
            }
        });
        Self { address, inner }
    }

    /// Returns a handle for another server that has a part of the same memory.
    pub fn shared(&self) -> Shared {
        Shared(Arc::clone(&self.inner))
    }

    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub fn state(&self) -> MutexGuard<'_, State> {
        self.inner.state.lock().unwrap()
    }

    /// Forgets what was asked, and lets the n-th request from now on meet a fault.
    pub fn arm(&self, faults: impl IntoIterator<Item = (usize, Fault)>) {
        self.inner.seen.lock().unwrap().clear();
        *self.inner.dead.lock().unwrap() = false;
        *self.inner.faults.lock().unwrap() = faults.into_iter().collect();
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.inner.seen.lock().unwrap().clone()
    }

    /// Every request so far as `METHOD path`, writes only.
    pub fn writes(&self) -> Vec<String> {
        let write = |seen: &Seen| match (seen.method.as_str(), seen.body["operationName"].as_str()) {
            ("GET", _) | (_, Some("Viewer" | "ReviewThreads")) => None,
            (_, Some(name)) => Some(name.to_owned()),
            (method, None) => Some(format!("{method} {}", seen.path)),
        };
        self.seen().iter().filter_map(write).collect()
    }

    /// What requests or answers did not go with GitHub's documents.
    pub fn violations(&self) -> Vec<String> {
        self.inner.contract.violations()
    }
}

/// The memory of a GitHub, for its git server.
pub struct Shared(Arc<Inner>);

impl Shared {
    /// Takes the branches of a bare repository, with their commits.
    pub fn take_refs(&self, repository: &std::path::Path) {
        self.0.state.lock().unwrap().take_refs(repository);
    }
}

fn serve(mut stream: TcpStream, inner: &Inner) {
    let Some(seen) = request(&mut stream) else { return };
    if *inner.dead.lock().unwrap() {
        return;
    }
    let number = {
        let mut all = inner.seen.lock().unwrap();
        all.push(seen.clone());
        all.len()
    };
    inner.contract.request(&seen);
    let fault = inner.faults.lock().unwrap().get(&number).cloned();
    if let Some(Fault::Die) = fault {
        *inner.dead.lock().unwrap() = true;
    }
    if let Some(Fault::Hang { done: false }) = fault {
        return hang(&mut stream);
    }
    let said = if let Some(Fault::Refuse(status, headers, body)) = &fault {
        Said { status: *status, headers: headers.clone(), body: body.clone() }
    } else {
        let mut state = inner.state.lock().unwrap();
        if seen.path == "/graphql" {
            graphql::answer(&mut state, &seen)
        } else {
            let said = rest::answer(&mut state, &inner.contract, &seen);
            inner.contract.answer(&seen, &said);
            said
        }
    };
    if let Some(Fault::Hang { .. }) = fault {
        return hang(&mut stream);
    }
    if matches!(fault, Some(Fault::Lose | Fault::Die)) {
        return;
    }
    let body = if said.body.is_null() { Vec::new() } else { said.body.to_string().into_bytes() };
    let mut head = format!(
        "HTTP/1.1 {} X\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        said.status,
        body.len()
    );
    for (name, value) in &said.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    let _ = stream.write_all(format!("{head}\r\n").as_bytes()).and_then(|()| stream.write_all(&body));
    let _ = stream.shutdown(Shutdown::Write);
    let _ = stream.set_read_timeout(Some(std::time::Duration::from_secs(1)));
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

/// Says nothing until the other side goes.
fn hang(stream: &mut TcpStream) {
    let _ = std::io::copy(stream, &mut std::io::sink());
}

fn request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 65536];
    loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
            let mut lines = head.lines();
            let mut first = lines.next()?.split(' ');
            let (method, path) = (first.next()?.to_owned(), first.next()?.to_owned());
            let headers: BTreeMap<String, String> = lines
                .filter_map(|line| line.split_once(':'))
                .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
                .collect();
            let length: usize = headers.get("content-length").and_then(|l| l.parse().ok()).unwrap_or(0);
            let body = bytes.get(at + 4..at + 4 + length);
            if let Some(body) = body {
                let token =
                    headers.get("authorization").and_then(|a| a.strip_prefix("Bearer ")).unwrap_or_default();
                return Some(Seen {
                    method,
                    path,
                    token: token.to_owned(),
                    body: serde_json::from_slice(body).unwrap_or_default(),
                    headers,
                });
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}
