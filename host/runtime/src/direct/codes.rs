//! `error-code` of `wasi:http` 0.3, and the results which have it, as they lie in a
//! guest's memory or in its registers.

use wasmtime::{AsContextMut, Result};
use wasmtime_wasi_http::p3::bindings::http::types::{
    DnsErrorPayload, ErrorCode as Code, FieldSizePayload, TlsAlertReceivedPayload,
};

use super::Kind;
use super::memory::{Mem, aligned, no_case, offset, room};
use super::pipes::Value;
use crate::guest::Guest;

/// What a case has besides its number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Nothing,
    /// `option<string>`.
    Text,
    /// `option<u32>`.
    Word,
    /// `option<u64>`.
    Long,
    /// `DNS-error-payload`.
    Dns,
    /// `TLS-alert-received-payload`.
    Alert,
    /// `field-size-payload`.
    Field,
    /// `option<field-size-payload>`.
    FieldIfAny,
}

fn form(case: u32) -> Result<Form> {
    Ok(match case {
        1 => Form::Dns,
        14 => Form::Alert,
        17 | 28 => Form::Long,
        21 | 23 | 26 | 29 => Form::Word,
        22 => Form::FieldIfAny,
        24 | 27 | 30 => Form::Field,
        31 | 32 | 38 => Form::Text,
        0..=38 => Form::Nothing,
        other => return no_case(other),
    })
}

/// The content of any of them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Content {
    text: Option<String>,
    number: Option<u64>,
    /// Whether there is a payload, where there may be none.
    is_there: bool,
}

impl Content {
    fn field(self) -> FieldSizePayload {
        FieldSizePayload {
            field_size: self.word(),
            field_name: self.text,
        }
    }

    fn word(&self) -> Option<u32> {
        // Of a number in the flat form, as many bits count as it has.
        self.number.map(|number| number as u32)
    }

    fn of_field(field: FieldSizePayload) -> Self {
        Self {
            text: field.field_name,
            number: field.field_size.map(u64::from),
            is_there: true,
        }
    }

    fn of_text(text: Option<String>) -> Self {
        Self {
            text,
            ..Self::default()
        }
    }

    fn of_number(number: Option<impl Into<u64>>) -> Self {
        Self {
            number: number.map(Into::into),
            ..Self::default()
        }
    }
}

/// The cases without content, in their order among the others.
macro_rules! plain {
    ($($case:literal $name:ident),+ $(,)?) => {
        fn plain(case: u32) -> Option<Code> {
            match case {
                $($case => Some(Code::$name),)+
                _ => None,
            }
        }

        fn plain_case(code: &Code) -> Option<u32> {
            match code {
                $(Code::$name => Some($case),)+
                _ => None,
            }
        }
    };
}

plain!(
    0 DnsTimeout,
    2 DestinationNotFound,
    3 DestinationUnavailable,
    4 DestinationIpProhibited,
    5 DestinationIpUnroutable,
    6 ConnectionRefused,
    7 ConnectionTerminated,
    8 ConnectionTimeout,
    9 ConnectionReadTimeout,
    10 ConnectionWriteTimeout,
    11 ConnectionLimitReached,
    12 TlsProtocolError,
    13 TlsCertificateError,
    15 HttpRequestDenied,
    16 HttpRequestLengthRequired,
    18 HttpRequestMethodInvalid,
    19 HttpRequestUriInvalid,
    20 HttpRequestUriTooLong,
    25 HttpResponseIncomplete,
    33 HttpResponseTimeout,
    34 HttpUpgradeFailed,
    35 HttpProtocolError,
    36 LoopDetected,
    37 ConfigurationError,
);

fn make(case: u32, content: Content) -> Result<Code> {
    if let Some(code) = plain(case) {
        return Ok(code);
    }
    Ok(match case {
        1 => Code::DnsError(DnsErrorPayload {
            info_code: content.number.map(|it| it as u16),
            rcode: content.text,
        }),
        14 => Code::TlsAlertReceived(TlsAlertReceivedPayload {
            alert_id: content.number.map(|it| it as u8),
            alert_message: content.text,
        }),
        17 => Code::HttpRequestBodySize(content.number),
        21 => Code::HttpRequestHeaderSectionSize(content.word()),
        22 => Code::HttpRequestHeaderSize(content.is_there.then(|| content.field())),
        23 => Code::HttpRequestTrailerSectionSize(content.word()),
        24 => Code::HttpRequestTrailerSize(content.field()),
        26 => Code::HttpResponseHeaderSectionSize(content.word()),
        27 => Code::HttpResponseHeaderSize(content.field()),
        28 => Code::HttpResponseBodySize(content.number),
        29 => Code::HttpResponseTrailerSectionSize(content.word()),
        30 => Code::HttpResponseTrailerSize(content.field()),
        31 => Code::HttpResponseTransferCoding(content.text),
        32 => Code::HttpResponseContentCoding(content.text),
        38 => Code::InternalError(content.text),
        other => return no_case(other),
    })
}

fn parts(code: Code) -> (u32, Content) {
    if let Some(case) = plain_case(&code) {
        return (case, Content::default());
    }
    match code {
        Code::DnsError(DnsErrorPayload { rcode, info_code }) => {
            let mut content = Content::of_number(info_code);
            content.text = rcode;
            (1, content)
        }
        Code::TlsAlertReceived(alert) => {
            let mut content = Content::of_number(alert.alert_id);
            content.text = alert.alert_message;
            (14, content)
        }
        Code::HttpRequestBodySize(size) => (17, Content::of_number(size)),
        Code::HttpRequestHeaderSectionSize(size) => (21, Content::of_number(size)),
        Code::HttpRequestHeaderSize(field) => {
            (22, field.map(Content::of_field).unwrap_or_default())
        }
        Code::HttpRequestTrailerSectionSize(size) => (23, Content::of_number(size)),
        Code::HttpRequestTrailerSize(field) => (24, Content::of_field(field)),
        Code::HttpResponseHeaderSectionSize(size) => (26, Content::of_number(size)),
        Code::HttpResponseHeaderSize(field) => (27, Content::of_field(field)),
        Code::HttpResponseBodySize(size) => (28, Content::of_number(size)),
        Code::HttpResponseTrailerSectionSize(size) => (29, Content::of_number(size)),
        Code::HttpResponseTrailerSize(field) => (30, Content::of_field(field)),
        Code::HttpResponseTransferCoding(text) => (31, Content::of_text(text)),
        Code::HttpResponseContentCoding(text) => (32, Content::of_text(text)),
        Code::InternalError(text) => (38, Content::of_text(text)),
        // The others have no content.
        _ => (38, Content::default()),
    }
}

/// Whether an option is there, by its case.
fn is_some(case: u32) -> Result<bool> {
    match case {
        0 => Ok(false),
        1 => Ok(true),
        other => no_case(other),
    }
}

fn text(memory: &Mem<'_>, case: u32, at: u32, len: u32) -> Result<Option<String>> {
    /// An error need not say more.
    const LEN_MAX: u32 = 64 << 10;
    match is_some(case)? {
        true if len <= LEN_MAX => Ok(Some(memory.text(at, len)?.to_owned())),
        // Perhaps it is cut within a character.
        true => {
            let bytes = memory.bytes(at, LEN_MAX)?;
            Ok(Some(String::from_utf8_lossy(bytes).into_owned()))
        }
        false => Ok(None),
    }
}

/// What a handler of HTTP gives to `task.return`.
pub(super) type Flat = (u32, u32, u32, u64, u32, u32, u32, u32);

/// The code of a failure that was returned; its case is the second number.
pub(super) fn returned(memory: &Mem<'_>, flat: Flat) -> Result<Code> {
    let (_, case, first, second, third, fourth, fifth, sixth) = flat;
    let low = second as u32;
    let some = |case: u32, number: u64| Ok::<_, wasmtime::Error>(is_some(case)?.then_some(number));
    let mut content = Content::default();
    match form(case)? {
        Form::Nothing => {}
        Form::Text => content.text = text(memory, first, low, third)?,
        Form::Word | Form::Long => content.number = some(first, second)?,
        Form::Dns | Form::Field => {
            content.text = text(memory, first, low, third)?;
            content.number = some(fourth, fifth.into())?;
        }
        Form::Alert => {
            content.number = some(first, low.into())?;
            content.text = text(memory, third, fourth, fifth)?;
        }
        Form::FieldIfAny => {
            content.is_there = is_some(first)?;
            if content.is_there {
                content.text = text(memory, low, third, fourth)?;
                content.number = some(fifth, sixth.into())?;
            }
        }
    }
    make(case, content)
}

/// `result<option<trailers>, error-code>`, with the handle of the trailers.
pub(super) fn ending(memory: &Mem<'_>, at: u32) -> Result<Result<Option<u32>, Code>> {
    let at = aligned(at, 8)?;
    let content = offset(at, 8)?;
    match memory.byte(at)? {
        0 => match is_some(memory.byte(content)?.into())? {
            true => Ok(Ok(Some(memory.word(offset(content, 4)?)?))),
            false => Ok(Ok(None)),
        },
        1 => Ok(Err(code(memory, content)?)),
        other => no_case(other.into()),
    }
}

/// `error-code`.
fn code(memory: &Mem<'_>, at: u32) -> Result<Code> {
    let case = u32::from(memory.byte(at)?);
    let at = offset(at, 8)?;
    let by = |by: u32| offset(at, by);
    let text_at = |at: u32| {
        let (case, (text_at, len)) = (memory.byte(at)?, memory.span(offset(at, 4)?)?);
        text(memory, case.into(), text_at, len)
    };
    let word_at = |at: u32| match is_some(memory.byte(at)?.into())? {
        true => Ok::<_, wasmtime::Error>(Some(u64::from(memory.word(offset(at, 4)?)?))),
        false => Ok(None),
    };
    let mut content = Content::default();
    match form(case)? {
        Form::Nothing => {}
        Form::Text => content.text = text_at(at)?,
        Form::Word => content.number = word_at(at)?,
        Form::Long => {
            if is_some(memory.byte(at)?.into())? {
                content.number = Some(memory.long(by(8)?)?);
            }
        }
        Form::Dns => {
            content.text = text_at(at)?;
            if is_some(memory.byte(by(12)?)?.into())? {
                content.number = Some(memory.short(by(14)?)?.into());
            }
        }
        Form::Alert => {
            if is_some(memory.byte(at)?.into())? {
                content.number = Some(memory.byte(by(1)?)?.into());
            }
            content.text = text_at(by(4)?)?;
        }
        Form::Field => {
            content.text = text_at(at)?;
            content.number = word_at(by(12)?)?;
        }
        Form::FieldIfAny => {
            content.is_there = is_some(memory.byte(at)?.into())?;
            if content.is_there {
                content.text = text_at(by(4)?)?;
                content.number = word_at(by(16)?)?;
            }
        }
    }
    make(case, content)
}

/// Writes the value of a future to where the guest reads it.
pub(crate) async fn put_value(
    mut store: impl AsContextMut<Data = Guest>,
    at: u32,
    value: Value,
) -> Result<()> {
    let mut store = store.as_context_mut();
    let at = aligned(at, 8)?;
    let content = offset(at, 8)?;
    let failure = match value {
        Value::Sent(Ok(())) => None,
        Value::Ending(Ok(trailers)) => {
            let trailers = match trailers {
                Some(fields) => Some(
                    store
                        .data_mut()
                        .direct
                        .handles
                        .give(Kind::Fields, &fields)?,
                ),
                None => None,
            };
            let memory = store.data().direct.memory()?;
            let mut memory = Mem::new(memory.data_mut(&mut store));
            memory.put(content, &[u8::from(trailers.is_some())])?;
            memory.put(
                offset(content, 4)?,
                &trailers.unwrap_or_default().to_le_bytes(),
            )?;
            None
        }
        Value::Response(Ok(response)) => {
            let response = store
                .data_mut()
                .direct
                .handles
                .give(Kind::Response, &response)?;
            let memory = store.data().direct.memory()?;
            let mut memory = Mem::new(memory.data_mut(&mut store));
            memory.put(content, &response.to_le_bytes())?;
            None
        }
        Value::Sent(Err(code)) | Value::Ending(Err(code)) | Value::Response(Err(code)) => {
            Some(code)
        }
    };
    let is_failed = u8::from(failure.is_some());
    if let Some(code) = failure {
        put_code(&mut store, content, code).await?;
    }
    let memory = store.data().direct.memory()?;
    Mem::new(memory.data_mut(&mut store)).put(at, &[is_failed])
}

async fn put_code(
    store: &mut wasmtime::StoreContextMut<'_, Guest>,
    at: u32,
    code: Code,
) -> Result<()> {
    let (case, content) = parts(code);
    let text = match &content.text {
        Some(text) => Some((room(&mut *store, 1, text.len()).await?, text)),
        None => None,
    };
    let memory = store.data().direct.memory()?;
    let mut memory = Mem::new(memory.data_mut(store));
    memory.put(at, &[case as u8])?;
    let at = offset(at, 8)?;
    let by = |by: u32| offset(at, by);
    let is_number = [u8::from(content.number.is_some())];
    let number = content.number.unwrap_or_default();
    let put_text = |memory: &mut Mem<'_>, at: u32| {
        memory.put(at, &[u8::from(text.is_some())])?;
        match text {
            Some((text_at, text)) => {
                memory.put(text_at, text.as_bytes())?;
                memory.put_span(offset(at, 4)?, text_at, text.len())
            }
            None => Ok(()),
        }
    };
    let put_word = |memory: &mut Mem<'_>, at: u32| {
        memory.put(at, &is_number)?;
        memory.put(offset(at, 4)?, &(number as u32).to_le_bytes())
    };
    match form(case)? {
        Form::Nothing => Ok(()),
        Form::Text => put_text(&mut memory, at),
        Form::Word => put_word(&mut memory, at),
        Form::Long => {
            memory.put(at, &is_number)?;
            memory.put(by(8)?, &number.to_le_bytes())
        }
        Form::Dns => {
            put_text(&mut memory, at)?;
            memory.put(by(12)?, &is_number)?;
            memory.put(by(14)?, &(number as u16).to_le_bytes())
        }
        Form::Alert => {
            memory.put(at, &is_number)?;
            memory.put(by(1)?, &[number as u8])?;
            put_text(&mut memory, by(4)?)
        }
        Form::Field => {
            put_text(&mut memory, at)?;
            put_word(&mut memory, by(12)?)
        }
        Form::FieldIfAny => {
            memory.put(at, &[u8::from(content.is_there)])?;
            if content.is_there {
                put_text(&mut memory, by(4)?)?;
                put_word(&mut memory, by(16)?)?;
            }
            Ok(())
        }
    }
}
