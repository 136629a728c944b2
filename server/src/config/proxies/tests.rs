//! Tables for who a request comes from, forged headers among them.

use super::*;
use crate::config::tests::{config, refusal};

const PROXY: &str = "10.0.0.1";

fn origin(client: &str, scheme: Scheme, host: &str) -> RequestOrigin {
    RequestOrigin { client: client.parse().unwrap(), scheme, host: Some(host.to_owned()) }
}

fn trusting(family: &str) -> Proxies {
    config(&[("CHARTROOM_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8"), ("CHARTROOM_PROXY_HEADERS", family)])
        .proxies
}

#[test]
fn a_stranger_is_who_the_connection_shows_whatever_it_writes() {
    let connection = origin("192.0.2.7", Scheme::Http, "own");
    let headers = ForwardedHeaders {
        forwarded: &["for=1.1.1.1;proto=https;host=evil"],
        forwarded_for: &["1.1.1.1"],
        forwarded_proto: &["https"],
        forwarded_host: &["evil"],
    };
    for proxies in [trusting("x-forwarded"), trusting("forwarded"), config(&[]).proxies] {
        assert_eq!(proxies.find_origin(connection.clone(), headers), connection);
    }
}

#[test]
fn x_forwarded_headers_of_trusted_proxies_are_read_from_their_end() {
    for (addresses, schemes, hosts, client, scheme, host) in [
        (
            &["192.0.2.7"][..],
            &["https"][..],
            &["charts.example.com"][..],
            "192.0.2.7",
            Scheme::Https,
            "charts.example.com",
        ),
        // What stands before the first stranger was written by that stranger.
        (&["10.9.9.9, 1.1.1.1, 192.0.2.7"], &["https"], &[], "192.0.2.7", Scheme::Https, "own"),
        // Two proxies, each appending to all lists: the outer one took TLS off.
        (&["192.0.2.7, 10.0.0.2"], &["https, http"], &["outer, inner"], "192.0.2.7", Scheme::Https, "outer"),
        (&["192.0.2.7", "10.0.0.2"], &["https"], &["one:8443"], "192.0.2.7", Scheme::Https, "one:8443"),
        // All proxies: the farthest one is the client.
        (&["10.0.0.3, 10.0.0.2"], &[], &[], "10.0.0.3", Scheme::Http, "own"),
        (&["garbage, 10.0.0.2"], &["https"], &[], "10.0.0.2", Scheme::Https, "own"),
        (&[], &["https"], &["only.example.com"], PROXY, Scheme::Https, "only.example.com"),
        (&[], &["gopher"], &["evil/\"x"], PROXY, Scheme::Http, "own"),
        (&["::ffff:192.0.2.7"], &["HTTPS"], &[], "192.0.2.7", Scheme::Https, "own"),
        (&["[2001:db8::1]:4711"], &[], &[], "2001:db8::1", Scheme::Http, "own"),
        (&["192.0.2.7:4711"], &[], &[], "192.0.2.7", Scheme::Http, "own"),
    ] {
        let headers = ForwardedHeaders {
            forwarded: &["for=1.1.1.1;host=evil"],
            forwarded_for: addresses,
            forwarded_proto: schemes,
            forwarded_host: hosts,
        };
        let found = trusting("x-forwarded").find_origin(origin(PROXY, Scheme::Http, "own"), headers);
        assert_eq!(found, origin(client, scheme, host), "{addresses:?} {schemes:?} {hosts:?}");
    }
}

#[test]
fn forwarded_of_trusted_proxies_is_read_from_its_end() {
    for (lines, client, scheme, host) in [
        (
            &["for=192.0.2.7;proto=https;host=charts.example.com"][..],
            "192.0.2.7",
            Scheme::Https,
            "charts.example.com",
        ),
        (&["For=\"[2001:db8::1]:4711\";Proto=HTTPS"], "2001:db8::1", Scheme::Https, "own"),
        (
            &["for=1.1.1.1;host=evil, for=192.0.2.7", "for=10.0.0.2;proto=https"],
            "192.0.2.7",
            Scheme::Https,
            "own",
        ),
        (
            &["for=192.0.2.7;host=outer;proto=https, for=10.0.0.2;host=inner;proto=http"],
            "192.0.2.7",
            Scheme::Https,
            "outer",
        ),
        (&["for=_hidden;proto=https"], PROXY, Scheme::Https, "own"),
        (&["for=\"a,b\";proto=https, , for=192.0.2.7"], "192.0.2.7", Scheme::Http, "own"),
        (&[], PROXY, Scheme::Http, "own"),
        (&["nonsense"], PROXY, Scheme::Http, "own"),
    ] {
        let headers =
            ForwardedHeaders { forwarded: lines, forwarded_for: &["1.1.1.1"], ..ForwardedHeaders::default() };
        let found = trusting("forwarded").find_origin(origin(PROXY, Scheme::Http, "own"), headers);
        assert_eq!(found, origin(client, scheme, host), "{lines:?}");
    }
}

#[test]
fn a_proxy_on_a_dual_stack_socket_is_recognised() {
    let headers = ForwardedHeaders { forwarded_for: &["192.0.2.7"], ..ForwardedHeaders::default() };
    let found = trusting("x-forwarded").find_origin(origin("::ffff:10.0.0.1", Scheme::Http, "own"), headers);
    assert_eq!(found.client.to_string(), "192.0.2.7");
    let stranger = origin("::ffff:192.0.2.9", Scheme::Http, "own");
    assert_eq!(trusting("x-forwarded").find_origin(stranger, headers).client.to_string(), "192.0.2.9");
}

#[test]
fn a_wrong_family_or_network_is_refused() {
    assert_eq!(
        refusal(&[("CHARTROOM_PROXY_HEADERS", "both")]),
        "the variable `CHARTROOM_PROXY_HEADERS`: `both` is neither `x-forwarded` nor `forwarded`"
    );
    assert_eq!(
        refusal(&[("CHARTROOM_TRUSTED_PROXIES", "10.0.0.0/8,all")]),
        "the variable `CHARTROOM_TRUSTED_PROXIES`: `all` is not a network: write it as `10.0.0.0/8`, or a single address"
    );
}
