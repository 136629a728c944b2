//! Every mode before a server that sends back what it gets.

use super::*;

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(150);

/// A server that sends back what it gets, as long as the test runs.
fn echo() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(move || io::copy(&mut &stream, &mut &stream));
        }
    });
    address
}

fn proxy() -> FaultProxy {
    FaultProxy::start(echo()).unwrap()
}

fn connect(proxy: &FaultProxy) -> TcpStream {
    let stream = TcpStream::connect(proxy.address()).unwrap();
    stream.set_read_timeout(Some(LONG)).unwrap();
    stream
}

fn echoed(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<Vec<u8>> {
    stream.write_all(bytes)?;
    let mut back = vec![0; bytes.len()];
    stream.read_exact(&mut back)?;
    Ok(back)
}

#[test]
fn passing_changes_no_byte_and_passes_the_end_on() {
    let proxy = proxy();
    let stream = connect(&proxy);
    let sent: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let mut back = Vec::new();
    thread::scope(|scope| {
        scope.spawn(|| {
            (&stream).write_all(&sent).unwrap();
            stream.shutdown(Shutdown::Write).unwrap();
        });
        (&stream).read_to_end(&mut back).unwrap();
    });
    assert!(back == sent, "other bytes came back");
}

#[test]
fn a_delay_is_waited_both_ways_and_ends_with_its_mode() {
    let proxy = proxy();
    let mut stream = connect(&proxy);
    proxy.set(Mode::Delay(SHORT)).unwrap();
    let begun = Instant::now();
    assert_eq!(echoed(&mut stream, b"slow").unwrap(), b"slow");
    assert!(begun.elapsed() >= 2 * SHORT, "came back after {:?}", begun.elapsed());
    proxy.set(Mode::Delay(Duration::from_secs(3600))).unwrap();
    stream.write_all(b"late").unwrap();
    proxy.set(Mode::Pass).unwrap();
    let mut back = [0; 4];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"late");
}

#[test]
fn refusing_cuts_what_is_open_and_lets_nobody_in_until_it_ends() {
    let proxy = proxy();
    let mut stream = connect(&proxy);
    assert_eq!(echoed(&mut stream, b"before").unwrap(), b"before");
    proxy.set(Mode::Refuse).unwrap();
    assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0, "still open");
    let refusal = TcpStream::connect(proxy.address()).unwrap_err();
    assert_eq!(refusal.kind(), io::ErrorKind::ConnectionRefused);
    proxy.set(Mode::Pass).unwrap();
    assert_eq!(echoed(&mut connect(&proxy), b"after").unwrap(), b"after");
}

#[test]
fn a_cut_lets_exactly_so_many_bytes_through() {
    for (way, after) in [(Way::ToUpstream, 10), (Way::ToClient, 10), (Way::ToUpstream, 0), (Way::ToClient, 0)]
    {
        let proxy = proxy();
        let mut stream = connect(&proxy);
        assert_eq!(echoed(&mut stream, b"not counted").unwrap(), b"not counted");
        proxy.set(Mode::Cut { way, after }).unwrap();
        stream.write_all(b"123456").unwrap();
        // The cut may already be there when the rest is sent.
        let _ = stream.write_all(b"7890abcdef");
        let mut back = Vec::new();
        // Bytes that meet the cut on the way make it a reset, which takes away what was not yet read.
        let end = stream.read_to_end(&mut back);
        let expected = b"1234567890".get(..usize::try_from(after).unwrap()).unwrap();
        assert!(expected.starts_with(&back), "{way:?} {after}: {back:?} {end:?}");
        if way == Way::ToClient && end.is_ok() {
            assert_eq!(back, expected);
        }
    }
}

#[test]
fn a_black_hole_accepts_answers_nothing_and_gives_back_what_it_took() {
    let proxy = proxy();
    proxy.set(Mode::BlackHole).unwrap();
    let mut stream = connect(&proxy);
    stream.set_read_timeout(Some(SHORT)).unwrap();
    let silence = echoed(&mut stream, b"anybody?").unwrap_err();
    assert_eq!(silence.kind(), io::ErrorKind::WouldBlock);
    stream.set_read_timeout(Some(LONG)).unwrap();
    proxy.set(Mode::Pass).unwrap();
    let mut back = [0; 8];
    stream.read_exact(&mut back).unwrap();
    assert_eq!(&back, b"anybody?");
}

#[test]
fn an_upstream_that_refuses_ends_the_clients_connection() {
    let nobody = free_address().unwrap();
    let proxy = FaultProxy::start(nobody).unwrap();
    assert_eq!(connect(&proxy).read(&mut [0; 1]).unwrap_or(0), 0);
}

#[test]
fn dropping_the_proxy_ends_its_connections() {
    let proxy = proxy();
    let mut stream = connect(&proxy);
    assert_eq!(echoed(&mut stream, b"open").unwrap(), b"open");
    proxy.set(Mode::BlackHole).unwrap();
    stream.write_all(b"held").unwrap();
    drop(proxy);
    assert_eq!(stream.read(&mut [0; 1]).unwrap_or(0), 0);
}
