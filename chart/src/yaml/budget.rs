//! What one YAML document may cost.

/// Limits of what is read and what comes out. Anything above one of them is refused, so that memory and time
/// stay within a small multiple of the honest use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Budget {
    /// Length of the input in bytes.
    pub bytes: usize,
    /// Scalars, lists, maps and aliases, those that come out of aliases included.
    pub nodes: usize,
    /// Lists and maps inside each other, those that come out of aliases included.
    pub depth: usize,
    /// Nodes copied because an anchor keeps them or an alias repeats them.
    pub alias_nodes: usize,
    /// Bytes of text copied because an anchor keeps them or an alias repeats them.
    pub alias_bytes: usize,
}

impl Default for Budget {
    /// Returns the budget of `Chart.yaml`, `requirements.yaml` and lock files: ten times what the largest
    /// seen need.
    fn default() -> Self {
        Self { bytes: 1 << 20, nodes: 50_000, depth: 64, alias_nodes: 10_000, alias_bytes: 1 << 18 }
    }
}

impl Budget {
    /// Returns the budget of `values.yaml`, whose size Helm limits to 5 MiB.
    pub fn for_values() -> Self {
        Self { bytes: 5 << 20, nodes: 150_000, depth: 128, alias_nodes: 100_000, alias_bytes: 4 << 20 }
    }
}
