//! One event as one line of OCSF.

use dataward_event::audit_event::{ActorKind, AuditEvent, Class, TimeOrigin};
use dataward_event::change::Direction;
use dataward_event::finding::Severity;
use dataward_event::position::Position;

use crate::json::{Object, document};
use crate::party::{self, actor, change, container, endpoint, position, resource, user};
use crate::{OCSF_VERSION, UNKNOWN};

/// An event as OCSF JSON, without a line end.
///
/// `origin` is where it stands in Kafka, `raw_sha256` the SHA-256 of its raw bytes in hexadecimal; both are left out where
/// the caller does not know them.
pub fn event_json(
    event: &AuditEvent<'_>,
    origin: Option<&Position>,
    raw_sha256: Option<&str>,
) -> String {
    document(|root| {
        head(root, event);
        metadata(root, event);
        status(root, event);
        api(root, event);
        root.object("actor", |object| actor(object, &event.actor, &event.source));
        if has_endpoint(event.class) {
            root.object("src_endpoint", |object| endpoint(object, &event.client));
        }
        cloud(root, event);
        if has_http(event.class)
            && let Some(agent) = event.client.user_agent.as_deref()
        {
            root.object("http_request", |object| object.text("user_agent", agent));
        }
        of_class(root, event);
        if let Some(hash) = raw_sha256 {
            root.object("raw_data_hash", |object| {
                object.number("algorithm_id", 3_u8);
                object.text("algorithm", "SHA-256");
                object.text("value", hash);
            });
        }
        root.object("unmapped", |object| {
            object.object("dataward", |own| dataward(own, event, origin));
        });
    })
}

fn head(root: &mut Object<'_>, event: &AuditEvent<'_>) {
    root.number("class_uid", event.class.uid());
    root.text("class_name", class_name(event.class));
    root.number("category_uid", event.class.category_uid());
    let activity = ocsf_activity(event);
    root.number("activity_id", activity);
    root.text("activity_name", &event.operation);
    root.number("type_uid", u64::from(event.class.uid()) * 100 + u64::from(activity));
    let severity = severity(event);
    root.number("severity_id", severity.id());
    root.text("severity", severity.as_str());
    root.number("time", event.time.millis());
}

/// The activity, if the class knows it; else 99, other. The exact number stays in `unmapped.dataward`.
fn ocsf_activity(event: &AuditEvent<'_>) -> u16 {
    let last = match event.class {
        Class::ApiActivity => 4,
        Class::DatastoreActivity | Class::EventLog => 10,
        Class::Authentication => 7,
        Class::AccountChange => 12,
        Class::EntityManagement => 13,
        Class::UserAccess | Class::DeviceConfigState => 2,
        Class::GroupManagement | Class::ApplicationLifecycle => 8,
    };
    if event.activity_id <= last { event.activity_id } else { 99 }
}

/// An event by itself is information; one that weakens protection is worth a look even without a detector.
fn severity(event: &AuditEvent<'_>) -> Severity {
    if event.changes.iter().any(|change| change.direction == Direction::Weakened) {
        Severity::MEDIUM
    } else {
        Severity::INFORMATIONAL
    }
}

const fn class_name(class: Class) -> &'static str {
    match class {
        Class::ApiActivity => "API Activity",
        Class::DatastoreActivity => "Datastore Activity",
        Class::Authentication => "Authentication",
        Class::AccountChange => "Account Change",
        Class::EntityManagement => "Entity Management",
        Class::UserAccess => "User Access Management",
        Class::GroupManagement => "Group Management",
        Class::EventLog => "Event Log Activity",
        Class::DeviceConfigState => "Device Config State Change",
        Class::ApplicationLifecycle => "Application Lifecycle",
    }
}

const fn has_endpoint(class: Class) -> bool {
    !matches!(class, Class::DeviceConfigState | Class::ApplicationLifecycle)
}

const fn has_http(class: Class) -> bool {
    !matches!(class, Class::DeviceConfigState | Class::ApplicationLifecycle | Class::EventLog)
}

fn metadata(root: &mut Object<'_>, event: &AuditEvent<'_>) {
    root.object("metadata", |object| {
        object.text("version", OCSF_VERSION);
        object.text("uid", &event.uid);
        object.object("product", |product| {
            let (name, vendor) = product_of(&event.source);
            product.text("name", name);
            product.text("vendor_name", vendor);
        });
        object.texts("profiles", ["cloud"]);
        object.text_if("event_code", event.event_code.as_deref());
        object.text_if("correlation_uid", event.correlation_uid.as_deref());
        object.text("log_provider", &event.source);
    });
}

/// Product and vendor of a source; a source of somebody's own is its own product.
fn product_of(source: &str) -> (&str, &str) {
    match source {
        "aws.cloudtrail" => ("CloudTrail", "AWS"),
        "aws.s3_access" => ("S3", "AWS"),
        "gcp.audit" => ("Cloud Audit Logs", "Google Cloud"),
        "azure.activity" => ("Azure Monitor", "Microsoft"),
        "elasticsearch.audit" | "elasticsearch.server" => ("Elasticsearch", "Elastic"),
        "opensearch.audit" => ("OpenSearch", "OpenSearch"),
        "postgres.pgaudit" | "postgres.log" => ("PostgreSQL", "PostgreSQL"),
        "mysql.audit" => ("MySQL", "Oracle"),
        "mariadb.server_audit" => ("MariaDB", "MariaDB"),
        "mongodb.audit" => ("MongoDB", "MongoDB"),
        "mongodb.atlas" => ("MongoDB Atlas", "MongoDB"),
        "redis.monitor" => ("Redis", "Redis"),
        "kafka.authorizer" => ("Apache Kafka", "Apache"),
        "snowflake.account_usage" => ("Snowflake", "Snowflake"),
        "databricks.audit" => ("Databricks", "Databricks"),
        "k8s.audit" => ("Kubernetes", "Kubernetes"),
        other => (other, UNKNOWN),
    }
}

fn status(root: &mut Object<'_>, event: &AuditEvent<'_>) {
    root.number("status_id", event.outcome.status_id());
    root.text("status", event.outcome.as_str());
    root.text_if("status_code", event.error_code.as_deref());
    root.text_if("status_detail", event.error_message.as_deref());
}

fn api(root: &mut Object<'_>, event: &AuditEvent<'_>) {
    root.object("api", |object| {
        object.text("operation", &event.operation);
        object.object_unless_empty("service", |service| {
            service.text_if("name", event.service.as_deref());
        });
        object.object_unless_empty("request", |request| {
            request.text_if("uid", event.request_uid.as_deref());
        });
        object.object_unless_empty("response", |response| {
            response.text_if("error", event.error_code.as_deref());
            response.text_if("error_message", event.error_message.as_deref());
        });
    });
}

fn cloud(root: &mut Object<'_>, event: &AuditEvent<'_>) {
    root.object("cloud", |object| {
        object.text("provider", event.provider.as_deref().unwrap_or(UNKNOWN));
        object.text_if("region", event.region.as_deref());
        object.object_unless_empty("account", |account| {
            account.text_if("uid", event.account_uid.as_deref());
        });
    });
}

/// What a class asks for beyond what all have.
fn of_class(root: &mut Object<'_>, event: &AuditEvent<'_>) {
    let datastore = event.datastore.as_ref();
    let target = datastore.map_or(UNKNOWN, |datastore| &datastore.uid);
    match event.class {
        Class::ApiActivity => {
            root.objects("resources", datastore, |object, datastore| resource(object, datastore));
        }
        Class::DatastoreActivity => {
            let key = event.objects.first().map(|key| &**key);
            container(root, datastore, event.provider.as_deref(), key);
            if let Some(statement) = event.statement.as_deref() {
                root.object("query_info", |object| {
                    object.text("uid", event.request_uid.as_deref().unwrap_or(&event.uid));
                    object.text("query_string", statement);
                    object.number_if("bytes", event.volume.bytes.map(|bytes| bytes.0));
                });
            }
        }
        Class::Authentication => {
            root.object("user", |object| user(object, &event.actor));
            root.object("service", |object| {
                object.text("name", event.service.as_deref().unwrap_or(UNKNOWN));
            });
            if let Some(mfa) = event.actor.mfa {
                root.flag("is_mfa", mfa);
            }
        }
        Class::AccountChange => root.object("user", |object| object.text("uid", target)),
        Class::UserAccess => {
            root.object("user", |object| object.text("uid", target));
            root.texts("privileges", [&*event.operation]);
        }
        Class::EntityManagement => root.object("entity", |object| object.text("uid", target)),
        Class::GroupManagement => root.object("group", |object| object.text("uid", target)),
        Class::EventLog => root.text("log_name", target),
        Class::DeviceConfigState => root.object("device", |object| {
            object.number("type_id", 0_u8);
            object.text("uid", target);
        }),
        Class::ApplicationLifecycle => root.object("app", |object| object.text("uid", target)),
    }
}

/// The block for what OCSF has no field for, and for what it would change.
fn dataward(own: &mut Object<'_>, event: &AuditEvent<'_>, origin: Option<&Position>) {
    own.text("source", &event.source);
    own.text("kind", event.kind.as_str());
    if event.time.micros() % 1000 != 0 {
        own.number("time_micros", event.time.micros());
    }
    if event.time_origin != TimeOrigin::Source {
        own.text("time_origin", event.time_origin.as_str());
    }
    if ocsf_activity(event) != event.activity_id {
        own.number("activity_id", event.activity_id);
    }
    own.number_if("rows_returned", event.volume.rows.map(|rows| rows.0));
    own.number_if("bytes_out", event.volume.bytes.map(|bytes| bytes.0));
    own.number_if("objects_count", event.volume.objects.map(|objects| objects.0));
    own.texts("targets", event.objects.iter().map(|target| &**target));
    own.text_if("read_scope", event.read_scope.map(|scope| scope.as_str()));
    own.text_if("sensitivity", event.sensitivity.map(|level| level.as_str()));
    if let Some(datastore) = &event.datastore {
        own.object("datastore", |object| {
            resource(object, datastore);
            object.text("form", datastore.form.as_str());
        });
    }
    own.text("actor_kind", event.actor.kind.as_str());
    if event.actor.kind == ActorKind::Anonymous || !party::has_user(&event.actor) {
        own.text_if("user_type", event.actor.user_type.as_deref());
    }
    let ip = event.client.ip.as_deref();
    if has_endpoint(event.class) {
        own.text_if("client_ip", ip.filter(|ip| !party::is_address(ip)));
    } else {
        own.text_if("client_ip", ip);
        own.text_if("client_domain", event.client.domain.as_deref());
        own.number_if("client_port", event.client.port);
        own.text_if("client_endpoint_uid", event.client.endpoint_uid.as_deref());
    }
    if !has_http(event.class) {
        own.text_if("user_agent", event.client.user_agent.as_deref());
    }
    if event.class != Class::DatastoreActivity {
        own.text_if("statement", event.statement.as_deref());
    }
    match event.changes.as_slice() {
        [] => {}
        [only] => own.object("change", |object| change(object, only)),
        several => own.objects("changes", several, |object, each| change(object, each)),
    }
    if let Some(origin) = origin {
        own.object("kafka", |object| position(object, origin));
    }
}
