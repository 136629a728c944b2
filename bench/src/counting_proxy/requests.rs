//! Finds the requests in what one HTTP/1.1 connection sends.
//! Rule: a body is never taken for a request, whatever is in it.

use anyhow::{Context, Result};

use crate::http::{Framing, framing_of};

const END: &[u8] = b"\r\n\r\n";

/// The place in what a connection sends.
#[derive(Debug)]
pub(super) enum Requests {
    /// In a head; what was read of it.
    Head(Vec<u8>),
    /// In a body.
    Body(Framing),
}

impl Requests {
    /// Returns the place at the beginning of a connection.
    pub(super) fn new() -> Self {
        Self::Head(Vec::new())
    }

    /// Takes bytes of the connection and returns the methods of the requests whose heads end in them.
    ///
    /// # Errors
    /// When they are not HTTP/1.1, or a request is sent before the former one was answered.
    pub(super) fn take(&mut self, bytes: &[u8]) -> Result<Vec<String>> {
        let mut methods = Vec::new();
        match self {
            Self::Body(framing) => framing.take(bytes, &mut |_: &[u8]| {})?,
            Self::Head(head) => {
                head.extend_from_slice(bytes);
                let Some(end) = head.windows(END.len()).position(|window| window == END) else {
                    return Ok(methods);
                };
                let body = head.split_off(end + END.len());
                let head = String::from_utf8_lossy(head);
                methods.push(head.split(' ').next().context("a request without a method")?.to_owned());
                let mut framing = framing_of(&head)?.unwrap_or_else(|| Framing::of_length(0));
                framing.take(&body, &mut |_: &[u8]| {})?;
                *self = Self::Body(framing);
            }
        }
        if matches!(self, Self::Body(framing) if framing.is_complete()) {
            *self = Self::new();
        }
        Ok(methods)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_found_wherever_the_connection_cuts_them() {
        let exchanges: [&[u8]; 3] = [
            b"PUT /a HTTP/1.1\r\nContent-Length: 9\r\n\r\nGET / HTT",
            b"GET /a HTTP/1.1\r\n\r\n",
            b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        ];
        for size in 1..70 {
            let mut requests = Requests::new();
            let mut found = Vec::new();
            for piece in exchanges.iter().flat_map(|exchange| exchange.chunks(size)) {
                found.extend(requests.take(piece).unwrap());
            }
            assert_eq!(found, ["PUT", "GET", "POST"], "{size}");
        }
    }
}
