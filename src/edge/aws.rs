//! How AWS's SDK calls out: with this crate's HTTP client, so that there is one TLS configuration.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::{
    HttpConnector, HttpConnectorFuture, SharedHttpClient, SharedHttpConnector, http_client_fn,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::retry::RetryConfig;
use aws_types::SdkConfig;
use aws_types::region::Region;
use secrecy::ExposeSecret;

use super::http::{HttpClient, SendError, read_body};
use crate::config::AwsConfig;

/// The largest answer that is asked for: ten parameters of 8 KiB, or an item of 400 KiB.
const BODY_LIMIT: usize = 1 << 20;

/// What all of the SDK's clients share. The SDK repeats nothing: whoever calls knows the time that is left.
pub(crate) fn sdk_config(config: &AwsConfig, endpoint: Option<&str>, http: HttpClient) -> SdkConfig {
    let credentials = Credentials::new(
        config.access_key_id.clone(),
        config.secret_access_key.expose_secret(),
        config.session_token.as_ref().map(|token| token.expose_secret().to_owned()),
        None,
        "environment",
    );
    let mut sdk = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(config.region.clone()))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(RetryConfig::disabled())
        .http_client(client(http));
    sdk.set_endpoint_url(endpoint.map(str::to_owned));
    sdk.build()
}

/// This crate's HTTP client in the form that the SDK takes.
#[must_use]
pub fn client(http: HttpClient) -> SharedHttpClient {
    let connector = SharedHttpConnector::new(Connector(http));
    http_client_fn(move |_, _| connector.clone())
}

#[derive(Debug, Clone)]
struct Connector(HttpClient);

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Self(http) = self.clone();
        HttpConnectorFuture::new(async move { exchange(&http, request).await })
    }
}

async fn exchange(http: &HttpClient, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
    let request = request.try_into_http1x().map_err(|error| ConnectorError::user(error.into()))?;
    let (parts, body) = request.into_parts();
    // The calls that are made here have their whole body in memory.
    let body = body.bytes().unwrap_or_default().to_vec();
    let request = http.request(parts.method, &parts.uri.to_string()).headers(parts.headers).body(body);
    let mut response = http.send(request).await.map_err(|error| match error {
        SendError::Invalid => ConnectorError::user(error.into()),
        SendError::Timeout => ConnectorError::timeout(error.into()),
        SendError::Connect | SendError::Broken { .. } => ConnectorError::io(error.into()),
    })?;
    let body = read_body(&mut response, BODY_LIMIT).await.map_err(|error| ConnectorError::io(error.into()))?;
    let mut answer = http::Response::new(SdkBody::from(body));
    *answer.status_mut() = response.status();
    *answer.headers_mut() = response.headers().clone();
    HttpResponse::try_from(answer).map_err(|error| ConnectorError::other(error.into(), None))
}
