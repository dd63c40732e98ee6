//! Smallest and largest values of a file, in the words of the Delta log.

use dataward_event::time::EventTime;
use parquet::file::metadata::ParquetMetaData;
use parquet::file::statistics::Statistics;
use serde_json::{Map, Value};

use crate::column::{COLUMNS, Column, ColumnType};
use crate::schema::STATISTICS_COLUMNS;

/// Years 0001 to 9999, in microseconds: times beyond have no form that every reader takes.
const TIMES: std::ops::Range<i64> = -62_135_596_800_000_000..253_402_300_800_000_000;

/// One column over all row groups.
#[derive(Debug, Default)]
struct ColumnBounds {
    null_count: u64,
    minimum: Option<Bound>,
    maximum: Option<Bound>,
    /// Some row group has values but no bounds: then nothing can be said.
    unknown: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Bound {
    Number(i64),
    Text(String),
}

/// The statistics of a file from its footer. A long text's bounds are cut by the Parquet writer,
/// which rounds a cut maximum up; `tightBounds` says whether that happened.
pub(crate) fn from_footer(footer: &ParquetMetaData) -> String {
    let mut minimums = Map::new();
    let mut maximums = Map::new();
    let mut null_counts = Map::new();
    let mut tight = true;
    for column in STATISTICS_COLUMNS {
        let bounds = bounds_of(footer, column, &mut tight);
        null_counts.insert(column.name().to_owned(), bounds.null_count.into());
        let (Some(minimum), Some(maximum)) = (&bounds.minimum, &bounds.maximum) else { continue };
        if bounds.unknown {
            continue;
        }
        let (Some(minimum), Some(maximum)) = (minimum.value(column), maximum.value(column)) else {
            continue;
        };
        minimums.insert(column.name().to_owned(), minimum);
        maximums.insert(column.name().to_owned(), maximum);
    }
    serde_json::json!({
        "numRecords": footer.file_metadata().num_rows(),
        "minValues": minimums,
        "maxValues": maximums,
        "nullCount": null_counts,
        "tightBounds": tight,
    })
    .to_string()
}

fn bounds_of(footer: &ParquetMetaData, column: Column, tight: &mut bool) -> ColumnBounds {
    let mut bounds = ColumnBounds::default();
    for group in footer.row_groups() {
        let rows = u64::try_from(group.num_rows()).unwrap_or(0);
        let chunk = group.columns().iter().find(|c| c.column_path().string() == column.name());
        let Some(chunk) = chunk else {
            // A column that the file leaves out is null in every row.
            bounds.null_count += rows;
            continue;
        };
        let Some(statistics) = chunk.statistics() else {
            bounds.unknown = true;
            continue;
        };
        let nulls = statistics.null_count_opt().unwrap_or(0);
        bounds.null_count += nulls;
        match range(statistics) {
            Some((minimum, maximum)) => {
                *tight &= statistics.min_is_exact() && statistics.max_is_exact();
                bounds.minimum =
                    Some(bounds.minimum.take().map_or(minimum.clone(), |m| m.min(minimum)));
                bounds.maximum =
                    Some(bounds.maximum.take().map_or(maximum.clone(), |m| m.max(maximum)));
            }
            None => bounds.unknown |= nulls < rows,
        }
    }
    bounds
}

fn range(statistics: &Statistics) -> Option<(Bound, Bound)> {
    match statistics {
        Statistics::Int32(values) => Some((
            Bound::Number(i64::from(*values.min_opt()?)),
            Bound::Number(i64::from(*values.max_opt()?)),
        )),
        Statistics::Int64(values) => {
            Some((Bound::Number(*values.min_opt()?), Bound::Number(*values.max_opt()?)))
        }
        Statistics::ByteArray(values) => {
            let text = |bytes: &[u8]| std::str::from_utf8(bytes).ok().map(str::to_owned);
            Some((
                Bound::Text(text(values.min_opt()?.data())?),
                Bound::Text(text(values.max_opt()?.data())?),
            ))
        }
        _ => None,
    }
}

impl Bound {
    fn value(&self, column: Column) -> Option<Value> {
        match self {
            Self::Text(text) => Some(text.clone().into()),
            Self::Number(number) if COLUMNS[column.index()].2 == ColumnType::Time => {
                TIMES.contains(number).then(|| EventTime::from_micros(*number).to_string().into())
            }
            Self::Number(number) => Some((*number).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use parquet::arrow::ArrowWriter;

    use super::*;
    use crate::columns::Columns;
    use crate::row_kind::RowKind;

    fn statistics(fill: impl FnOnce(&mut Columns)) -> Value {
        let mut columns = Columns::new(RowKind::Access);
        fill(&mut columns);
        let batch = columns.finish().unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        let footer = writer.finish().unwrap();
        serde_json::from_str(&from_footer(&footer)).unwrap()
    }

    #[test]
    fn a_long_texts_bounds_are_cut_and_the_upper_one_rounded_up() {
        let long = "\u{e9}".repeat(500);
        let found = statistics(|columns| {
            columns.text(Column::ActorUid, &long);
            columns.end_row();
            columns.end_row();
        });
        let bound = |which: &str| found[which]["actor_uid"].as_str().unwrap().to_owned();
        assert!(bound("minValues").len() < 100 && bound("minValues") < long);
        assert!(bound("maxValues").len() < 100 && bound("maxValues") > long);
        assert_eq!(found["tightBounds"], false);
        assert_eq!(
            (&found["numRecords"], &found["nullCount"]["actor_uid"]),
            (&2.into(), &1.into())
        );
        assert_eq!(found["nullCount"]["rule_id"], 2);
        assert_eq!(found["maxValues"]["rule_id"], Value::Null);
    }

    #[test]
    fn times_that_have_no_date_have_no_bounds() {
        let found = statistics(|columns| {
            for (time, offset) in [(i64::MIN, 7), (0, -3)] {
                columns.time(Column::EventTime, time);
                columns.time(Column::IngestTime, 1_500_000);
                columns.long(Column::KafkaOffset, offset);
                columns.end_row();
            }
        });
        assert_eq!(found["minValues"]["event_time"], Value::Null);
        assert_eq!(found["minValues"]["ingest_ts"], "1970-01-01T00:00:01.500Z");
        assert_eq!(found["minValues"]["kafka_offset"], -3);
        assert_eq!(found["maxValues"]["kafka_offset"], 7);
        assert_eq!(found["tightBounds"], true);
    }
}
