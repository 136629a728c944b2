//! Each repository: what it says it holds, and whether its events make up its revision.

use super::{Check, Found, VerifyError};
use crate::catalog::RepositoryCount;

impl Check<'_> {
    pub(super) async fn check_repositories(&mut self) -> Result<(), VerifyError> {
        let catalog = &self.stores.catalog;
        for row in catalog.list_repositories().await? {
            // Gone since it was listed.
            let Some(count) = catalog.count_repository(row.id).await? else { continue };
            self.verified.repositories += 1;
            let repository = row.path.to_string();
            if let Some(reason) = broken_events(&count) {
                self.found(Found::EventsBroken { repository: repository.clone(), reason }, false);
            }
            let told = |versions, bytes| format!("{versions} versions and {bytes} bytes");
            let said = told(count.version_count, count.stored_bytes);
            let counted = told(count.true_version_count, count.true_stored_bytes);
            if said != counted {
                if self.verification.repairs {
                    catalog.recount_repository(row.id).await?;
                }
                self.found(Found::CountWrong { repository, said, counted }, self.verification.repairs);
            }
        }
        Ok(())
    }
}

/// Says what is wrong with the events: there should be one for each revision from 1 on.
fn broken_events(count: &RepositoryCount) -> Option<String> {
    let RepositoryCount { revision, events, first_event, last_event, .. } = *count;
    let is_whole = match (first_event, last_event) {
        (None, None) => revision == 0,
        (Some(first), Some(last)) => first == 1 && last == revision && events == revision,
        (None, Some(_)) | (Some(_), None) => false,
    };
    let bound = |event: Option<i64>| event.map_or_else(|| "none".to_owned(), |event| event.to_string());
    (!is_whole).then(|| {
        format!(
            "it is at revision {revision} and has {events} events, the first {}, the last {}",
            bound(first_event),
            bound(last_event)
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_whole_when_there_is_one_for_each_revision() {
        for (revision, events, first_event, last_event, is_whole) in [
            (0, 0, None, None, true),
            (3, 3, Some(1), Some(3), true),
            (1, 0, None, None, false),
            (3, 2, Some(1), Some(3), false),
            (3, 2, Some(2), Some(3), false),
            (3, 4, Some(1), Some(4), false),
        ] {
            let count = RepositoryCount {
                version_count: 0,
                stored_bytes: 0,
                true_version_count: 0,
                true_stored_bytes: 0,
                revision,
                events,
                first_event,
                last_event,
            };
            assert_eq!(broken_events(&count).is_none(), is_whole, "{count:?}");
        }
    }
}
