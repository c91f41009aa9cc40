// SPDX-License-Identifier: MIT
//! host LIBRARY: a program without Tokio, until it loads `plugin`. Commands: `load`; `go` runs what the
//! library does and answers with how often its tasks were polled.

use std::ffi::CString;
use truth::Channel;

type Run = extern "C" fn(times: u32) -> u64;

fn load(path: &str) -> Run {
    let path = CString::new(path).expect("a path has no NUL");
    // SAFETY: the library's initializers are Rust's own; `plugin_run` has this type.
    unsafe {
        let library = libc::dlopen(path.as_ptr(), libc::RTLD_NOW);
        assert!(!library.is_null(), "{path:?} is no library");
        let symbol = libc::dlsym(library, b"plugin_run\0".as_ptr().cast());
        assert!(!symbol.is_null(), "{path:?} has no plugin_run");
        std::mem::transmute(symbol)
    }
}

fn main() {
    let path = std::env::args().nth(1).expect("host LIBRARY");
    let mut channel = Channel::open();
    let mut run = None;
    while let Some(command) = channel.command() {
        if command == "load" {
            run = Some(load(&path));
            channel.tell("{}");
            continue;
        }
        let run = run.get_or_insert_with(|| load(&path));
        channel.tell(&format!("{{\"polls\":{}}}", run(20)));
    }
}
