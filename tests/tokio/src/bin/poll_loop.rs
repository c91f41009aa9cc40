// SPDX-License-Identifier: MIT
//! What `make bench` times: tasks that do nothing but yield, on a runtime of this thread alone. Told what
//! to do line by line on stdin, as the bench's poll_loop on the reference runtime is; answers each line with
//! the polls done and the CPU time of this thread in ns.
//!
//!     run POLLS CPU     on one CPU
//!     quit

use std::io::{stdin, BufRead};
use tokio::runtime::Builder;
use tokio::spawn;
use tokio::task::yield_now;
use truth::thread_cpu;

const TASKS: u64 = 64;

async fn yields(polls: u64) {
    for _ in 1..polls {
        yield_now().await;
    }
}

async fn run(polls: u64) {
    let tasks: Vec<_> =
        (0..TASKS).map(|i| spawn(yields(polls / TASKS + u64::from(i < polls % TASKS)))).collect();
    for task in tasks {
        task.await.expect("it ends well");
    }
}

fn stay_on(cpu: usize) {
    // SAFETY: the set is a plain bit mask of this thread's own.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(cpu, &mut set);
        // A CPU that is not ours is not worth failing for.
        libc::sched_setaffinity(0, std::mem::size_of_val(&set), &set);
    }
}

fn main() {
    let runtime = Builder::new_current_thread().build().expect("memory is free");
    for line in stdin().lock().lines() {
        let line = line.expect("it is text");
        let numbers: Vec<u64> = line.split(' ').skip(1).flat_map(str::parse).collect();
        match (line.split(' ').next(), &numbers[..]) {
            (Some("run"), &[polls, cpu]) if polls >= TASKS => {
                stay_on(cpu as usize);
                let start = thread_cpu();
                runtime.block_on(run(polls));
                println!("{polls} {}", (thread_cpu() - start).as_nanos());
            }
            (Some("quit"), []) => break,
            _ => panic!("no such command: {line}"),
        }
    }
}
