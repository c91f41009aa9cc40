// SPDX-License-Identifier: MIT
//! mix [TIMES]: a bit of everything that tasks are made of and do, on several runtimes at once. Every
//! task's future counts itself (see `truth`). `exec` has it execute itself anew.

mod blocking;
mod ends;
mod messages;
mod shapes;

use std::os::unix::process::CommandExt;
use std::process::Command;
use std::thread;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::LocalSet;
use truth::Channel;

fn multi_thread(workers: usize) -> Runtime {
    Builder::new_multi_thread().worker_threads(workers).enable_all().build().expect("threads start")
}

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().expect("descriptors are free")
}

async fn round(times: u32) {
    messages::run(times).await;
    shapes::run(times).await;
    ends::run(times).await;
    blocking::run(times).await;
}

/// A runtime of its own thread, beside the others.
async fn round_on_one_thread(times: u32) {
    let local = LocalSet::new();
    local.run_until(shapes::run_local(times)).await;
    messages::run(times).await;
    ends::run_unpolled(times).await;
}

fn main() {
    let times = std::env::args().nth(1).map_or(10, |text| text.parse().expect("TIMES is a number"));
    std::panic::set_hook(Box::new(|panic| {
        if !panic.to_string().contains(ends::MEANT) {
            eprintln!("{panic}");
        }
    }));
    let (first, second) = (multi_thread(2), multi_thread(1));
    let mut channel = Channel::open();
    while let Some(command) = channel.command() {
        if command == "exec" {
            panic!("{}", Command::new("/proc/self/exe").args(std::env::args().skip(1)).exec());
        }
        let beside: Handle = second.handle().clone();
        let others = [
            thread::spawn(move || beside.block_on(messages::run(times))),
            thread::spawn(move || current_thread().block_on(round_on_one_thread(times))),
        ];
        first.block_on(round(times));
        for other in others {
            other.join().expect("nobody panics outside of tasks");
        }
        channel.tell(&truth::take());
    }
}
