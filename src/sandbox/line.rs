//! Connections that can be cut from inside, plain or over TLS.

use std::{
    io,
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
    task::{Context, Poll, ready},
};

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use jiff::SignedDuration;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{Accept, TlsAcceptor, server::TlsStream};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};
use tracing::warn;

use super::locked;
use crate::clock::Clock;

/// Pause after the system could not give a connection, for want of file descriptors say.
const ACCEPT_PAUSE: SignedDuration = SignedDuration::from_millis(100);

#[derive(Debug)]
pub(super) struct Exchange {
    accepted: AtomicU64,
    /// What cuts every line that stands; `None` while connections are refused.
    root: Mutex<Option<CancellationToken>>,
}

impl Exchange {
    pub(super) fn open() -> Self {
        Self { accepted: AtomicU64::new(0), root: Mutex::new(Some(CancellationToken::new())) }
    }

    /// While refusing, every connection is cut, those that stand and those that come.
    pub(super) fn refuse(&self, refusing: bool) {
        let mut root = locked(&self.root);
        if !refusing {
            root.get_or_insert_default();
        } else if let Some(root) = root.take() {
            root.cancel();
        }
    }

    pub(super) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// A handle for a new line; `None` while connections are refused.
    fn connect(&self) -> Option<CutHandle> {
        let root = locked(&self.root);
        let handle = CutHandle(root.as_ref()?.child_token());
        self.accepted.fetch_add(1, Ordering::Relaxed);
        Some(handle)
    }
}

#[derive(Clone, Debug)]
pub(super) struct CutHandle(CancellationToken);

impl CutHandle {
    /// Cuts it. The server then drops the request's future, which therefore never completes.
    pub(super) async fn cut(&self) -> std::convert::Infallible {
        self.0.cancel();
        std::future::pending().await
    }
}

impl Connected<IncomingStream<'_, Lines>> for CutHandle {
    fn connect_info(stream: IncomingStream<'_, Lines>) -> Self {
        stream.io().handle.clone()
    }
}

pub(super) struct Lines {
    pub(super) tcp: TcpListener,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) exchange: Arc<Exchange>,
    pub(super) clock: Arc<dyn Clock>,
}

impl axum::serve::Listener for Lines {
    type Io = Line;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Line, SocketAddr) {
        loop {
            match self.tcp.accept().await {
                Ok((tcp, address)) => match self.exchange.connect() {
                    Some(handle) => return (Line::new(tcp, self.tls.as_ref(), handle), address),
                    None => reset(&tcp),
                },
                Err(error) => {
                    warn!(%error, "could not take a connection of the sandbox");
                    self.clock.sleep(ACCEPT_PAUSE).await;
                }
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.tcp.local_addr()
    }
}

pub(super) struct Line {
    stream: Stream,
    handle: CutHandle,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

enum Stream {
    Plain(TcpStream),
    /// The handshake happens at the first read, so a slow client holds up no other.
    Handshake(Box<Accept<TcpStream>>),
    Tls(Box<TlsStream<TcpStream>>),
    Failed,
}

trait Wire: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Wire for T {}

impl Line {
    fn new(tcp: TcpStream, tls: Option<&TlsAcceptor>, handle: CutHandle) -> Self {
        if let Err(error) = tcp.set_nodelay(true) {
            warn!(%error, "could not set TCP_NODELAY on a connection of the sandbox");
        }
        let cut = Box::pin(handle.0.clone().cancelled_owned());
        let stream = match tls {
            None => Stream::Plain(tcp),
            Some(acceptor) => Stream::Handshake(Box::new(acceptor.accept(tcp))),
        };
        Self { stream, handle, cut }
    }

    /// The stream to use, after the handshake; an error once the line is cut.
    fn poll_wire(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut dyn Wire>>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            self.stream.reset();
            return Poll::Ready(Err(io::ErrorKind::ConnectionReset.into()));
        }
        if let Stream::Handshake(accept) = &mut self.stream {
            match ready!(Pin::new(accept.as_mut()).poll(cx)) {
                Ok(tls) => self.stream = Stream::Tls(Box::new(tls)),
                Err(error) => {
                    self.stream = Stream::Failed;
                    return Poll::Ready(Err(error));
                }
            }
        }
        Poll::Ready(match &mut self.stream {
            Stream::Plain(tcp) => Ok(Pin::new(tcp)),
            Stream::Tls(tls) => Ok(Pin::new(tls.as_mut())),
            Stream::Handshake(_) | Stream::Failed => Err(io::ErrorKind::NotConnected.into()),
        })
    }
}

impl Stream {
    fn reset(&self) {
        match self {
            Self::Plain(tcp) => reset(tcp),
            Self::Tls(tls) => reset(tls.get_ref().0),
            // Dropped without a word, which the client sees as well.
            Self::Handshake(_) | Self::Failed => {}
        }
    }
}

/// The client sees a reset, not an orderly end.
fn reset(tcp: &TcpStream) {
    if let Err(error) = tcp.set_zero_linger() {
        warn!(%error, "could not reset a connection of the sandbox");
    }
}

impl AsyncRead for Line {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_wire(cx))?.poll_read(cx, buffer)
    }
}

impl AsyncWrite for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_wire(cx))?.poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_wire(cx))?.poll_write_vectored(cx, slices)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_wire(cx))?.poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_wire(cx))?.poll_shutdown(cx)
    }
}
