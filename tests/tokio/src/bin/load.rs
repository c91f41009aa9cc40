// SPDX-License-Identifier: MIT
//! load ADDRESS [CONNECTIONS [SECONDS [PAUSE-MS]]]: a client of `echo`: each connection sends a message
//! when the last one is back and it has paused. Prints how many there were, and how long they took.

use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::runtime::Builder;
use tokio::spawn;
use tokio::time::sleep;

/// Sends messages until `end`; returns the nanoseconds that each took.
async fn client(address: String, end: Instant, pause: Duration) -> Vec<u64> {
    let mut stream = TcpStream::connect(address).await.expect("the server accepts");
    stream.set_nodelay(true).expect("it is a TCP stream");
    let mut message = [b'x'; 64];
    let mut took = Vec::new();
    let mut start = Instant::now();
    while start < end {
        stream.write_all(&message).await.expect("the server reads");
        stream.read_exact(&mut message).await.expect("the server answers");
        let now = Instant::now();
        took.push((now - start).as_nanos() as u64);
        if !pause.is_zero() {
            sleep(pause).await;
        }
        start = Instant::now();
    }
    took
}

async fn run(address: String, connections: usize, duration: Duration, pause: Duration) -> Vec<u64> {
    let end = Instant::now() + duration;
    let one = || spawn(client(address.clone(), end, pause));
    let clients: Vec<_> = (0..connections).map(|_| one()).collect();
    let mut took = Vec::new();
    for client in clients {
        took.append(&mut client.await.expect("it ends well"));
    }
    took.sort_unstable();
    took
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().expect("load ADDRESS [CONNECTIONS [SECONDS [PAUSE-MS]]]");
    let connections = arguments.next().map_or(16, |text| text.parse().expect("a number"));
    let seconds = arguments.next().map_or(2.0, |text| text.parse().expect("a number"));
    let pause = arguments.next().map_or(0, |text| text.parse().expect("a number"));
    let runtime = Builder::new_current_thread().enable_all().build().expect("descriptors are free");
    let took = runtime.block_on(run(
        address,
        connections,
        Duration::from_secs_f64(seconds),
        Duration::from_millis(pause),
    ));
    let at = |share: f64| took[((took.len() - 1) as f64 * share) as usize];
    println!(
        "{{\"messages\":{},\"per_second\":{:.0},\"p50_ns\":{},\"p99_ns\":{}}}",
        took.len(),
        took.len() as f64 / seconds,
        at(0.5),
        at(0.99)
    );
}
