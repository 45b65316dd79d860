//! What compilers print, with its colours (ECMA-48, "SGR"), as HTML or as plain
//! text.

/// A piece of what was printed.
enum Piece<'a> {
    Text(&'a str),
    /// Parameters of "select graphic rendition", such as `1;31`.
    Style(&'a str),
}

/// Cuts a text into pieces. Control sequences other than colours (cursor,
/// titles, links) are left out, and so are other control characters.
fn pieces(mut rest: &str) -> impl Iterator<Item = Piece<'_>> {
    std::iter::from_fn(move || {
        loop {
            let (first, tail) = (rest.chars().next()?, rest.get(1..).unwrap_or_default());
            if first == '\u{1b}' {
                let (style, tail) = sequence(tail);
                rest = tail;
                if let Some(style) = style {
                    return Some(Piece::Style(style));
                }
            } else if is_dropped(first) {
                rest = tail;
            } else {
                let end = rest.find(is_dropped).unwrap_or(rest.len());
                let (text, tail) = rest.split_at(end);
                rest = tail;
                return Some(Piece::Text(text));
            }
        }
    })
}

fn is_dropped(char: char) -> bool {
    // All of them are one byte long.
    char.is_ascii_control() && char != '\n' && char != '\t'
}

/// Reads the rest of an escape sequence: its parameters if it is a style, and
/// what comes after it.
fn sequence(rest: &str) -> (Option<&str>, &str) {
    if let Some(body) = rest.strip_prefix('[') {
        let is_final = |char: char| ('@'..='~').contains(&char);
        let Some(end) = body.find(is_final) else {
            return (None, "");
        };
        let (parameters, tail) = body.split_at(end);
        let style = tail.starts_with('m').then_some(parameters);
        return (style, tail.get(1..).unwrap_or_default());
    }
    if let Some(body) = rest.strip_prefix(']') {
        // An operating system command ends by BEL or by ESC and a backslash.
        let Some(end) = body.find(['\u{7}', '\u{1b}']) else {
            return (None, "");
        };
        let tail = body.get(end + 1..).unwrap_or_default();
        return (None, tail.strip_prefix('\\').unwrap_or(tail));
    }
    // Any others have intermediate bytes and a final one.
    let tail = rest.trim_start_matches(|char| (' '..='/').contains(&char));
    let mut chars = tail.chars();
    chars.next();
    (None, chars.as_str())
}

/// The text alone.
pub(crate) fn plain(text: &str) -> String {
    let texts = pieces(text).filter_map(|piece| match piece {
        Piece::Text(text) => Some(text),
        Piece::Style(_) => None,
    });
    texts.collect()
}

/// HTML, with a `span` for each style: the classes `bold`, `dim`, `italic`,
/// `underline`, and `c0` to `c15` for the sixteen colours of a terminal.
pub(crate) fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() * 2);
    let mut style = Style::default();
    for piece in pieces(text) {
        match piece {
            Piece::Style(parameters) => style.select(parameters),
            Piece::Text(text) if style == Style::default() => escape(text, &mut html),
            Piece::Text(text) => {
                html.push_str("<span class=\"");
                html.push_str(&style.classes());
                html.push_str("\">");
                escape(text, &mut html);
                html.push_str("</span>");
            }
        }
    }
    html
}

/// Appends a text so that HTML shows it as it is.
pub(crate) fn escape(text: &str, html: &mut String) {
    for char in text.chars() {
        match char {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            char => html.push(char),
        }
    }
}

#[derive(Default, PartialEq, Eq)]
struct Style {
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
    color: Option<u8>,
}

impl Style {
    fn select(&mut self, parameters: &str) {
        let mut numbers = parameters
            .split([';', ':'])
            .map(|it| it.parse().unwrap_or(0));
        while let Some(number) = numbers.next() {
            match number {
                0 => *self = Self::default(),
                1 => self.bold = true,
                2 => self.dim = true,
                3 => self.italic = true,
                4 => self.underline = true,
                22 => (self.bold, self.dim) = (false, false),
                23 => self.italic = false,
                24 => self.underline = false,
                30..=37 => self.color = Some(number - 30),
                90..=97 => self.color = Some(number - 90 + 8),
                39 => self.color = None,
                38 | 48 => {
                    let color = indexed(&mut numbers);
                    if number == 38 {
                        self.color = color;
                    }
                }
                _ => {}
            }
        }
    }

    fn classes(&self) -> String {
        let flags = [
            (self.bold, "bold"),
            (self.dim, "dim"),
            (self.italic, "italic"),
            (self.underline, "underline"),
        ];
        let flags = flags.iter().filter(|flag| flag.0);
        let mut classes: Vec<_> = flags.map(|flag| flag.1.to_owned()).collect();
        classes.extend(self.color.map(|color| format!("c{color}")));
        classes.join(" ")
    }
}

/// One of the sixteen colours, from the palette of 256; others count as none.
fn indexed(numbers: &mut impl Iterator<Item = u8>) -> Option<u8> {
    match numbers.next()? {
        5 => numbers.next().filter(|&color| color < 16),
        2 => {
            // Red, green and blue.
            numbers.nth(2)?;
            None
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_become_spans() {
        assert_eq!(
            html("\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m\u{1b}[1m: bad\u{1b}[0m\n"),
            "<span class=\"bold c9\">error</span><span class=\"bold\">: bad</span>\n"
        );
        assert_eq!(
            html("\u{1b}[31mred\u{1b}[39m, \u{1b}[92mgreen\u{1b}[m"),
            "<span class=\"c1\">red</span>, <span class=\"c10\">green</span>"
        );
        assert_eq!(
            html("\u{1b}[38;2;1;2;3;4mx"),
            "<span class=\"underline\">x</span>"
        );
        assert_eq!(html("\u{1b}[48;5;1;3mx"), "<span class=\"italic\">x</span>");
    }

    #[test]
    fn nothing_printed_is_markup() {
        assert_eq!(
            html("<script>\"&\"</script>"),
            "&lt;script&gt;&quot;&amp;&quot;&lt;/script&gt;"
        );
        assert_eq!(html("\u{1b}[<b>m"), "&gt;m");
    }

    #[test]
    fn what_is_no_colour_is_left_out() {
        let printed = "a\u{1b}]8;;http://x/\u{1b}\\link\u{1b}]8;;\u{7}\u{1b}[2K\r\u{1b}(Bb\u{8}é";
        assert_eq!(plain(printed), "alinkbé");
        assert_eq!(html(printed), "alinkbé");
    }

    #[test]
    fn a_text_may_end_anywhere() {
        for end in [
            "\u{1b}",
            "\u{1b}[",
            "\u{1b}[1;3",
            "\u{1b}]8;;x",
            "\u{1b}é",
            "\u{1b}[1;é",
        ] {
            plain(end);
            assert_eq!(
                html(&format!("a{end}")).chars().next(),
                Some('a'),
                "{end:?}"
            );
        }
    }
}
