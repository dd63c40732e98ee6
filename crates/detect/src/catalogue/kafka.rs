//! Rows of `kafka.authorizer`.

use dataward_event::change::Control;

use super::{CatalogueRow, Confidence};

pub(super) const ROWS: &[CatalogueRow] = &[
    CatalogueRow {
        id: "kafka.acls.changed",
        source: "kafka.authorizer",
        operations: &["CreateAcls ALTER", "DeleteAcls ALTER"],
        control: Control::AccessPolicy,
        setting: "acls",
        severity: 4,
        attack: &["T1098"],
        confidence: Confidence::High,
        fires_when: "access lists are changed: the log does not say how",
        quiet_when: "a provisioning tool",
        restored_by: "nothing: read them back",
        reference: "Apache Kafka documentation: authorization",
        remediation: "Read them back: kafka-acls --list.",
    },
    CatalogueRow {
        id: "kafka.configs.changed",
        source: "kafka.authorizer",
        operations: &["AlterConfigs ALTERCONFIGS", "IncrementalAlterConfigs ALTERCONFIGS"],
        control: Control::AuditLogging,
        setting: "configs",
        severity: 3,
        attack: &["T1685.002", "T1562.008"],
        confidence: Confidence::High,
        fires_when: "settings of a broker or a topic are changed: the log does not say how",
        quiet_when: "topic tuning",
        restored_by: "nothing: read them back",
        reference: "Apache Kafka documentation: configuration",
        remediation: "Read them back: kafka-configs --describe.",
    },
    CatalogueRow {
        id: "kafka.scram.changed",
        source: "kafka.authorizer",
        operations: &["AlterUserScramCredentials ALTER"],
        control: Control::Authentication,
        setting: "scram_credentials",
        severity: 3,
        attack: &["T1098"],
        confidence: Confidence::Medium,
        fires_when: "a password of a user is set or removed",
        quiet_when: "a rotation",
        restored_by: "nothing: ask the owner",
        reference: "Apache Kafka documentation: SCRAM",
        remediation: "Ask the owner of the user.",
    },
];
