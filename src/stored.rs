//! How sums are written into a file and read from it again: words of ours stay words, maps become lists of pairs, and what is
//! shared is written where it is found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A name, a reason or a state: one of the program's own words. (serde takes what is written as a reference for something that
/// is borrowed from the input; this it does not see through.)
pub type Word = &'static str;

/// One that a program of this kind had written.
pub fn word<'de, D: Deserializer<'de>>(from: D) -> Result<Word, D::Error> {
    Known::deserialize(from).map(|known| known.0)
}

/// The same, where there may be none.
pub fn word_or_none<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Word>, D::Error> {
    let known = Option::<Known>::deserialize(from)?;
    Ok(known.map(|known| known.0))
}

#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Known(Word);

impl<'de> Deserialize<'de> for Known {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        let known = kept(&text).map(Self);
        known.ok_or_else(|| D::Error::custom("more or longer words than an audit has"))
    }
}

/// The program's own words are `&'static str`. Of those that come from a file each is kept once, until the program ends.
fn kept(text: &str) -> Option<Word> {
    static WORDS: Mutex<BTreeSet<Word>> = Mutex::new(BTreeSet::new());
    let mut words = WORDS.lock().ok()?;
    if let Some(known) = words.get(text) {
        return Some(known);
    }
    if words.len() == MOST_WORDS || text.len() > LONGEST_WORD {
        return None;
    }
    let new: Word = Box::leak(Box::from(text));
    words.insert(new);
    Some(new)
}

/// A map by words.
pub mod by_word {
    use super::*;

    pub fn serialize<S: Serializer, V: Serialize>(
        map: &BTreeMap<Word, V>,
        into: S,
    ) -> Result<S::Ok, S::Error> {
        map.serialize(into)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, V: Deserialize<'de>>(
        from: D,
    ) -> Result<BTreeMap<Word, V>, D::Error> {
        let map = BTreeMap::<Known, V>::deserialize(from)?;
        Ok(map
            .into_iter()
            .map(|(word, value)| (word.0, value))
            .collect())
    }
}

/// A map whose keys are more than words: in JSON it is a list.
pub mod pairs {
    use super::*;

    pub fn serialize<S: Serializer, K: Serialize, V: Serialize>(
        map: &BTreeMap<K, V>,
        into: S,
    ) -> Result<S::Ok, S::Error> {
        into.collect_seq(map)
    }

    pub fn deserialize<'de, D, K, V>(from: D) -> Result<BTreeMap<K, V>, D::Error>
    where
        D: Deserializer<'de>,
        K: Deserialize<'de> + Ord,
        V: Deserialize<'de>,
    {
        Ok(Vec::<(K, V)>::deserialize(from)?.into_iter().collect())
    }
}

/// What others hold as well.
pub mod shared {
    use super::*;

    pub fn serialize<S: Serializer, T: Serialize>(
        value: &Arc<T>,
        into: S,
    ) -> Result<S::Ok, S::Error> {
        T::serialize(value, into)
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        from: D,
    ) -> Result<Arc<T>, D::Error> {
        T::deserialize(from).map(Arc::new)
    }
}

/// A list of these.
pub mod shared_list {
    use super::*;

    pub fn serialize<S: Serializer, T: Serialize>(
        values: &[Arc<T>],
        into: S,
    ) -> Result<S::Ok, S::Error> {
        into.collect_seq(values.iter().map(|value| &**value))
    }

    pub fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
        from: D,
    ) -> Result<Vec<Arc<T>>, D::Error> {
        let values = Vec::<T>::deserialize(from)?;
        Ok(values.into_iter().map(Arc::new).collect())
    }
}

/// Helpers, reasons, states and formats of all versions together are a few hundred.
const MOST_WORDS: usize = 4096;
/// Bytes.
const LONGEST_WORD: usize = 256;
