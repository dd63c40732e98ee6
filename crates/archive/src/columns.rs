//! Builders for all columns, filled row by row.

use std::borrow::Cow;
use std::sync::Arc;

use arrow_array::builder::{
    ArrayBuilder, BinaryBuilder, BooleanBuilder, GenericByteBuilder, Int32Builder, Int64Builder,
    ListBuilder, PrimitiveBuilder, StringBuilder, StructBuilder, TimestampMicrosecondBuilder,
};
use arrow_array::types::{ArrowPrimitiveType, ByteArrayType};
use arrow_array::{ArrayRef, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Schema};
use dataward_event::change::Change;

use crate::column::{Column, ColumnType, columns_of};
use crate::row_kind::RowKind;
use crate::schema;

/// What a row costs beside its texts, in bytes: offsets, numbers and null bits, roughly.
const ROW_BYTES: usize = 256;

/// Rows of one kind and one day that grow. A column that a row does not name is null in it, and
/// costs nothing until the rows are finished.
#[derive(Debug)]
pub(crate) struct Columns {
    kind: RowKind,
    rows: usize,
    bytes: usize,
    builders: Vec<Builder>,
}

#[derive(Debug)]
enum Builder {
    Text(StringBuilder),
    Bytes(BinaryBuilder),
    Long(Int64Builder),
    Int(Int32Builder),
    Time(TimestampMicrosecondBuilder),
    Flag(BooleanBuilder),
    Texts(ListBuilder<StringBuilder>),
    Changes(ListBuilder<StructBuilder>),
}

impl Columns {
    /// The columns of a kind of rows.
    pub(crate) fn new(kind: RowKind) -> Self {
        let builders = columns_of(kind).iter().map(|(_, _, kind)| Builder::new(*kind)).collect();
        Self { kind, rows: 0, bytes: 0, builders }
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Closes the row that was filled.
    pub(crate) fn end_row(&mut self) {
        self.rows += 1;
        self.bytes += ROW_BYTES;
    }

    pub(crate) fn text(&mut self, column: Column, value: &str) {
        if let Builder::Text(builder) = &mut self.builders[column.place_in(self.kind)] {
            fill(builder, self.rows);
            builder.append_value(value);
            self.bytes += value.len();
        } else {
            debug_assert!(false, "{} is no text", column.name());
        }
    }

    pub(crate) fn text_option(&mut self, column: Column, value: Option<&str>) {
        if let Some(value) = value {
            self.text(column, value);
        }
    }

    pub(crate) fn bytes_value(&mut self, column: Column, value: &[u8]) {
        if let Builder::Bytes(builder) = &mut self.builders[column.place_in(self.kind)] {
            fill(builder, self.rows);
            builder.append_value(value);
            self.bytes += value.len();
        } else {
            debug_assert!(false, "{} holds no bytes", column.name());
        }
    }

    pub(crate) fn long(&mut self, column: Column, value: i64) {
        if let Builder::Long(builder) = &mut self.builders[column.place_in(self.kind)] {
            fill(builder, self.rows);
            builder.append_value(value);
        } else {
            debug_assert!(false, "{} is no long", column.name());
        }
    }

    /// A count. The table's numbers are signed: the few counts beyond them are kept as the largest
    /// there is.
    pub(crate) fn count(&mut self, column: Column, value: u64) {
        self.long(column, i64::try_from(value).unwrap_or(i64::MAX));
    }

    pub(crate) fn int(&mut self, column: Column, value: i32) {
        if let Builder::Int(builder) = &mut self.builders[column.place_in(self.kind)] {
            fill(builder, self.rows);
            builder.append_value(value);
        } else {
            debug_assert!(false, "{} is no integer", column.name());
        }
    }

    pub(crate) fn time(&mut self, column: Column, micros: i64) {
        if let Builder::Time(builder) = &mut self.builders[column.place_in(self.kind)] {
            builder.append_nulls(self.rows - builder.len());
            builder.append_value(micros);
        } else {
            debug_assert!(false, "{} is no time", column.name());
        }
    }

    pub(crate) fn flag(&mut self, column: Column, value: bool) {
        if let Builder::Flag(builder) = &mut self.builders[column.place_in(self.kind)] {
            fill(builder, self.rows);
            builder.append_value(value);
        } else {
            debug_assert!(false, "{} is no flag", column.name());
        }
    }

    /// A list of texts; an empty one is null.
    pub(crate) fn texts(&mut self, column: Column, values: &[Cow<'_, str>]) {
        if values.is_empty() {
            return;
        }
        if let Builder::Texts(builder) = &mut self.builders[column.place_in(self.kind)] {
            fill(builder, self.rows);
            for value in values {
                builder.values().append_value(value);
                self.bytes += value.len();
            }
            builder.append(true);
        } else {
            debug_assert!(false, "{} is no list of texts", column.name());
        }
    }

    /// A list of changes; an empty one is null.
    pub(crate) fn changes(&mut self, column: Column, values: &[Change<'_>]) {
        if values.is_empty() {
            return;
        }
        if let Builder::Changes(builder) = &mut self.builders[column.place_in(self.kind)] {
            fill(builder, self.rows);
            for value in values {
                self.bytes += append_change(builder.values(), value);
            }
            builder.append(true);
        } else {
            debug_assert!(false, "{} is no list of changes", column.name());
        }
    }

    /// The rows as one batch, and builders for as many again.
    pub(crate) fn cut(&mut self) -> Result<RecordBatch, ArrowError> {
        let like: Vec<_> = self.builders.iter().map(Builder::size).collect();
        let batch = self.finish()?;
        // What grows by doubling is copied, and takes up to twice its memory.
        for ((_, _, kind), (builder, (items, bytes))) in
            columns_of(self.kind).iter().zip(self.builders.iter_mut().zip(like))
        {
            *builder = Builder::with_capacity(*kind, items, bytes + bytes / 16);
        }
        Ok(batch)
    }

    /// The rows as one batch; the builders are empty afterwards. A column that no row has named is not in it.
    pub(crate) fn finish(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        self.bytes = 0;
        let schema = schema::arrow(self.kind);
        let (mut fields, mut arrays) = (Vec::new(), Vec::new());
        for (field, builder) in schema.fields().iter().zip(&mut self.builders) {
            if builder.size().0 > 0 {
                fields.push(Arc::clone(field));
                arrays.push(builder.finish(rows));
            }
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)
    }
}

/// Appends the nulls of the rows that have not named the column.
fn fill(builder: &mut impl Nulls, rows: usize) {
    let missing = rows - builder.len();
    // Even none of them would make the builder keep a bitmap.
    if missing > 0 {
        builder.nulls(missing);
    }
}

fn finish(builder: &mut impl Nulls, rows: usize) -> ArrayRef {
    fill(builder, rows);
    ArrayBuilder::finish(builder)
}

/// A builder that takes many nulls at once: all of Arrow's do, each under its own type.
trait Nulls: ArrayBuilder {
    fn nulls(&mut self, count: usize);
}

impl<T: ByteArrayType> Nulls for GenericByteBuilder<T> {
    fn nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}

impl<T: ArrowPrimitiveType> Nulls for PrimitiveBuilder<T> {
    fn nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}

impl Nulls for BooleanBuilder {
    fn nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}

impl<T: ArrayBuilder> Nulls for ListBuilder<T> {
    fn nulls(&mut self, count: usize) {
        self.append_nulls(count);
    }
}

/// Appends one change and says how many bytes of text it took.
fn append_change(builder: &mut StructBuilder, change: &Change<'_>) -> usize {
    let texts = [
        Some(change.catalogue_row.as_ref()),
        Some(change.control.as_str()),
        Some(change.setting.as_ref()),
        Some(change.opened.as_ref()),
        change.before.as_deref(),
        change.after.as_deref(),
        Some(change.direction.as_str()),
    ];
    for (place, text) in texts.iter().enumerate() {
        if let Some(field) = builder.field_builder::<StringBuilder>(place) {
            field.append_option(*text);
        }
    }
    if let Some(field) = builder.field_builder::<BooleanBuilder>(texts.len()) {
        field.append_value(change.whole);
    }
    builder.append(true);
    texts.iter().flatten().map(|text| text.len()).sum()
}

impl Builder {
    fn new(kind: ColumnType) -> Self {
        Self::with_capacity(kind, 0, 0)
    }

    /// Room for so many cells, with so many bytes of text in them.
    fn with_capacity(kind: ColumnType, items: usize, bytes: usize) -> Self {
        match kind {
            ColumnType::Text => Self::Text(StringBuilder::with_capacity(items, bytes)),
            ColumnType::Bytes => Self::Bytes(BinaryBuilder::with_capacity(items, bytes)),
            ColumnType::Long => Self::Long(Int64Builder::with_capacity(items)),
            ColumnType::Int => Self::Int(Int32Builder::with_capacity(items)),
            ColumnType::Time => {
                let builder = TimestampMicrosecondBuilder::with_capacity(items);
                Self::Time(builder.with_timezone("UTC"))
            }
            ColumnType::Flag => Self::Flag(BooleanBuilder::with_capacity(items)),
            ColumnType::Texts => {
                let texts =
                    ListBuilder::with_capacity(StringBuilder::with_capacity(items, bytes), items);
                Self::Texts(texts.with_field(schema::element_field(DataType::Utf8)))
            }
            ColumnType::Changes => {
                let fields = schema::change_fields();
                let element = schema::element_field(DataType::Struct(fields.clone()));
                let change = StructBuilder::from_fields(fields, 0);
                Self::Changes(ListBuilder::with_capacity(change, items).with_field(element))
            }
        }
    }

    /// How many cells, and how many bytes of text in them; 0 cells where no row has named the column.
    fn size(&self) -> (usize, usize) {
        match self {
            Self::Text(builder) => (builder.len(), builder.values_slice().len()),
            Self::Bytes(builder) => (builder.len(), builder.values_slice().len()),
            Self::Long(builder) => (builder.len(), 0),
            Self::Int(builder) => (builder.len(), 0),
            Self::Time(builder) => (builder.len(), 0),
            Self::Flag(builder) => (builder.len(), 0),
            Self::Texts(builder) => (builder.len(), builder.values_ref().values_slice().len()),
            Self::Changes(builder) => (builder.len(), 0),
        }
    }

    fn finish(&mut self, rows: usize) -> ArrayRef {
        match self {
            Self::Text(builder) => finish(builder, rows),
            Self::Bytes(builder) => finish(builder, rows),
            Self::Long(builder) => finish(builder, rows),
            Self::Int(builder) => finish(builder, rows),
            Self::Time(builder) => finish(builder, rows),
            Self::Flag(builder) => finish(builder, rows),
            Self::Texts(builder) => finish(builder, rows),
            Self::Changes(builder) => finish(builder, rows),
        }
    }
}
