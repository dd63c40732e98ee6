//! Taking over: the one path of start-up, rebalance and return after a loss. The table is asked, then claimed.

use std::sync::Arc;

use dataward_detect::partition_state::{PartitionState, StreamFinding, stream_finding};
use dataward_event::finding::{Owner, RuleId, Severity};
use dataward_event::position::{Offset, Partition, Position, Progress, Span};

use crate::alert::Alert;
use crate::archive::{Archive, ArchiveError, Claim, Disposition, GapCause, GapRow, Known, Rows};
use crate::record_source::{RecordSource, SourceError};
use crate::restore;
use crate::runner::{RunError, Runner};
use crate::settings::{OnGap, StartAt};
use crate::workers::Task;

/// How often a claim that somebody came before is tried again, after asking the table anew.
const CLAIMS_MAX: u32 = 5;

/// What is to be claimed, with what has been lost on the way.
struct Plan<R> {
    starts: Progress,
    claims: Vec<Claim>,
    rows: R,
    alerts: Vec<Alert>,
    lost: u64,
}

impl<R: Rows> Plan<R> {
    /// Its row comes with the claim.
    fn alert(&mut self, alert: Alert) {
        self.rows.alert(&alert);
        self.alerts.push(alert);
    }
}

/// What happened to a partition as a whole, in words.
struct Mishap {
    rule: RuleId,
    severity: Severity,
    title: String,
    description: String,
    remediation: &'static str,
}

impl<S: RecordSource, A: Archive + Send + 'static> Runner<S, A> {
    /// Claims the keeper's place: from here on this process, and no other, writes this archive.
    pub(crate) fn start_keeper(&mut self) -> Result<(), RunError> {
        let mut attempts = 0;
        let next = loop {
            let mut archive = self.writer.archive();
            let known = archive.look_up_keeper()?;
            let expected = known.map(as_number);
            let next = known.unwrap_or(0);
            let rows = archive.rows();
            let claim = Claim { owner: Owner::Keeper, next: as_number(next), expected };
            match archive.claim(&[claim], rows) {
                Ok(_) => break next,
                Err(error) => again_or(error, &mut attempts)?,
            }
        };
        let (keeper, seen) =
            restore::keeper(&mut *self.writer.archive(), self.settings.context.as_ref())?;
        self.desk.keeper = keeper;
        self.desk.keeper.set_next_number(next);
        self.desk.seen = seen;
        self.take_census();
        self.adopt_context();
        for sink in self.outbox.names() {
            let alerts = self.writer.archive().unacknowledged(&sink)?;
            self.outbox.resend(&sink, alerts);
        }
        self.outbox.touch([Owner::Keeper]);
        Ok(())
    }

    /// Another context than the one that the state was made with: adopted between two events, with a snapshot in the next
    /// checkpoint, so that no replay crosses the change.
    fn adopt_context(&mut self) {
        let known = Arc::clone(self.desk.keeper.context());
        self.informant.replayed_by = Arc::clone(&known);
        let context = self.settings.context.clone().unwrap_or_else(|| Arc::clone(&known));
        for lane in 0..self.workers.count() {
            self.workers.send(lane, Task::Adopt(Arc::clone(&context)));
        }
        if known == context {
            return;
        }
        self.adopt(context);
        self.checkpoints.is_snapshot_wanted = true;
        self.checkpoints.has_news = true;
    }

    /// Starts partitions that the group gave us; or says why the source could not be asked about them, and nothing is begun.
    pub(crate) fn start(&mut self, partitions: &[Partition]) -> Result<Option<String>, RunError> {
        let mut attempts = 0;
        let plan = loop {
            let plan = match self.plan(partitions) {
                Err(RunError::Source(SourceError::Unavailable(reason))) => return Ok(Some(reason)),
                plan => plan?,
            };
            let result = self.writer.archive().claim(&plan.claims, plan.rows);
            match result {
                Ok(_) => break (plan.starts, plan.alerts, plan.lost),
                Err(error) => again_or(error, &mut attempts)?,
            }
        };
        let (starts, alerts, lost) = plan;
        if lost > 0 {
            *self.figures.gap_offsets.entry(GapCause::Lost).or_default() += lost;
        }
        for alert in &alerts {
            self.raise(alert, None);
        }
        for (partition, next) in starts.iter() {
            let state = self.restore(partition, next)?;
            let topic = self.topic_of(partition)?;
            self.figures.partition(partition).source = topic.source.name();
            let lane = self.least_loaded();
            self.owned.insert(partition.clone(), lane);
            self.status.committed.assign(partition.clone(), next);
            let state = Box::new(state);
            self.workers
                .send(lane, Task::Open { partition: partition.clone(), topic, next, state });
        }
        self.outbox.touch(starts.iter().map(|(p, _)| Owner::Partition(p.clone())));
        self.source.assign(&starts)?;
        self.pause_again()?;
        tracing::info!(partitions = starts.len(), "partitions are assigned");
        Ok(None)
    }

    fn topic_of(&self, partition: &Partition) -> Result<crate::settings::TopicSettings, RunError> {
        let topic = self.settings.topic(&partition.topic).cloned();
        topic.ok_or_else(|| RunError::UnboundTopic(partition.topic.to_string()))
    }

    fn least_loaded(&self) -> usize {
        let load = |lane: &usize| self.owned.values().filter(|owner| *owner == lane).count();
        (0..self.workers.count()).min_by_key(load).unwrap_or(0)
    }

    /// Where each partition begins: where the table says, unless Kafka no longer has that.
    fn plan(&mut self, partitions: &[Partition]) -> Result<Plan<A::Rows>, RunError> {
        let mut archive = self.writer.archive();
        let known = archive.look_up(partitions)?;
        let rows = archive.rows();
        drop(archive);
        let mut plan =
            Plan { starts: Progress::new(), claims: Vec::new(), rows, alerts: Vec::new(), lost: 0 };
        for partition in partitions {
            let known = known.get(partition).copied().unwrap_or(Known::NewTopic);
            let bounds = self.source.bounds(partition)?;
            let (next, expected) = match known {
                Known::At(next) => (next, Some(next.0)),
                Known::NewPartition => (bounds.low, None),
                Known::NewTopic => (self.first_offset(partition)?, None),
            };
            if next > bounds.high {
                self.stop_truncated(partition, next, bounds.high, &mut plan)?;
                continue;
            }
            let mut start = next;
            if next < bounds.low {
                start = bounds.low;
                self.record_loss(partition, next, start, &mut plan)?;
            }
            plan.starts.assign(partition.clone(), start);
            let owner = Owner::Partition(partition.clone());
            plan.claims.push(Claim { owner, next: start.0, expected });
        }
        Ok(plan)
    }

    fn first_offset(&mut self, partition: &Partition) -> Result<Offset, RunError> {
        let bounds = self.source.bounds(partition)?;
        Ok(match self.settings.start_at {
            StartAt::Earliest => bounds.low,
            StartAt::Latest => bounds.high,
            StartAt::Time(time) => self.source.offset_at(partition, time)?,
        })
    }

    /// Retention passed us: the gap's row and its alert come with the claim that moves progress over it.
    fn record_loss(
        &mut self,
        partition: &Partition,
        from: Offset,
        to: Offset,
        plan: &mut Plan<A::Rows>,
    ) -> Result<(), RunError> {
        let Some(span) = Span::new(from, to) else { return Ok(()) };
        let detail = format!(
            "offsets {span} of {partition} were deleted by Kafka before they were read \
             ({} records at most)",
            span.len()
        );
        if self.settings.on_gap == OnGap::Halt {
            return Err(RunError::OffsetsLost(detail));
        }
        plan.lost += span.len();
        plan.rows.gap(&GapRow {
            partition: partition.clone(),
            span,
            cause: GapCause::Lost,
            detail: detail.clone(),
            ingest_time: self.clock.now(),
        });
        plan.alert(self.stream_alert(partition, from, Mishap {
            rule: RuleId::ArchiveGap,
            severity: Severity::CRITICAL,
            title: format!("Audit records lost: {partition}"),
            description: format!("What was audited here is not in the archive: {detail}."),
            remediation: "Raise the topic's retention above the longest outage, and fill the gap \
                          from the source or a mirror of the topic.",
        }));
        Ok(())
    }

    /// The log ends before our progress: it was cut, or the topic was created again. Never continued by itself.
    fn stop_truncated(
        &mut self,
        partition: &Partition,
        next: Offset,
        high: Offset,
        plan: &mut Plan<A::Rows>,
    ) -> Result<(), RunError> {
        let detail = format!(
            "the archive has read {partition} up to offset {next}, but the log ends at {high}: it \
             was truncated, or the topic was created again. The partition is stopped. If the topic \
             is a new one, raise its `incarnation` in the config"
        );
        if self.settings.on_gap == OnGap::Halt {
            return Err(RunError::OffsetsLost(detail));
        }
        tracing::error!(%partition, %next, %high, "the log ends before our progress");
        plan.alert(self.stream_alert(
            partition,
            next,
            Mishap {
                rule: RuleId::ArchiveGap,
                severity: Severity::CRITICAL,
                title: format!("Partition stopped: {partition}"),
                description: format!("{detail}."),
                remediation: "Find out whether the topic was created again, and by whom.",
            },
        ));
        self.stopped.insert(partition.clone(), detail);
        Ok(())
    }

    /// A partition's state at `next`; a cold one is reported.
    fn restore(&mut self, partition: &Partition, next: Offset) -> Result<PartitionState, RunError> {
        let state = restore::partition(
            &mut *self.writer.archive(),
            partition,
            next,
            &self.informant.replayed_by,
        )?;
        let Some(state) = state else {
            self.report_cold_start(partition, next);
            return Ok(restore::first_state(&mut *self.writer.archive())?);
        };
        Ok(state)
    }

    /// State is lost: what it had learned must be learned again, and people must know.
    fn report_cold_start(&mut self, partition: &Partition, offset: Offset) {
        let alert = self.stream_alert(partition, offset, Mishap {
            rule: RuleId::RuleFailed,
            severity: Severity::HIGH,
            title: format!("Detector state lost: {partition}"),
            description: format!(
                "No snapshot of the detector's state of {partition} is usable. It starts cold at \
                 offset {offset}."
            ),
            remediation: "Check the archive's state folder and its storage.",
        });
        self.desk.rows.alert(&alert);
        self.raise(&alert, None);
    }

    /// The alert of what happened to a partition, and not in it.
    fn stream_alert(&self, partition: &Partition, offset: Offset, mishap: Mishap) -> Alert {
        let Mishap { rule, severity, title, description, remediation } = mishap;
        let position = Position { partition: partition.clone(), offset, record_index: 0 };
        let (position, now) = (&position, self.clock.now());
        let time = now.as_clock();
        let finding =
            StreamFinding { rule, severity, position, time, title, description, remediation };
        Alert::new(&stream_finding(finding), now)
    }
}

/// Somebody was faster: ask the table again, a few times.
fn again_or(error: ArchiveError, attempts: &mut u32) -> Result<(), RunError> {
    *attempts += 1;
    if error.disposition() == Disposition::Fenced && *attempts < CLAIMS_MAX {
        return Ok(());
    }
    Err(error.into())
}

fn as_number(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
