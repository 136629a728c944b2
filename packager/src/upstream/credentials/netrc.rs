//! netrc: `machine`, `login`, `password`, as ftp began it and curl and git read it.

use std::collections::BTreeMap;

use super::UserPassword;
use crate::config::Token;

/// Users and passwords by host.
#[derive(Debug, Default)]
pub(super) struct Machines {
    by_host: BTreeMap<String, UserPassword>,
}

impl Machines {
    /// Returns what is kept for a host. `default` entries are not used: they would reach every server there is.
    pub(super) fn of_host(&self, host: &str) -> Option<&UserPassword> {
        self.by_host.get(host)
    }
}

/// Reads a netrc file; what is not understood is passed over, as others do. Macros end at an empty line.
pub(super) fn parse(bytes: &[u8]) -> Machines {
    let text = String::from_utf8_lossy(bytes);
    let mut machines = Machines::default();
    let (mut host, mut user, mut password) = (None, None, None);
    let mut is_macro = false;
    for line in text.lines() {
        is_macro = is_macro && !line.trim().is_empty();
        if is_macro {
            continue;
        }
        let mut words = line.split_whitespace();
        while let Some(word) = words.next() {
            match word {
                "machine" => {
                    keep(&mut machines, host.take(), user.take(), password.take());
                    host = words.next();
                }
                "default" => keep(&mut machines, host.take(), user.take(), password.take()),
                "login" => user = words.next(),
                "password" => password = words.next(),
                "account" => _ = words.next(),
                "macdef" => is_macro = true,
                comment if comment.starts_with('#') => break,
                _ => {}
            }
        }
    }
    keep(&mut machines, host, user, password);
    machines
}

fn keep(machines: &mut Machines, host: Option<&str>, user: Option<&str>, password: Option<&str>) {
    if let (Some(host), Some(password)) = (host, password.and_then(Token::new)) {
        let user = user.unwrap_or_default().to_owned();
        machines.by_host.entry(host.to_owned()).or_insert(UserPassword { user, password });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_are_read_on_one_line_or_several() {
        let text = "# mine\nmachine a login u password p\nmachine b\n  login v\n  password q\nmacdef init\nmachine c password x\n\ndefault login d password e\n";
        let machines = parse(text.as_bytes());
        let shown =
            |host: &str| machines.of_host(host).map(|one| format!("{}:{}", one.user, one.password.reveal()));
        assert_eq!(shown("a").as_deref(), Some("u:p"));
        assert_eq!(shown("b").as_deref(), Some("v:q"));
        assert_eq!((shown("c"), shown("d")), (None, None));
    }
}
