//! Conditions and ranges of a request (RFC 9110 §13 and §14), decided on strong validators only.

use std::ops::Range;

use axum::http::{HeaderMap, HeaderName, header};

/// What a `Range` header asks for, measured against a size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Requested {
    /// Everything: no range came, or one in a form that may be ignored.
    Whole,
    /// These bytes, which lie within the size.
    Part(Range<u64>),
    /// Bytes beyond the size.
    Unsatisfiable,
}

/// Tells whether the client has these bytes already, so that 304 answers it.
///
/// `If-None-Match` decides alone when it is there; `If-Modified-Since` counts whole seconds, as HTTP dates do.
pub(crate) fn is_unchanged(headers: &HeaderMap, etag: &str, modified_seconds: Option<i64>) -> bool {
    if headers.contains_key(header::IF_NONE_MATCH) {
        return values(headers, &header::IF_NONE_MATCH)
            .flat_map(|value| value.split(','))
            .map(|candidate| candidate.trim())
            .any(|candidate| candidate == "*" || candidate.trim_start_matches("W/") == etag);
    }
    let since = values(headers, &header::IF_MODIFIED_SINCE).next().and_then(seconds_of_http_date);
    matches!((since, modified_seconds), (Some(since), Some(modified)) if modified <= since)
}

/// Reads the `Range` header; several ranges at once are answered with everything, which RFC 9110 §14.2 allows.
pub(crate) fn requested_range(headers: &HeaderMap, size: u64, etag: &str) -> Requested {
    let Some(range) = values(headers, &header::RANGE).next() else { return Requested::Whole };
    if values(headers, &header::IF_RANGE).next().is_some_and(|validator| validator.trim() != etag) {
        return Requested::Whole;
    }
    let Some(spec) = range.trim().strip_prefix("bytes=") else { return Requested::Whole };
    let Some((first, last)) = spec.split_once('-').filter(|_| !spec.contains(',')) else {
        return Requested::Whole;
    };
    match (first.trim().parse::<u64>(), last.trim().parse::<u64>()) {
        (Ok(first), Ok(last)) if first <= last && first < size => Requested::Part(first..size.min(last + 1)),
        (Ok(first), Err(_)) if last.trim().is_empty() && first < size => Requested::Part(first..size),
        (Err(_), Ok(suffix)) if first.trim().is_empty() && suffix > 0 && size > 0 => {
            Requested::Part(size.saturating_sub(suffix)..size)
        }
        (Ok(_), Ok(_)) | (Ok(_), Err(_)) | (Err(_), Ok(_)) => Requested::Unsatisfiable,
        (Err(_), Err(_)) => Requested::Whole,
    }
}

/// Tells whether the client asked for gzip (RFC 9110 §12.5.3); helm never does and could not read it.
pub(crate) fn accepts_gzip(headers: &HeaderMap) -> bool {
    let mut any = false;
    for item in values(headers, &header::ACCEPT_ENCODING).flat_map(|value| value.split(',')) {
        let (coding, parameters) = item.split_once(';').unwrap_or((item, ""));
        let refused = parameters
            .trim()
            .strip_prefix("q=")
            .is_some_and(|weight| weight.trim().parse::<f32>().is_ok_and(|weight| weight <= 0.0));
        match coding.trim() {
            "gzip" | "x-gzip" => return !refused,
            "*" => any = !refused,
            _ => {}
        }
    }
    any
}

fn values<'h>(headers: &'h HeaderMap, name: &'h HeaderName) -> impl Iterator<Item = &'h str> {
    headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok())
}

fn seconds_of_http_date(text: &str) -> Option<i64> {
    let time = httpdate::parse_http_date(text).ok()?;
    let since_epoch = time.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since_epoch.as_secs()).ok()
}

/// Returns the `Last-Modified` text of a time in seconds since 1970.
pub(crate) fn http_date(seconds: i64) -> String {
    let seconds = u64::try_from(seconds).unwrap_or(0);
    httpdate::fmt_http_date(std::time::UNIX_EPOCH + std::time::Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn headers(pairs: &[(HeaderName, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.clone(), HeaderValue::from_static(value))).collect()
    }

    #[test]
    fn ranges_are_read_against_the_size() {
        let part = |range| Requested::Part(range);
        for (range, expected) in [
            ("bytes=0-9", part(0..10)),
            ("bytes=5-", part(5..100)),
            ("bytes=-10", part(90..100)),
            ("bytes=-1000", part(0..100)),
            ("bytes=90-1000", part(90..100)),
            ("bytes=100-", Requested::Unsatisfiable),
            ("bytes=9-5", Requested::Unsatisfiable),
            ("bytes=-0", Requested::Unsatisfiable),
            ("bytes=0-1,5-6", Requested::Whole),
            ("lines=0-1", Requested::Whole),
            ("bytes=a-b", Requested::Whole),
        ] {
            assert_eq!(
                requested_range(&headers(&[(header::RANGE, range)]), 100, "\"e\""),
                expected,
                "{range}"
            );
        }
        assert_eq!(requested_range(&HeaderMap::new(), 100, "\"e\""), Requested::Whole);
    }

    #[test]
    fn a_range_of_other_bytes_gets_everything() {
        let stale = headers(&[(header::RANGE, "bytes=0-9"), (header::IF_RANGE, "\"old\"")]);
        assert_eq!(requested_range(&stale, 100, "\"new\""), Requested::Whole);
        let fresh = headers(&[(header::RANGE, "bytes=0-9"), (header::IF_RANGE, "\"new\"")]);
        assert_eq!(requested_range(&fresh, 100, "\"new\""), Requested::Part(0..10));
    }

    #[test]
    fn not_modified_is_said_only_when_asked() {
        let time = Some(784_111_777);
        assert!(!is_unchanged(&HeaderMap::new(), "\"e\"", time));
        for (name, value, expected) in [
            (header::IF_NONE_MATCH, "\"e\"", true),
            (header::IF_NONE_MATCH, "\"x\", W/\"e\"", true),
            (header::IF_NONE_MATCH, "*", true),
            (header::IF_NONE_MATCH, "\"x\"", false),
            (header::IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:37 GMT", true),
            (header::IF_MODIFIED_SINCE, "Sun, 06 Nov 1994 08:49:36 GMT", false),
            (header::IF_MODIFIED_SINCE, "yesterday", false),
        ] {
            assert_eq!(is_unchanged(&headers(&[(name, value)]), "\"e\"", time), expected, "{value}");
        }
    }

    #[test]
    fn gzip_is_sent_only_to_who_asks() {
        for (value, expected) in [
            ("gzip", true),
            ("deflate, gzip;q=1.0, *;q=0.5", true),
            ("gzip;q=0", false),
            ("identity", false),
            ("*", true),
            ("*;q=0", false),
            ("br, zstd", false),
        ] {
            assert_eq!(accepts_gzip(&headers(&[(header::ACCEPT_ENCODING, value)])), expected, "{value}");
        }
        assert!(!accepts_gzip(&HeaderMap::new()));
    }
}
