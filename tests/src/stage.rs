//! Who may use the machine: tests that measure time have it alone.

use std::sync::Mutex;
use std::time::Duration;

#[derive(Default)]
struct Users {
    shared: usize,
    is_taken: bool,
}

// All tests of this process share one machine, hence one static.
static USERS: Mutex<Users> = Mutex::new(Users {
    shared: 0,
    is_taken: false,
});

const POLL: Duration = Duration::from_millis(10);

/// The right to use the machine, for as long as it lives.
#[derive(Debug)]
pub struct Stage {
    is_alone: bool,
}

impl Stage {
    /// Together with others. A test may hold several: whoever waits to be alone
    /// does not keep these back, so that nobody waits for himself.
    pub async fn shared() -> Self {
        Self::when(|users| {
            let is_free = !users.is_taken;
            users.shared += usize::from(is_free);
            is_free
        })
        .await;
        Self { is_alone: false }
    }

    /// With nobody else, for tests that measure time.
    pub async fn alone() -> Self {
        Self::when(|users| {
            let is_free = !users.is_taken && users.shared == 0;
            users.is_taken |= is_free;
            is_free
        })
        .await;
        Self { is_alone: true }
    }

    async fn when(mut take: impl FnMut(&mut Users) -> bool) {
        // Without a deadline: this may take as long as all other tests.
        while !take(&mut USERS.lock().expect("no panic under this lock")) {
            tokio::time::sleep(POLL).await;
        }
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let mut users = USERS.lock().expect("no panic under this lock");
        if self.is_alone {
            users.is_taken = false;
        } else {
            users.shared -= 1;
        }
    }
}
