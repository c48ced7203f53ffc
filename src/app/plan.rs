//! From a loaded configuration to the targets that are to be watched: for each, what the engine
//! must know of it and what its scrape task must know.

use std::sync::Arc;
use std::time::Duration;

use crate::config::Job;
use crate::config::Loaded;
use crate::config::LoadedJob;
use crate::config::ProfileChoice as Named;
use crate::config::Target;
use crate::engine::JobPlan;
use crate::engine::TargetPlan;
use crate::profile::Profile;
use crate::published::TargetId;
use crate::reading::JobReader;
use crate::reading::ProfileChoice;
use crate::scrape::Url;
use crate::scrape::client::Client;
use crate::scrape::client::ClientError;
use crate::scrape::config::ClientConfig;

/// Why a configuration that loaded cannot be put to work.
#[derive(Debug, thiserror::Error)]
pub(super) enum PlanError {
    /// The HTTP client of a job cannot be built.
    #[error("job `{job}`: {cause}")]
    Client {
        /// Its name.
        job: String,
        /// Why.
        cause: ClientError,
    },
    /// A target's address makes no URL.
    #[error("job `{job}`: target `{target}` makes no URL: {cause}")]
    Url {
        /// The job's name.
        job: String,
        /// The address, as configured.
        target: String,
        /// Why.
        cause: String,
    },
}

impl PlanError {
    /// What a diagnostic calls it. The loader has tried the same already, so it is hardly ever
    /// seen.
    pub(super) const fn code(&self) -> &'static str {
        match self {
            Self::Client { .. } => "bad-certificate",
            Self::Url { .. } => "bad-target",
        }
    }
}

/// A target and all that is done with it.
#[derive(Debug, Clone)]
pub(super) struct Watch {
    /// For the engine.
    pub(super) plan: TargetPlan,
    /// For its scrape task.
    pub(super) scraping: Scraping,
}

/// How a target is scraped and read. Two that are equal need no new task.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Scraping {
    pub(super) url: Url,
    pub(super) job: Arc<JobScraping>,
}

/// What the targets of a job share: a job may have thousands.
#[derive(Debug)]
pub(super) struct JobScraping {
    pub(super) name: String,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) client: Arc<Client>,
    pub(super) client_config: ClientConfig,
    pub(super) reader: Arc<JobReader>,
    /// What the profiles are made of, to tell whether a reload changed one.
    profiles: Vec<String>,
}

impl PartialEq for JobScraping {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
            && self.interval == other.interval
            && self.timeout == other.timeout
            && self.client_config == other.client_config
            && self.profiles == other.profiles
    }
}

impl JobScraping {
    fn new(loaded: &LoadedJob) -> Result<Self, PlanError> {
        let LoadedJob { job, profiles, .. } = loaded;
        let client = Client::new(&job.client)
            .map_err(|cause| PlanError::Client { job: job.name.clone(), cause })?;
        Ok(Self {
            name: job.name.clone(),
            interval: job.scrape_interval,
            timeout: job.scrape_timeout,
            client: Arc::new(client),
            client_config: job.client.clone(),
            reader: Arc::new(JobReader::new(choice(job, profiles), job.client.sample_limit)),
            profiles: profiles.iter().map(|profile| format!("{profile:?}")).collect(),
        })
    }
}

/// The targets of a configuration.
pub(super) fn watches(loaded: &Loaded) -> Result<Vec<Watch>, PlanError> {
    let mut watches = Vec::new();
    for loaded_job in &loaded.jobs {
        job_watches(loaded_job, &mut watches)?;
    }
    Ok(watches)
}

fn job_watches(loaded: &LoadedJob, watches: &mut Vec<Watch>) -> Result<(), PlanError> {
    let LoadedJob { job, rules, .. } = loaded;
    let scraping = Arc::new(JobScraping::new(loaded)?);
    let plan = Arc::new(JobPlan {
        tuning: job.tuning,
        rules: Arc::clone(rules),
        freeze: Arc::clone(&job.freeze),
    });
    for target in &job.targets {
        let url = target_url(job, target)?;
        let id =
            TargetId { scrape_job: job.name.as_str().into(), target: Arc::clone(&target.address) };
        watches.push(Watch {
            plan: TargetPlan {
                id,
                url: url.as_str().into(),
                labels: Arc::clone(&target.labels),
                scrape_interval: job.scrape_interval,
                scrape_timeout: job.scrape_timeout,
                job: Arc::clone(&plan),
            },
            scraping: Scraping { url, job: Arc::clone(&scraping) },
        });
    }
    Ok(())
}

fn choice(job: &Job, profiles: &[Arc<Profile>]) -> ProfileChoice {
    match (&job.profile, profiles) {
        (Named::Named(_), [profile]) => ProfileChoice::Fixed(Arc::clone(profile)),
        _ => ProfileChoice::Auto(profiles.to_vec()),
    }
}

fn target_url(job: &Job, target: &Target) -> Result<Url, PlanError> {
    Url::parse(&target.url(job)).map_err(|cause| PlanError::Url {
        job: job.name.clone(),
        target: target.address.to_string(),
        cause: cause.to_string(),
    })
}
