//! Work on several things at once, by as many threads as may run helm.
//!
//! Each thread goes on to the next thing as soon as it is done with one: what it reads and keeps of one rendering does not
//! hold up the helm of another.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// Does `work` for each of the `items` and returns what it makes, in their order.
pub(super) fn side_by_side<Item: Sync, Made: Send>(
    threads: usize,
    items: &[Item],
    work: impl Fn(&Item) -> Made + Sync,
) -> Vec<Made> {
    let next = AtomicUsize::new(0);
    let take_turns = || {
        let mut made = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(at) else { return made };
            made.push((at, work(item)));
        }
    };
    let mut made = thread::scope(|scope| {
        let others: Vec<_> = (1..threads.min(items.len())).map(|_| scope.spawn(take_turns)).collect();
        let mut made = take_turns();
        for other in others {
            made.extend(other.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        }
        made
    });
    made.sort_by_key(|(at, _)| *at);
    made.into_iter().map(|(_, made)| made).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Barrier;

    use super::*;

    #[test]
    fn what_is_made_comes_in_the_order_of_the_items_however_many_threads_there_are() {
        let items: Vec<usize> = (0..100).collect();
        for threads in [0, 1, 2, 7, 1000] {
            let made = side_by_side(threads, &items, |item| item * 2);
            assert_eq!(made, items.iter().map(|item| item * 2).collect::<Vec<_>>(), "{threads}");
        }
        assert!(side_by_side(2, &[], |item: &usize| *item).is_empty());
    }

    #[test]
    fn as_many_are_worked_on_at_once_as_there_are_threads() {
        let met = Barrier::new(3);
        // Nobody gets past the barrier before three are there.
        assert_eq!(side_by_side(3, &[(), (), ()], |()| _ = met.wait()).len(), 3);
    }
}
