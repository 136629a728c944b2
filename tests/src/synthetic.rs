//! Charts made to size: small ones, and many versions of many with index entries as long as real ones.
//! Rule: the same arguments give the same bytes.

use std::io::Write;

use anyhow::{Context, Result};
use chart::testing::ChartBuilder;
use flate2::Compression;
use flate2::write::GzEncoder;

/// Returns the smallest chart that every client takes.
pub fn plain_chart(name: &str, version: &str) -> Vec<u8> {
    ChartBuilder::new(name, version).description("a chart of a story").build()
}

/// Returns a chart whose bytes differ with the mark, at the same name and version.
pub fn marked_chart(name: &str, version: &str, mark: &str) -> Vec<u8> {
    ChartBuilder::new(name, version).description("a chart of a story").file("mark.txt", mark).build()
}

/// Returns a chart whose index entry has about 1,100 bytes, as those of community charts: keywords, maintainers,
/// sources, an icon, dependencies, annotations for Artifact Hub and one for Rancher.
pub fn detailed_chart(name: &str, version: &str) -> Vec<u8> {
    let chart_file = format!(
        "apiVersion: v2\nname: {name}\nversion: {version}\nappVersion: \"{version}\"\ntype: application\n\
         description: Serves what {name} is known for, on small and large clusters\n\
         kubeVersion: '>=1.22.0-0'\nhome: https://{name}.example.test/\nicon: https://{name}.example.test/logo.svg\n\
         keywords: [{name}, infrastructure, monitoring, networking]\n\
         sources: ['https://git.example.test/{name}/{name}', 'https://git.example.test/charts/{name}']\n\
         maintainers:\n- {{name: First Maintainer, email: first@example.test, url: 'https://example.test/first'}}\n\
         - {{name: Second Maintainer, email: second@example.test}}\n\
         dependencies:\n- {{name: database, version: 12.x.x, repository: 'https://charts.example.test', condition: database.enabled}}\n\
         annotations:\n  catalog.cattle.io/kube-version: '>=1.22.0-0'\n  category: Infrastructure\n  licenses: Apache-2.0\n\
         \x20 artifacthub.io/images: |\n    - name: {name}\n      image: registry.example.test/{name}/{name}:{version}\n\
         \x20 artifacthub.io/links: |\n    - name: support\n      url: https://{name}.example.test/support\n"
    );
    ChartBuilder::new(name, version).chart_yaml(chart_file).build()
}

/// Returns so many bytes, in which no piece can stand for another; other bytes for each mark.
pub fn layer(bytes: usize, mark: u8) -> Vec<u8> {
    let mut state = u64::from(mark) << 32 | 0x9e37_79b9;
    let mut next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    let mut content: Vec<u8> = (0..bytes.div_ceil(8)).flat_map(|_| next().to_le_bytes()).collect();
    content.truncate(bytes);
    content
}

/// Returns bytes as one gzip member.
///
/// # Errors
/// When the encoder fails.
pub fn compress(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes)?;
    encoder.finish().context("cannot compress")
}
