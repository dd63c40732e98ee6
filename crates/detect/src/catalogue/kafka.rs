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
        fires_when: "whoever changes access lists did not sign in, or is let by a rule for everybody; unknown of others, as the log does not say how lists change",
        quiet_when: "a provisioning tool; a change that is denied",
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
        fires_when: "whoever changes settings of a broker or a topic did not sign in, or is let by a rule for everybody; unknown of others, as the log does not say how settings change",
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
        fires_when: "whoever sets or removes a password of a user did not sign in, or is let by a rule for everybody; unknown of others",
        quiet_when: "a rotation",
        restored_by: "nothing: ask the owner",
        reference: "Apache Kafka documentation: SCRAM",
        remediation: "Ask the owner of the user.",
    },
];
