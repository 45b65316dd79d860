//! Keys and values, settings, the log, variables and files, as wasmCloud's users
//! write them.

use wasmcloud_component::http::{self, ErrorCode, IncomingRequest, Response, StatusCode};
use wasmcloud_component::info;
use wasmcloud_component::wasi::config::store as config;
use wasmcloud_component::wasi::keyvalue::{atomics, batch, store};

struct Component;

http::export!(Component);

impl http::Server for Component {
    fn handle(request: IncomingRequest) -> http::Result<Response<impl http::OutgoingBody>> {
        let path = request.uri().path().to_owned();
        let mut words = path.trim_start_matches('/').splitn(3, '/');
        let mut word = || words.next().unwrap_or_default();
        let answer = answer(word(), word(), word());
        let answer = answer.map_err(|text| ErrorCode::InternalError(Some(text)))?;
        let response = Response::builder().status(match answer {
            Some(_) => StatusCode::OK,
            None => StatusCode::NOT_FOUND,
        });
        let response = response.body(answer.unwrap_or_default());
        response.map_err(|error| ErrorCode::InternalError(Some(error.to_string())))
    }
}

fn answer(command: &str, one: &str, two: &str) -> Result<Option<String>, String> {
    let bucket = || store::open("default").map_err(said);
    let text = |value: Vec<u8>| String::from_utf8_lossy(&value).into_owned();
    Ok(match command {
        "hello" => Some("Hello from wasmCloud".to_owned()),
        "get" => bucket()?.get(one).map_err(said)?.map(text),
        "set" => {
            bucket()?.set(one, two.as_bytes()).map_err(said)?;
            Some("set".to_owned())
        }
        "delete" => {
            bucket()?.delete(one).map_err(said)?;
            Some("deleted".to_owned())
        }
        "exists" => Some(bucket()?.exists(one).map_err(said)?.to_string()),
        "increment" => {
            let delta = two.parse().map_err(|_| "no number")?;
            let sum = atomics::increment(&bucket()?, one, delta).map_err(said)?;
            Some(sum.to_string())
        }
        "fill" => {
            let keys = (0..one.parse().map_err(|_| "no number")?).map(|key| format!("k{key:05}"));
            let pairs: Vec<_> = keys.map(|key| (key, b"x".to_vec())).collect();
            for some in pairs.chunks(1000) {
                batch::set_many(&bucket()?, some).map_err(said)?;
            }
            Some(pairs.len().to_string())
        }
        // With the places at which the list goes on.
        "keys" => {
            let bucket = bucket()?;
            let (mut keys, mut cursor, mut pages) = (Vec::new(), None, 0);
            loop {
                let page = bucket.list_keys(cursor).map_err(said)?;
                keys.extend(page.keys);
                cursor = page.cursor;
                pages += 1;
                if cursor.is_none() {
                    break;
                }
            }
            keys.dedup();
            Some(format!("{} keys on {pages} pages", keys.len()))
        }
        "many" => {
            let keys = [one.to_owned(), two.to_owned()];
            let values = batch::get_many(&bucket()?, &keys).map_err(said)?;
            let values = values.into_iter().map(|pair| match pair {
                Some((key, value)) => format!("{key}={}", text(value)),
                None => "none".to_owned(),
            });
            Some(values.collect::<Vec<_>>().join(" "))
        }
        "config" => config::get(one).map_err(|error| format!("{error:?}"))?,
        "log" => {
            info!("{one}");
            Some("logged".to_owned())
        }
        "env" => std::env::var(one).ok(),
        "file" => Some(file(&format!("/{one}/{two}"))),
        "write" => Some(match std::fs::write(format!("/{one}/{two}"), "x") {
            Ok(()) => "written".to_owned(),
            Err(error) => error.to_string(),
        }),
        "open" => Some(open(
            &format!("/{two}"),
            one.parse().map_err(|_| "no number")?,
        )),
        _ => None,
    })
}

fn file(path: &str) -> String {
    match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => error.to_string(),
    }
}

/// How often a file can be opened.
fn open(path: &str, count: usize) -> String {
    let mut files = Vec::new();
    for _ in 0..count {
        match std::fs::File::open(path) {
            Ok(file) => files.push(file),
            Err(error) => return format!("{} and then {:?}", files.len(), error.kind()),
        }
    }
    files.len().to_string()
}

fn said(error: store::Error) -> String {
    format!("{error:?}")
}
