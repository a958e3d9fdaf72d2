//! A pipe that is read until the command is gone, even when something else still holds its other end.
//!
//! Must never wait for a writer that outlives the command.

use std::io::{self, Read};
use std::os::fd::AsFd;
use std::sync::Arc;

use nix::poll::{PollFd, PollFlags, poll};

use super::capture::Meter;

/// How long to wait for bytes before asking whether the command is gone.
const PATIENCE_MS: u16 = 100;

/// The reading end of a pipe.
#[derive(Debug)]
pub(super) struct Pipe<R> {
    inner: R,
    meter: Arc<Meter>,
}

impl<R: Read + AsFd> Pipe<R> {
    /// Returns a pipe that ends with the command `meter` belongs to.
    pub(super) fn new(inner: R, meter: Arc<Meter>) -> Self {
        Self { inner, meter }
    }
}

impl<R: Read + AsFd> Read for Pipe<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let ready = poll(&mut [PollFd::new(self.inner.as_fd(), PollFlags::POLLIN)], PATIENCE_MS)?;
            if ready > 0 {
                return self.inner.read(buffer);
            }
            if self.meter.is_closed() {
                return Ok(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_writer_that_stays_does_not_hold_the_reader() {
        let (reader, mut writer) = io::pipe().unwrap();
        let meter = Arc::new(Meter::new(10));
        writer.write_all(b"said").unwrap();
        meter.close();
        let mut text = String::new();
        Pipe::new(reader, meter).read_to_string(&mut text).unwrap();
        assert_eq!(text, "said");
        drop(writer);
    }
}
