// SPDX-License-Identifier: MIT
//! mistakes MISTAKE wrong|fixed: five things that people do in async programs, each beside its fix. MISTAKE
//! is a module's name.

mod blocking_call;
mod nested_block_on;
mod thread_count;
mod tiny_tasks;
mod unbounded_queue;

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
            self.0.tell(&truth::take());
        }
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    let (mistake, side) = match &arguments[..] {
        [_, mistake, side] if side == "wrong" => (mistake, Side::Wrong),
        [_, mistake, side] if side == "fixed" => (mistake, Side::Fixed),
        _ => panic!("mistakes MISTAKE wrong|fixed"),
    };
    let main = match mistake.as_str() {
        "blocking_call" => blocking_call::main,
        "thread_count" => thread_count::main,
        "tiny_tasks" => tiny_tasks::main,
        "nested_block_on" => nested_block_on::main,
        "unbounded_queue" => unbounded_queue::main,
        _ => panic!("there is no {mistake}"),
    };
    main(side, Rounds(Channel::open()));
}
