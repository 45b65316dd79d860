//! Whether answers of the admin listener are as the OpenAPI document says.
//!
//! It knows the keywords that the document uses; of any other it says so, lest
//! something be promised that nobody checks.

use std::sync::OnceLock;

use serde_json::{Map, Value};

use crate::http::Response;

/// The document.
pub const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/openapi.json");

/// What is said of a value and not of what it may be.
const REMARKS: [&str; 4] = ["description", "title", "default", "format"];

/// The document.
pub fn document() -> &'static Value {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    DOCUMENT.get_or_init(|| {
        let text = std::fs::read_to_string(FILE).expect("docs/openapi.json");
        serde_json::from_str(&text).expect("JSON")
    })
}

/// All operations: method, path, and what is said of them.
pub fn operations() -> impl Iterator<Item = (String, &'static str, &'static Value)> {
    let paths = document()["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, methods)| {
        let methods = methods.as_object().expect("methods").iter();
        methods.map(move |(method, operation)| (method.to_uppercase(), &**path, operation))
    })
}

/// Checks an answer. Requests for which there is no operation are none of its
/// business, but for their status.
pub fn check(method: &str, target: &str, answer: &Response) {
    let path = target.split('?').next().unwrap_or_default();
    let status = answer.status.as_u16();
    let found = operations().find(|(known, form, _)| *known == method && fits(form, path));
    let Some((_, _, operation)) = found else {
        let expected = [401, 404, 405];
        assert!(expected.contains(&status), "{method} {path}: {status}");
        return;
    };
    let described = &operation["responses"][status.to_string()];
    assert!(
        described.is_object(),
        "{method} {path}: the status {status} is not in the document"
    );
    let content_type = answer.header("content-type");
    let content = &described["content"][content_type];
    assert!(
        content.is_object(),
        "{method} {path}: {status} with the type `{content_type}` is not in the document"
    );
    if content_type != "application/json" {
        return;
    }
    let value = serde_json::from_slice(&answer.body).expect("JSON");
    if let Err(error) = conforms(&value, &content["schema"]) {
        panic!("{method} {path}: {status}: {error}\n{value:#}");
    }
}

fn fits(form: &str, path: &str) -> bool {
    let (mut form, mut path) = (form.split('/'), path.split('/'));
    loop {
        match (form.next(), path.next()) {
            (None, None) => return true,
            (Some(form), Some(path)) if form == path || form.starts_with('{') => {}
            _ => return false,
        }
    }
}

/// Whether a value is what a schema says; if not, where and why.
pub fn conforms(value: &Value, schema: &Value) -> Result<(), String> {
    let schema = match schema {
        Value::Bool(true) => return Ok(()),
        Value::Object(schema) => schema,
        other => return Err(format!("no schema: {other}")),
    };
    for (keyword, wanted) in schema {
        keyword_holds(value, keyword, wanted, schema)?;
    }
    Ok(())
}

fn keyword_holds(
    value: &Value,
    keyword: &str,
    wanted: &Value,
    schema: &Map<String, Value>,
) -> Result<(), String> {
    let wrong = || Err(format!("{value} does not fit `{keyword}`: {wanted}"));
    let holds = match keyword {
        _ if REMARKS.contains(&keyword) => true,
        "$ref" => {
            let pointer = wanted
                .as_str()
                .expect("a reference")
                .trim_start_matches('#');
            let target = document().pointer(pointer).expect("what is referred to");
            return conforms(value, target);
        }
        "type" => match wanted {
            Value::Array(types) => types.iter().any(|it| is_of_type(value, it)),
            one => is_of_type(value, one),
        },
        "enum" => wanted.as_array().expect("a list").contains(value),
        "const" => value == wanted,
        "minimum" => value
            .as_f64()
            .is_none_or(|it| it >= wanted.as_f64().expect("a number")),
        "maximum" => value
            .as_f64()
            .is_none_or(|it| it <= wanted.as_f64().expect("a number")),
        "anyOf" => matching(value, wanted) >= 1,
        "oneOf" => matching(value, wanted) == 1,
        "items" => return each(value.as_array().into_iter().flatten(), wanted),
        "required" => value.as_object().is_none_or(|object| {
            let names = wanted.as_array().expect("a list");
            let mut names = names.iter().map(|name| name.as_str().expect("a name"));
            names.all(|name| object.contains_key(name))
        }),
        "properties" => {
            for (name, schema) in wanted.as_object().expect("properties") {
                let value = value.get(name).into_iter();
                each(value, schema).map_err(|error| format!("`{name}`: {error}"))?;
            }
            true
        }
        "additionalProperties" => {
            let known = |name: &String| {
                let known = schema.get("properties");
                known.is_some_and(|known| known.get(name).is_some())
            };
            let object = value.as_object().into_iter().flatten();
            let mut others = object.filter(|(name, _)| !known(name));
            match wanted {
                Value::Bool(false) => others.next().is_none(),
                schema => return each(others.map(|(_, value)| value), schema),
            }
        }
        other => return Err(format!("nobody checks the keyword `{other}`")),
    };
    if holds { Ok(()) } else { wrong() }
}

fn each<'a>(mut values: impl Iterator<Item = &'a Value>, schema: &Value) -> Result<(), String> {
    values.try_for_each(|value| conforms(value, schema))
}

fn matching(value: &Value, schemas: &Value) -> usize {
    let schemas = schemas.as_array().expect("schemas").iter();
    schemas
        .filter(|schema| conforms(value, schema).is_ok())
        .count()
}

fn is_of_type(value: &Value, name: &Value) -> bool {
    match name.as_str().expect("the name of a type") {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "string" => value.is_string(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("no type is called `{other}`"),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn values_are_held_against_their_schemas() {
        let schema = json!({
            "type": "object",
            "required": ["a"],
            "additionalProperties": false,
            "properties": {
                "a": { "type": ["integer", "null"], "minimum": 1 },
                "b": { "type": "array", "items": { "enum": ["x", "y"] } },
                "c": { "anyOf": [{ "type": "string" }, { "type": "boolean" }] },
            },
        });
        for good in [
            json!({ "a": 1 }),
            json!({ "a": null, "b": ["x", "y"], "c": true }),
        ] {
            assert_eq!(conforms(&good, &schema), Ok(()), "{good}");
        }
        for bad in [
            json!([]),
            json!({}),
            json!({ "a": 0 }),
            json!({ "a": "1" }),
            json!({ "a": 1, "b": ["z"] }),
            json!({ "a": 1, "c": 3 }),
            json!({ "a": 1, "d": 3 }),
        ] {
            assert!(conforms(&bad, &schema).is_err(), "{bad}");
        }
        let unknown = conforms(&json!(1), &json!({ "multipleOf": 2 }));
        assert!(unknown.unwrap_err().contains("multipleOf"));
    }
}
