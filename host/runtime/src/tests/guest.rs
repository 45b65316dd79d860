//! A guest in the text format, so that the tests here need no other toolchain.

/// What to make of the template.
#[derive(Clone, Copy)]
pub(super) struct Guest {
    /// Which says who it is.
    pub(super) name: &'static str,
    /// Of its attachments; without, it has no export for them.
    pub(super) format: Option<&'static str>,
    /// Whether its handlers are async functions.
    pub(super) is_waiting: bool,
    /// What its start function does: instructions in the text format.
    pub(super) start: &'static str,
}

impl Guest {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            format: None,
            is_waiting: false,
            start: "",
        }
    }

    pub(super) fn format(self, format: &'static str) -> Self {
        let format = Some(format);
        Self { format, ..self }
    }

    /// With handlers that are async functions, or plain ones.
    pub(super) fn waiting(self, is_waiting: bool) -> Self {
        Self { is_waiting, ..self }
    }

    pub(super) fn start(self, start: &'static str) -> Self {
        Self { start, ..self }
    }

    /// The component.
    pub(super) fn bytes(self) -> Vec<u8> {
        let (form, effect) = match self.is_waiting {
            true => ("websocket-handler", "async"),
            false => ("websocket-handler-sync", ""),
        };
        let start = match self.start {
            "" => String::new(),
            start => format!("(func $start {start}) (start $start)"),
        };
        let attachments = match self.format {
            Some(_) => ATTACHMENTS,
            None => "",
        };
        let format = self.format.unwrap_or_default();
        let text = include_str!("guest.wat")
            .replace("%FORM%", form)
            .replace("%ASYNC%", effect)
            .replace("%START%", &start)
            .replace("%ATTACHMENTS%", attachments)
            .replace("%NAME%", self.name)
            .replace("%NAME_LEN%", &(self.name.len() + 1).to_string())
            .replace("%FORMAT%", format)
            .replace("%FORMAT_LEN%", &format.len().to_string());
        wat::parse_str(text).unwrap()
    }
}

const ATTACHMENTS: &str = r#"
    (instance $attachments
      (export "format" (func $format))
      (export "migrate" (func $migrate)))
    (export "holdfast:websocket/attachments@0.1.0" (instance $attachments))
"#;
