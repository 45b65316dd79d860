//! The OpenAPI 3.1 document, made of the table of routes and of the types that
//! are read and written.

use holdfast_core::manifest::Role;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::failure::Denial;
use super::table::{Body, Given, JSON, ROUTES, Route, Verb};

/// Where schemas are in the document.
const DEFINITIONS: &str = "/components/schemas";

/// The whole document.
pub(super) fn document() -> Value {
    let settings = SchemaSettings::draft2020_12().with(|settings| {
        settings.definitions_path = DEFINITIONS.into();
        settings.meta_schema = None;
    });
    let mut schemas = Schemas {
        read: settings.clone().for_deserialize().into_generator(),
        written: settings.for_serialize().into_generator(),
    };
    let mut paths: Map<String, Value> = Map::new();
    for route in &ROUTES {
        let operation = operation(route, &mut schemas);
        let item = paths.entry(route.path).or_insert_with(|| json!({}));
        if let Some(item) = item.as_object_mut() {
            item.insert(verb(route.verb).to_owned(), operation);
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Holdfast",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What a running host can be asked on its admin listener.",
            "license": { "name": "Apache-2.0 WITH LLVM-exception" },
        },
        "paths": paths,
        "components": {
            "schemas": schemas.definitions(),
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
        },
    })
}

/// What is read need not have all that is written, so each has a generator.
struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Schemas {
    fn definitions(mut self) -> Value {
        let mut all = self.read.take_definitions(true);
        for (name, schema) in self.written.take_definitions(true) {
            let other = all.insert(name, schema);
            debug_assert!(other.is_none(), "two types have one name: {other:?}");
        }
        let mut names: Vec<_> = all.keys().cloned().collect();
        names.sort();
        let sorted = names.into_iter().filter_map(|name| all.remove_entry(&name));
        Value::Object(sorted.collect())
    }
}

fn verb(verb: Verb) -> &'static str {
    match verb {
        Verb::Get => "get",
        Verb::Post => "post",
        Verb::Put => "put",
    }
}

fn operation(route: &Route, schemas: &mut Schemas) -> Value {
    let security = match route.role {
        Some(_) => json!([{ "token": [] }]),
        None => json!([]),
    };
    let description = match route.role {
        Some(role) => format!("The least role for it is `{}`.", role.name()),
        None => "No token has to be shown.".to_owned(),
    };
    let query = route.query.iter().map(|parameter| {
        json!({
            "name": parameter.name,
            "in": "query",
            "description": parameter.description,
            "schema": (parameter.schema)(),
        })
    });
    let mut operation = json!({
        "summary": route.summary,
        "description": description,
        "security": security,
        "parameters": path_parameters(route.path).chain(query).collect::<Vec<_>>(),
        "responses": responses(route, schemas),
    });
    if let (Some(body), Some(operation)) = (body(route, schemas), operation.as_object_mut()) {
        operation.insert("requestBody".to_owned(), body);
    }
    operation
}

fn path_parameters(path: &str) -> impl Iterator<Item = Value> {
    let names = path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?;
        name.strip_suffix('}')
    });
    names.map(|name| {
        let pattern = match name {
            "connection" => "^[0-9a-f]{32}$",
            _ => "^[A-Za-z0-9_-]{1,64}$",
        };
        json!({
            "name": name,
            "in": "path",
            "required": true,
            "schema": { "type": "string", "pattern": pattern },
        })
    })
}

fn body(route: &Route, schemas: &mut Schemas) -> Option<Value> {
    let (is_required, content) = match route.body {
        Body::Nothing => return None,
        Body::Json(schema) => (
            true,
            json!({ JSON: { "schema": schema(&mut schemas.read) } }),
        ),
        Body::MaybeJson(schema) => (
            false,
            json!({ JSON: { "schema": schema(&mut schemas.read) } }),
        ),
        // Whatever it is called, it is taken as one.
        Body::Component => {
            let bytes = json!({ "schema": { "type": "string", "format": "binary" } });
            let content = json!({ "application/wasm": bytes, "application/octet-stream": bytes });
            (true, content)
        }
    };
    Some(json!({ "required": is_required, "content": content }))
}

fn responses(route: &Route, schemas: &mut Schemas) -> Value {
    let given = match route.answer {
        Given::Json(schema) => {
            json!({ JSON: { "schema": schema(&mut schemas.written) } })
        }
        Given::Object => json!({ JSON: { "schema": { "type": "object" } } }),
        Given::Text(content_type) => json!({ content_type: { "schema": { "type": "string" } } }),
    };
    let mut responses = Map::new();
    let good = json!({ "description": "It is so, or it is done.", "content": given });
    responses.insert("200".to_owned(), good);
    let denial = schemas.written.subschema_for::<Denial>();
    let mut statuses: Vec<_> = failures(route).collect();
    statuses.sort_unstable();
    for status in statuses {
        let answer = json!({
            "description": sentence(status),
            "content": { JSON: { "schema": denial } },
        });
        responses.insert(status.to_string(), answer);
    }
    let too_long = json!({ "description": "The head of the request is too large." });
    responses.insert("431".to_owned(), too_long);
    Value::Object(responses)
}

/// Statuses of what can go wrong.
fn failures(route: &Route) -> impl Iterator<Item = u16> {
    let has_role = route.role.is_some();
    let has_names = route.path.contains('{');
    let implied = [
        // At least a parameter that is not known.
        (400, true),
        (401, has_role),
        (403, route.role > Some(Role::ReadOnly)),
        (404, has_names),
        // An unknown cursor.
        (422, route.query.iter().any(|it| it.name == "cursor")),
    ];
    let implied = implied.into_iter().filter(|(_, is_so)| *is_so);
    let statuses = route.statuses.iter().copied();
    let implied: Vec<_> = implied.map(|(status, _)| status).collect();
    let own = statuses.filter({
        let implied = implied.clone();
        move |status| !implied.contains(status)
    });
    own.chain(implied)
}

fn sentence(status: u16) -> &'static str {
    match status {
        400 => "The request is not as it has to be.",
        401 => "The token is missing or wrong.",
        403 => "The token's role is too low.",
        404 => "There is no such thing, or none that this token may know of.",
        409 => "Not as things are now.",
        413 => "Too large.",
        422 => "Well formed, but it can't be done.",
        503 => "The host is ending, or has much to do.",
        507 => "It can't be kept.",
        _ => "It has failed.",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The document as it is kept, for people and for tools without a host.
    const KEPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

    #[test]
    fn the_kept_document_is_up_to_date() {
        let mut text = serde_json::to_string_pretty(&document()).unwrap();
        text.push('\n');
        if std::env::var_os("HOLDFAST_WRITE_OPENAPI").is_some() {
            std::fs::write(KEPT, &text).unwrap();
        }
        let kept = std::fs::read_to_string(KEPT).unwrap_or_default();
        assert!(
            kept == text,
            "docs/openapi.json is out of date: run `cargo xtask openapi`"
        );
    }
}
