// SPDX-License-Identifier: MIT
//! A large service, as far as its binary goes: 2,500 futures, so 5,000 poll functions, for each is
//! there for both of Tokio's schedulers. Spawns each once, says `ready`, and then sleeps. An example, and
//! so apart from the programs, because it takes a minute or more to compile.

use std::{future, process, thread};
use tokio::runtime::Builder;
use tokio::spawn;

/// Half of a large file is data.
#[used]
static DATA: [u8; 48 << 20] = [1; 48 << 20];

async fn kind<const A: usize, const B: usize, const C: usize, const D: usize>() -> usize {
    let state = [A, B, C, D];
    future::pending::<()>().await;
    state.iter().sum()
}

macro_rules! each {
    ($next:ident [$($outer:ident)*]) => {};
    ($next:ident [$($outer:ident)*] $n:literal $($more:literal)*) => {
        $next::<$($outer,)* $n>();
        each!($next [$($outer)*] $($more)*);
    };
}

fn one<const A: usize, const B: usize, const C: usize, const D: usize>() {
    spawn(kind::<A, B, C, D>());
}

fn ten<const A: usize, const B: usize, const C: usize>() {
    each!(one [A B C] 0 1 2 3 4 5 6 7 8 9);
}

fn hundred<const A: usize, const B: usize>() {
    each!(ten [A B] 0 1 2 3 4 5 6 7 8 9);
}

fn five_hundred<const A: usize>() {
    each!(hundred [A] 0 1 2 3 4);
}

fn main() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().expect("a thread starts");
    runtime.block_on(async {
        each!(five_hundred [] 0 1 2 3 4);
    });
    println!("ready {}", process::id());
    loop {
        thread::park();
    }
}
