//! PagerDuty's REST API: the incidents of a week, as they stand now.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;
use tokio::time::{Instant, sleep, timeout_at};

use super::rest::{LAST_OFFSET, Listed, PAGE, Page, RestClient};
use crate::budget::{PAUSE, WEEK_INCIDENTS};
use crate::clock::Invocation;
use crate::domain::check::Unseen;
use crate::domain::week::{End, PastIncident, PastIncidents, Period, ServiceName};
use crate::log_events;

/// Pages that are asked for at a time, after the first: PagerDuty takes some 300 ms for each.
const AT_A_TIME: usize = 4;

#[derive(Deserialize)]
struct Past {
    #[serde(flatten)]
    listed: Listed,
    resolved_at: Option<DateTime<Utc>>,
    last_status_change_at: Option<DateTime<Utc>>,
    resolve_reason: Option<Reason>,
    service: Option<Reference>,
}

#[derive(Deserialize)]
struct Reason {
    r#type: Option<String>,
}

#[derive(Deserialize)]
struct Reference {
    id: Option<String>,
    summary: Option<String>,
}

impl RestClient {
    /// All incidents that began in a period, within their share of the time. A failure is logged here and costs only
    /// the numbers: half of them would be wrong ones.
    pub async fn past_incidents(&self, period: &Period, invocation: Invocation) -> PastIncidents {
        match self.all_pages(period, invocation.within(WEEK_INCIDENTS)).await {
            Ok((listed, complete)) => {
                let incidents = listed.into_iter().map(Past::into_past).collect();
                PastIncidents::Listed { incidents, complete }
            }
            Err(why) => {
                tracing::error!(
                    event = log_events::WEEK,
                    "PagerDuty didn't list the week's incidents ({why}); \
                     check PAGERDUTY_API_KEY, PAGERDUTY_SERVICES and PAGERDUTY_BASE_URL"
                );
                PastIncidents::Unknown
            }
        }
    }

    async fn all_pages(&self, period: &Period, deadline: Instant) -> Result<(Vec<Past>, bool), Unseen> {
        let page = async |number: usize| {
            if number * PAGE >= LAST_OFFSET {
                return Ok(None);
            }
            self.past_page(period, number * PAGE, deadline).await.map(Some)
        };
        let mut incidents = Vec::new();
        let mut next = 0;
        loop {
            let pages = if next == 0 {
                [page(0).await?, None, None, None]
            } else {
                let (a, b, c, d) = tokio::join!(page(next), page(next + 1), page(next + 2), page(next + 3));
                [a?, b?, c?, d?]
            };
            next += if next == 0 { 1 } else { AT_A_TIME };
            let mut more = false;
            for page in pages.into_iter().flatten() {
                more = page.more && !page.incidents.is_empty();
                incidents.extend(page.incidents);
                if !more {
                    break;
                }
            }
            if !more || next * PAGE >= LAST_OFFSET {
                return Ok((incidents, !more));
            }
        }
    }

    /// A page; one that fails is asked for once more.
    async fn past_page(&self, period: &Period, offset: usize, deadline: Instant) -> Result<Page<Past>, Unseen> {
        let [since, until] =
            [period.from, period.until].map(|at| at.to_utc().to_rfc3339_opts(SecondsFormat::Secs, true));
        let (limit, offset) = (PAGE.to_string(), offset.to_string());
        let query = [
            ("since", since.as_str()),
            ("until", &until),
            ("time_zone", "UTC"),
            ("statuses[]", "triggered"),
            ("statuses[]", "acknowledged"),
            ("statuses[]", "resolved"),
            ("sort_by", "created_at:asc"),
            ("limit", &limit),
            ("offset", &offset),
        ];
        let attempts = async {
            if let Ok(page) = self.list(&query).await {
                return Ok(page);
            }
            sleep(PAUSE).await;
            self.list(&query).await
        };
        timeout_at(deadline, attempts)
            .await
            .unwrap_or_else(|_| Err(Unseen::Unreachable("no answer in time".to_owned())))
    }
}

impl Past {
    fn into_past(self) -> PastIncident {
        let is_merged = self.resolve_reason.and_then(|reason| reason.r#type).as_deref() == Some("merge_resolve_reason");
        let end = match self.listed.status.as_deref() {
            Some("resolved") if is_merged => End::Merged,
            Some("resolved") => End::Resolved(self.resolved_at.or(self.last_status_change_at)),
            _ => End::Open,
        };
        let service = self.service.map(|service| ServiceName {
            id: service.id.unwrap_or_default(),
            name: service.summary.unwrap_or_default(),
        });
        PastIncident {
            service: service.unwrap_or_default(),
            began: self.listed.created_at,
            end,
            incident: self.listed.into_incident(),
        }
    }
}
