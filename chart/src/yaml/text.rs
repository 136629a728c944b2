//! From bytes to the characters YAML allows.

use std::borrow::Cow;

use super::error::{YamlError, YamlProblem};

/// Decodes UTF-8, or UTF-16 with a byte order mark (as PowerShell writes it), and drops the mark.
pub(super) fn decode(bytes: &[u8]) -> Result<Cow<'_, str>, YamlError> {
    let text = match bytes {
        [0xff, 0xfe, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_le_bytes)?),
        [0xfe, 0xff, rest @ ..] => Cow::Owned(decode_utf16(rest, u16::from_be_bytes)?),
        [0xef, 0xbb, 0xbf, rest @ ..] => Cow::Borrowed(decode_utf8(rest)?),
        _ => Cow::Borrowed(decode_utf8(bytes)?),
    };
    match text.char_indices().find(|(_, character)| !is_allowed(*character)) {
        Some((index, character)) => {
            let before = text.get(..index).unwrap_or_default();
            Err(error_after(before, YamlProblem::Character(character.into())))
        }
        None => Ok(text),
    }
}

fn decode_utf8(bytes: &[u8]) -> Result<&str, YamlError> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        error_after(&String::from_utf8_lossy(before), YamlProblem::Encoding)
    })
}

fn decode_utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> Result<String, YamlError> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    let units: Vec<u16> = pairs.iter().map(|pair| unit(*pair)).collect();
    match String::from_utf16(&units) {
        Ok(text) if rest.is_empty() => Ok(text),
        Ok(_) | Err(_) => Err(YamlError::at_start(YamlProblem::Encoding)),
    }
}

/// YAML 1.1 §5.1, "c-printable".
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='~' | '\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'..)
}

fn error_after(before: &str, problem: YamlProblem) -> YamlError {
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    YamlError { line, column, problem }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf8_and_marked_utf16_are_decoded() {
        assert_eq!(decode("차트: é 🚢".as_bytes()).unwrap(), "차트: é 🚢");
        assert_eq!(decode(b"\xef\xbb\xbfa: b").unwrap(), "a: b");
        assert_eq!(decode(b"\xff\xfea\0:\0 \0\x6d\xcc").unwrap(), "a: 챭");
        assert_eq!(decode(b"\xfe\xff\0a\0:\0 \xd8\x3d\xde\xa2").unwrap(), "a: 🚢");
        assert_eq!(decode(b"").unwrap(), "");
    }

    #[test]
    fn broken_bytes_are_refused_with_their_place() {
        for (bytes, place) in [
            (b"a: b\nc: \xff".as_slice(), (2, 4)),
            (b"\xc3", (1, 1)),
            (b"\xed\xa0\x80", (1, 1)),
            (b"\xff\xfea", (1, 1)),
            (b"\xff\xfe\x00\xd8", (1, 1)),
        ] {
            let error = decode(bytes).unwrap_err();
            assert_eq!((error.line, error.column), place);
            assert_eq!(error.problem, YamlProblem::Encoding);
        }
    }

    #[test]
    fn control_characters_are_refused_with_their_place() {
        for character in
            ['\0', '\u{1}', '\u{7}', '\u{b}', '\u{1b}', '\u{7f}', '\u{80}', '\u{9f}', '\u{fffe}', '\u{ffff}']
        {
            let error = decode(format!("a: b\né {character}").as_bytes()).unwrap_err();
            let problem = YamlProblem::Character(character.into());
            assert_eq!(error, YamlError { line: 2, column: 3, problem });
        }
        let allowed = "\t\n\r ~\u{85}\u{a0}\u{2028}\u{d7ff}\u{e000}\u{feff}\u{fffd}\u{10000}\u{10ffff}";
        assert_eq!(decode(allowed.as_bytes()).unwrap(), allowed);
    }
}
