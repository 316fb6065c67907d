//! `openapi.yaml`, read and asked.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

/// The methods of a path item that we may use.
const METHODS: [&str; 5] = ["get", "put", "post", "delete", "patch"];

pub(super) struct Contract(Value);

/// One method of one path.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Operation {
    pub(super) method: String,
    pub(super) path: String,
}

impl Contract {
    pub(super) fn read() -> Self {
        let text = include_str!("../../../openapi.yaml");
        Self(serde_norway::from_str(text).expect("openapi.yaml is YAML"))
    }

    pub(super) fn operations(&self) -> BTreeSet<Operation> {
        let paths = self.0["paths"].as_object().expect("paths");
        let of_path = |(path, item): (&String, &Value)| {
            let there = METHODS.iter().filter(|method| item.get(**method).is_some());
            there
                .map(|method| Operation { method: method.to_uppercase(), path: path.clone() })
                .collect::<Vec<_>>()
        };
        paths.iter().flat_map(of_path).collect()
    }

    pub(super) fn operation(&self, operation: &Operation) -> &Value {
        let found = &self.0["paths"][&operation.path][operation.method.to_lowercase()];
        assert!(found.is_object(), "{operation:?} is not documented");
        found
    }

    /// The documented statuses.
    pub(super) fn statuses(&self, operation: &Operation) -> BTreeSet<u16> {
        let responses = self.operation(operation)["responses"].as_object().expect("responses");
        responses.keys().map(|status| status.parse().expect("a status")).collect()
    }

    pub(super) fn response(&self, operation: &Operation, status: u16) -> &Value {
        let found = &self.operation(operation)["responses"][status.to_string()];
        assert!(found.is_object(), "{operation:?} answered {status}, which is not documented");
        self.target(found)
    }

    /// The `code`s of problem documents.
    pub(super) fn codes(&self) -> BTreeSet<String> {
        let codes = self.schema("Problem")["properties"]["code"]["enum"].as_array().expect("a list of codes");
        codes.iter().map(|code| code.as_str().expect("a word").to_owned()).collect()
    }

    pub(super) fn schema(&self, name: &str) -> &Value {
        let found = &self.0["components"]["schemas"][name];
        assert!(found.is_object(), "there is no schema {name}");
        found
    }

    /// What is wrong with `value`: where it breaks `schema`, and what `schema` does not name.
    pub(super) fn faults(&self, schema: &Value, value: &Value) -> Vec<String> {
        let mut faults = self.broken(schema, value);
        self.find_unnamed(&[schema], value, "", &mut faults);
        faults
    }

    /// Where `value` breaks `schema`.
    pub(super) fn broken(&self, schema: &Value, value: &Value) -> Vec<String> {
        let whole = json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "components": self.0["components"],
            "allOf": [schema],
        });
        let validator = jsonschema::options().should_validate_formats(true).build(&whole);
        let validator = validator.unwrap_or_else(|error| panic!("{error} in {schema}"));
        let broken = validator.iter_errors(value);
        broken.map(|error| format!("{error} at `{}`", error.instance_path())).collect()
    }

    /// Readers ignore members they do not know, but we leave none undocumented.
    fn find_unnamed(&self, schemas: &[&Value], value: &Value, at: &str, faults: &mut Vec<String>) {
        let parts: Vec<&Value> = schemas.iter().flat_map(|schema| self.parts(schema)).collect();
        let below = |name: &str| {
            let named = |part: &&'_ Value| part["properties"].get(name).is_some();
            let of_part = |part: &&Value| part["properties"][name].clone();
            let any = |part: &&Value| part.get("additionalProperties").filter(|any| any.is_object()).cloned();
            let named: Vec<Value> = parts.iter().filter(|part| named(part)).map(of_part).collect();
            if named.is_empty() { parts.iter().filter_map(any).collect() } else { named }
        };
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let schemas = below(name);
                    if schemas.is_empty() {
                        faults.push(format!("`{at}/{name}` is not documented"));
                    }
                    let schemas: Vec<&Value> = schemas.iter().collect();
                    self.find_unnamed(&schemas, member, &format!("{at}/{name}"), faults);
                }
            }
            Value::Array(items) => {
                let schemas: Vec<&Value> = parts.iter().filter_map(|part| part.get("items")).collect();
                for item in items {
                    self.find_unnamed(&schemas, item, &format!("{at}/*"), faults);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }

    /// A schema and all that it is put together of.
    fn parts<'v>(&'v self, schema: &'v Value) -> Vec<&'v Value> {
        let schema = self.target(schema);
        let mut parts = vec![schema];
        for word in ["allOf", "oneOf", "anyOf"] {
            for part in schema.get(word).and_then(Value::as_array).into_iter().flatten() {
                parts.extend(self.parts(part));
            }
        }
        parts
    }

    fn target<'v>(&'v self, node: &'v Value) -> &'v Value {
        match node.get("$ref").and_then(Value::as_str) {
            Some(reference) => {
                let pointer = reference.strip_prefix('#').expect("references stay within the file");
                self.target(self.0.pointer(pointer).unwrap_or_else(|| panic!("{reference} leads nowhere")))
            }
            None => node,
        }
    }
}

/// The examples of a media type, each with its name.
pub(super) fn examples(media: &Value) -> Vec<(String, Value)> {
    let none = Map::new();
    let several = media.get("examples").and_then(Value::as_object).unwrap_or(&none);
    let several = several.iter().map(|(name, example)| (name.clone(), example["value"].clone()));
    media.get("example").map(|one| (String::new(), one.clone())).into_iter().chain(several).collect()
}
