//! Configuration: `steward.toml`, every key also `STEWARD_…` in the environment, everything with a default.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use serde::Deserialize;
use steward_app::retention::Retention;
use steward_jobs::{MailSecurity, MailServer};

/// A text that is never printed: a database address may hold a password.
#[derive(Clone, Deserialize)]
#[serde(transparent)]
pub struct SecretText(String);

impl SecretText {
    /// The text itself.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for SecretText {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for SecretText {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// Everything that can be configured.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// The data folder: holds the SQLite database. Not used with PostgreSQL.
    pub data: PathBuf,
    /// The database address, `postgres://…`. Without it SQLite in the data folder is used.
    pub database: Option<SecretText>,
    /// What secrets of platforms are sealed with, at least 32 characters; without it, with SQLite, a file in the data
    /// folder holds one.
    pub secret_key: Option<SecretText>,
    /// Where pages, the API and intake over HTTP listen.
    pub listen: SocketAddr,
    /// Where intake over OTLP/gRPC listens; an empty text turns it off.
    pub listen_grpc: String,
    /// Where people reach this program, as https://steward.example.com; without it the listening address.
    pub public_url: Option<String>,
    /// Whether `X-Forwarded-For` says where a request came from. Only behind a proxy of one's own that sets it.
    pub trust_forwarded_for: bool,
    /// Whether platforms may be asked at link-local addresses, where clouds keep the secrets of their machines.
    pub allow_link_local: bool,
    /// `text` or `json`.
    pub log_format: String,
    /// What is logged, as `info` or `steward_app=debug,info`.
    pub log: String,
    /// How long things are kept.
    pub retention: RetentionConfig,
    /// The mail server, by which handoff packets are sent.
    pub mail: MailConfig,
    /// Where handoff packets may be sent.
    pub handoff: HandoffConfig,
}

/// The mail server, by which handoff packets are sent.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MailConfig {
    /// Its name; without it no mail is sent.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the way to it is kept private: `starttls`, `tls` or `none`.
    pub security: String,
    /// The name to sign in with, where it wants one.
    pub username: String,
    /// The password to sign in with.
    pub password: Option<SecretText>,
    /// From whom mail is, as `Steward <steward@example.com>`.
    pub from: String,
}

impl Default for MailConfig {
    fn default() -> Self {
        Self {
            host: String::new(),
            port: 587,
            security: "starttls".to_owned(),
            username: String::new(),
            password: None,
            from: String::new(),
        }
    }
}

/// Where handoff packets may be sent.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct HandoffConfig {
    /// Whether packets may be sent to addresses of private networks and of this machine.
    pub allow_private_addresses: bool,
}

/// How long things are kept, in days.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionConfig {
    /// Raw payloads.
    pub raw_days: u32,
    /// Steps of runs.
    pub steps_days: u32,
    /// Runs.
    pub runs_days: u32,
}

impl Default for RetentionConfig {
    fn default() -> Self {
        let Retention { raw_days, steps_days, runs_days } = Retention::default();
        Self { raw_days, steps_days, runs_days }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: PathBuf::from("steward-data"),
            database: None,
            secret_key: None,
            listen: SocketAddr::from(([127, 0, 0, 1], 7300)),
            listen_grpc: "127.0.0.1:4317".to_owned(),
            public_url: None,
            trust_forwarded_for: false,
            allow_link_local: false,
            log_format: "text".to_owned(),
            log: "info".to_owned(),
            retention: RetentionConfig::default(),
            mail: MailConfig::default(),
            handoff: HandoffConfig::default(),
        }
    }
}

/// Every key with the name of its variable in the environment.
const KEYS: &[(&str, &str)] = &[
    ("data", "STEWARD_DATA"),
    ("database", "STEWARD_DATABASE"),
    ("secret_key", "STEWARD_SECRET_KEY"),
    ("listen", "STEWARD_LISTEN"),
    ("listen_grpc", "STEWARD_LISTEN_GRPC"),
    ("public_url", "STEWARD_PUBLIC_URL"),
    ("trust_forwarded_for", "STEWARD_TRUST_FORWARDED_FOR"),
    ("allow_link_local", "STEWARD_ALLOW_LINK_LOCAL"),
    ("log_format", "STEWARD_LOG_FORMAT"),
    ("log", "STEWARD_LOG"),
    ("retention.raw_days", "STEWARD_RETENTION_RAW_DAYS"),
    ("retention.steps_days", "STEWARD_RETENTION_STEPS_DAYS"),
    ("retention.runs_days", "STEWARD_RETENTION_RUNS_DAYS"),
    ("mail.host", "STEWARD_MAIL_HOST"),
    ("mail.port", "STEWARD_MAIL_PORT"),
    ("mail.security", "STEWARD_MAIL_SECURITY"),
    ("mail.username", "STEWARD_MAIL_USERNAME"),
    ("mail.password", "STEWARD_MAIL_PASSWORD"),
    ("mail.from", "STEWARD_MAIL_FROM"),
    ("handoff.allow_private_addresses", "STEWARD_HANDOFF_ALLOW_PRIVATE_ADDRESSES"),
];

impl Config {
    /// Reads the file and then the environment, which has the last word.
    pub fn read(file: Option<&Path>) -> anyhow::Result<Self> {
        let path = file.unwrap_or(Path::new("steward.toml"));
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && file.is_none() => String::new(),
            Err(error) => {
                return Err(error).with_context(|| format!("the configuration {} cannot be read", path.display()));
            }
        };
        Self::of(&text, |name| std::env::var(name).ok())
            .with_context(|| format!("the configuration {} is not valid", path.display()))
    }

    fn of(text: &str, variable: impl Fn(&str) -> Option<String>) -> anyhow::Result<Self> {
        let mut table: toml::Table = toml::from_str(text)?;
        for (key, name) in KEYS {
            let Some(value) = variable(name) else { continue };
            let value = match value.parse::<i64>() {
                Ok(number) if key.ends_with("_days") || key.ends_with(".port") => toml::Value::Integer(number),
                _ if key.starts_with("trust_") || key.contains("allow_") => {
                    toml::Value::Boolean(value == "true" || value == "1")
                }
                _ => toml::Value::String(value),
            };
            match key.split_once('.') {
                None => drop(table.insert((*key).to_owned(), value)),
                Some((section, key)) => {
                    let section = table.entry(section).or_insert_with(|| toml::Value::Table(toml::Table::new()));
                    let Some(section) = section.as_table_mut() else { bail!("{section} must be a section") };
                    section.insert(key.to_owned(), value);
                }
            }
        }
        let config: Self = table.try_into()?;
        if !matches!(config.log_format.as_str(), "text" | "json") {
            bail!("log_format is text or json, not {}", config.log_format);
        }
        config.mail_server()?;
        Ok(config)
    }

    /// The mail server. `None` when none is configured.
    pub fn mail_server(&self) -> anyhow::Result<Option<MailServer>> {
        let mail = &self.mail;
        if mail.host.is_empty() {
            return Ok(None);
        }
        let security = match mail.security.as_str() {
            "starttls" => MailSecurity::StartTls,
            "tls" => MailSecurity::Tls,
            "none" => MailSecurity::None,
            other => bail!("mail.security is starttls, tls or none, not {other}"),
        };
        if !mail.from.contains('@') {
            bail!("mail.from says from whom mail is, as Steward <steward@example.com>");
        }
        let password = mail.password.as_ref().map(|password| password.reveal().to_owned());
        if password.is_some()
            && security == MailSecurity::None
            && !matches!(mail.host.as_str(), "localhost" | "127.0.0.1")
        {
            bail!("mail.security = \"none\" would send mail.password in the clear: take starttls or tls");
        }
        Ok(Some(MailServer {
            host: mail.host.clone(),
            port: mail.port,
            security,
            credentials: password.map(|password| (mail.username.clone(), password)),
            from: mail.from.clone(),
        }))
    }

    /// The database's address.
    pub fn database_url(&self) -> String {
        match &self.database {
            Some(url) => url.reveal().to_owned(),
            None => format!("sqlite:{}", self.data.join("steward.db").display()),
        }
    }

    /// Where people reach this program.
    pub fn public_url(&self) -> String {
        self.public_url.clone().unwrap_or_else(|| format!("http://{}", self.listen))
    }

    /// How long things are kept.
    pub fn retention(&self) -> Retention {
        let RetentionConfig { raw_days, steps_days, runs_days } = self.retention;
        Retention { raw_days, steps_days, runs_days }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_configured_is_the_defaults() {
        let config = Config::of("", |_| None).expect("valid");
        assert_eq!(config.database_url(), "sqlite:steward-data/steward.db");
        assert_eq!(config.public_url(), "http://127.0.0.1:7300");
    }

    #[test]
    fn the_example_is_the_defaults() {
        let text = include_str!("../../../steward.example.toml");
        let example = Config::of(text, |_| None).expect("valid");
        assert_eq!(format!("{example:?}"), format!("{:?}", Config::default()));
        for (key, name) in KEYS {
            let key = key.rsplit('.').next().unwrap_or(key);
            assert!(text.contains(key) && text.contains(name), "{key} and {name} are in the example");
        }
    }

    #[test]
    fn the_environment_has_the_last_word() {
        let variable = |name: &str| (name == "STEWARD_RETENTION_RAW_DAYS").then(|| "7".to_owned());
        let config = Config::of("[retention]\nraw_days = 3", variable).expect("valid");
        assert_eq!(config.retention.raw_days, 7);
    }

    #[test]
    fn a_mail_server_is_checked_where_it_is_configured() {
        let read = |text: &str| Config::of(text, |_| None);
        assert!(Config::default().mail_server().expect("valid").is_none());
        let config = read("[mail]\nhost = \"mail.example.com\"\nfrom = \"a@example.com\"\npassword = \"hunter2\"")
            .expect("valid");
        let server = config.mail_server().expect("valid").expect("a server");
        assert_eq!((server.port, server.security), (587, MailSecurity::StartTls));
        assert!(!format!("{config:?} {server:?}").contains("hunter2"));
        for wrong in [
            "security = \"ssl\"\nfrom = \"a@example.com\"",
            "from = \"nobody\"",
            "from = \"a@example.com\"\nsecurity = \"none\"\npassword = \"hunter2\"",
        ] {
            assert!(read(&format!("[mail]\nhost = \"mail.example.com\"\n{wrong}")).is_err(), "{wrong}");
        }
        let variable = |name: &str| (name == "STEWARD_MAIL_PORT").then(|| "465".to_owned());
        assert_eq!(Config::of("", variable).expect("valid").mail.port, 465);
    }

    #[test]
    fn an_unknown_key_is_named() {
        let error = format!("{:#}", Config::of("lisen = \"x\"", |_| None).expect_err("unknown"));
        assert!(error.contains("lisen"), "{error}");
    }

    #[test]
    fn a_password_is_never_printed() {
        let config = Config::of("database = \"postgres://u:hunter2@h/d\"", |_| None).expect("valid");
        assert!(!format!("{config:?}").contains("hunter2"));
    }
}
