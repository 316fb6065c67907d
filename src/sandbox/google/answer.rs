//! What Google says back, word for word.

use serde_json::{Value, json};

use super::PROJECT;
use crate::sandbox::answer::Answer;

const HTML_TYPE: &str = "text/html; charset=UTF-8";
const FCM_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.FcmError";
const APNS_ERROR: &str = "type.googleapis.com/google.firebase.fcm.v1.ApnsError";
const ERROR_INFO: &str = "type.googleapis.com/google.rpc.ErrorInfo";
const BAD_REQUEST: &str = "type.googleapis.com/google.rpc.BadRequest";

impl Answer {
    /// 404: the app was removed, or the token expired.
    pub fn unregistered() -> Self {
        fcm_error(404, "NOT_FOUND", "Requested entity was not found.", "UNREGISTERED")
    }

    /// 503, with `Retry-After` in seconds where given.
    pub fn unavailable(retry_after: Option<u32>) -> Self {
        fcm_error(503, "UNAVAILABLE", "The service is currently unavailable.", "UNAVAILABLE")
            .retry_after(retry_after)
    }

    pub fn internal() -> Self {
        fcm_error(500, "INTERNAL", "Internal error encountered.", "INTERNAL")
    }

    /// 429, with `Retry-After` in seconds where given.
    pub fn quota(retry_after: Option<u32>) -> Self {
        fcm_error(429, "RESOURCE_EXHAUSTED", "Message rate exceeded for this device.", "QUOTA_EXCEEDED")
            .retry_after(retry_after)
    }

    /// 502 from a front end of Google's that knows nothing of FCM.
    pub fn html_502() -> Self {
        html_error(502, "Server Error", "The server encountered a temporary error.")
    }

    /// 400 about the message, not about the device.
    pub fn invalid_argument() -> Self {
        fcm_error(400, "INVALID_ARGUMENT", INVALID_ARGUMENT, "INVALID_ARGUMENT")
    }

    /// 400 about a token that never was one.
    pub fn invalid_token() -> Self {
        let violation = field_violation("message.token", "Invalid registration token");
        let details = json!([{ "@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT" }, violation]);
        google_error(400, "INVALID_ARGUMENT", INVALID_ARGUMENT, details)
    }

    /// 403: the token belongs to another project.
    pub fn sender_id_mismatch() -> Self {
        fcm_error(403, "PERMISSION_DENIED", "SenderId mismatch", "SENDER_ID_MISMATCH")
    }

    /// 401 that is not about us: Firebase's APNs credential of this platform is bad.
    pub fn third_party_auth() -> Self {
        let details = json!([
            { "@type": FCM_ERROR, "errorCode": "THIRD_PARTY_AUTH_ERROR" },
            { "@type": APNS_ERROR, "statusCode": 403, "reason": "InvalidProviderToken" },
        ]);
        google_error(401, "UNAUTHENTICATED", MISSING_CREDENTIAL, details)
    }

    /// 403: the messaging API is switched off in the project.
    pub fn service_disabled() -> Self {
        let message = format!(
            "Firebase Cloud Messaging API has not been used in project {PROJECT} before or it is disabled."
        );
        let details = json!([{
            "@type": ERROR_INFO,
            "reason": "SERVICE_DISABLED",
            "domain": "googleapis.com",
            "metadata": { "service": "fcm.googleapis.com", "consumer": format!("projects/{PROJECT}") },
        }]);
        google_error(403, "PERMISSION_DENIED", &message, details)
    }

    /// 401: the access token is wrong or has expired.
    pub fn unauthorized() -> Self {
        google_error(401, "UNAUTHENTICATED", INVALID_CREDENTIAL, Value::Null)
    }

    pub fn unauthenticated() -> Self {
        google_error(401, "UNAUTHENTICATED", MISSING_CREDENTIAL, Value::Null)
    }

    /// 404 of an unknown URL, such as another project's.
    pub fn html_404(path: &str) -> Self {
        let path = path.replace('&', "&amp;").replace('<', "&lt;");
        html_error(
            404,
            "Not Found",
            &format!("The requested URL <code>{path}</code> was not found on this server."),
        )
    }

    pub(super) fn invalid_field(field: &str, description: &str) -> Self {
        let details = json!([
            field_violation(field, description),
            { "@type": FCM_ERROR, "errorCode": "INVALID_ARGUMENT" },
        ]);
        google_error(400, "INVALID_ARGUMENT", description, details)
    }

    /// 400 of the JSON reader, which sits in front of FCM and knows no FCM error code.
    pub(super) fn unreadable_field(field: &str, description: &str) -> Self {
        google_error(400, "INVALID_ARGUMENT", description, json!([field_violation(field, description)]))
    }

    /// 400 of a payload over the limit: the one refusal that Google does not explain.
    pub(super) fn too_big() -> Self {
        google_error(400, "INVALID_ARGUMENT", INVALID_ARGUMENT, Value::Null)
    }
}

/// Answers of the token endpoint.
impl Answer {
    /// 400: the key was revoked, or the assertion was signed with another.
    pub fn invalid_grant() -> Self {
        oauth_error(400, "invalid_grant", "Invalid JWT Signature.")
    }

    /// 400: the assertion's times are not Google's.
    pub fn clock_skew() -> Self {
        let description = "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable \
                           timeframe. Check your iat and exp values in the JWT claim.";
        oauth_error(400, "invalid_grant", description)
    }

    /// 400: the service account was deleted.
    pub fn account_not_found() -> Self {
        oauth_error(400, "invalid_grant", "Invalid grant: account not found")
    }
}

const INVALID_ARGUMENT: &str = "Request contains an invalid argument.";
const MISSING_CREDENTIAL: &str = "Request is missing required authentication credential. Expected OAuth 2 access \
                                  token, login cookie or other valid authentication credential.";
const INVALID_CREDENTIAL: &str = "Request had invalid authentication credentials. Expected OAuth 2 access token, \
                                  login cookie or other valid authentication credential.";

fn fcm_error(code: u16, status: &str, message: &str, error_code: &str) -> Answer {
    google_error(code, status, message, json!([{ "@type": FCM_ERROR, "errorCode": error_code }]))
}

fn google_error(code: u16, status: &str, message: &str, details: Value) -> Answer {
    let mut error = json!({ "code": code, "message": message, "status": status });
    if let (Some(error), false) = (error.as_object_mut(), details.is_null()) {
        error.insert("details".to_owned(), details);
    }
    Answer::json(code, &json!({ "error": error }))
}

fn field_violation(field: &str, description: &str) -> Value {
    json!({ "@type": BAD_REQUEST, "fieldViolations": [{ "field": field, "description": description }] })
}

pub(super) fn oauth_error(status: u16, error: &str, description: &str) -> Answer {
    Answer::json(status, &json!({ "error": error, "error_description": description }))
}

fn html_error(status: u16, title: &str, text: &str) -> Answer {
    let body = format!(
        "<!DOCTYPE html>\n<html lang=en>\n<meta charset=utf-8>\n<title>Error {status} ({title})!!1</title>\n\
         <p><b>{status}.</b> <ins>That's an error.</ins>\n<p>{text} <ins>That's all we know.</ins>\n"
    );
    Answer::text(status, HTML_TYPE, body)
}
