//! Amazon's own DynamoDB Local as a child process, with one table like the deployed one.

use std::io;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use oncall_relay::edge::http::HttpClient;

/// A running DynamoDB Local.
#[derive(Debug)]
pub struct DynamoDbLocal {
    child: Child,
    url: String,
}

impl DynamoDbLocal {
    /// Starts it from the folder of its `DynamoDBLocal.jar`, in memory, and makes the table.
    ///
    /// # Errors
    /// If it can't be started, or doesn't answer within half a minute.
    pub async fn start(folder: &Path, table: &str) -> io::Result<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
        let child = Command::new("java")
            .current_dir(folder)
            .args(["-Djava.library.path=./DynamoDBLocal_lib", "-jar", "DynamoDBLocal.jar", "-inMemory", "-port"])
            .arg(port.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let local = Self { child, url: format!("http://127.0.0.1:{port}") };
        for _ in 0..300 {
            if local.make_table(table).await {
                local.warm_up(table).await;
                return Ok(local);
            }
            sleep(Duration::from_millis(100)).await;
        }
        Err(io::Error::new(io::ErrorKind::TimedOut, "DynamoDB Local makes no table"))
    }

    /// Its address.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    async fn make_table(&self, table: &str) -> bool {
        self.ask(
            "CreateTable",
            &json!({
                "TableName": table, "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
            }),
        )
        .await
    }

    /// A Java program's first requests take many times as long as DynamoDB's; the ledger wouldn't wait for them.
    async fn warm_up(&self, table: &str) {
        for _ in 0..50 {
            let key = json!({"pk": {"S": "warm-up"}});
            self.ask(
                "UpdateItem",
                &json!({
                    "TableName": table, "Key": key, "UpdateExpression": "SET #a = :a",
                    "ConditionExpression": "attribute_not_exists(#a) OR #a.b <= :b", "ReturnValues": "ALL_OLD",
                    "ExpressionAttributeNames": {"#a": "a"},
                    "ExpressionAttributeValues": {":a": {"M": {"b": {"N": "1"}}}, ":b": {"N": "2"}},
                }),
            )
            .await;
            self.ask("GetItem", &json!({"TableName": table, "Key": key, "ConsistentRead": true})).await;
        }
    }

    async fn ask(&self, operation: &str, asked: &Value) -> bool {
        let http = HttpClient::new();
        let request = http
            .post(&self.url)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            // It looks at the key's id and the region, and at no signature.
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=AKIASTANDIN/20261124/ap-northeast-1/dynamodb/aws4_request, \
                 SignedHeaders=host, Signature=0",
            )
            .timeout(Duration::from_secs(5))
            .body(asked.to_string());
        http.send(request).await.is_ok_and(|response| response.status().is_success())
    }
}

impl Drop for DynamoDbLocal {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
