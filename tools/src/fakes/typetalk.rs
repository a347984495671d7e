//! Typetalk as it was: topics, bots with tokens, and the refusals that its clients recorded.

use std::collections::HashMap;
use std::io;
use std::sync::Mutex;

use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::server::{Fake, Received, Reply, Service, lock};

/// The documented limit, in characters.
const MAX_MESSAGE: usize = 4000;

/// A post that a topic has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Post {
    /// The topic's id.
    pub topic: u64,
    /// The text.
    pub message: String,
    /// Whether links get a preview.
    pub show_link_meta: bool,
}

/// A running Typetalk; [`Server`](super::server::Server) says how to make it fail.
pub type Typetalk = Fake<Topics>;

/// What it keeps.
#[derive(Debug)]
pub struct Topics {
    tokens: HashMap<u64, String>,
    posts: Mutex<Vec<Post>>,
}

impl Typetalk {
    /// Starts with topics and their bots' tokens.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16, topics: &[(u64, &str)]) -> io::Result<Self> {
        let tokens = topics.iter().map(|(topic, token)| (*topic, (*token).to_owned())).collect();
        let topics = Topics { tokens, posts: Mutex::default() };
        Self::serve(port, topics).await
    }

    /// Takes the posts that came since the last call.
    #[must_use]
    pub fn take_posts(&self) -> Vec<Post> {
        std::mem::take(&mut *lock(&self.state.posts))
    }
}

impl Service for Topics {
    fn answer(&self, request: &Received) -> Reply {
        let Some(topic) = request.uri().path().strip_prefix("/api/v1/topics/") else {
            return Reply::empty(StatusCode::NOT_FOUND);
        };
        let Ok(topic) = topic.parse::<u64>() else { return Reply::empty(StatusCode::BAD_REQUEST) };
        if request.method() != Method::POST {
            return Reply::empty(StatusCode::METHOD_NOT_ALLOWED);
        }
        let token = request.headers().get("x-typetalk-token").and_then(|value| value.to_str().ok());
        let Some(expected) = self.tokens.get(&topic) else { return Reply::empty(StatusCode::NOT_FOUND) };
        if token != Some(expected) {
            let challenge = "Bearer error=\"invalid_token\", error_description=\"Invalid access token\"";
            let headers = vec![("www-authenticate", challenge.to_owned())];
            return Reply { headers, ..Reply::empty(StatusCode::UNAUTHORIZED) };
        }
        match post(topic, request) {
            Ok(post) => self.take(post),
            Err((field, name, message)) => Reply::json(
                StatusCode::BAD_REQUEST,
                &json!({"errors": [{"field": field, "name": name, "message": message}]}),
            ),
        }
    }
}

impl Topics {
    fn take(&self, post: Post) -> Reply {
        let mut posts = lock(&self.posts);
        let answer = json!({
            "topic": {"id": post.topic, "name": "alerts"},
            "post": {
                "id": 1000 + posts.len(), "topicId": post.topic, "replyTo": null, "message": post.message,
                "account": {"id": 1, "name": "oncall+", "isBot": true},
                "mention": null, "attachments": [], "likes": [], "talks": [], "links": [],
                "createdAt": "2026-11-24T02:00:00Z", "updatedAt": "2026-11-24T02:00:00Z",
            },
            "mentions": [], "exceedsAttachmentLimit": false, "directMessage": null,
        });
        posts.push(post);
        Reply::json(StatusCode::OK, &answer)
    }
}

type FieldError = (String, &'static str, &'static str);

/// The parameters of the documentation that text messages have.
const KNOWN: [&str; 3] = ["message", "showLinkMeta", "ignoreHashtag"];

fn post(topic: u64, request: &Received) -> Result<Post, FieldError> {
    let invalid = |field: &str| (field.to_owned(), "error.invalid", "Invalid value");
    let json =
        request.headers().get("content-type").is_some_and(|kind| kind.as_bytes().starts_with(b"application/json"));
    let fields: HashMap<String, Value> = if json {
        serde_json::from_slice(request.body()).map_err(|_| invalid("json"))?
    } else {
        url::form_urlencoded::parse(request.body()).map(|(name, value)| (name.into_owned(), json!(value))).collect()
    };
    if let Some(unknown) = fields.keys().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(invalid(unknown));
    }
    let message = fields.get("message").and_then(Value::as_str).unwrap_or_default().to_owned();
    if message.is_empty() {
        return Err(("message".to_owned(), "error.required", "This field is required"));
    }
    if message.encode_utf16().count() > MAX_MESSAGE {
        return Err(("message".to_owned(), "error.maxLength", "Maximum length is 4,000 characters."));
    }
    let show_link_meta = fields.get("showLinkMeta").is_none_or(|value| value != false && value != "false");
    Ok(Post { topic, message, show_link_meta })
}
