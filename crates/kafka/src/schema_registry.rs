//! Confluent's Schema Registry: the schemas that records name by a number, fetched once each.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use dataward_sources::registry::{Schema, Schemas};
use serde::Deserialize;

/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(10);
/// How long to wait before the registry is asked again.
const RETRY: Duration = Duration::from_secs(1);
/// How long a stop waits for the registry. It is longer than the loop waits for its last checkpoint, so that a record whose
/// schema never came is read again, and not put away.
const STOP: Duration = Duration::from_secs(10);
/// How many schemas one may refer to, directly or not.
const REFERENCES_MAX: usize = 256;

/// How to reach a registry.
#[derive(Clone, PartialEq, Eq)]
pub struct Address {
    /// Its URL, without a path of its own.
    pub url: String,
    /// `user:password`, where it asks for them.
    pub credentials: Option<String>,
}

/// Without the secret (I11).
impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address").field("url", &self.url).finish_non_exhaustive()
    }
}

/// A registry.
#[derive(Debug)]
pub struct SchemaRegistry {
    address: Address,
    agent: ureq::Agent,
    /// What is known: a schema never changes, and one that cannot be used will not become usable.
    known: Mutex<HashMap<u32, Result<Arc<Schema>, String>>>,
    stop: Arc<AtomicBool>,
}

/// A schema, as the registry answers.
#[derive(Deserialize)]
struct Answer {
    schema: String,
    #[serde(rename = "schemaType")]
    kind: Option<String>,
    #[serde(default)]
    references: Vec<Reference>,
}

#[derive(Deserialize)]
struct Reference {
    name: String,
    subject: String,
    version: u32,
}

/// Why a schema did not come.
enum Failure {
    /// The registry does not answer, or not now.
    Away(String),
    /// It answers that there is none, or one that cannot be used.
    Unusable(String),
}

impl SchemaRegistry {
    /// A registry at an address; it is asked when a record names a schema. `stop` ends the waiting for one that is away.
    pub fn new(address: Address, stop: Arc<AtomicBool>) -> Self {
        let agent = ureq::Agent::config_builder()
            .timeout_global(Some(ANSWER))
            .http_status_as_error(false)
            .build()
            .new_agent();
        Self { address, agent, known: Mutex::default(), stop }
    }

    /// Asks for anything, to know whether it answers.
    ///
    /// # Errors
    /// A sentence on what it answers instead.
    pub fn check(&self) -> Result<(), String> {
        match self.get::<serde_json::Value>("/subjects") {
            Ok(_) => Ok(()),
            Err(Failure::Away(reason) | Failure::Unusable(reason)) => Err(reason),
        }
    }

    fn get<T: serde::de::DeserializeOwned>(&self, path: &str) -> Result<T, Failure> {
        let url = format!("{}{path}", self.address.url.trim_end_matches('/'));
        let mut request = self.agent.get(&url);
        if let Some(credentials) = &self.address.credentials {
            request =
                request.header("Authorization", format!("Basic {}", STANDARD.encode(credentials)));
        }
        let away = |reason: String| Failure::Away(reason);
        let mut response = request.call().map_err(|error| away(error.to_string()))?;
        match response.status().as_u16() {
            200 => {}
            404 => {
                return Err(Failure::Unusable("the registry has none of this number".to_owned()));
            }
            status => return Err(away(format!("it answers {status}"))),
        }
        let text = response.body_mut().read_to_string().map_err(|error| away(error.to_string()))?;
        serde_json::from_str(&text)
            .map_err(|error| Failure::Unusable(format!("its answer cannot be read: {error}")))
    }

    fn fetch(&self, id: u32) -> Result<Schema, Failure> {
        let answer: Answer = self.get(&format!("/schemas/ids/{id}"))?;
        let mut texts = BTreeMap::new();
        let mut wanted = answer.references;
        while let Some(reference) = wanted.pop() {
            if texts.contains_key(&reference.name) {
                continue;
            }
            if texts.len() >= REFERENCES_MAX {
                return Err(Failure::Unusable(format!(
                    "it refers to more than {REFERENCES_MAX} others"
                )));
            }
            let path =
                format!("/subjects/{}/versions/{}", encoded(&reference.subject), reference.version);
            let referred: Answer = self.get(&path)?;
            wanted.extend(referred.references);
            texts.insert(reference.name, referred.schema);
        }
        let kind = answer.kind.as_deref().unwrap_or("AVRO");
        Schema::parse(kind, &answer.schema, &texts).map_err(Failure::Unusable)
    }
}

/// A subject as part of a path.
fn encoded(subject: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
    subject
        .bytes()
        .map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") })
        .collect()
}

impl Schemas for SchemaRegistry {
    fn schema(&self, id: u32) -> Result<Arc<Schema>, String> {
        // Held while it is fetched: of several workers one asks.
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = known.get(&id) {
            return schema.clone();
        }
        let mut is_told = false;
        let mut stopped_at: Option<Instant> = None;
        let schema = loop {
            match self.fetch(id) {
                Ok(schema) => break Ok(Arc::new(schema)),
                Err(Failure::Unusable(reason)) => break Err(reason),
                Err(Failure::Away(reason)) => {
                    if !is_told {
                        is_told = true;
                        let url = &self.address.url;
                        tracing::warn!(
                            url,
                            schema = id,
                            reason,
                            "the schema registry does not answer: waiting for it"
                        );
                    }
                    if self.stop.load(Ordering::Relaxed) {
                        let since = *stopped_at.get_or_insert_with(Instant::now);
                        if since.elapsed() > STOP {
                            return Err(reason);
                        }
                    }
                    std::thread::park_timeout(RETRY);
                }
            }
        };
        if is_told {
            tracing::info!(url = self.address.url, "the schema registry answers again");
        }
        known.insert(id, schema.clone());
        schema
    }
}
