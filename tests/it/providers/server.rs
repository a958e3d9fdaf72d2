//! A server on loopback that answers as it is told: whole, cut, dribbling, never.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// Makes a whole reply from a request.
pub type Answerer = Arc<dyn Fn(&Seen) -> Vec<u8> + Send + Sync>;

/// What it does with every connection.
#[derive(Clone)]
pub enum Act {
    /// Sends what this makes of the request, and closes.
    Answer(Answerer),
    /// Sends these bytes and closes.
    Send(Vec<u8>),
    /// Sends these bytes one by one, with a pause after each.
    Dribble(Vec<u8>, Duration),
    /// Sends these bytes and keeps the connection open.
    Hang(Vec<u8>),
    /// Closes without a byte.
    Close,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub struct Seen {
    pub head: String,
    pub body: Vec<u8>,
}

/// The server; it stops with the test.
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    listening: Option<(Arc<AtomicBool>, std::thread::JoinHandle<()>)>,
}

impl Drop for Server {
    /// Stops listening: whoever comes later is refused.
    fn drop(&mut self) {
        let Some((gone, thread)) = self.listening.take() else { return };
        gone.store(true, Ordering::SeqCst);
        // The thread waits for the next connection: this is the last one.
        drop(TcpStream::connect(self.address));
        let _ = thread.join();
    }
}

impl Server {
    pub fn start(act: Act) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&seen);
        let gone = Arc::new(AtomicBool::new(false));
        let stop = Arc::clone(&gone);
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let (act, log) = (act.clone(), Arc::clone(&log));
                std::thread::spawn(move || serve(stream, &act, &log));
            }
        });
        Self { address, seen, listening: Some((gone, thread)) }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

fn serve(mut stream: TcpStream, act: &Act, log: &Mutex<Vec<Seen>>) {
    let Some(seen) = request(&mut stream) else { return };
    log.lock().unwrap().push(seen.clone());
    match act {
        Act::Answer(answer) => drop(stream.write_all(&answer(&seen))),
        Act::Send(bytes) => drop(stream.write_all(bytes)),
        Act::Dribble(bytes, pause) => {
            for byte in bytes {
                if stream.write_all(&[*byte]).is_err() {
                    return;
                }
                std::thread::sleep(*pause);
            }
        }
        Act::Hang(bytes) => {
            drop(stream.write_all(bytes));
            std::thread::sleep(Duration::from_secs(20));
        }
        Act::Close => {}
    }
    let _ = stream.shutdown(Shutdown::Write);
    // What the client still sends is taken, so that its side sees an end and no reset.
    drop(stream.set_read_timeout(Some(Duration::from_secs(1))));
    let _ = std::io::copy(&mut stream, &mut std::io::sink());
}

fn request(stream: &mut TcpStream) -> Option<Seen> {
    let mut bytes = Vec::new();
    let mut chunk = vec![0; 65536];
    loop {
        if let Some(at) = bytes.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..at]).into_owned();
            let length = head
                .lines()
                .find_map(|line| {
                    line.to_ascii_lowercase().strip_prefix("content-length:")?.trim().parse().ok()
                })
                .unwrap_or(0);
            if bytes.len() >= at + 4 + length {
                return Some(Seen { head, body: bytes[at + 4..at + 4 + length].to_vec() });
            }
        }
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => return None,
            Ok(read) => bytes.extend_from_slice(&chunk[..read]),
        }
    }
}

/// A reply with a right length.
pub fn reply(status: u16, headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let mut bytes = format!("HTTP/1.1 {status} X\r\nconnection: close\r\ncontent-length: {}\r\n", body.len());
    for (name, value) in headers {
        bytes.extend([*name, ": ", *value, "\r\n"]);
    }
    let mut bytes = (bytes + "\r\n").into_bytes();
    bytes.extend_from_slice(body);
    bytes
}
