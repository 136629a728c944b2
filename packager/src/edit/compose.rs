//! Reads a text into its tree.
//!
//! The parser's markers are not always those of the node's own text; every place where they differ is here.

use std::ops::Range;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::position::{Lines, Position};
use super::tree::{Entry, Item, Kind, Node};

/// Why a text has no tree.
#[derive(Debug, thiserror::Error)]
pub(crate) enum InvalidTree {
    /// The text is not YAML.
    #[error("is not YAML at line {} column {}: {}", .0.marker().line(), .0.marker().col() + 1, .0.info())]
    Syntax(#[from] ScanError),
    /// A second document begins.
    #[error("holds a second document at {0}: only one can be edited")]
    SecondDocument(Position),
}

impl Node {
    /// Returns the key's text when the node is a scalar.
    pub(crate) fn scalar_text(&self) -> Option<&str> {
        match &self.kind {
            Kind::Scalar { text, .. } => Some(text),
            Kind::Absent | Kind::Alias(_) | Kind::Sequence { .. } | Kind::Mapping { .. } => None,
        }
    }

    /// Returns whether this node or one inside it is an alias of the anchor with this number.
    pub(crate) fn refers_to(&self, anchor: usize) -> bool {
        match &self.kind {
            Kind::Alias(number) => *number == anchor,
            Kind::Absent | Kind::Scalar { .. } => false,
            Kind::Sequence { items, .. } => items.iter().any(|item| item.node.refers_to(anchor)),
            Kind::Mapping { entries, .. } => {
                entries.iter().any(|entry| entry.key.refers_to(anchor) || entry.value.refers_to(anchor))
            }
        }
    }
}

/// Reads the only document of `text`; an empty text or one of comments is an absent node at its end.
///
/// The caller has checked the text against the YAML budget: nesting is followed by recursion here.
///
/// # Errors
/// [`InvalidTree`] when the text is not YAML or holds more than one document.
pub(crate) fn compose(text: &str) -> Result<Node, InvalidTree> {
    let mut composer = Composer { text, lines: Lines::of(text), parser: Parser::new_from_str(text) };
    let mut root = None;
    while let Some((event, span)) = composer.next()? {
        match event {
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
            Event::DocumentStart(_) if root.is_some() => {
                return Err(InvalidTree::SecondDocument(composer.position(&span)));
            }
            Event::DocumentStart(_) => {}
            Event::Alias(_)
            | Event::Scalar(..)
            | Event::SequenceStart(..)
            | Event::SequenceEnd
            | Event::MappingStart(..)
            | Event::MappingEnd => root = Some(composer.node(event, &span, 0)?),
        }
    }
    Ok(root.unwrap_or_else(|| composer.absent(text.len(), None, false)))
}

struct Composer<'text> {
    text: &'text str,
    lines: Lines<'text>,
    parser: Parser<'text, StrInput<'text>>,
}

impl<'text> Composer<'text> {
    fn next(&mut self) -> Result<Option<(Event<'text>, Span)>, ScanError> {
        self.parser.next_event().transpose()
    }

    fn position(&self, span: &Span) -> Position {
        self.lines.position(self.lines.offset(&span.start))
    }

    fn absent(&self, at: usize, anchor: Option<usize>, is_tagged: bool) -> Node {
        Node { span: at..at, position: self.lines.position(at), anchor, is_tagged, kind: Kind::Absent }
    }

    /// Makes the node that begins with `event`; `from` is where its text may begin, after the colon or dash.
    fn node(&mut self, event: Event<'text>, span: &Span, from: usize) -> Result<Node, ScanError> {
        let start = self.lines.offset(&span.start);
        let numbered = |anchor: usize| (anchor > 0).then_some(anchor);
        let (kind, range, anchor, is_tagged) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                if text.is_empty() && style == ScalarStyle::Plain {
                    return Ok(self.absent(start, numbered(anchor), tag.is_some()));
                }
                let range = self.scalar_range(from, start..self.lines.offset(&span.end), style);
                (Kind::Scalar { text: text.into_owned(), style }, range, numbered(anchor), tag.is_some())
            }
            Event::Alias(anchor) => {
                let source = self.text.get(start..self.lines.offset(&span.end)).unwrap_or_default();
                let end = start + source.find(char::is_whitespace).unwrap_or(source.len());
                (Kind::Alias(anchor), start..end, None, false)
            }
            Event::SequenceStart(anchor, tag) => {
                let (kind, range) = self.sequence(start, span, from)?;
                (kind, range, numbered(anchor), tag.is_some())
            }
            Event::MappingStart(anchor, tag) => {
                let (kind, range) = self.mapping(start, span)?;
                (kind, range, numbered(anchor), tag.is_some())
            }
            Event::Nothing
            | Event::StreamStart
            | Event::StreamEnd
            | Event::DocumentStart(_)
            | Event::DocumentEnd
            | Event::SequenceEnd
            | Event::MappingEnd => (Kind::Absent, start..start, None, false),
        };
        Ok(Node { position: self.lines.position(range.start), span: range, anchor, is_tagged, kind })
    }

    /// Returns a scalar's own bytes. The parser begins a block scalar with its first content line, ends it
    /// behind the blank lines that follow, and counts a comment behind quotes in.
    fn scalar_range(&self, from: usize, parsed: Range<usize>, style: ScalarStyle) -> Range<usize> {
        let start = match style {
            ScalarStyle::Plain | ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => parsed.start,
            ScalarStyle::Literal | ScalarStyle::Folded => self.skip_to_token(from),
        };
        let source = self.text.get(start..parsed.end).unwrap_or_default();
        let length = match style {
            ScalarStyle::Plain => source.trim_end().len(),
            ScalarStyle::SingleQuoted => closing_quote(source, '\'').unwrap_or(source.len()),
            ScalarStyle::DoubleQuoted => closing_quote(source, '"').unwrap_or(source.len()),
            ScalarStyle::Literal | ScalarStyle::Folded => content_of_block_scalar(source).len(),
        };
        start..start + length
    }

    fn sequence(
        &mut self,
        start: usize,
        span: &Span,
        from: usize,
    ) -> Result<(Kind, Range<usize>), ScanError> {
        let is_flow = self.opens_flow(span, '[');
        let mut items: Vec<Item> = Vec::new();
        let mut end = from;
        while let Some((event, span)) = self.next()? {
            if event == Event::SequenceEnd {
                end = if is_flow { self.lines.offset(&span.start) + 1 } else { end };
                break;
            }
            // Between two items stand only blanks and comments, so the next token is the dash.
            let dash = if is_flow { None } else { self.dash(end) };
            let mut node = self.node(event, &span, dash.map_or(end, |dash| dash + 1))?;
            if let (Kind::Absent, Some(dash), None) = (&node.kind, dash, node.anchor) {
                node = self.absent(dash + 1, None, node.is_tagged);
            }
            end = node.span.end.max(end);
            items.push(Item { dash, node });
        }
        let start = items.first().and_then(|item| item.dash).unwrap_or(start);
        Ok((Kind::Sequence { items, is_flow }, start..end.max(start)))
    }

    fn mapping(&mut self, start: usize, span: &Span) -> Result<(Kind, Range<usize>), ScanError> {
        let is_flow = self.opens_flow(span, '{');
        let mut entries: Vec<Entry> = Vec::new();
        let mut end = start;
        while let Some((event, span)) = self.next()? {
            if event == Event::MappingEnd {
                end = if is_flow { self.lines.offset(&span.start) + 1 } else { end };
                break;
            }
            let key = self.node(event, &span, end)?;
            let Some(entry) = self.entry(key)? else { break };
            end = entry.span().end;
            entries.push(entry);
        }
        Ok((Kind::Mapping { entries, is_flow }, start..end.max(start)))
    }

    fn entry(&mut self, key: Node) -> Result<Option<Entry>, ScanError> {
        let Some((event, span)) = self.next()? else { return Ok(None) };
        let colon = self.colon(key.span.end);
        let after = colon.map_or(key.span.end, |colon| colon + 1);
        let mut value = self.node(event, &span, after)?;
        if let (Kind::Absent, None) = (&value.kind, value.anchor) {
            value = self.absent(after, None, value.is_tagged);
        }
        Ok(Some(Entry { key, colon, value }))
    }

    /// Returns whether a collection is written in brackets or braces. Its span may begin with an anchor or
    /// tag, so the last character decides.
    fn opens_flow(&self, span: &Span, bracket: char) -> bool {
        let range = self.lines.offset(&span.start)..self.lines.offset(&span.end);
        self.text.get(range).is_some_and(|source| source.ends_with(bracket))
    }

    /// Finds the colon of the key that ends at `key_end`, on the same line.
    fn colon(&self, key_end: usize) -> Option<usize> {
        let rest = self.text.get(key_end..)?;
        let blanks = rest.len() - rest.trim_start_matches([' ', '\t']).len();
        rest.get(blanks..)?.starts_with(':').then_some(key_end + blanks)
    }

    fn dash(&self, from: usize) -> Option<usize> {
        let at = self.skip_to_token(from);
        self.text.get(at..).is_some_and(|rest| rest.starts_with('-')).then_some(at)
    }

    /// Returns the offset of the first character from `from` on that is neither blank nor part of a
    /// comment, an anchor, a tag or a document marker.
    fn skip_to_token(&self, from: usize) -> usize {
        let mut at = from;
        loop {
            let rest = self.text.get(at..).unwrap_or_default();
            let skipped = match rest.chars().next() {
                Some(blank) if blank.is_whitespace() => blank.len_utf8(),
                Some('#') => rest.find('\n').unwrap_or(rest.len()),
                Some('&' | '!') => rest.find(char::is_whitespace).unwrap_or(rest.len()),
                Some('-') if rest.starts_with("---") => 3,
                Some(_) | None => return at,
            };
            at += skipped;
        }
    }
}

/// Returns the length of the quoted scalar at the start of `source`, which may begin with an anchor or tag.
fn closing_quote(source: &str, quote: char) -> Option<usize> {
    let open = source.find(quote)?;
    let mut characters =
        source.get(open + 1..)?.char_indices().map(|(at, one)| (open + 1 + at, one)).peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '\\' if quote == '"' => {
                characters.next();
            }
            '\'' if quote == '\'' && characters.peek().is_some_and(|(_, next)| *next == '\'') => {
                characters.next();
            }
            _ if character == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

/// Cuts the blank lines behind a block scalar; with `+` in its header they are content.
fn content_of_block_scalar(source: &str) -> &str {
    let header = source.lines().next().unwrap_or_default();
    if header.split('#').next().unwrap_or_default().contains('+') {
        return source.strip_suffix("\r\n").or_else(|| source.strip_suffix('\n')).unwrap_or(source);
    }
    source.trim_end()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the source of every scalar, alias and flow collection, in the order of the text.
    fn sources<'text>(text: &'text str, node: &Node, found: &mut Vec<&'text str>) {
        let source = &text[node.span.clone()];
        match &node.kind {
            Kind::Absent | Kind::Scalar { .. } | Kind::Alias(_) => found.push(source),
            Kind::Sequence { is_flow: true, .. } | Kind::Mapping { is_flow: true, .. } => found.push(source),
            Kind::Sequence { items, .. } => items.iter().for_each(|item| sources(text, &item.node, found)),
            Kind::Mapping { entries, .. } => entries.iter().for_each(|entry| {
                found.push(&text[entry.key.span.clone()]);
                sources(text, &entry.value, found);
            }),
        }
    }

    #[test]
    fn every_node_covers_its_own_text() {
        let text = "# top\n\"a\" : 'it''s'  # c\nb: \"x \\\" # y\" # c\nc: | # c\n  one\n\n  two\n\n# c\nd: >-\n  x\n\
                    e: [1, {f: 2}] # c\ng: &h plain text # c\ni: *h\nj:\nk:\n- l # c\n-\n- - m\n  - n\no: |+\n  p\n\n";
        let mut found = Vec::new();
        sources(text, &compose(text).unwrap(), &mut found);
        let expected = [
            "\"a\"",
            "'it''s'",
            "b",
            "\"x \\\" # y\"",
            "c",
            "| # c\n  one\n\n  two",
            "d",
            ">-\n  x",
            "e",
            "[1, {f: 2}]",
            "g",
            "&h plain text",
            "i",
            "*h",
            "j",
            "",
            "k",
            "l",
            "",
            "m",
            "n",
            "o",
            "|+\n  p\n",
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn dashes_and_colons_are_found() {
        let text = "a :\n# - no\n  - b\n  # c\n  -\n";
        let Kind::Mapping { entries, .. } = compose(text).unwrap().kind else { panic!("no mapping") };
        assert_eq!(entries[0].colon, Some(2));
        let Kind::Sequence { items, .. } = &entries[0].value.kind else { panic!("no list") };
        let dashes: Vec<_> = items.iter().map(|item| item.dash.unwrap()).collect();
        assert_eq!(dashes, [text.find("- b").unwrap(), text.rfind('-').unwrap()]);
        assert_eq!(items[1].node.span.start, text.rfind('-').unwrap() + 1);
    }
}
