//! Input transformers (EventBridge User Guide, "Amazon EventBridge input transformation").

use std::collections::BTreeMap;

use aws_sdk_eventbridge::types::InputTransformer;
use serde_json::Value;

use super::{Occasion, path};

/// The template with its variables filled in.
///
/// Quotes around a variable's text are added where it stands for a whole value. Within quotes a text is put in as it is,
/// unescaped, and an object or array without its own quotes. What comes out must be JSON.
pub(super) fn fill(transformer: &InputTransformer, occasion: &Occasion) -> Result<String, String> {
    let variables = variables(transformer, occasion)?;
    let filled = render(&transformer.input_template, &variables);
    match serde_json::from_str::<serde::de::IgnoredAny>(&filled) {
        Ok(_) => Ok(filled),
        Err(_) => Err(format!("not delivered: the input transformer makes no JSON: {filled}")),
    }
}

fn variables(transformer: &InputTransformer, occasion: &Occasion) -> Result<BTreeMap<String, Value>, String> {
    let mut variables = BTreeMap::new();
    for (name, path) in transformer.input_paths_map.iter().flatten() {
        // A variable whose path leads nowhere does not appear in the output.
        let found = path::find(&occasion.event, path)?;
        variables.insert(name.clone(), found.unwrap_or_else(|| Value::String(String::new())));
    }
    let mut envelope = Value::clone(&occasion.event);
    if let Some(members) = envelope.as_object_mut() {
        members.shift_remove("detail");
    }
    let received = crate::time::iso_seconds(occasion.received);
    // These names are reserved: no path of one's own goes before them.
    variables.extend([
        ("aws.events.rule-arn".to_owned(), occasion.rule_arn.as_str().into()),
        ("aws.events.rule-name".to_owned(), occasion.rule_name.as_str().into()),
        ("aws.events.event.ingestion-time".to_owned(), received.into()),
        ("aws.events.event".to_owned(), envelope),
        ("aws.events.event.json".to_owned(), Value::clone(&occasion.event)),
    ]);
    Ok(variables)
}

fn render(template: &str, variables: &BTreeMap<String, Value>) -> String {
    let (mut filled, mut quoted, mut rest) = (String::new(), false, template);
    while let Some(c) = rest.chars().next() {
        let variable = rest.strip_prefix('<').and_then(|inner| inner.split_once('>'));
        if let Some((value, after)) = variable.and_then(|(name, after)| Some((variables.get(name)?, after))) {
            filled.push_str(&text(value, quoted));
            rest = after;
            continue;
        }
        // A backslash takes the character after it along.
        let length =
            if quoted && c == '\\' { rest.chars().take(2).map(char::len_utf8).sum() } else { c.len_utf8() };
        quoted ^= c == '"';
        filled.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    filled
}

fn text(value: &Value, quoted: bool) -> String {
    match (value, quoted) {
        (Value::String(text), true) => text.clone(),
        (Value::Object(_) | Value::Array(_), true) => value.to_string().replace('"', ""),
        _ => value.to_string(),
    }
}
