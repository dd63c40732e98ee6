//! Saving of what is mostly empty: for `#[serde(with = …)]`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// An array of which only what differs from the default is saved, with its place.
pub(crate) mod array {
    use super::*;

    /// Saves it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub(crate) fn serialize<S: Serializer, T: Serialize + Default + PartialEq, const N: usize>(
        array: &[T; N],
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let empty = T::default();
        let held: Vec<(u8, &T)> = (0..).zip(array).filter(|(_, value)| **value != empty).collect();
        held.serialize(serializer)
    }

    /// Reads it.
    ///
    /// # Errors
    /// A place that the array does not have.
    pub(crate) fn deserialize<
        'de,
        D: Deserializer<'de>,
        T: Deserialize<'de> + Default,
        const N: usize,
    >(
        deserializer: D,
    ) -> Result<[T; N], D::Error> {
        let mut array = std::array::from_fn(|_| T::default());
        for (place, value) in Vec::<(u8, T)>::deserialize(deserializer)? {
            let held = array.get_mut(usize::from(place));
            *held.ok_or_else(|| serde::de::Error::custom("no such place"))? = value;
        }
        Ok(array)
    }
}

/// A value that is not saved while it is the default.
pub(crate) mod value {
    use super::*;

    /// Saves it.
    ///
    /// # Errors
    /// Those of the serializer.
    pub(crate) fn serialize<S: Serializer, T: Serialize + Default + PartialEq>(
        value: &T,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        (*value != T::default()).then_some(value).serialize(serializer)
    }

    /// Reads it.
    ///
    /// # Errors
    /// Those of the value's own type.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
        deserializer: D,
    ) -> Result<T, D::Error> {
        Ok(Option::<T>::deserialize(deserializer)?.unwrap_or_default())
    }
}
