//! Whether a host is the site's own, or one on the internet that a closed network does not reach. Judged by name alone.

use std::net::IpAddr;

/// Top-level domains besides the two-letter ones under which charts name hosts. A name such as
/// `prometheus.monitoring` is a service of the cluster, so what is not here is taken for one.
const DOMAINS: [&str; 26] = [
    "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "dev", "app", "cloud", "tech", "site",
    "online", "xyz", "run", "build", "tools", "software", "systems", "network", "page", "blog", "team",
    "zone",
];

/// The site that a delivery is for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Site {
    registry: Option<String>,
}

impl Site {
    /// Takes the registry of the site, as in an image's name.
    pub(super) fn new(registry: Option<String>) -> Self {
        Self { registry }
    }

    /// Returns whether the registry is known.
    pub(super) fn is_known(&self) -> bool {
        self.registry.is_some()
    }

    /// Returns whether `host`, with its port, is the site's registry.
    pub(super) fn is_registry(&self, host: &str) -> bool {
        self.registry.as_deref() == Some(host)
    }

    /// Returns whether `host`, with or without its port, is one on the internet.
    pub(super) fn is_public(&self, host: &str) -> bool {
        let name = host.split(':').next().unwrap_or(host).trim_end_matches('.').to_ascii_lowercase();
        if host.starts_with('[') || name.parse::<IpAddr>().is_ok() {
            return is_public_address(host);
        }
        let Some((above, domain)) = name.rsplit_once('.') else { return false };
        let is_name = |label: &str| {
            !label.is_empty()
                && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
        };
        if !name.split('.').all(is_name) || is_reserved(above, domain) || self.is_of_the_site(&name) {
            return false;
        }
        let is_country = domain.len() == 2 && domain.bytes().all(|byte| byte.is_ascii_lowercase());
        is_country || DOMAINS.contains(&domain)
    }

    /// A neighbour of the registry, `files.local.cloud` for `registry.local.cloud:5000`, is the site's too.
    fn is_of_the_site(&self, name: &str) -> bool {
        let Some(registry) = &self.registry else { return false };
        let registry = registry.split(':').next().unwrap_or(registry);
        let domain = registry.split_once('.').map(|(_, domain)| domain).filter(|domain| domain.contains('.'));
        name == registry
            || domain.is_some_and(|domain| name == domain || name.ends_with(&format!(".{domain}")))
    }
}

/// Names that are documentation (RFC 2606), or stand for another host.
fn is_reserved(above: &str, domain: &str) -> bool {
    let second = above.rsplit('.').next().unwrap_or(above);
    matches!(second, "example" | "yourdomain" | "mydomain" | "your-domain" | "mycompany" | "domain")
        || (second == "cluster" && domain == "local")
}

/// Returns whether an address is on the internet: neither private, local nor for documentation.
fn is_public_address(host: &str) -> bool {
    let bare = host.trim_start_matches('[').split([']']).next().unwrap_or(host);
    let bare = if host.starts_with('[') { bare } else { bare.split(':').next().unwrap_or(bare) };
    match bare.parse() {
        Ok(IpAddr::V4(address)) => {
            !(address.is_private()
                || address.is_loopback()
                || address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_documentation()
                || address.is_multicast())
        }
        Ok(IpAddr::V6(address)) => {
            !(address.is_loopback()
                || address.is_unspecified()
                || address.is_unique_local()
                || address.is_unicast_link_local()
                || address.is_multicast())
        }
        Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_of_clusters_sites_and_documentation_are_not_public() {
        let site = Site::new(Some("registry.local.cloud:5000".to_owned()));
        let table = [
            ("github.com", true),
            ("quay.io:443", true),
            ("raw.githubusercontent.com", true),
            ("8.8.8.8", true),
            ("[2001:4860:4860::8888]:53", true),
            ("registry.local.cloud:5000", false),
            ("files.local.cloud", false),
            ("local.cloud.evil.com", true),
            ("localhost", false),
            ("127.0.0.1:8080", false),
            ("10.1.2.3", false),
            ("169.254.169.254", false),
            ("[::1]:80", false),
            ("example.com", false),
            ("git.example.org", false),
            ("prometheus.monitoring", false),
            ("web.default.svc", false),
            ("web.default.svc.cluster.local", false),
            ("core.harbor.domain", false),
            ("gitlab.{{host}}.com", false),
            ("$HOST.com", false),
        ];
        for (host, expected) in table {
            assert_eq!(site.is_public(host), expected, "{host}");
        }
        assert!(Site::new(None).is_public("registry.local.cloud"));
        assert!(!Site::new(Some("quay.io".to_owned())).is_public("quay.io"));
        assert!(Site::new(Some("quay.io".to_owned())).is_public("other.io"));
    }
}
