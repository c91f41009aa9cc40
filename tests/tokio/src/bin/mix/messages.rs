// SPDX-License-Identifier: MIT
//! Tasks that wait for each other, for time and for the network.

use std::net::SocketAddr;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::{spawn, task, time};
use truth::counted;

async fn sends(times: u32, queue: mpsc::Sender<u32>) {
    counted("mix::messages::sends", async move {
        for i in 0..times {
            queue.send(i).await.expect("the receiver is there");
        }
    })
    .await
}

async fn receives(mut queue: mpsc::Receiver<u32>) -> u64 {
    counted("mix::messages::receives", async move {
        let mut sum = 0;
        while let Some(value) = queue.recv().await {
            sum += u64::from(value);
        }
        sum
    })
    .await
}

async fn ticks(times: u32) {
    counted("mix::messages::ticks", async move {
        let mut interval = time::interval(Duration::from_millis(1));
        for _ in 0..times {
            interval.tick().await;
        }
    })
    .await
}

async fn yields(times: u32) {
    counted("mix::messages::yields", async move {
        for _ in 0..times {
            task::yield_now().await;
        }
    })
    .await
}

async fn accepts(times: u32, listener: TcpListener) {
    counted("mix::messages::accepts", async move {
        for _ in 0..times {
            let (stream, _) = listener.accept().await.expect("a client connects");
            spawn(echo_conn(stream));
        }
    })
    .await
}

async fn echo_conn(mut stream: TcpStream) {
    counted("mix::messages::echo_conn", async move {
        let mut buffer = [0; 64];
        while let Ok(n @ 1..) = stream.read(&mut buffer).await {
            stream.write_all(&buffer[..n]).await.expect("the client reads");
        }
    })
    .await
}

async fn echo_client(times: u32, server: SocketAddr) {
    counted("mix::messages::echo_client", async move {
        let mut stream = TcpStream::connect(server).await.expect("the server accepts");
        let mut answer = [0; 4];
        for i in 0..times {
            stream.write_all(&i.to_le_bytes()).await.expect("the server reads");
            stream.read_exact(&mut answer).await.expect("the server writes");
            assert_eq!(answer, i.to_le_bytes());
        }
        // Wait until the server has closed too: its task is then past its last read.
        stream.shutdown().await.expect("the stream is open");
        assert_eq!(stream.read(&mut answer).await.expect("the server closes"), 0);
    })
    .await
}

pub async fn run(times: u32) {
    let (sender, receiver) = mpsc::channel(2);
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
    let server = listener.local_addr().expect("it is bound");
    let sum = spawn(receives(receiver));
    let mut others = vec![
        spawn(sends(times, sender.clone())),
        spawn(sends(times, sender)),
        spawn(ticks(times)),
        spawn(accepts(times, listener)),
    ];
    for _ in 0..4 {
        others.push(spawn(yields(times * 10)));
    }
    for _ in 0..times {
        others.push(spawn(echo_client(times, server)));
    }
    for other in others {
        other.await.expect("it ends well");
    }
    assert_eq!(sum.await.expect("it ends well"), u64::from(times) * u64::from(times - 1));
}
