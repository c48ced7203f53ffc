//! A receiver for the notifications that Alertmanager posts.

use std::sync::Arc;
use std::sync::Mutex;

use serde_json::Value;

use crate::support::fault;
use crate::support::server::HttpServer;

/// Notifications kept; a test that gets more has a loop in its routing.
const NOTIFICATIONS_MAX: usize = 1000;

/// Collects every JSON body posted to it.
#[derive(Debug)]
pub(crate) struct Webhook {
    server: HttpServer,
    bodies: Arc<Mutex<Vec<Value>>>,
}

// === impl Webhook ===

impl Webhook {
    pub(crate) fn start() -> Self {
        let bodies = Arc::<Mutex<Vec<Value>>>::default();
        let server = HttpServer::start({
            let bodies = Arc::clone(&bodies);
            move |request, stream, _| {
                let Ok(body) = serde_json::from_slice(&request.body) else {
                    return fault::write_whole(stream, 400, "text/plain", b"not JSON");
                };
                let mut bodies = bodies.lock().expect("no holder panics");
                if bodies.len() < NOTIFICATIONS_MAX {
                    bodies.push(body);
                }
                fault::write_whole(stream, 200, "text/plain", b"")
            }
        });
        Self { server, bodies }
    }

    pub(crate) fn url(&self) -> String {
        self.server.url("/alerts")
    }

    /// Every alert of every notification so far, oldest first.
    pub(crate) fn alerts(&self) -> Vec<Value> {
        let bodies = self.bodies.lock().expect("no holder panics");
        let alerts = bodies.iter().filter_map(|body| body["alerts"].as_array());
        alerts.flatten().cloned().collect()
    }

    /// The newest alert of a name, such as `CacheTunerTargetDown`.
    pub(crate) fn alert(&self, name: &str) -> Option<Value> {
        self.alerts().into_iter().rfind(|alert| alert["labels"]["alertname"] == name)
    }
}
