//! A window in an alert: `unmapped.dataward.exposure`. OCSF has no object for one.

use dataward_event::exposure::{Deed, Exposure, PartialSum, ReadFigures, Reader};

use crate::json::Object;

/// A window, with the names of the table's columns.
pub(crate) fn exposure(object: &mut Object<'_>, exposure: &Exposure) {
    object.text("exposure_uid", &exposure.uid);
    object.text("control", exposure.control.as_str());
    object.text("setting", &exposure.setting);
    object.text("opened", &exposure.opened);
    object.text("level", exposure.level.as_str());
    object.text("reach", exposure.reachable.as_str());
    object.number("opened_at", exposure.opened_by.time.millis());
    if exposure.opened_at_uncertain {
        object.flag("opened_at_uncertain", true);
    }
    object.object("opened_by", |by| deed(by, &exposure.opened_by));
    if let Some(at) = exposure.exposed_at {
        object.number("exposed_at", at.millis());
    }
    if let Some(closed) = &exposure.closed_by {
        object.number("closed_at", closed.time.millis());
        object.object("closed_by", |by| deed(by, closed));
    }
    object.text_if("close_reason", exposure.close_reason.map(|reason| reason.as_str()));
    if let Some(micros) = exposure.duration_micros() {
        object.number("duration_seconds", micros.max(0) / 1_000_000);
    }
    let is_read = |figures: &ReadFigures| *figures != ReadFigures::default();
    if is_read(&exposure.figures) {
        object.object("reads", |reads| figures(reads, &exposure.figures));
    }
    if is_read(&exposure.outside_figures) {
        object.object("outside_reads", |reads| figures(reads, &exposure.outside_figures));
    }
    object.objects("readers", &exposure.readers, reader);
}

fn deed(object: &mut Object<'_>, deed: &Deed) {
    object.text("name", deed.actor.label());
    object.text_if("uid", deed.actor.uid.as_deref());
    object.text_if("client", deed.client.as_deref());
    object.text("operation", &deed.operation);
    object.text("event_uid", &deed.event_uid);
}

fn reader(object: &mut Object<'_>, reader: &Reader) {
    object.text("name", &reader.name);
    object.text_if("uid", reader.uid.as_deref());
    object.text("network", &reader.network);
    object.flag("outsider", reader.is_outsider);
    object.object("reads", |reads| figures(reads, &reader.figures));
}

/// What was not reported is not zero: the count of reads that said nothing stands beside each sum.
fn figures(object: &mut Object<'_>, figures: &ReadFigures) {
    object.number("count", figures.reads);
    if figures.reads_at_edges > 0 {
        object.number("count_at_edges", figures.reads_at_edges);
    }
    let mut sum = |name: &str, unreported: &str, sum: PartialSum| {
        if sum.at_least > 0 || sum.unreported == 0 {
            object.number(name, sum.at_least);
        }
        if sum.unreported > 0 {
            object.number(unreported, sum.unreported);
        }
    };
    sum("rows", "rows_unreported", figures.rows);
    sum("bytes", "bytes_unreported", figures.bytes);
    sum("objects", "objects_unreported", figures.objects);
}
