//! Which path answers what, and to which methods.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use hyper::Method;
use hyper::Request;
use hyper::StatusCode;
use hyper::body::Body;
use hyper::header::CONTENT_ENCODING;
use hyper::header::VARY;
use tokio::sync::mpsc;
use tokio::sync::oneshot;
use tokio::task;

use crate::web::Coding;
use crate::web::Site;
use crate::web::answer;
use crate::web::answer::Answer;
use crate::web::answer::ApiError;
use crate::web::api;
use crate::web::api::Call;
use crate::web::encoding;
use crate::web::orders;
use crate::web::status;

const TELEMETRY_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a path leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Route {
    Api(Call),
    ApiUnknown,
    Healthy,
    Metrics,
    Ready,
    Reload,
    Status,
    Unknown,
}

impl Route {
    fn find(path: &str, telemetry_path: &str) -> Self {
        if path == telemetry_path {
            return Self::Metrics;
        }
        if let Some(name) = path.strip_prefix("/api/") {
            let call = name.strip_prefix("v1/").and_then(Call::from_name);
            return call.map_or(Self::ApiUnknown, Self::Api);
        }
        match path {
            "/" => Self::Status,
            "/-/healthy" => Self::Healthy,
            "/-/ready" => Self::Ready,
            "/-/reload" => Self::Reload,
            _ => Self::Unknown,
        }
    }

    /// `None` where nothing is and no method would help.
    const fn allow(self) -> Option<&'static str> {
        match self {
            Self::ApiUnknown | Self::Unknown => None,
            Self::Api(call) => Some(call.allow()),
            Self::Healthy | Self::Metrics | Self::Ready | Self::Status => Some("GET, HEAD"),
            Self::Reload => Some("POST, PUT"),
        }
    }
}

/// Answers a request. Only those that change something have their body read.
pub(super) async fn answer<B>(site: Arc<Site>, request: Request<B>) -> Answer
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn Error + Send + Sync>>,
{
    let path = request.uri().path();
    let route = Route::find(path, &site.options.telemetry_path);
    if let Some(allow) = route.allow().filter(|allow| !is_allowed(request.method(), allow)) {
        return match route {
            Route::Api(_) => answer::failure(&ApiError::Method(allow)),
            _ => answer::method_not_allowed(allow),
        };
    }
    match route {
        Route::ApiUnknown => answer::failure(&ApiError::NotFound(format!("no such path: {path}"))),
        Route::Healthy => answer::text(StatusCode::OK, "cache-tuner-exporter is healthy."),
        Route::Ready => ready(&site),
        Route::Reload => reload(&site).await,
        Route::Unknown => answer::text(StatusCode::NOT_FOUND, "404 page not found"),
        Route::Api(call) if request.method() == Method::POST => {
            orders::answer(&site, call, request).await
        }
        Route::Api(call) => {
            let query = request.uri().query().unwrap_or_default().to_owned();
            let has_body = request.method() != Method::HEAD;
            blocking(move || api::answer(&site, call, &query, has_body)).await
        }
        Route::Metrics => {
            let coding = encoding::wanted(request.headers());
            blocking(move || metrics(&site, coding)).await
        }
        Route::Status => blocking(move || status::page(&site)).await,
    }
}

fn is_allowed(method: &Method, allow: &str) -> bool {
    allow.split(", ").any(|name| name == method.as_str())
}

/// Runs what may take long for a large fleet on a thread of its own, so that health checks and
/// other small answers never wait for it.
async fn blocking(work: impl FnOnce() -> Answer + Send + 'static) -> Answer {
    task::spawn_blocking(work).await.unwrap_or_else(|fault| {
        tracing::error!(error = %fault, "request failed");
        answer::text(StatusCode::INTERNAL_SERVER_ERROR, "internal error: see the log")
    })
}

fn metrics(site: &Site, coding: Coding) -> Answer {
    let pieces = match (site.metrics)(coding) {
        Ok(pieces) => pieces,
        Err(why) => return answer::text(StatusCode::SERVICE_UNAVAILABLE, why),
    };
    let answer = answer::pieces(StatusCode::OK, TELEMETRY_TYPE, pieces);
    let answer = match coding {
        Coding::Gzip => answer::with(answer, CONTENT_ENCODING, "gzip"),
        Coding::Identity => answer,
    };
    answer::with(answer, VARY, "Accept-Encoding")
}

fn ready(site: &Site) -> Answer {
    if site.ready.load(Ordering::Acquire) {
        answer::text(StatusCode::OK, "cache-tuner-exporter is ready.")
    } else {
        answer::text(
            StatusCode::SERVICE_UNAVAILABLE,
            "cache-tuner-exporter is not ready: the first round of scrapes is under way.",
        )
    }
}

async fn reload(site: &Site) -> Answer {
    if !site.options.enable_lifecycle {
        return answer::text(
            StatusCode::FORBIDDEN,
            "reloading over HTTP is off: start with --web.enable-lifecycle, or send SIGHUP",
        );
    }
    let (sender, receiver) = oneshot::channel();
    match site.reload.try_send(sender) {
        Ok(()) => {}
        Err(mpsc::error::TrySendError::Full(_)) => {
            let line = "other reloads are waiting already: try again when they are done";
            return answer::text(StatusCode::SERVICE_UNAVAILABLE, line);
        }
        Err(mpsc::error::TrySendError::Closed(_)) => return stopping(),
    }
    match receiver.await {
        Ok(Ok(())) => answer::text(StatusCode::OK, "configuration reloaded"),
        Ok(Err(message)) => answer::text(
            StatusCode::INTERNAL_SERVER_ERROR,
            format!("failed to reload config: {}", message.trim_end()),
        ),
        Err(_) => stopping(),
    }
}

fn stopping() -> Answer {
    answer::text(StatusCode::SERVICE_UNAVAILABLE, "cache-tuner-exporter is stopping")
}
