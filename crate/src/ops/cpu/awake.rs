//! Threads that stay awake while a network runs.
//!
//! A pool's threads go to sleep between two kernels, and to wake one takes as long as a small kernel does. So some of them
//! look for work all the time until the network is through.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

/// Threads that stay awake beside the one that works, at most: more of them gain little for the electricity.
const MOST: usize = 3;
/// Turns of an idle loop between two looks for work.
const IDLE: usize = 64;
/// Looks for work without success before the core is offered to others.
const PATIENCE: usize = 16;

/// Sets a flag when it is dropped, also where a panic unwinds: nobody waits for ever.
struct Done<'a>(&'a AtomicBool);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// Runs `work` on a thread of the pool while others wait awake for pieces of it.
pub(super) fn run<R: Send>(work: impl FnOnce() -> R + Send) -> R {
    let done = AtomicBool::new(false);
    rayon::scope(|scope| {
        let done = Done(&done);
        let own = rayon::current_thread_index();
        for _ in 1..rayon::current_num_threads().min(1 + MOST) {
            let done = done.0;
            scope.spawn(move |_| {
                // Whoever works must not wait for itself, where it finds this before another thread does.
                if rayon::current_thread_index() != own {
                    attend(done);
                }
            });
        }
        let result = work();
        drop(done);
        result
    })
}

/// Takes work until the flag is set.
fn attend(done: &AtomicBool) {
    let mut idle = 0;
    // Whoever wakes is often put beside the one that woke it, and is given a core of its own when it wakes once more.
    std::thread::sleep(Duration::from_micros(1));
    while !done.load(Ordering::Acquire) {
        if rayon::yield_now() == Some(rayon::Yield::Executed) {
            idle = 0;
            continue;
        }
        (0..IDLE).for_each(|_| std::hint::spin_loop());
        idle += 1;
        // The system may have put this thread on the core of the one it waits for, which must not lose half of its time.
        if idle % PATIENCE == 0 {
            std::thread::yield_now();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind};

    use rayon::prelude::*;

    use super::*;

    #[test]
    fn work_is_shared_and_comes_to_an_end_on_any_number_of_threads() {
        for threads in [1, 2, 3, 7] {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let sum = || (0..1000u32).into_par_iter().with_max_len(10).sum::<u32>();
            let sums: Vec<u32> = pool.install(|| (0..50).map(|_| run(sum)).collect());
            assert_eq!(sums, [499_500; 50]);
        }
    }

    #[test]
    fn work_within_work_and_work_that_panics_end_too() {
        assert_eq!(run(|| run(|| 7)), 7);
        let fails = catch_unwind(AssertUnwindSafe(|| run(|| assert_eq!(1, 2))));
        assert!(fails.is_err());
        assert_eq!(run(|| 1), 1);
    }
}
