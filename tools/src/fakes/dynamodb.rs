//! DynamoDB as far as the ledger uses it: items of one table, conditional updates, consistent reads.
//!
//! It knows the few forms of expressions that the ledger writes and refuses all others. The same tests run
//! against Amazon's own DynamoDB Local.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io;
use std::sync::Mutex;

use http::{Method, StatusCode};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::server::{Fake, Received, Reply, Service, lock};

/// A running DynamoDB with one table; [`Server`](super::server::Server) says how to make it fail.
pub type DynamoDb = Fake<Table>;

/// What it keeps.
#[derive(Debug)]
pub struct Table {
    name: String,
    items: Mutex<BTreeMap<String, Item>>,
    /// The keys that are kept, in the order in which they came, and how many there may be.
    bound: Mutex<Option<(VecDeque<String>, usize)>>,
}

type Item = Map<String, Value>;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Request {
    table_name: String,
    #[serde(default)]
    key: Item,
    #[serde(default)]
    item: Item,
    #[serde(default)]
    update_expression: String,
    #[serde(default)]
    condition_expression: String,
    #[serde(default)]
    expression_attribute_names: HashMap<String, String>,
    #[serde(default)]
    expression_attribute_values: HashMap<String, Value>,
    #[serde(default)]
    return_values: Option<String>,
}

/// A refusal, by its code.
struct Refused(&'static str);

impl DynamoDb {
    /// Starts with an empty table.
    ///
    /// # Errors
    /// If the port is taken.
    pub async fn start(port: u16, table: &str) -> io::Result<Self> {
        let table = Table { name: table.to_owned(), items: Mutex::default(), bound: Mutex::default() };
        Self::serve(port, table).await
    }

    /// Puts a value into an item that is there, as another version of the relay may have left it.
    pub fn edit(&self, pk: &str, attribute: &str, value: &Value) {
        if let Some(item) = lock(&self.state.items).get_mut(pk) {
            item.insert(attribute.to_owned(), value.clone());
        }
    }

    /// Whether an item has this text somewhere in it.
    #[must_use]
    pub fn holds(&self, pk: &str, text: &str) -> bool {
        lock(&self.state.items).get(pk).is_some_and(|item| format!("{item:?}").contains(text))
    }

    /// How many attributes an item has.
    #[must_use]
    pub fn attributes(&self, pk: &str) -> usize {
        lock(&self.state.items).get(pk).map_or(0, Item::len)
    }

    /// Keeps no more items than this, so that new ones can come without end; the first that came are the first to go.
    pub fn keep_at_most(&self, items: usize) {
        *lock(&self.state.bound) = Some((lock(&self.state.items).keys().cloned().collect(), items));
    }

    /// How many items there are.
    #[must_use]
    pub fn items(&self) -> usize {
        lock(&self.state.items).len()
    }
}

impl Service for Table {
    fn answer(&self, request: &Received) -> Reply {
        let header = |name| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
        if request.method() != Method::POST || !header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=") {
            return refusal("MissingAuthenticationTokenException");
        }
        let Ok(asked) = serde_json::from_slice::<Request>(request.body()) else {
            return refusal("SerializationException");
        };
        if asked.table_name != self.name {
            return refusal("ResourceNotFoundException");
        }
        let answer = match header("x-amz-target") {
            "DynamoDB_20120810.GetItem" => self.get(&asked),
            "DynamoDB_20120810.PutItem" => self.put(asked),
            "DynamoDB_20120810.UpdateItem" => self.update(&asked),
            _ => Err(Refused("UnknownOperationException")),
        };
        answer.map_or_else(|Refused(code)| refusal(code), |body| Reply::json(StatusCode::OK, &body))
    }
}

fn refusal(code: &str) -> Reply {
    let code = format!("com.amazonaws.dynamodb.v20120810#{code}");
    Reply::json(StatusCode::BAD_REQUEST, &json!({"__type": code, "message": "refused by the stand-in"}))
}

/// The key must be `pk`, a string, and no other.
fn key(key: &Item) -> Result<String, Refused> {
    key["pk"]["S"].as_str().filter(|_| key.len() == 1).map(str::to_owned).ok_or(Refused("ValidationException"))
}

impl Table {
    fn insert(&self, items: &mut BTreeMap<String, Item>, pk: String, item: Item) {
        let is_new = items.insert(pk.clone(), item).is_none();
        if let Some((order, kept)) = lock(&self.bound).as_mut().filter(|_| is_new) {
            order.push_back(pk);
            if order.len() > *kept {
                order.pop_front().and_then(|first| items.remove(&first));
            }
        }
    }

    fn get(&self, asked: &Request) -> Result<Value, Refused> {
        let item = lock(&self.items).get(&key(&asked.key)?).cloned();
        Ok(item.map_or(json!({}), |item| json!({ "Item": item })))
    }

    fn put(&self, asked: Request) -> Result<Value, Refused> {
        let pk = asked.item["pk"]["S"].as_str().ok_or(Refused("ValidationException"))?.to_owned();
        let mut items = lock(&self.items);
        if !asked.holds(items.get(&pk).unwrap_or(&Item::new()))? {
            return Err(Refused("ConditionalCheckFailedException"));
        }
        self.insert(&mut items, pk, asked.item);
        Ok(json!({}))
    }

    fn update(&self, asked: &Request) -> Result<Value, Refused> {
        let pk = key(&asked.key)?;
        asked.names_and_values_are_used()?;
        let mut items = lock(&self.items);
        let old = items.get(&pk).cloned();
        let mut item = old.clone().unwrap_or_else(|| asked.key.clone());
        if !asked.holds(&item)? {
            return Err(Refused("ConditionalCheckFailedException"));
        }
        asked.change(&mut item)?;
        self.insert(&mut items, pk, item.clone());
        let attributes = match asked.return_values.as_deref() {
            Some("ALL_OLD") => old,
            Some("ALL_NEW") => Some(item),
            _ => None,
        };
        Ok(attributes.map_or(json!({}), |attributes| json!({ "Attributes": attributes })))
    }
}

impl Request {
    /// `A OR B` and `A AND B` of comparisons; none is true.
    fn holds(&self, item: &Item) -> Result<bool, Refused> {
        let expression = self.condition_expression.as_str();
        if expression.is_empty() {
            return Ok(true);
        }
        let mut any = false;
        for alternative in expression.split(" OR ") {
            let mut all = true;
            for comparison in alternative.split(" AND ") {
                all &= self.compare(comparison, item)?;
            }
            any |= all;
        }
        Ok(any)
    }

    fn compare(&self, comparison: &str, item: &Item) -> Result<bool, Refused> {
        let absent = comparison.strip_prefix("attribute_not_exists(").and_then(|rest| rest.strip_suffix(')'));
        if let Some(path) = absent {
            return Ok(self.at(path, item)?.is_none());
        }
        let [path, operator, value] = comparison.split(' ').collect::<Vec<_>>()[..] else {
            return Err(Refused("ValidationException"));
        };
        let (left, right) = (self.at(path, item)?, self.value(value)?);
        let number = |value: &Value| value["N"].as_str().and_then(|number| number.parse::<i64>().ok());
        match operator {
            "=" => Ok(left.as_ref() == Some(right)),
            "<=" => Ok(left.as_ref().and_then(number).zip(number(right)).is_some_and(|(left, right)| left <= right)),
            _ => Err(Refused("ValidationException")),
        }
    }

    /// The real one refuses a name or a value that no expression has.
    fn names_and_values_are_used(&self) -> Result<(), Refused> {
        let expressions = format!("{} {}", self.update_expression, self.condition_expression);
        let is_word = |c: char| c.is_ascii_alphanumeric() || "#:_".contains(c);
        let words: HashSet<_> = expressions.split(|c| !is_word(c)).collect();
        let mut given = self.expression_attribute_names.keys().chain(self.expression_attribute_values.keys());
        if given.all(|name| words.contains(name.as_str())) { Ok(()) } else { Err(Refused("ValidationException")) }
    }

    /// `SET a = :v, b = :w ADD e :x REMOVE c, d`, each part alone, too. No path may overlap with another one.
    fn change(&self, item: &mut Item) -> Result<(), Refused> {
        let mut changed: Vec<String> = Vec::new();
        let mut once = |path: String| {
            let overlap = |other: &String| {
                let within = |a: &str, b: &str| {
                    a.strip_prefix(b).is_some_and(|rest| rest.is_empty() || rest.starts_with('\u{1f}'))
                };
                within(&path, other) || within(other, &path)
            };
            let is_free = !changed.iter().any(overlap);
            changed.push(path);
            if is_free { Ok(()) } else { Err(Refused("ValidationException")) }
        };
        let (set, remove) = self.update_expression.split_once("REMOVE ").unwrap_or((&self.update_expression, ""));
        let (set, add) = set.split_once("ADD ").unwrap_or((set, ""));
        let set = set.trim().strip_prefix("SET ").unwrap_or_default();
        for assignment in set.split(", ").filter(|assignment| !assignment.is_empty()) {
            let (path, value) = assignment.split_once(" = ").ok_or(Refused("ValidationException"))?;
            let value = match value.strip_prefix("if_not_exists(").and_then(|rest| rest.strip_suffix(')')) {
                Some(unless) => {
                    let (known, value) = unless.split_once(',').ok_or(Refused("ValidationException"))?;
                    self.at(known, item)?.map_or_else(|| self.value(value).cloned(), Ok)?
                }
                None => self.value(value)?.clone(),
            };
            match path.split_once('.') {
                None => {
                    once(self.name(path)?)?;
                    item.insert(self.name(path)?, value);
                }
                Some((outer, inner)) => {
                    let (outer, inner) = (self.name(outer)?, self.name(inner)?);
                    once(format!("{outer}\u{1f}{inner}"))?;
                    let map = item.get_mut(&outer).and_then(|value| value["M"].as_object_mut());
                    map.ok_or(Refused("ValidationException"))?.insert(inner, value);
                }
            }
        }
        for addition in add.trim().split(", ").filter(|addition| !addition.is_empty()) {
            let (path, value) = addition.split_once(' ').ok_or(Refused("ValidationException"))?;
            let name = self.name(path)?;
            once(name.clone())?;
            let number = |value: Option<&Value>| match value {
                None => Some(0),
                Some(value) => value["N"].as_str().and_then(|number| number.parse::<i64>().ok()),
            };
            let sum = number(item.get(&name)).zip(number(Some(self.value(value)?))).map(|(old, more)| old + more);
            item.insert(name, json!({ "N": sum.ok_or(Refused("ValidationException"))?.to_string() }));
        }
        for path in remove.split(", ").filter(|path| !path.is_empty()) {
            once(self.name(path)?)?;
            item.remove(&self.name(path)?);
        }
        Ok(())
    }

    fn at(&self, path: &str, item: &Item) -> Result<Option<Value>, Refused> {
        let (outer, inner) = path.split_once('.').map_or((path, None), |(outer, inner)| (outer, Some(inner)));
        let value = item.get(&self.name(outer)?);
        Ok(match inner {
            None => value.cloned(),
            Some(inner) => value.and_then(|value| value["M"].get(self.name(inner).ok()?)).cloned(),
        })
    }

    fn name(&self, name: &str) -> Result<String, Refused> {
        if !name.starts_with('#') {
            return Ok(name.to_owned());
        }
        self.expression_attribute_names.get(name).cloned().ok_or(Refused("ValidationException"))
    }

    fn value(&self, name: &str) -> Result<&Value, Refused> {
        self.expression_attribute_values.get(name).ok_or(Refused("ValidationException"))
    }
}
