//! dynachain.
