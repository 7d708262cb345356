//! A connection that sends requests and reads answers with as little work as can be: the sender shares the machine.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context as _, bail};

/// A connection that stays open.
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// An answer.
pub struct Answer {
    pub status: u16,
    pub head: String,
    pub body: Vec<u8>,
}

impl Answer {
    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().skip(1).filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    }
}

impl Connection {
    pub fn open(address: SocketAddr) -> anyhow::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(60)))?;
        Ok(Self { stream, buffer: vec![0; 64 * 1024] })
    }

    pub fn get(&mut self, path: &str, headers: &str) -> anyhow::Result<Answer> {
        self.stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n").as_bytes())?;
        self.answer()
    }

    pub fn post(&mut self, path: &str, headers: &str, body: &[u8]) -> anyhow::Result<Answer> {
        let head =
            format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {}\r\n{headers}\r\n", body.len());
        self.stream.write_all(head.as_bytes())?;
        self.stream.write_all(body)?;
        self.answer()
    }

    /// Reads into the buffer from a place on. A process that was paused in between reads on.
    fn read(&mut self, from: usize) -> std::io::Result<usize> {
        loop {
            match self.stream.read(&mut self.buffer[from..]) {
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                read => return read,
            }
        }
    }

    fn answer(&mut self) -> anyhow::Result<Answer> {
        let mut filled = 0;
        let head_end = loop {
            let n = self.read(filled)?;
            if n == 0 {
                bail!("the server closed the connection");
            }
            filled += n;
            if let Some(at) = self.buffer[..filled].windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            if filled == self.buffer.len() {
                bail!("the answer's head is too long");
            }
        };
        let head = String::from_utf8_lossy(&self.buffer[..head_end]).into_owned();
        let status = head.split(' ').nth(1).and_then(|s| s.parse().ok()).context("no status")?;
        let mut answer = Answer { status, head, body: self.buffer[head_end..filled].to_vec() };
        if let Some(length) = answer.header("content-length").and_then(|n| n.parse::<usize>().ok()) {
            while answer.body.len() < length {
                let n = self.read(0)?;
                if n == 0 {
                    bail!("the server closed the connection");
                }
                answer.body.extend_from_slice(&self.buffer[..n]);
            }
        } else if answer.header("transfer-encoding").is_some() {
            while !answer.body.ends_with(b"0\r\n\r\n") {
                let n = self.read(0)?;
                if n == 0 {
                    bail!("the server closed the connection");
                }
                answer.body.extend_from_slice(&self.buffer[..n]);
            }
        }
        Ok(answer)
    }
}
