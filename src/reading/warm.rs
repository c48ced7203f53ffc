//! Reading the pages of one target after the other: what was learnt from the last one makes the
//! next one cheap.
//!
//! A target keeps the layout of its page; targets of a job that show the same product mostly show
//! the same page but for its numbers, so they share one. Every result is that of [`read`], which is
//! also how a page is read that no layout holds for.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;

use crate::exposition::Format;
use crate::profile::Names;
use crate::profile::PageFormat;
use crate::profile::Plan;
use crate::profile::Profile;
use crate::reading::Failure;
use crate::reading::ProfileChoice;
use crate::reading::RawPage;
use crate::reading::Reading;
use crate::reading::Samples;
use crate::reading::layout::Counts;
use crate::reading::layout::Layout;
use crate::reading::page_format;
use crate::reading::profile_of;
use crate::reading::reading_of;
use crate::reading::samples_if;
use crate::reading::within_limit;
use crate::units::Timestamp;

/// Layouts that a job's targets offer each other. Its targets show the same product, in a few
/// versions.
const LAYOUTS_SHARED_MAX: usize = 8;

/// Doublings of the number of pages that are read the plain way before a layout is tried again,
/// while none holds: some pages change in more than their numbers every time.
const MISFITS_COUNTED_MAX: u32 = 7;

/// Bad lines of a page that a layout is made of all the same: each of them is read again in every
/// page.
const BAD_LINES_MAX: usize = 10;

/// How the pages of a job are read, with what its targets share.
#[derive(Debug)]
pub struct JobReader {
    /// By which profile.
    pub choice: ProfileChoice,
    /// Most samples of a page.
    pub sample_limit: Option<usize>,
    /// The metrics that `choice` may ask for.
    names: Arc<Names>,
    /// The newest first.
    layouts: Mutex<VecDeque<Weak<Layout>>>,
}

impl JobReader {
    /// For pages that are read like this.
    pub fn new(choice: ProfileChoice, sample_limit: Option<usize>) -> Self {
        let names = Arc::new(choice.names(None));
        Self { choice, sample_limit, names, layouts: Mutex::default() }
    }

    /// Those that a target still uses.
    fn shared(&self) -> Vec<Arc<Layout>> {
        let layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        layouts.iter().filter_map(Weak::upgrade).collect()
    }

    fn share(&self, layout: &Arc<Layout>) {
        let mut layouts = self.layouts.lock().unwrap_or_else(PoisonError::into_inner);
        layouts.retain(|layout| layout.strong_count() > 0);
        layouts.push_front(Arc::downgrade(layout));
        layouts.truncate(LAYOUTS_SHARED_MAX);
    }
}

/// Reads the pages of one target.
#[derive(Debug)]
pub struct TargetReader {
    job: Arc<JobReader>,
    known: Option<Arc<Profile>>,
    /// The metrics that its pages may be asked for.
    names: Arc<Names>,
    layout: Option<Arc<Layout>>,
    /// Reused from page to page.
    values: Vec<f64>,
    /// Layouts in a row that did not hold for the very next page.
    misfits: u32,
    /// Pages to be read the plain way before the next layout.
    wait: u32,
}

impl TargetReader {
    /// `known` is the profile that the target's earlier pages were read with.
    pub fn new(job: Arc<JobReader>, known: Option<Arc<Profile>>) -> Self {
        let is_of_job = |known| job.choice.profiles().iter().any(|own| Arc::ptr_eq(own, known));
        let names = match &known {
            Some(profile) if !is_of_job(profile) => Arc::new(job.choice.names(Some(profile))),
            Some(_) | None => Arc::clone(&job.names),
        };
        Self { job, known, names, layout: None, values: Vec::new(), misfits: 0, wait: 0 }
    }

    /// Reads the next page.
    ///
    /// # Errors
    /// Those of [`read`](super::read).
    pub fn read(&mut self, page: RawPage<'_>, now: Timestamp) -> Result<Reading, Failure> {
        let result = match self.follow(page) {
            Some((layout, counts)) => self.reading(&layout, counts),
            None => self.read_plainly(page, now),
        };
        if let Ok(reading) = &result {
            self.known = Some(Arc::clone(&reading.profile));
        }
        result
    }

    /// The layout of its last page.
    #[cfg(test)]
    pub(super) fn layout(&self) -> Option<&Arc<Layout>> {
        self.layout.as_ref()
    }

    /// A layout that holds for the page, with the page's counts; its values are in `self.values`.
    fn follow(&mut self, page: RawPage<'_>) -> Option<(Arc<Layout>, Counts)> {
        if page_format(page) == PageFormat::Json {
            return None;
        }
        let format = Format::from_content_type(page.content_type);
        let values = &mut self.values;
        let mut follow = |layout: &Layout| {
            let counts = layout.follow(page.text, format, values)?;
            // A page without samples may be no page at all.
            (counts.samples > 0).then_some(counts)
        };
        if let Some(layout) = self.layout.take() {
            if let Some(counts) = follow(&layout) {
                self.misfits = 0;
                self.layout = Some(Arc::clone(&layout));
                return Some((layout, counts));
            }
            self.misfits = (self.misfits + 1).min(MISFITS_COUNTED_MAX);
            self.wait = (1 << (self.misfits - 1)) - 1;
        }
        if self.wait > 0 {
            return None;
        }
        let found = self.job.shared().into_iter().find_map(|layout| {
            let counts = follow(&layout)?;
            Some((layout, counts))
        });
        self.layout = found.as_ref().map(|(layout, _)| Arc::clone(layout));
        found
    }

    fn reading(&self, layout: &Layout, counts: Counts) -> Result<Reading, Failure> {
        within_limit(counts.samples, self.job.sample_limit)?;
        Ok(Reading {
            profile: Arc::clone(&layout.profile),
            caches: layout.plan.caches(&self.values),
            samples: counts.samples,
            bad_lines: counts.bad_lines,
            bad_line: counts.bad_line,
        })
    }

    fn read_plainly(&mut self, page: RawPage<'_>, now: Timestamp) -> Result<Reading, Failure> {
        let wanted = |name: &str| self.names.contains(name);
        let found = samples_if(page, self.job.sample_limit, wanted)?;
        let profile = profile_of(&found.samples, &self.job.choice, self.known.as_ref(), now)?;
        let reading = reading_of(&found, &profile, now)?;
        if self.wait > 0 {
            self.wait -= 1;
        } else if let Some(layout) = self.new_layout(page, &found, &profile, now) {
            let layout = Arc::new(layout);
            self.job.share(&layout);
            self.layout = Some(layout);
        }
        Ok(reading)
    }

    fn new_layout(
        &self,
        page: RawPage<'_>,
        found: &Samples<'_>,
        profile: &Arc<Profile>,
        now: Timestamp,
    ) -> Option<Layout> {
        if page_format(page) == PageFormat::Json || found.bad_lines > BAD_LINES_MAX {
            return None;
        }
        // A profile that the page does not show is one that the next page may not have either.
        let shown = profile_of(&found.samples, &self.job.choice, None, now).ok()?;
        if !Arc::ptr_eq(&shown, profile) {
            return None;
        }
        let plan = Plan::new(profile, &found.samples, now);
        let format = Format::from_content_type(page.content_type);
        Layout::new(page.text, format, profile, plan, self.job.choice.deciding_names())
    }
}
