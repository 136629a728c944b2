//! Why a text is not YAML that Helm would read.

/// What is wrong with a YAML text, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {problem}")]
pub struct YamlError {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub problem: YamlProblem,
}

/// What is wrong with a YAML text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum YamlProblem {
    /// The input is longer than the budget allows.
    #[error("the file has {bytes} bytes, at most {limit} are read; make it smaller")]
    TooLong {
        /// The length of the input.
        bytes: usize,
        /// The budget's limit.
        limit: usize,
    },
    /// There are more nodes than the budget allows.
    #[error("the file has more than {0} values; make it smaller")]
    TooManyNodes(usize),
    /// Lists and maps are nested deeper than the budget allows.
    #[error("lists and maps are nested more than {0} deep; make it flatter")]
    TooDeep(usize),
    /// Aliases copy more than the budget allows, or make up more of the document than Go allows.
    #[error("anchors and aliases copy too much; write the values out")]
    TooMuchAliasing,
    /// The bytes are neither UTF-8 nor UTF-16 with a byte order mark.
    #[error("the file is not UTF-8; save it as UTF-8")]
    Encoding,
    /// A character that YAML does not allow.
    #[error("character U+{0:04X} is not allowed; remove it or write it as an escape in double quotes")]
    Character(u32),
    /// The text breaks YAML's syntax.
    #[error("{0}")]
    Syntax(&'static str),
    /// An alias names an anchor that does not stand before it.
    #[error("alias `{0}` has no anchor before it; define it with `&` first")]
    UnknownAnchor(String),
    /// An alias stands inside the value it repeats.
    #[error("alias `{0}` stands inside its own value; remove it")]
    SelfReference(String),
    /// A key is null, a list or a map, which JSON cannot express.
    #[error("a key is {0}; use a text")]
    Key(&'static str),
    /// The value of a merge key is not a map or a list of maps.
    #[error("`<<` must be a map, an alias of a map, or a list of these")]
    Merge,
    /// A value does not fit the tag before it.
    #[error("`{text}` does not fit the tag `{tag}`; change one of them")]
    Tag {
        /// The tag in its short form.
        tag: String,
        /// The value as written.
        text: String,
    },
    /// A value tagged `!!binary` is not base64.
    #[error("the `!!binary` value is not base64; encode it with padding")]
    Binary,
}

impl YamlError {
    /// Returns the error for a problem of the input as a whole.
    pub(super) fn at_start(problem: YamlProblem) -> Self {
        Self { line: 1, column: 1, problem }
    }
}
