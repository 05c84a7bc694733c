//! Kinds that AWS names by a word and may add to: known words are variants, any other is kept as it is.

/// Declares such a kind: `open_text! { Name, default Variant { Variant = "WORD", … } }`.
macro_rules! open_text {
    (
        $(#[$doc:meta])* $name:ident { $( $(#[$variant_doc:meta])* $variant:ident = $word:literal ),+ $(,)? }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            $( $(#[$variant_doc])* $variant, )+
            /// A word that this version does not know.
            Other(String),
        }

        impl $name {
            /// AWS's word for it.
            pub fn as_str(&self) -> &str {
                match self {
                    $( Self::$variant => $word, )+
                    Self::Other(word) => word,
                }
            }
        }

        impl From<&str> for $name {
            fn from(word: &str) -> Self {
                match word {
                    $( $word => Self::$variant, )+
                    other => Self::Other(other.to_owned()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                Ok(String::deserialize(deserializer)?.as_str().into())
            }
        }
    };
    (
        $(#[$doc:meta])* $name:ident, default $default:ident { $($variants:tt)+ }
    ) => {
        open_text! { $(#[$doc])* $name { $($variants)+ } }

        impl Default for $name {
            fn default() -> Self {
                Self::$default
            }
        }
    };
}

pub(crate) use open_text;
