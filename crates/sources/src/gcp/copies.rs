//! Copies: which datastore a call makes from which other one, and where it sends the data of one.

use std::borrow::Cow;

use dataward_event::audit_event::{AuditEvent, Datastore};
use dataward_event::volume::ReadScope;

use super::bigquery::Work;
use super::datastore;
use super::entry::AuditLog;
use super::operation::verb;
use crate::changes::{Changes, PlaceOf};
use crate::node::Node;

/// Puts the copies of a call into its event, which has its datastore and its objects.
pub(super) fn put(
    event: &mut AuditEvent<'_>,
    service: &str,
    payload: &AuditLog<'_>,
    project: Option<&str>,
    work: &Work<'_>,
) {
    let mut changes = Changes::default();
    let is_export = event.read_scope == Some(ReadScope::Export);
    let method = &*event.operation;
    match (service, verb(method)) {
        ("bigquery", _) if work.is_done == Some(true) => job(event, work, project, &mut changes),
        ("bigquery", _) => {}
        ("storage", _) if is_export => {
            let to = event.objects.last().filter(|object| object.starts_with("projects/"));
            if let Some(copy) = to.and_then(|name| named("storage", name, None)) {
                push_to(event, copy, None, &mut changes);
            }
        }
        ("cloudsql" | "sqladmin", "clone" | "restoreBackup" | "create" | "insert")
            if method.contains("instances.") =>
        {
            instance(event, &payload.request.read().unwrap_or_default(), project, &mut changes);
        }
        ("compute", "insert" | "createSnapshot") => {
            disk(event, &payload.request.read().unwrap_or_default(), project, &mut changes);
        }
        ("storagetransfer", "CreateTransferJob") => {
            let request: Node<'_> = payload.request.read().unwrap_or_default();
            transfer(event, &request, &mut changes);
        }
        _ if is_export => {
            for copy in event.objects.iter().filter_map(|object| bucket_of(object)) {
                push_to(event, copy, None, &mut changes);
            }
        }
        _ => {}
    }
    event.changes.extend(changes.into_vec());
}

fn named(service: &str, name: &str, project: Option<&str>) -> Option<Datastore<'static>> {
    let name = Cow::Owned(name.to_owned());
    datastore::named(service, &name, project).map(|named| named.datastore)
}

/// The bucket of `gs://bucket/…`.
fn bucket_of(uri: &str) -> Option<Datastore<'static>> {
    let bucket = uri.strip_prefix("gs://")?.split('/').next()?;
    named("storage", &format!("projects/_/buckets/{bucket}"), None)
}

/// The project of `//service/projects/example/…`; a bucket does not name its own.
fn project_of(uid: &str) -> Option<String> {
    let project = uid.split_once("/projects/")?.1.split('/').next()?;
    Some(project.to_owned()).filter(|project| project != "_")
}

fn place(project: Option<&str>) -> PlaceOf<'_> {
    PlaceOf { provider: Some("GCP"), account: project, region: None }
}

fn push_to(
    event: &AuditEvent<'_>,
    copy: Datastore<'static>,
    project: Option<&str>,
    changes: &mut Changes,
) {
    if event.datastore.as_ref().is_some_and(|own| own.uid != copy.uid) {
        let told = project_of(&copy.uid);
        changes.copy_to(copy.uid, place(told.as_deref().or(project)));
    }
}

fn push_from(
    event: &AuditEvent<'_>,
    origin: Option<Datastore<'static>>,
    project: Option<&str>,
    changes: &mut Changes,
) {
    let Some(origin) = origin else { return };
    if event.datastore.as_ref().is_some_and(|own| own.uid != origin.uid) {
        let told = project_of(&origin.uid);
        changes.copy_from(origin.uid, place(told.as_deref().or(project)));
    }
}

/// What a job took out of its dataset. Results that nobody named a table for are kept in a hidden dataset.
fn job(event: &AuditEvent<'_>, work: &Work<'_>, project: Option<&str>, changes: &mut Changes) {
    let mut seen: Vec<Cow<'static, str>> = Vec::new();
    for destination in work.destinations.iter().chain(&work.into) {
        let copy = bucket_of(destination).or_else(|| named("bigquery", destination, project));
        let Some(copy) = copy else { continue };
        let is_hidden = copy.name.as_deref().is_some_and(|name| name.starts_with('_'));
        if !is_hidden && !seen.contains(&copy.uid) {
            seen.push(copy.uid.clone());
            push_to(event, copy, None, changes);
        }
    }
}

/// Clones, replicas and restored backups of Cloud SQL.
fn instance(
    event: &AuditEvent<'_>,
    request: &Node<'_>,
    project: Option<&str>,
    changes: &mut Changes,
) {
    let body = request.at(&["body"]).or_else(|| request.at(&["resource"])).unwrap_or(request);
    let named_in = |name: &str, other: Option<&str>| {
        named("cloudsql", &format!("instances/{name}"), other.or(project))
    };
    if let Some(clone) = body.text(&["cloneContext", "destinationInstanceName"]) {
        let other = body.text(&["cloneContext", "destinationProject"]);
        if let Some(copy) = named_in(&clone, other.as_deref()) {
            push_to(event, copy, project, changes);
        }
    } else if let Some(origin) = body.text(&["restoreBackupContext", "instanceId"]) {
        let other = body.text(&["restoreBackupContext", "project"]);
        push_from(event, named_in(&origin, other.as_deref()), project, changes);
    } else if let Some(main) = body.text(&["masterInstanceName"]) {
        // `project:instance`, or the name alone.
        let (other, name) = match main.rsplit_once(':') {
            Some((other, name)) => (Some(other), name),
            None => (None, &*main),
        };
        push_from(event, named_in(name, other), project, changes);
    }
}

/// Disks and snapshots that are made from each other.
fn disk(event: &AuditEvent<'_>, request: &Node<'_>, project: Option<&str>, changes: &mut Changes) {
    for key in ["sourceSnapshot", "sourceDisk", "sourceImage"] {
        if let Some(source) = request.text(&[key]) {
            let name = source.find("projects/").map_or(&*source, |at| &source[at..]);
            push_from(event, named("compute", name, project), project, changes);
        }
    }
    if event.operation.ends_with("createSnapshot")
        && let Some(name) = request.text(&["name"])
        && let Some(copy) = named("compute", &format!("global/snapshots/{name}"), None)
        && let Some(project) = project
    {
        let uid = copy.uid.replace("/global/", &format!("/projects/{project}/global/"));
        push_to(event, Datastore { uid: uid.into(), ..copy }, Some(project), changes);
    }
}

/// A job that fills a bucket from another one, also from one of another provider.
fn transfer(event: &mut AuditEvent<'_>, request: &Node<'_>, changes: &mut Changes) {
    let job = request.at(&["transferJob"]).unwrap_or(request);
    let Some(spec) = job.at(&["transferSpec"]) else { return };
    let bucket = |name: &str| bucket_of(&format!("gs://{name}"));
    let sink = spec.text(&["gcsDataSink", "bucketName"]).and_then(|name| bucket(&name));
    let Some(sink) = sink else { return };
    event.datastore = Some(sink);
    if let Some(name) = spec.text(&["gcsDataSource", "bucketName"]) {
        push_from(event, bucket(&name), None, changes);
    } else if let Some(name) = spec.text(&["awsS3DataSource", "bucketName"]) {
        let place = PlaceOf { provider: Some("AWS"), ..PlaceOf::default() };
        changes.copy_from(format!("arn:aws:s3:::{name}"), place);
    }
}
