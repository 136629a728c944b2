//! Templates that make keys, certificates, passwords or times, with these calls replaced by fixed texts.
//!
//! No image depends on them. Making keys takes most of the time some charts need, and what differs from rendering to
//! rendering would hide what an edit changes.

use chart::archive::ArchiveFile;

/// Functions of sprig, and calls that take the same arguments and give something fixed of the same shape.
const CALLS: [(&str, &str); 17] = [
    ("genCAWithKey", CERTIFICATE),
    ("genCA", CERTIFICATE),
    ("genSelfSignedCertWithKey", CERTIFICATE),
    ("genSelfSignedCert", CERTIFICATE),
    ("genSignedCertWithKey", CERTIFICATE),
    ("genSignedCert", CERTIFICATE),
    ("genPrivateKey", TEXT),
    ("derivePassword", TEXT),
    ("htpasswd", TEXT),
    ("bcrypt", TEXT),
    ("randAlphaNum", TEXT),
    ("randAlpha", TEXT),
    ("randAscii", TEXT),
    ("randNumeric", "print \"1\""),
    // Of both limits the greater; what is random lies below.
    ("randInt", "max"),
    ("uuidv4", "\"00000000-0000-4000-8000-000000000000\""),
    ("now", "(toDate \"2006-01-02\" \"2006-01-02\")"),
];

/// An object with `Cert` and `Key`; `dict` takes the arguments as further entries.
const CERTIFICATE: &str = "dict \"Cert\" \"certificate\" \"Key\" \"key\"";
const TEXT: &str = "print \"key\"";

/// Returns the files with fixed keys; nothing when no template makes any.
pub(super) fn with_fixed_keys(files: &[ArchiveFile]) -> Option<Vec<ArchiveFile>> {
    let mut is_changed = false;
    let changed = files.iter().map(|file| {
        let replaced = if file.path.contains("templates/") { replace(&file.bytes) } else { None };
        is_changed |= replaced.is_some();
        ArchiveFile { path: file.path.clone(), bytes: replaced.unwrap_or_else(|| file.bytes.clone()) }
    });
    let changed: Vec<_> = changed.collect();
    is_changed.then_some(changed)
}

fn replace(bytes: &[u8]) -> Option<Vec<u8>> {
    let text = str::from_utf8(bytes).ok()?;
    if !CALLS.iter().any(|(name, _)| text.contains(name)) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, action)) = rest.split_once("{{") {
        let end = action.find("}}").unwrap_or(action.len());
        let (action, after) = action.split_at(end);
        out.push_str(before);
        out.push_str("{{");
        replace_calls(action, &mut out);
        rest = after;
    }
    out.push_str(rest);
    (out != text).then(|| out.into_bytes())
}

/// Replaces the calls in one action; texts in quotes and names of fields stay.
fn replace_calls(action: &str, out: &mut String) {
    let is_part = |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '$');
    let mut rest = action;
    while let Some(start) =
        rest.find(|character: char| character.is_alphabetic() || matches!(character, '"' | '`'))
    {
        let (before, from) = rest.split_at(start);
        out.push_str(before);
        let quote = from.chars().next().filter(|first| matches!(first, '"' | '`'));
        let length = match quote {
            Some(quote) => quoted_length(from, quote),
            None => from.find(|character: char| !is_part(character)).unwrap_or(from.len()),
        };
        let (word, after) = from.split_at(length);
        let call = CALLS.iter().find(|(name, _)| *name == word).filter(|_| !out.ends_with(is_part));
        out.push_str(call.map_or(word, |(_, fixed)| fixed));
        rest = after;
    }
    out.push_str(rest);
}

/// Returns the bytes up to the closing quote, which a backslash hides; all of an unclosed text.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut is_hidden = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_hidden => is_hidden = false,
            '\\' if quote == '"' => is_hidden = true,
            closing if closing == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_calls_are_replaced() {
        let table = [
            (
                "{{ $ca := genCA \"x\" 365 }}",
                "{{ $ca := dict \"Cert\" \"certificate\" \"Key\" \"key\" \"x\" 365 }}",
            ),
            ("{{ (genPrivateKey \"rsa\") | b64enc }}", "{{ (print \"key\" \"rsa\") | b64enc }}"),
            ("{{ randAlphaNum 10 | b64enc }}", "{{ print \"key\" 10 | b64enc }}"),
            ("at {{now|date \"04\"}} now", "at {{(toDate \"2006-01-02\" \"2006-01-02\")|date \"04\"}} now"),
            (
                "{{ fail \"not \\\" now\" (now) }}",
                "{{ fail \"not \\\" now\" ((toDate \"2006-01-02\" \"2006-01-02\")) }}",
            ),
        ];
        for (text, expected) in table {
            let replaced = replace(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(replaced).unwrap(), expected);
        }
        for text in
            ["{{ .Values.a }}", "{{ .Values.genCA }} genCA: x", "now", "{{ .now }}{{ $now }}{{ `now` }}"]
        {
            assert_eq!(replace(text.as_bytes()), None, "{text}");
        }
    }
}
