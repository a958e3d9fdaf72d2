//! The service: a request line in, a response out. Knows no sockets, so a test can call it.

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response {
    /// The HTTP status.
    pub status: u16,
    /// The text.
    pub body: String,
}

impl Response {
    /// An answer with a status and a text.
    pub fn text(status: u16, body: &str) -> Self {
        Self {
            status,
            body: body.to_owned(),
        }
    }
}

/// Answers a request.
pub fn respond(method: &str, path: &str) -> Response {
    match (method, path) {
        ("GET", "/") => Response::text(200, "hello"),
        (_, "/") => Response::text(405, "method not allowed"),
        _ => Response::text(404, "not found"),
    }
}
