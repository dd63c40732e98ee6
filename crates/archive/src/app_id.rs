//! The names under which progress, epochs, snapshots and cursors stand in the table (Delta's app
//! ids).

use dataward_event::finding::Owner;
use dataward_event::position::Partition;

pub(crate) const PREFIX: &str = "dataward/1/";
const KEEPER: &str = "keeper";
const LESSONS: &str = "lessons";

/// What an app id counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Meaning {
    /// The next offset, the keeper's next alert number, or how often lessons were taken.
    Progress(Owner),
    /// How often the owner was claimed.
    Epoch(Owner),
    /// The name of the newest snapshot.
    State(Owner),
    /// Where the first claim of a partition stood.
    Start(Owner),
    /// The first alert of the owner that a sink has not acknowledged.
    Cursor(String, Owner),
}

/// The app ids of one archive.
#[derive(Debug, Clone)]
pub(crate) struct AppIds {
    archive: String,
}

impl AppIds {
    pub(crate) fn new(archive: &str) -> Self {
        Self { archive: archive.to_owned() }
    }

    /// The app id that counts this.
    pub(crate) fn of(&self, meaning: &Meaning) -> String {
        let archive = &self.archive;
        match meaning {
            Meaning::Progress(owner) => format!("{PREFIX}{archive}/{}", owner_path(owner)),
            Meaning::Epoch(owner) => format!("{PREFIX}own/{archive}/{}", owner_path(owner)),
            Meaning::State(owner) => format!("{PREFIX}state/{archive}/{}", owner_path(owner)),
            Meaning::Start(owner) => format!("{PREFIX}start/{archive}/{}", owner_path(owner)),
            Meaning::Cursor(sink, owner) => {
                format!("{PREFIX}sink/{archive}/{sink}/{}", owner_path(owner))
            }
        }
    }

    /// What an app id counts, if it is one of this archive.
    pub(crate) fn parse(&self, app_id: &str) -> Option<Meaning> {
        let rest = app_id.strip_prefix(PREFIX)?;
        let (first, rest) = rest.split_once('/')?;
        if first == self.archive {
            return parse_owner(rest).map(Meaning::Progress);
        }
        let rest = rest.strip_prefix(self.archive.as_str())?.strip_prefix('/')?;
        match first {
            "own" => parse_owner(rest).map(Meaning::Epoch),
            "state" => parse_owner(rest).map(Meaning::State),
            "start" => parse_owner(rest).map(Meaning::Start),
            "sink" => {
                let (sink, owner) = rest.split_once('/')?;
                Some(Meaning::Cursor(sink.to_owned(), parse_owner(owner)?))
            }
            _ => None,
        }
    }
}

/// `<topic>/<incarnation>/<partition>`, `keeper` or `lessons`.
pub(crate) fn owner_path(owner: &Owner) -> String {
    match owner {
        Owner::Partition(partition) => partition.path(),
        Owner::Keeper => KEEPER.to_owned(),
        Owner::Lessons => LESSONS.to_owned(),
    }
}

/// The owner of a path.
pub(crate) fn parse_owner(path: &str) -> Option<Owner> {
    match path {
        KEEPER => return Some(Owner::Keeper),
        LESSONS => return Some(Owner::Lessons),
        _ => {}
    }
    // From the right: the topic of a file holds a slash.
    let mut parts = path.rsplitn(3, '/');
    let number = parts.next()?.parse().ok()?;
    let incarnation = parts.next()?.parse().ok()?;
    let topic = parts.next()?;
    Some(Owner::Partition(Partition { topic: topic.into(), incarnation, number }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn app_ids_read_back() {
        let ids = AppIds::new("0b6f1e0c-1111-4222-8333-444455556666");
        let file = Owner::Partition(Partition::file("ab12"));
        let topic = Owner::Partition(Partition {
            topic: "aws.cloudtrail".into(),
            incarnation: 2,
            number: 11,
        });
        for owner in [file, topic, Owner::Keeper, Owner::Lessons] {
            for meaning in [
                Meaning::Progress(owner.clone()),
                Meaning::Epoch(owner.clone()),
                Meaning::State(owner.clone()),
                Meaning::Start(owner.clone()),
                Meaning::Cursor("webhook".into(), owner.clone()),
            ] {
                assert_eq!(ids.parse(&ids.of(&meaning)), Some(meaning));
            }
        }
        assert_eq!(ids.parse("dataward/1/another/events/0/0"), None);
        assert_eq!(ids.parse("somebody's own"), None);
    }
}
