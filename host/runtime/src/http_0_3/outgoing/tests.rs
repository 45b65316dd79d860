//! How the two ends of a body meet, without a guest.

use http_body_util::BodyExt;

use super::*;

fn body(length: Option<u64>) -> Outgoing {
    let flow = Flow {
        length: Length {
            declared: length,
            mismatch: Some(ErrorCode::HttpResponseBodySize),
            ..Length::default()
        },
        ..Flow::default()
    };
    Outgoing(Arc::new(Mutex::new(flow)))
}

/// As the writer does it: what there is room for.
fn write(body: &Outgoing, bytes: &[u8]) -> Option<usize> {
    let mut flow = lock(&body.0);
    let room = flow.room(bytes.len())?;
    flow.bytes.extend_from_slice(&bytes[..room]);
    Some(room)
}

fn end(body: &Outgoing, ending: Result<Option<HeaderMap>, ErrorCode>) {
    let mut flow = lock(&body.0);
    flow.end();
    flow.ending = Some(ending);
}

fn next(body: &mut Outgoing) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
    Pin::new(body).poll_frame(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn a_complete_body_is_taken_whole() {
    let mut body = body(Some(2));
    assert_eq!(write(&body, b"a"), Some(1));
    assert_eq!(body.take_whole(), None);
    assert_eq!(write(&body, b"b"), Some(1));
    end(&body, Ok(None));
    assert!(!body.is_end_stream());
    assert_eq!(body.take_whole().unwrap(), "ab");
    assert!(body.is_end_stream());
    assert!(matches!(next(&mut body), Poll::Ready(None)));
}

#[test]
fn one_that_was_begun_or_has_trailers_streams() {
    let mut body = body(None);
    write(&body, b"a");
    assert!(matches!(next(&mut body), Poll::Ready(Some(Ok(_)))));
    assert!(next(&mut body).is_pending());
    let mut trailers = HeaderMap::new();
    trailers.insert("a", http::HeaderValue::from_static("b"));
    end(&body, Ok(Some(trailers)));
    assert_eq!(body.take_whole(), None);
    let Poll::Ready(Some(Ok(frame))) = next(&mut body) else {
        panic!("there are trailers");
    };
    assert_eq!(frame.into_trailers().unwrap()["a"], "b");
    assert!(matches!(next(&mut body), Poll::Ready(None)));
}

#[test]
fn a_writer_waits_when_a_piece_is_there() {
    let mut body = body(None);
    assert_eq!(write(&body, &[0; BYTES_MAX + 1]), Some(BYTES_MAX));
    assert_eq!(write(&body, b"a"), Some(0));
    let Poll::Ready(Some(Ok(frame))) = next(&mut body) else {
        panic!("there are bytes");
    };
    assert_eq!(frame.into_data().unwrap().len(), BYTES_MAX);
    assert_eq!(write(&body, b"a"), Some(1));
}

#[test]
fn a_body_of_another_length_fails() {
    let runtime = tokio::runtime::Builder::new_current_thread().build();
    let runtime = runtime.unwrap();
    for (written, sent) in [("a", 1), ("abc", 3)] {
        let mut body = body(Some(2));
        let room = write(&body, written.as_bytes());
        assert_eq!(room.is_some(), written.len() < 2);
        end(&body, Ok(None));
        assert_eq!(body.take_whole(), None);
        let error = runtime.block_on(body.collect()).unwrap_err();
        assert!(matches!(error, Error::HttpResponseBodySize(Some(it)) if it == sent));
    }
}

#[test]
fn a_broken_off_body_fails_and_one_given_up_takes_no_more() {
    let mut broken = body(None);
    end(&broken, Err(ErrorCode::InternalError(None)));
    assert_eq!(broken.take_whole(), None);
    assert!(matches!(next(&mut broken), Poll::Ready(Some(Err(_)))));
    let given_up = body(None);
    let flow = Arc::clone(&given_up.0);
    drop(given_up);
    assert!(matches!(lock(&flow).reading, Reading::GivenUp));
}
