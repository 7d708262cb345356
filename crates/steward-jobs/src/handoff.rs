//! Sends handoff packets that wait, two channels at a time, beside the queue of jobs: a mail server that answers slowly
//! holds up no job.

use std::time::{Duration, SystemTime};

use lettre::message::{Mailbox, MultiPart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Address, AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};
use steward_app::App;
use steward_app::connections::FetchError;
use steward_app::handoff::{Mail, Parcel};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::fetch::{Fetcher, Reach};

/// How often it is looked for what waits.
const PAUSE: Duration = Duration::from_secs(2);
/// Channels that one process sends by at once.
const AT_ONCE: usize = 2;
/// How long a mail may take to be handed over.
const MAIL_TIMEOUT: Duration = Duration::from_secs(60);

/// How the way to the mail server is kept private.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MailSecurity {
    /// The connection begins in the clear and is encrypted before anything is said; the usual port is 587.
    StartTls,
    /// Encrypted from the start; the usual port is 465.
    Tls,
    /// In the clear: for a relay on this machine.
    None,
}

/// The mail server, and from whom mail is.
#[derive(Clone)]
pub struct MailServer {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is kept private.
    pub security: MailSecurity,
    /// Name and password, where it wants them.
    pub credentials: Option<(String, String)>,
    /// From whom mail is: `Steward <steward@example.com>`.
    pub from: String,
}

impl std::fmt::Debug for MailServer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("MailServer")
            .field("host", &self.host)
            .field("port", &self.port)
            .field("security", &self.security)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// Sends handoff packets until told to stop. `allows_private` also lets it send to addresses of private networks.
pub async fn hand_over(app: App, mail: Option<MailServer>, allows_private: bool, stop: watch::Receiver<bool>) {
    let carrier = match Carrier::new(mail, if allows_private { Reach::Private } else { Reach::Public }) {
        Ok(carrier) => carrier,
        Err(error) => {
            tracing::error!(%error, "handoff packets are not sent");
            return;
        }
    };
    let mut senders = JoinSet::new();
    for _ in 0..AT_ONCE {
        senders.spawn(send_in_turn(app.clone(), carrier.clone(), stop.clone()));
    }
    while senders.join_next().await.is_some() {}
}

async fn send_in_turn(app: App, carrier: Carrier, mut stop: watch::Receiver<bool>) {
    loop {
        let sent = match app.send_next_handoff(|parcel| carrier.carry(parcel)).await {
            Ok(sent) => sent,
            Err(error) => {
                tracing::warn!(error = &error as &dyn std::error::Error, "handoff packets could not be looked through");
                false
            }
        };
        if *stop.borrow() {
            return;
        }
        if sent {
            continue;
        }
        tokio::select! {
            () = tokio::time::sleep(PAUSE) => {}
            _ = stop.changed() => return,
        }
    }
}

/// What carries packets to where they are sent. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Carrier {
    fetcher: Fetcher,
    mail: Option<(AsyncSmtpTransport<Tokio1Executor>, Mailbox)>,
}

impl Carrier {
    /// A carrier with a mail server, or without.
    pub(crate) fn new(mail: Option<MailServer>, reach: Reach) -> Result<Self, FetchError> {
        let fetcher = Fetcher::new(reach)?;
        Ok(Self { fetcher, mail: mail.map(transport).transpose()? })
    }

    /// Carries something to where it is sent.
    pub(crate) async fn carry(&self, parcel: Parcel) -> Result<(), FetchError> {
        match parcel {
            Parcel::Mail(mail) => self.mail(mail).await,
            Parcel::Post(request) => {
                let answer = self.fetcher.fetch(request).await?;
                match answer.status {
                    200..=299 => Ok(()),
                    status @ 300..=399 => {
                        Err(FetchError(format!("it answered {status} and sends on to another address: enter that one")))
                    }
                    status => Err(FetchError(format!("it answered {status}"))),
                }
            }
        }
    }

    async fn mail(&self, mail: Mail) -> Result<(), FetchError> {
        let (transport, from) = self
            .mail
            .as_ref()
            .ok_or_else(|| FetchError("no mail server is set: fill in [mail] in steward.toml".to_owned()))?;
        let message = written(mail, from)?;
        match tokio::time::timeout(MAIL_TIMEOUT, transport.send(message)).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(FetchError(refused(&error))),
            Err(_) => Err(FetchError(format!("the mail server did not answer in {} s", MAIL_TIMEOUT.as_secs()))),
        }
    }
}

fn transport(server: MailServer) -> Result<(AsyncSmtpTransport<Tokio1Executor>, Mailbox), FetchError> {
    let from = server.from.parse().map_err(|_| {
        FetchError("mail.from in steward.toml is no address, as Steward <steward@example.com>".to_owned())
    })?;
    let parameters = || {
        TlsParameters::new(server.host.clone())
            .map_err(|error| FetchError(format!("TLS with the mail server cannot be set up: {error}")))
    };
    let tls = match server.security {
        MailSecurity::StartTls => Tls::Required(parameters()?),
        MailSecurity::Tls => Tls::Wrapper(parameters()?),
        MailSecurity::None => Tls::None,
    };
    // `builder_dangerous` only means that it chooses no encryption by itself.
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(server.host)
        .port(server.port)
        .tls(tls)
        .timeout(Some(MAIL_TIMEOUT));
    if let Some((name, password)) = server.credentials {
        builder = builder.credentials(Credentials::new(name, password));
    }
    Ok((builder.build(), from))
}

fn written(mail: Mail, from: &Mailbox) -> Result<Message, FetchError> {
    let Mail { id, to, subject, text, html, at } = mail;
    let sent_at = SystemTime::UNIX_EPOCH + Duration::from_micros(at.as_micros().unsigned_abs());
    let mut builder = Message::builder()
        .from(from.clone())
        .message_id(Some(format!("<{id}@{}>", from.email.domain())))
        .date(sent_at)
        .subject(subject);
    for address in to {
        let address: Address =
            address.parse().map_err(|_| FetchError(format!("{address} is no address that mail can be sent to")))?;
        builder = builder.to(Mailbox::new(None, address));
    }
    builder
        .multipart(MultiPart::alternative_plain_html(text, html))
        .map_err(|error| FetchError(format!("the mail could not be written: {error}")))
}

/// Why a mail was not taken, by its deepest cause.
fn refused(error: &lettre::transport::smtp::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(cause) = deepest.source() {
        deepest = cause;
    }
    match error.status() {
        Some(status) => format!("the mail server refused it with {status}: {deepest}"),
        None => format!("the mail server could not be used: {deepest}"),
    }
}

#[cfg(test)]
mod tests;
