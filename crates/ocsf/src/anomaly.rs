//! What is unusual, in numbers: OCSF `anomaly_analyses`.

use dataward_event::finding::{Anomaly, Finding};

use crate::json::Object;

/// How both what was seen and what is usual were looked at.
const VOLUME: &str = "Volume Analysis";

/// The analysis behind a finding: who and what was looked at, what was seen, and what is usual. Nothing without figures.
///
/// OCSF has a place for neither quantiles nor probabilities, and its values are texts: a pattern says which is which.
pub(crate) fn analyses(root: &mut Object<'_>, finding: &Finding) {
    let analysis = (!finding.anomalies.is_empty()).then_some(finding);
    root.objects("anomaly_analyses", analysis, |analysis, finding| {
        analysis.objects("analysis_targets", targets(finding), |target, (name, sort)| {
            target.text("name", name);
            target.text("type", sort);
        });
        analysis.objects("anomalies", &finding.anomalies, seen);
        analysis.objects("baselines", &finding.anomalies, usual);
    });
}

fn targets(finding: &Finding) -> Vec<(&str, &'static str)> {
    let actor = finding.evidences.first().map(|evidence| &evidence.actor);
    let actor = actor.map(|actor| (actor.uid.as_deref().unwrap_or(actor.label()), "User Account"));
    let datastore = finding.datastore.as_ref().map(|store| (&*store.uid, "Datastore"));
    actor.into_iter().chain(datastore).collect()
}

fn seen(object: &mut Object<'_>, anomaly: &Anomaly) {
    object.text("observation_parameter", &anomaly.metric);
    object.text("observation_type", VOLUME);
    object.objects("observations", [anomaly.observed], |seen, value| {
        observation(seen, value, anomaly);
    });
    let (whole, rest) = (anomaly.score_millinats / 1000, anomaly.score_millinats % 1000);
    object.text("observed_pattern", &format!("probability exp(-{whole}.{rest:03})"));
}

fn usual(object: &mut Object<'_>, anomaly: &Anomaly) {
    object.text("observation_parameter", &anomaly.metric);
    object.text("observation_type", VOLUME);
    object.objects("observations", [anomaly.expected, anomaly.upper], |usual, value| {
        observation(usual, value, anomaly);
        usual.number("count", anomaly.days);
    });
    object.text("observed_pattern", "median, 99.9 % quantile");
}

fn observation(object: &mut Object<'_>, value: u64, anomaly: &Anomaly) {
    object.text("value", &value.to_string());
    object.object("timespan", |timespan| {
        timespan.number("duration_secs", anomaly.window_seconds);
    });
}
