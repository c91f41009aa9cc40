// SPDX-License-Identifier: MIT
//! What a task should not do inside of a poll, and what it may do instead.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::io::AsRawFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;
use std::{env, process, thread};
use tokio::runtime::Handle;
use tokio::task::{block_in_place, spawn_blocking, yield_now};
use tokio::{spawn, time};
use truth::{blocks, counted, job, thread_cpu};

const WHILE: Duration = Duration::from_millis(3);

async fn sleeps(times: u32) {
    counted("mix::blocking::sleeps", async move {
        for _ in 0..times {
            blocks("clock_nanosleep", || thread::sleep(WHILE));
            yield_now().await;
        }
    })
    .await
}

/// Writes a file to the disk, and reads it from there: it is not in memory any more.
async fn keeps_log(times: u32, path: PathBuf) {
    counted("mix::blocking::keeps_log", async move {
        let mut text = vec![b'x'; 1 << 16];
        for _ in 0..times {
            let mut file = File::create(&path).expect("the folder is there");
            file.write_all(&text).expect("there is room");
            blocks("fsync", || file.sync_all()).expect("the disk works");
            // SAFETY: no memory is touched.
            unsafe { libc::posix_fadvise(file.as_raw_fd(), 0, 0, libc::POSIX_FADV_DONTNEED) };
            let mut file = File::open(&path).expect("it was made");
            blocks("read", || file.read_exact(&mut text)).expect("it is as long");
            yield_now().await;
        }
        fs::remove_file(path).expect("it was made");
    })
    .await
}

async fn waits_for_peer(times: u32) {
    counted("mix::blocking::waits_for_peer", async move {
        let (mut ours, mut theirs) = UnixStream::pair().expect("descriptors are free");
        let peer = thread::spawn(move || {
            for _ in 0..times {
                thread::sleep(WHILE);
                theirs.write_all(b"x").expect("it is read");
            }
        });
        for _ in 0..times {
            blocks("recvfrom", || ours.read_exact(&mut [0])).expect("it is written");
            yield_now().await;
        }
        peer.join().expect("it ends well");
    })
    .await
}

async fn hogs_cpu(times: u32) {
    counted("mix::blocking::hogs_cpu", async move {
        for _ in 0..times {
            blocks("on-cpu", || {
                let end = thread_cpu() + WHILE;
                while thread_cpu() < end {}
            });
            yield_now().await;
        }
    })
    .await
}

async fn steps_aside(times: u32) {
    counted("mix::blocking::steps_aside", async move {
        for _ in 0..times {
            block_in_place(|| blocks("clock_nanosleep", || thread::sleep(WHILE)));
            yield_now().await;
        }
    })
    .await
}

/// A future inside of a poll of another, on the same thread.
async fn nests(times: u32) {
    counted("mix::blocking::nests", async move {
        for _ in 0..times {
            let inner = time::sleep(WHILE);
            blocks("futex", || block_in_place(|| Handle::current().block_on(inner)));
            yield_now().await;
        }
    })
    .await
}

/// The same on a thread of its own, for which the task's waits.
async fn nests_elsewhere(times: u32) {
    counted("mix::blocking::nests_elsewhere", async move {
        for _ in 0..times {
            let handle = Handle::current();
            let other = thread::spawn(move || handle.block_on(async { time::sleep(WHILE).await }));
            blocks("futex", || other.join()).expect("it ends well");
            yield_now().await;
        }
    })
    .await
}

fn compresses() {
    job("mix::blocking::compresses");
    thread::sleep(WHILE);
}

async fn hands_over(times: u32) {
    counted("mix::blocking::hands_over", async move {
        for i in 0..times {
            spawn_blocking(compresses).await.expect("it ends well");
            let half = spawn_blocking(move || {
                job("mix::blocking::hands_over");
                i / 2
            });
            assert!(half.await.expect("it ends well") <= i);
        }
    })
    .await
}

pub async fn run(times: u32) {
    let path = env::temp_dir().join(format!("mix-{}.log", process::id()));
    for task in [
        spawn(sleeps(times)),
        spawn(keeps_log(times, path)),
        spawn(waits_for_peer(times)),
        spawn(hogs_cpu(times)),
        spawn(steps_aside(times)),
        spawn(nests(times)),
        spawn(nests_elsewhere(times)),
        spawn(hands_over(times)),
    ] {
        task.await.expect("it ends well");
    }
}
