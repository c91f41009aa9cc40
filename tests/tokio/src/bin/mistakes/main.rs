// SPDX-License-Identifier: MIT
//! mistakes MISTAKE[:FORM] wrong|fixed: five things that people do in async programs, in several forms,
//! each beside its fix. MISTAKE is a module's name.

mod blocking_call;
mod nested_block_on;
mod thread_count;
mod tiny_tasks;
mod unbounded_queue;

use std::thread;
use std::time::Duration;
use truth::Channel;

#[derive(Clone, Copy)]
pub enum Side {
    Wrong,
    Fixed,
}

/// Does what is to be done as often as it is asked for.
pub struct Rounds(Channel);

impl Rounds {
    fn run(mut self, mut round: impl FnMut()) {
        while self.0.command().is_some() {
            round();
            // The last task's worker may not have left its poll: the runtime's end would mark the task
            // as cancelled.
            thread::sleep(Duration::from_millis(100));
            self.0.tell(&truth::take());
        }
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let (mistake, side) = match &arguments[..] {
        [_, mistake, side] if side == "wrong" => (mistake, Side::Wrong),
        [_, mistake, side] if side == "fixed" => (mistake, Side::Fixed),
        _ => panic!("mistakes MISTAKE[:FORM] wrong|fixed"),
    };
    let (mistake, form) = mistake.split_once(':').unwrap_or((mistake, ""));
    let main = match mistake {
        "blocking_call" => blocking_call::main,
        "thread_count" => thread_count::main,
        "tiny_tasks" => tiny_tasks::main,
        "nested_block_on" => nested_block_on::main,
        "unbounded_queue" => unbounded_queue::main,
        _ => panic!("there is no {mistake}"),
    };
    main(form, side, Rounds(Channel::open()));
}
