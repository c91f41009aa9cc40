// SPDX-License-Identifier: MIT
//! awaits [TASKS [ROUNDS]]: tasks that wait at four places, again and again, and add up how long: for time
//! to pass, for a message, and for bytes, which do not take as long as is allowed.

use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::runtime::Builder;
use tokio::spawn;
use tokio::sync::mpsc::{channel, unbounded_channel, Receiver, Sender, UnboundedReceiver};
use tokio::time::{sleep, timeout};
use truth::{counted, waits, Channel};

const LONG: Duration = Duration::from_millis(6);
const SHORT: Duration = Duration::from_millis(2);
const NEVER: Duration = Duration::from_secs(60);

/// What a speaker is asked for.
enum Wanted {
    Message,
    Bytes,
}

async fn pause_long() {
    sleep(LONG).await
}

async fn pause_short() {
    sleep(SHORT).await
}

async fn hear(messages: &mut Receiver<()>) {
    messages.recv().await.expect("the speaker lives")
}

async fn read_in_time(stream: &mut UnixStream) {
    let mut byte = [0];
    let read = timeout(NEVER, stream.read_exact(&mut byte)).await;
    read.expect("it is in time").expect("the speaker lives");
}

async fn speaker(mut asked: UnboundedReceiver<Wanted>, messages: Sender<()>, mut to: UnixStream) {
    counted("awaits::speaker", async move {
        while let Some(wanted) = asked.recv().await {
            sleep(SHORT).await;
            match wanted {
                Wanted::Message => messages.send(()).await.expect("the walker lives"),
                Wanted::Bytes => to.write_all(b"x").await.expect("the walker lives"),
            }
        }
    })
    .await
}

async fn walker(rounds: u32) {
    counted("awaits::walker", async move {
        let (mut stream, other) = UnixStream::pair().expect("descriptors are free");
        let (ask, asked) = unbounded_channel();
        let (tell, mut messages) = channel(1);
        spawn(speaker(asked, tell, other));
        for _ in 0..rounds {
            waits("pause_long", pause_long()).await;
            waits("pause_short", pause_short()).await;
            ask.send(Wanted::Message).ok().expect("the speaker lives");
            waits("hear", hear(&mut messages)).await;
            ask.send(Wanted::Bytes).ok().expect("the speaker lives");
            waits("read_in_time", read_in_time(&mut stream)).await;
        }
    })
    .await
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let tasks = arguments.next().map_or(8, |text| text.parse().expect("a number"));
    let rounds = arguments.next().map_or(100, |text| text.parse().expect("a number"));
    let runtime = Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let runtime = runtime.expect("threads start");
    let mut channel = Channel::open();
    while channel.command().is_some() {
        let walkers: Vec<_> = (0..tasks).map(|_| runtime.spawn(walker(rounds))).collect();
        runtime.block_on(async {
            for walker in walkers {
                walker.await.expect("it ends well");
            }
        });
        channel.tell(&truth::take());
    }
}
