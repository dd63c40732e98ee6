//! Cells of an answer as JSON values.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type, UInt8Type, UInt16Type,
    UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef};
use arrow_cast::display::{ArrayFormatter, FormatOptions};
use arrow_schema::{ArrowError, DataType, TimeUnit};
use dataward_event::time::EventTime;
use serde_json::{Map, Value};

/// A cell as JSON.
///
/// Times are RFC 3339 in UTC; one without a zone has no `Z`. Bytes that are UTF-8 are text, others `0x` and hex digits.
/// What JSON has no form for (dates, intervals, decimals, a number that is none) is text.
///
/// # Errors
/// A value that has no text, as a date far outside the calendar.
pub fn value(array: &ArrayRef, row: usize) -> Result<Value, ArrowError> {
    if array.is_null(row) {
        return Ok(Value::Null);
    }
    macro_rules! number {
        ($kind:ty) => {
            Value::from(array.as_primitive::<$kind>().value(row))
        };
    }
    Ok(match array.data_type() {
        DataType::Null => Value::Null,
        DataType::Boolean => array.as_boolean().value(row).into(),
        DataType::Int8 => number!(Int8Type),
        DataType::Int16 => number!(Int16Type),
        DataType::Int32 => number!(Int32Type),
        DataType::Int64 => number!(Int64Type),
        DataType::UInt8 => number!(UInt8Type),
        DataType::UInt16 => number!(UInt16Type),
        DataType::UInt32 => number!(UInt32Type),
        DataType::UInt64 => number!(UInt64Type),
        DataType::Float32 => float(array.as_primitive::<Float32Type>().value(row).into()),
        DataType::Float64 => float(array.as_primitive::<Float64Type>().value(row)),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::LargeUtf8 => array.as_string::<i64>().value(row).into(),
        DataType::Utf8View => array.as_string_view().value(row).into(),
        DataType::Binary => bytes(array.as_binary::<i32>().value(row)),
        DataType::LargeBinary => bytes(array.as_binary::<i64>().value(row)),
        DataType::BinaryView => bytes(array.as_binary_view().value(row)),
        DataType::Timestamp(unit, zone) => time(array, row, *unit, zone.is_some())?,
        DataType::List(_) => list(&array.as_list::<i32>().value(row))?,
        DataType::LargeList(_) => list(&array.as_list::<i64>().value(row))?,
        DataType::FixedSizeList(..) => list(&array.as_fixed_size_list().value(row))?,
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let pairs = fields.iter().zip(columns);
            let pairs =
                pairs.map(|(field, column)| Ok((field.name().clone(), value(column, row)?)));
            Value::Object(pairs.collect::<Result<Map<_, _>, ArrowError>>()?)
        }
        _ => text(array, row)?,
    })
}

fn list(items: &ArrayRef) -> Result<Value, ArrowError> {
    (0..items.len()).map(|row| value(items, row)).collect()
}

fn float(number: f64) -> Value {
    serde_json::Number::from_f64(number)
        .map_or_else(|| Value::String(number.to_string()), Value::Number)
}

/// Bytes as a person can read them; for the exact ones there is `encode(column, 'base64')`.
fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => format!("0x{}", dataward_event::uid::hex(bytes)).into(),
    }
}

fn time(array: &ArrayRef, row: usize, unit: TimeUnit, has_zone: bool) -> Result<Value, ArrowError> {
    // In microseconds every time of the table is exact; a question may make nanoseconds of it.
    if unit != TimeUnit::Microsecond {
        return text(array, row);
    }
    let micros = array.as_primitive::<arrow_array::types::TimestampMicrosecondType>().value(row);
    let time = EventTime::from_micros(micros).to_string();
    Ok(if has_zone { time } else { time.trim_end_matches('Z').to_owned() }.into())
}

fn text(array: &ArrayRef, row: usize) -> Result<Value, ArrowError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array, &options)?;
    Ok(formatter.value(row).try_to_string()?.into())
}
