//! The changes of protection that one event states, in the making.

use std::borrow::Cow;

use dataward_event::audit_event::EventKind;
use dataward_event::change::{COPY_FROM, COPY_TO, Change, Control, Direction, copy_place};

use crate::catalogue_rows::EmittedRow;
use crate::node::Node;

/// Where the other end of a copy lies, as far as an event tells.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct PlaceOf<'p> {
    pub(crate) provider: Option<&'p str>,
    pub(crate) account: Option<&'p str>,
    pub(crate) region: Option<&'p str>,
}

impl PlaceOf<'_> {
    fn into_text(self) -> Option<Cow<'static, str>> {
        let is_told = self.provider.or(self.account).or(self.region).is_some();
        is_told.then(|| copy_place(self.provider, self.account, self.region).into())
    }
}

/// Whether a change tells of a copy: that moves no protection.
fn is_copy(change: &Change<'_>) -> bool {
    change.control == Control::Sharing && matches!(&*change.setting, COPY_TO | COPY_FROM)
}

/// The part of the archive that an event of a kind belongs to with its changes. Changes are found again among the config
/// changes, also where they came over the data plane. A copy of data changes nothing, so that an access stays one.
pub(crate) fn kind_with(kind: EventKind, changes: &[Change<'_>]) -> EventKind {
    let is_kept = kind == EventKind::Access && changes.iter().all(is_copy);
    if is_kept || changes.is_empty() { kind } else { EventKind::ConfigChange }
}

/// Changes, in the order in which the event states them.
#[derive(Debug, Default)]
pub(crate) struct Changes(Vec<Change<'static>>);

impl Changes {
    /// What was found.
    pub(crate) fn into_vec(self) -> Vec<Change<'static>> {
        self.0
    }

    /// Nothing was found.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Everything of another list.
    pub(crate) fn append(&mut self, mut others: Self) {
        self.0.append(&mut others.0);
    }

    /// What another list opens: what is well in a new thing changes nothing.
    pub(crate) fn append_weakened(&mut self, others: Self) {
        let opened = others.0.into_iter().filter(|change| change.direction == Direction::Weakened);
        self.0.extend(opened);
    }

    /// Something was opened, closed, or, where the event alone does not tell, one of both.
    pub(crate) fn push(
        &mut self,
        row: &EmittedRow,
        direction: Direction,
        opened: impl Into<Cow<'static, str>>,
    ) -> &mut Change<'static> {
        self.0.push(Change {
            catalogue_row: Cow::Borrowed(row.id),
            control: row.control,
            setting: Cow::Borrowed(row.setting),
            opened: opened.into(),
            before: None,
            after: None,
            direction,
            whole: false,
        });
        let last = self.0.len() - 1;
        &mut self.0[last]
    }

    /// Something was opened.
    pub(crate) fn weakened(
        &mut self,
        row: &EmittedRow,
        opened: impl Into<Cow<'static, str>>,
    ) -> &mut Change<'static> {
        self.push(row, Direction::Weakened, opened)
    }

    /// Something was closed.
    pub(crate) fn strengthened(
        &mut self,
        row: &EmittedRow,
        opened: impl Into<Cow<'static, str>>,
    ) -> &mut Change<'static> {
        self.push(row, Direction::Strengthened, opened)
    }

    /// A flag was set: the same thing is opened by one value and closed by the other.
    pub(crate) fn flag(
        &mut self,
        row: &EmittedRow,
        is_weak: bool,
        opened: impl Into<Cow<'static, str>>,
    ) -> &mut Change<'static> {
        let direction = if is_weak { Direction::Weakened } else { Direction::Strengthened };
        self.push(row, direction, opened)
    }

    /// A value of a document, of which some weaken and all others restore; nothing where the document does not name it.
    pub(crate) fn value(
        &mut self,
        row: &EmittedRow,
        document: &Node<'_>,
        path: &[&str],
        weak: &[&str],
        opened: impl Into<Cow<'static, str>>,
    ) {
        if let Some(value) = document.any_text(path) {
            let is_weak = weak.iter().any(|weak| value.eq_ignore_ascii_case(weak));
            self.flag(row, is_weak, opened).after = Some(Cow::Owned(value.into_owned()));
        }
    }

    /// The event states the whole setting: exactly these things are open from now on.
    pub(crate) fn whole(&mut self, row: &EmittedRow, opened: impl IntoIterator<Item = String>) {
        let before = self.0.len();
        for thing in opened {
            let after = thing.clone();
            let change = self.weakened(row, thing);
            change.whole = true;
            change.after = Some(Cow::Owned(after));
        }
        if self.0.len() == before {
            self.strengthened(row, "").whole = true;
        }
    }

    /// The same where the things belong to several rows of one setting: `row` is the one that is closed if there are none.
    pub(crate) fn whole_of(
        &mut self,
        row: &EmittedRow,
        opened: impl IntoIterator<Item = (&'static EmittedRow, String)>,
    ) {
        let before = self.0.len();
        for (row, thing) in opened {
            self.weakened(row, thing).whole = true;
        }
        if self.0.len() == before {
            self.strengthened(row, "").whole = true;
        }
    }

    /// The datastore of the event is copied to the one of this uid, which lies there.
    pub(crate) fn copy_to(&mut self, copy: impl Into<Cow<'static, str>>, place: PlaceOf<'_>) {
        let after = place.into_text();
        self.0.push(Change { after, ..copy_change(COPY_TO, copy.into()) });
    }

    /// The datastore of the event is made from the one of this uid, which lies there.
    pub(crate) fn copy_from(&mut self, origin: impl Into<Cow<'static, str>>, place: PlaceOf<'_>) {
        let before = place.into_text();
        self.0.push(Change { before, ..copy_change(COPY_FROM, origin.into()) });
    }

    /// The event states the whole setting, but what that means depends on what was set before.
    pub(crate) fn whole_unknown(&mut self, row: &EmittedRow) -> &mut Change<'static> {
        let change = self.push(row, Direction::Unknown, "");
        change.whole = true;
        change
    }
}

fn copy_change(setting: &'static str, other: Cow<'static, str>) -> Change<'static> {
    Change {
        catalogue_row: Cow::Borrowed(""),
        control: Control::Sharing,
        setting: Cow::Borrowed(setting),
        opened: other,
        before: None,
        after: None,
        direction: Direction::Neutral,
        whole: false,
    }
}
