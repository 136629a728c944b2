//! Templates that make keys and certificates, with these calls replaced by fixed texts.
//!
//! Making keys takes most of the time some charts need, and no image depends on it: probing renders hundreds of
//! times. What is proven is proven on the chart as it is.

use chart::archive::ArchiveFile;

/// Functions of sprig that return an object with `Cert` and `Key`. `dict` takes their arguments as further entries.
const CERTIFICATES: [&str; 6] = [
    "genCAWithKey",
    "genCA",
    "genSelfSignedCertWithKey",
    "genSelfSignedCert",
    "genSignedCertWithKey",
    "genSignedCert",
];

/// Functions of sprig that return a text.
const TEXTS: [&str; 4] = ["genPrivateKey", "derivePassword", "htpasswd", "bcrypt"];

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
    if !CERTIFICATES.iter().chain(&TEXTS).any(|name| text.contains(name)) {
        return None;
    }
    let mut out = String::with_capacity(text.len());
    let is_part =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '.' | '$' | '"' | '-');
    let mut rest = text;
    while let Some(start) = rest.find(|character: char| character.is_ascii_alphabetic()) {
        let (before, from) = rest.split_at(start);
        let end = from.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(from.len());
        let (word, after) = from.split_at(end);
        out.push_str(before);
        let stands_alone = !out.chars().last().is_some_and(is_part) && after.starts_with(' ');
        match word {
            word if stands_alone && CERTIFICATES.contains(&word) => {
                out.push_str("dict \"Cert\" \"certificate\" \"Key\" \"key\"");
            }
            word if stands_alone && TEXTS.contains(&word) => out.push_str("print \"key\""),
            word => out.push_str(word),
        }
        rest = after;
    }
    out.push_str(rest);
    Some(out.into_bytes())
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
            ("{{ .Values.genCA }} genCA: x", "{{ .Values.genCA }} genCA: x"),
        ];
        for (text, expected) in table {
            let replaced = replace(text.as_bytes()).unwrap();
            assert_eq!(String::from_utf8(replaced).unwrap(), expected);
        }
        assert_eq!(replace(b"{{ .Values.a }}"), None);
    }
}
