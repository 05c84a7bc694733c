//! Records whose later versions earlier readers open, and write back without loss.
//!
//! For that to hold, a later version may add members to maps, and never changes what a member means.

use ciborium::{Value, value};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// A value together with whatever its bytes said beyond it.
///
/// A reader of this version finds members that a later version added: they are kept, at any depth within maps, and written
/// back when the value is encoded again, changed or not. Arrays are taken whole: of an array that this version knows, what
/// it does not know within the elements is lost, so a later version adds nothing there. A map that takes the place of
/// another takes over what is unknown within that one.
///
/// The bytes are canonical CBOR (RFC 8949, section 4.2.1): equal values, with equal unknown members, are equal bytes.
///
/// ```
/// use dynachain::evolving::Evolving;
///
/// #[derive(serde::Serialize)]
/// struct Later { size: u32, colour: &'static str }
/// #[derive(serde::Serialize, serde::Deserialize)]
/// struct Ours { size: u32 }
///
/// let mut ours: Evolving<Ours> = Evolving::decode(&Evolving::new(Later { size: 1, colour: "red" }).encode()?)?;
/// ours.value.size = 2;
/// assert_eq!(ours.encode()?, Evolving::new(Later { size: 2, colour: "red" }).encode()?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Evolving<T> {
    /// The value, as far as this version knows it.
    pub value: T,
    unknown: Vec<(Value, Unknown)>,
}

/// A member that this version does not know: as a whole, or only something within it.
#[derive(Clone, Debug, PartialEq)]
enum Unknown {
    Whole(Value),
    Within(Vec<(Value, Unknown)>),
}

/// The bytes are not what a version of this program writes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record does not decode: {0}")]
pub struct DecodeError(String);

/// The value has no form in CBOR, because its own [`Serialize`] gives an error.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the record does not encode: {0}")]
pub struct EncodeError(String);

impl<T> Evolving<T> {
    /// A value that this version makes.
    pub fn new(value: T) -> Self {
        Self { value, unknown: Vec::new() }
    }
}

impl<T: Serialize> Evolving<T> {
    /// The value in CBOR, with the members it does not know.
    ///
    /// # Errors
    /// When the value refuses to be serialised; plain data never does.
    pub fn encode(&self) -> Result<Vec<u8>, EncodeError> {
        let mut tree = Value::serialized(&self.value).map_err(|error| EncodeError(said(error)))?;
        if let Value::Map(members) = &mut tree {
            add(members, &self.unknown);
        }
        written(&canonical(tree)?)
    }
}

impl<T: Serialize + DeserializeOwned> Evolving<T> {
    /// Reads what this or another version encoded.
    ///
    /// # Errors
    /// When the bytes are not one CBOR item, lack something that this version needs, or hold a member that is not of its
    /// kind.
    pub fn decode(mut bytes: &[u8]) -> Result<Self, DecodeError> {
        let found: Value =
            ciborium::from_reader(&mut bytes).map_err(|error| DecodeError(error.to_string()))?;
        if !bytes.is_empty() {
            return Err(DecodeError(format!("{} bytes follow its end", bytes.len())));
        }
        let value: T = found.deserialized().map_err(|error| DecodeError(said(error)))?;
        let known = Value::serialized(&value).map_err(|error| DecodeError(said(error)))?;
        let unknown = match (found, known) {
            (Value::Map(found), Value::Map(known)) => subtract(found, &known),
            _ => Vec::new(),
        };
        Ok(Self { value, unknown })
    }
}

fn said(error: value::Error) -> String {
    let value::Error::Custom(text) = error;
    text
}

/// What `found` says beyond `known`.
fn subtract(found: Vec<(Value, Value)>, known: &[(Value, Value)]) -> Vec<(Value, Unknown)> {
    let mut unknown = Vec::new();
    for (name, found) in found {
        match (found, lookup(known, &name)) {
            (found, None) => unknown.push((name, Unknown::Whole(found))),
            (Value::Map(found), Some(Value::Map(known))) => {
                let within = subtract(found, known);
                if !within.is_empty() {
                    unknown.push((name, Unknown::Within(within)));
                }
            }
            _ => {}
        }
    }
    unknown
}

/// Adds what is unknown; what this version says itself stays.
fn add(members: &mut Vec<(Value, Value)>, unknown: &[(Value, Unknown)]) {
    for (name, unknown) in unknown {
        let ours = members.iter_mut().find(|(ours, _)| ours == name);
        match (unknown, ours) {
            (Unknown::Whole(value), None) => members.push((name.clone(), value.clone())),
            (Unknown::Within(within), Some((_, Value::Map(members)))) => add(members, within),
            // A member that we removed takes what is unknown within it along.
            _ => {}
        }
    }
}

fn lookup<'a>(members: &'a [(Value, Value)], name: &Value) -> Option<&'a Value> {
    members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
}

/// The same value, map keys in the order of their encoded bytes.
fn canonical(value: Value) -> Result<Value, EncodeError> {
    Ok(match value {
        Value::Map(members) => {
            let mut sorted = Vec::with_capacity(members.len());
            for (name, member) in members {
                let name = canonical(name)?;
                sorted.push((written(&name)?, (name, canonical(member)?)));
            }
            sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
            Value::Map(sorted.into_iter().map(|(_, member)| member).collect())
        }
        Value::Array(elements) => {
            Value::Array(elements.into_iter().map(canonical).collect::<Result<_, _>>()?)
        }
        Value::Tag(tag, tagged) => Value::Tag(tag, Box::new(canonical(*tagged)?)),
        other => other,
    })
}

fn written(value: &Value) -> Result<Vec<u8>, EncodeError> {
    let mut bytes = Vec::new();
    ciborium::into_writer(value, &mut bytes).map_err(|error| EncodeError(error.to_string()))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use ciborium::cbor;
    use serde::{Deserialize, Serializer};

    use super::*;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Old {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(default)]
        inner: BTreeMap<String, OldInner>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct OldInner {
        days: u32,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct New {
        name: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
        #[serde(default)]
        inner: BTreeMap<String, NewInner>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        added: Option<Vec<u32>>,
    }

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct NewInner {
        days: u32,
        #[serde(default)]
        hours: u32,
    }

    fn new() -> New {
        let inner = [("a", 1), ("b", 2)].map(|(name, days)| (name.to_owned(), NewInner { days, hours: 7 }));
        New { name: "n".into(), note: Some("x".into()), inner: inner.into(), added: Some(vec![1, 2]) }
    }

    #[test]
    fn an_old_reader_writes_back_what_a_new_writer_added() {
        let bytes = Evolving::new(new()).encode().unwrap();
        let mut old: Evolving<Old> = Evolving::decode(&bytes).unwrap();
        old.value.name = "changed".into();
        old.value.note = None;
        let back: Evolving<New> = Evolving::decode(&old.encode().unwrap()).unwrap();
        assert_eq!(back.value, New { name: "changed".into(), note: None, ..new() });
    }

    #[test]
    fn a_member_that_is_removed_takes_its_unknown_parts_along() {
        let mut old: Evolving<Old> = Evolving::decode(&Evolving::new(new()).encode().unwrap()).unwrap();
        old.value.inner.remove("a");
        let back: Evolving<New> = Evolving::decode(&old.encode().unwrap()).unwrap();
        assert_eq!(back.value.inner.keys().collect::<Vec<_>>(), ["b"]);
        assert_eq!(back.value.inner["b"].hours, 7);
    }

    #[test]
    fn a_new_reader_opens_what_an_old_writer_made() {
        let old =
            Old { name: "n".into(), note: None, inner: [("a".to_owned(), OldInner { days: 1 })].into() };
        let new: Evolving<New> = Evolving::decode(&Evolving::new(old.clone()).encode().unwrap()).unwrap();
        assert_eq!(new.value.added, None);
        assert_eq!(Evolving::<Old>::decode(&new.encode().unwrap()).unwrap().value, old);
    }

    #[test]
    fn garbage_does_not_decode() {
        for bytes in [&b""[..], b"\xff", b"\xa0", b"not cbor at all"] {
            assert!(Evolving::<Old>::decode(bytes).is_err(), "{bytes:?}");
        }
    }

    #[test]
    fn bytes_after_the_end_are_an_error() {
        let mut bytes = Evolving::new(new()).encode().unwrap();
        bytes.extend([0, 0]);
        let error = Evolving::<New>::decode(&bytes).unwrap_err();
        assert_eq!(error.to_string(), "the record does not decode: 2 bytes follow its end");
    }

    #[test]
    fn an_error_names_what_is_missing() {
        let error =
            Evolving::<Old>::decode(&Evolving::new(cbor!({}).unwrap()).encode().unwrap()).unwrap_err();
        assert_eq!(error.to_string(), "the record does not decode: missing field `name`");
    }

    #[test]
    fn keys_are_in_the_order_of_their_bytes_at_any_depth() {
        // The example of RFC 8949, section 4.2.1, once plain and once within an array within the last of its members.
        let shuffled = |last: Value| {
            let keys = [cbor!([-1]), cbor!("aa"), cbor!(10), cbor!([100]), cbor!(-1), cbor!("z"), cbor!(100)];
            let mut members: Vec<_> = keys.into_iter().map(|key| (key.unwrap(), Value::Null)).collect();
            members.insert(3, (Value::Bool(false), last));
            Value::Map(members)
        };
        let sorted = b"\xa8\x0a\xf6\x18\x64\xf6\x20\xf6\x61z\xf6\x62aa\xf6\x81\x18\x64\xf6\x81\x20\xf6\xf4";
        let value = shuffled(Value::Array(vec![shuffled(Value::Null)]));
        let expected = [&sorted[..], b"\x81", sorted, b"\xf6"].concat();
        assert_eq!(Evolving::new(value).encode().unwrap(), expected);
    }

    #[test]
    fn unknown_members_take_their_place_in_the_order() {
        let later = Evolving::new(
            cbor!({ "name" => "n", "added" => { "b" => 1, "a" => 2 }, "inner" => {} }).unwrap(),
        );
        let bytes = later.encode().unwrap();
        assert_eq!(Evolving::<Old>::decode(&bytes).unwrap().encode().unwrap(), bytes);
    }

    #[test]
    fn an_array_that_is_known_is_taken_whole_and_one_that_is_not_is_kept_whole() {
        #[derive(Serialize, Deserialize)]
        struct Listed {
            list: Vec<OldInner>,
        }
        let later = cbor!({ "list" => [{ "days" => 1, "hours" => 2 }], "zz" => [{ "hours" => 2 }] }).unwrap();
        let read = Evolving::<Listed>::decode(&Evolving::new(later).encode().unwrap()).unwrap();
        let back = cbor!({ "list" => [{ "days" => 1 }], "zz" => [{ "hours" => 2 }] }).unwrap();
        assert_eq!(read.encode(), Evolving::new(back).encode());
    }

    #[test]
    fn what_refuses_to_be_serialised_is_an_error_and_no_bytes() {
        struct Refuses;
        impl Serialize for Refuses {
            fn serialize<S: Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
                Err(serde::ser::Error::custom("not today"))
            }
        }
        let error = Evolving::new(Refuses).encode().unwrap_err();
        assert_eq!(error.to_string(), "the record does not encode: not today");
    }
}
