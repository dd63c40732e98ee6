//! The endpoints, on a thread of their own: `/metrics`, `/livez`, `/readyz`.

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use dataward_pipeline::health::{self, Readiness, Reason};
use dataward_pipeline::metrics::Metrics;
use serde_json::{Value, json};
use tokio::sync::oneshot;

use crate::exposition::{self, Exposition};

/// A server. It stops when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What the endpoints read.
struct Shared {
    metrics: Arc<Metrics>,
    exposition: Exposition,
}

impl Server {
    /// Listens at this address (port 0: any that is free) and serves what is published.
    ///
    /// # Errors
    /// When the address is in use, or not ours.
    pub fn start(address: SocketAddr, metrics: Arc<Metrics>) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let exposition = Exposition::new(Arc::clone(&metrics));
        let shared = Arc::new(Shared { metrics, exposition });
        let router = Router::new()
            .route("/metrics", get(serve_metrics))
            .route("/livez", get(serve_livez))
            .route("/readyz", get(serve_readyz))
            .with_state(shared);
        let (stop, stopped) = oneshot::channel();
        let serve = async move {
            let listener = tokio::net::TcpListener::from_std(listener)?;
            tokio::select! {
                // Whoever still waits for an answer then gets none: the process ends.
                result = axum::serve(listener, router) => result,
                _ = stopped => Ok(()),
            }
        };
        let serve = move || {
            if let Err(error) = runtime.block_on(serve) {
                tracing::error!(%error, "metrics and health are served no more");
            }
        };
        let thread = std::thread::Builder::new().name("server".to_owned()).spawn(serve)?;
        Ok(Self { address, stop: Some(stop), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It fails only if the thread has ended already.
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

async fn serve_metrics(State(shared): State<Arc<Shared>>) -> Response {
    match shared.exposition.text() {
        Ok(text) => ([(header::CONTENT_TYPE, exposition::CONTENT_TYPE)], text).into_response(),
        Err(error) => {
            tracing::error!(%error, "failed to write the metrics");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

async fn serve_livez(State(shared): State<Arc<Shared>>) -> Response {
    match health::liveness(&shared.metrics) {
        Ok(()) => answer(StatusCode::OK, &json!({"status": "alive"})),
        Err(reason) => {
            let body = json!({"status": "stuck", "reasons": reasons(&[reason])});
            answer(StatusCode::SERVICE_UNAVAILABLE, &body)
        }
    }
}

async fn serve_readyz(State(shared): State<Arc<Shared>>) -> Response {
    let (readiness, found) = health::readiness(&shared.metrics);
    let (_, figures) = shared.metrics.latest();
    let owned = figures.partitions.values().filter(|partition| partition.is_owned);
    let lags = owned.clone().map(|partition| partition.lag());
    let body = json!({
        "status": readiness.as_str(),
        "reasons": reasons(&found),
        "partitions": owned.count(),
        "lag_records": lags.sum::<Option<u64>>(),
        "last_commit": figures.last_commit.map(|time| time.to_string()),
    });
    let status = match readiness {
        Readiness::Ready | Readiness::Standby => StatusCode::OK,
        Readiness::NotReady => StatusCode::SERVICE_UNAVAILABLE,
    };
    answer(status, &body)
}

fn reasons(reasons: &[Reason]) -> Vec<Value> {
    reasons.iter().map(|reason| json!({"code": reason.code, "text": reason.text})).collect()
}

fn answer(status: StatusCode, body: &Value) -> Response {
    let kind = [(header::CONTENT_TYPE, "application/json")];
    (status, kind, format!("{body}\n")).into_response()
}
