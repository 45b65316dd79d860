//! The page that browsers get while the project can't be built or served.

use bytes::Bytes;

use super::ansi;

const PAGE: &str = include_str!("page.html");

/// What went wrong.
pub(crate) struct Fault<'a> {
    /// Tells this fault from the ones before, so that open pages notice.
    pub(crate) number: u64,
    /// One line.
    pub(crate) title: &'a str,
    /// What people should know besides.
    pub(crate) note: &'a str,
    /// What the builder printed, with its colours.
    pub(crate) output: &'a str,
}

/// The page. It needs nothing from elsewhere, and reloads itself when something
/// else answers in its place.
pub(crate) fn render(fault: &Fault<'_>) -> Bytes {
    let text = |text| {
        let mut html = String::new();
        ansi::escape(text, &mut html);
        html
    };
    // What was printed comes last, since it may contain anything.
    let page = PAGE
        .replace("{{number}}", &fault.number.to_string())
        .replace("{{title}}", &text(fault.title))
        .replace("{{note}}", &text(fault.note))
        .replace("{{output}}", &ansi::html(fault.output.trim_end()));
    Bytes::from(page)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_shows_what_was_printed() {
        let page = render(&Fault {
            number: 7,
            title: "<first> can't be built",
            note: "The code from before keeps serving.",
            output: "\u{1b}[31merror\u{1b}[0m: {{number}} <b>\n\n",
        });
        let page = std::str::from_utf8(&page).unwrap();
        assert!(page.contains("<meta name=\"holdfast-fault\" content=\"7\">"));
        assert!(page.contains("<h1>&lt;first&gt; can't be built</h1>"));
        assert!(page.contains("<span class=\"c1\">error</span>: {{number}} &lt;b&gt;</pre>"));
        for outside in ["http://", "https://", "src=", "@import"] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
