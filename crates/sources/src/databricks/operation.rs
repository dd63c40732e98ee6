//! What an action does.

use dataward_event::volume::ReadScope;

use crate::act::Act;

/// What an action does, and whether it takes data out.
pub(super) fn meaning(service: &str, action: &str) -> (Act, Option<ReadScope>) {
    let export = |act| (act, Some(ReadScope::Export));
    let act = match action {
        "deltaSharingQueriedTable" | "deltaSharingQueriedTableChanges" => Act::READ,
        "generateTemporaryTableCredential"
        | "generateTemporaryPathCredential"
        | "generateTemporaryVolumeCredential"
        | "getTemporaryTableCredential" => Act::READ,
        "downloadQueryResult"
        | "downloadLargeResults"
        | "downloadPreviewResults"
        | "workspaceExport"
        | "downloadNotebookResults" => return export(Act::READ),
        "getSecret" => Act::READ,
        "listSecrets" => Act::LIST,
        "filesGet" | "getFile" => Act::READ,
        "filesPut" | "filesUpload" => Act::WRITE,
        "filesDelete" => Act::DELETE,
        "commandSubmit" | "executeAdhocQuery" | "executeSavedQuery" | "executeFastQuery"
        | "runCommand" => Act::QUERY,
        "commandFinish" => Act::OTHER,
        "login"
        | "tokenLogin"
        | "aadBrowserLogin"
        | "aadTokenLogin"
        | "samlLogin"
        | "jwtLogin"
        | "mfaLogin"
        | "oidcBrowserLogin"
        | "oidcTokenAuthorization"
        | "certLogin"
        | "passwordVerifyAuthentication"
        | "accountLoginCodeAuthentication" => Act::LOGON,
        "logout" => Act::LOGOFF,
        "add" | "createUser" if service == "accounts" => Act::USER_CREATE,
        "delete" | "deleteUser" | "removeUser" if service == "accounts" => Act::USER_DELETE,
        "deactivateUser" => Act::USER_DISABLE,
        "activateUser" | "reactivateUser" => Act::USER_ENABLE,
        "resetPassword" | "changePassword" => Act::PASSWORD_CHANGE,
        "updateUser" | "generateDbToken" | "revokeDbToken" => Act::USER_UPDATE,
        "setAdmin"
        | "addAdmin"
        | "setAccountAdmin"
        | "addPrincipalToGroup"
        | "updatePermissions"
        | "updateSharePermissions" => Act::GRANT,
        "removeAdmin" | "removeAccountAdmin" | "removePrincipalFromGroup" => Act::REVOKE,
        "createCatalog" => Act::ENTITY_CREATE,
        "deleteCatalog" => Act::ENTITY_DELETE,
        "workspaceConfEdit" | "setSetting" | "deleteSetting" => Act::CONFIG,
        _ => by_verb(service, action),
    };
    (act, None)
}

/// Actions begin with what they do.
fn by_verb(service: &str, action: &str) -> Act {
    let starts = |words: &[&str]| words.iter().any(|word| action.starts_with(word));
    let is_of_table =
        service == "unityCatalog" && (action.ends_with("Table") || action.ends_with("Schema"));
    if starts(&["get", "list", "search", "lookup", "deltaSharingList", "deltaSharingGet", "summar"])
    {
        Act::API_READ
    } else if starts(&["create", "add", "clone", "import"]) {
        if is_of_table { Act::SCHEMA_CREATE } else { Act::API_CREATE }
    } else if starts(&["delete", "remove", "permanentDelete", "purge"]) {
        if is_of_table { Act::SCHEMA_DELETE } else { Act::API_DELETE }
    } else if starts(&["update", "edit", "set", "change", "replace", "patch", "resize", "start"]) {
        if is_of_table { Act::SCHEMA_UPDATE } else { Act::API_UPDATE }
    } else {
        Act::API_OTHER
    }
}
