//! The deployment's template keeps its promises: every setting declared, no secret in it, no right too many.

use std::collections::BTreeSet;

use oncall_relay::budget;
use oncall_relay::config::{SETTINGS, Setting};
use saphyr::{LoadableYamlNode, Scalar, Yaml};
use serde_json::{Map, Value, json};

mod alarms;

const FUNCTIONS: [(&str, &str); 2] =
    [("WebhookFunction", "pagerduty2typetalk"), ("ReminderFunction", "oncall-reminder")];

fn file(path: &str) -> String {
    let path = format!("{}/{path}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn template() -> Value {
    let text = file("template.yaml");
    let documents = Yaml::load_from_str(&text).unwrap();
    let [document] = documents.as_slice() else { panic!("one document is expected") };
    to_json(document)
}

/// YAML as JSON, with the long form of `CloudFormation`'s tags: `!Ref A` is `{"Ref": "A"}`.
fn to_json(node: &Yaml) -> Value {
    match node {
        Yaml::Value(Scalar::Null) => Value::Null,
        Yaml::Value(Scalar::Boolean(flag)) => json!(flag),
        Yaml::Value(Scalar::Integer(number)) => json!(number),
        Yaml::Value(Scalar::FloatingPoint(number)) => json!(number.into_inner()),
        Yaml::Value(Scalar::String(text)) => json!(text),
        Yaml::Sequence(items) => items.iter().map(to_json).collect(),
        Yaml::Mapping(fields) => {
            let fields = fields.iter().map(|(key, value)| (key.as_str().unwrap().to_owned(), to_json(value)));
            fields.collect::<Map<_, _>>().into()
        }
        Yaml::Tagged(tag, node) => {
            let function = match tag.suffix.as_str() {
                plain @ ("Ref" | "Condition") => plain.to_owned(),
                function => format!("Fn::{function}"),
            };
            json!({ function: to_json(node) })
        }
        Yaml::Representation(..) | Yaml::Alias(_) | Yaml::BadValue => panic!("not for CloudFormation: {node:?}"),
    }
}

fn resource(name: &str) -> Value {
    let resource = template()["Resources"][name].take();
    assert!(resource.is_object(), "no resource {name}");
    resource
}

fn resources(kind: &str) -> Vec<(String, Value)> {
    let Value::Object(all) = template()["Resources"].take() else { panic!("no resources") };
    all.into_iter().filter(|(_, resource)| resource["Type"] == kind).collect()
}

fn variables(function: &str) -> Map<String, Value> {
    let mut variables = Map::new();
    for mut place in [template()["Globals"]["Function"].take(), resource(function)["Properties"].take()] {
        if let Value::Object(declared) = place["Environment"]["Variables"].take() {
            variables.extend(declared);
        }
    }
    variables
}

/// Every statement of every policy, with the resource that it is in.
fn statements() -> Vec<(String, Value)> {
    fn collect(place: &str, node: &Value, found: &mut Vec<(String, Value)>) {
        match node {
            Value::Object(fields) if fields.contains_key("Effect") => found.push((place.to_owned(), node.clone())),
            Value::Object(fields) => fields.values().for_each(|node| collect(place, node, found)),
            Value::Array(items) => items.iter().for_each(|node| collect(place, node, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    let Value::Object(all) = template()["Resources"].take() else { panic!("no resources") };
    for (name, resource) in &all {
        collect(name, resource, &mut found);
    }
    found
}

fn one_or_many(node: &Value) -> Vec<&Value> {
    node.as_array().map_or_else(|| vec![node], |items| items.iter().collect())
}

/// Why a right is too wide, if it is.
fn too_wide(statement: &Value) -> Option<String> {
    for element in ["NotAction", "NotResource", "NotPrincipal"] {
        if !statement[element].is_null() {
            return Some(format!("{element} grants everything else"));
        }
    }
    let actions = one_or_many(&statement["Action"]);
    if let Some(action) = actions.iter().find(|action| action.as_str().is_none_or(|name| name.contains('*'))) {
        return Some(format!("the action {action}"));
    }
    if statement["Principal"].to_string().contains('*') {
        return Some("a principal that is everyone".to_owned());
    }
    // A role's own policy says who may take it instead of what it is about.
    let of_role = !statement["Principal"].is_null() && statement["Action"] == "sts:AssumeRole";
    let resources = if of_role { vec![] } else { one_or_many(&statement["Resource"]) };
    let wide = resources.iter().find(|resource| match resource {
        Value::String(arn) => arn.contains('*'),
        Value::Object(function) => !function.values().all(|arn| arn.as_str().is_some_and(|arn| !arn.contains('*'))),
        _ => true,
    });
    wide.map(|resource| format!("the resource {resource}"))
}

#[test]
fn no_policy_grants_more_than_it_names() {
    let statements = statements();
    assert!(statements.len() >= 10, "the policies have moved: {statements:?}");
    let wide: Vec<_> = statements
        .iter()
        .filter_map(|(place, statement)| too_wide(statement).map(|why| format!("{place}: {why}")))
        .collect();
    assert_eq!(wide, Vec::<String>::new());
}

#[test]
fn a_right_that_is_too_wide_is_noticed() {
    for (action, resource) in [
        (json!("*"), json!("arn:aws:sqs:::q")),
        (json!("sqs:*"), json!("arn:aws:sqs:::q")),
        (json!(["sqs:SendMessage", "dynamodb:Get*"]), json!("arn:aws:sqs:::q")),
        (json!("sqs:SendMessage"), json!("*")),
        (json!("sqs:SendMessage"), json!(["arn:aws:sqs:::q", "*"])),
        (json!("sqs:SendMessage"), json!({"Fn::Sub": "arn:${AWS::Partition}:sqs:*"})),
        (json!("ssm:GetParameters"), json!({"Fn::Sub": "arn:aws:ssm:::parameter/*"})),
        (json!("ssm:GetParameters"), json!({"Fn::Sub": "arn:aws:ssm:::parameter${SecretsPath}/*"})),
        (json!("sqs:SendMessage"), Value::Null),
    ] {
        let statement = json!({"Effect": "Allow", "Action": action, "Resource": resource});
        assert!(too_wide(&statement).is_some(), "{statement}");
    }
    assert!(too_wide(&json!({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})).is_some());
}

#[test]
fn roles_are_our_own_and_no_ready_made_policy_is_attached() {
    for (function, _) in FUNCTIONS {
        let properties = &resource(function)["Properties"];
        assert!(properties["Role"].is_object(), "{function} would get a role whose logs are everyone's");
    }
    for (name, role) in resources("AWS::IAM::Role") {
        let attached = role["Properties"]["ManagedPolicyArns"].as_array().cloned().unwrap_or_default();
        assert!(attached.iter().all(|policy| *policy == json!({"Ref": "LedgerAndKey"})), "{name}: {attached:?}");
    }
}

/// Whether a function reads a setting.
fn reads(function: &str, setting: &Setting) -> bool {
    match function {
        "WebhookFunction" => setting.webhook,
        _ => setting.reminder,
    }
}

#[test]
fn a_function_may_read_its_own_secrets_and_no_others() {
    for (function, role) in [("WebhookFunction", "WebhookRole"), ("ReminderFunction", "ReminderRole")] {
        assert_eq!(resource(function)["Properties"]["Role"], json!({"Fn::GetAtt": format!("{role}.Arn")}));
        let path = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter${SecretsPath}";
        let own: BTreeSet<_> = SETTINGS
            .iter()
            .filter(|setting| setting.secret && reads(function, setting))
            .map(|setting| json!({"Fn::Sub": format!("{path}/{}", setting.name)}).to_string())
            .collect();
        let granted: Vec<_> = statements()
            .into_iter()
            .filter(|(place, statement)| place == role && statement["Action"].to_string().contains("ssm:"))
            .collect();
        let [(_, statement)] = granted.as_slice() else { panic!("{role}: {granted:?}") };
        assert_eq!(statement["Action"], "ssm:GetParameters", "{role}");
        let granted: BTreeSet<_> = one_or_many(&statement["Resource"]).into_iter().map(Value::to_string).collect();
        assert_eq!(granted, own, "{role}");
        assert!(own.len() > 3 && own.len() <= 10, "{role}: one call asks for ten parameters at most: {own:?}");
    }
    let elsewhere: Vec<_> = statements()
        .into_iter()
        .filter(|(place, statement)| !place.ends_with("Role") && statement["Action"].to_string().contains("ssm:"))
        .collect();
    assert_eq!(elsewhere, []);
}

#[test]
fn every_setting_that_the_code_reads_is_declared_for_the_function_that_reads_it() {
    for (function, _) in FUNCTIONS {
        let declared = variables(function);
        let read: Vec<_> =
            SETTINGS.iter().filter(|setting| reads(function, setting)).map(|setting| setting.name).collect();
        assert!(read.len() > 20, "{function} reads settings: {read:?}");
        let missing: Vec<_> = read.into_iter().filter(|name| !declared.contains_key(*name)).collect();
        assert_eq!(missing, Vec::<&str>::new(), "{function}");
    }
}

#[test]
fn nothing_is_declared_that_nobody_reads() {
    for (function, _) in FUNCTIONS {
        let declared = variables(function);
        let unread: Vec<_> = declared
            .keys()
            .filter(|name| {
                !name.starts_with("AWS_ENDPOINT_URL_") && SETTINGS.iter().all(|setting| setting.name != *name)
            })
            .collect();
        assert_eq!(unread, Vec::<&String>::new(), "{function}");
    }
}

#[test]
fn only_the_reminder_is_told_the_address_of_webhooks() {
    assert!(variables("ReminderFunction").contains_key("WEBHOOK_URL"));
    assert!(!variables("WebhookFunction").contains_key("WEBHOOK_URL"), "the API refers to it: a cycle");
}

#[test]
fn secrets_are_declared_empty() {
    let secrets: Vec<_> = SETTINGS.iter().filter(|setting| setting.secret).map(|setting| setting.name).collect();
    assert!(secrets.contains(&"SLACK_TOKEN") && secrets.contains(&"GOOGLE_CREDENTIALS"), "{secrets:?}");
    for (function, _) in FUNCTIONS {
        let declared = variables(function);
        for secret in &secrets {
            assert_eq!(declared[*secret], "", "{secret} of {function}");
        }
    }
}

#[test]
fn both_functions_are_built_from_their_binaries() {
    assert_eq!(template()["Globals"]["Function"]["Runtime"], "provided.al2023");
    assert_eq!(template()["Globals"]["Function"]["Handler"], "bootstrap");
    for (function, binary) in FUNCTIONS {
        let metadata = &resource(function)["Metadata"];
        let expected = json!({"BuildMethod": "rust-cargolambda", "BuildProperties": {"Binary": binary}});
        assert_eq!(*metadata, expected, "{function}");
        assert!(file(&format!("src/bin/{binary}.rs")).contains("fn main"), "{binary}");
    }
}

#[test]
fn the_processor_is_a_choice_that_starts_at_x86_64() {
    let architecture = &template()["Parameters"]["Architecture"];
    assert_eq!(architecture["Default"], "x86_64");
    assert_eq!(architecture["AllowedValues"], json!(["x86_64", "arm64"]));
    assert_eq!(template()["Globals"]["Function"]["Architectures"], json!([{"Ref": "Architecture"}]));
}

#[test]
fn the_reminders_are_due_at_ten_and_twice_at_seventeen_in_tokyo_every_day() {
    let parameters = &template()["Parameters"];
    let events = &resource("ReminderFunction")["Properties"]["Events"];
    for (event, parameter, cron, reminder) in [
        ("Today", "TodaySchedule", "cron(0 10 * * ? *)", "today"),
        ("Next", "NextSchedule", "cron(0 17 * * ? *)", "next"),
        ("Week", "WeekSchedule", "cron(0 17 * * ? *)", "week"),
    ] {
        let schedule = &events[event]["Properties"];
        assert_eq!(events[event]["Type"], "ScheduleV2", "{event}");
        assert_eq!(parameters[parameter]["Default"], cron, "{event}");
        assert_eq!(schedule["ScheduleExpression"], json!({"Ref": parameter}), "{event}");
        assert_eq!(schedule["ScheduleExpressionTimezone"], json!({"Ref": "TimeZone"}), "{event}");
        let request: Value = serde_json::from_str(schedule["Input"].as_str().unwrap()).unwrap();
        assert_eq!(request, json!({"reminder": reminder, "at": "<aws.scheduler.scheduled-time>"}), "{event}");
        let net = json!({"Fn::GetAtt": "LostReminders.Arn"});
        assert_eq!(schedule["DeadLetterConfig"]["Arn"], net, "{event}");
    }
    assert_eq!(parameters["TimeZone"]["Default"], "Asia/Tokyo");
}

#[test]
fn a_failed_reminder_is_tried_twice_more_and_then_kept() {
    let config = &resource("ReminderFunction")["Properties"]["EventInvokeConfig"];
    assert_eq!(config["MaximumRetryAttempts"], 2);
    let net = json!({"Type": "SQS", "Destination": {"Fn::GetAtt": "LostReminders.Arn"}});
    assert_eq!(config["DestinationConfig"]["OnFailure"], net);
}

#[test]
fn the_ways_in_are_post_pagerduty_notice_and_slack_and_whatever_else_somebody_writes_instead() {
    let ways = |function: &str| -> Vec<Value> {
        let Value::Object(events) = resource(function)["Properties"]["Events"].take() else { panic!("no events") };
        events.into_values().filter(|event| event["Type"] != "ScheduleV2").collect()
    };
    let way = |route: Value| {
        let mut properties = json!({"ApiId": {"Ref": "Api"}, "PayloadFormatVersion": "2.0"});
        properties.as_object_mut().unwrap().extend(route.as_object().unwrap().clone());
        json!({"Type": "HttpApi", "Properties": properties})
    };
    // An event without method and path is API Gateway's route `$default`.
    let post = |path: &str| way(json!({"Method": "POST", "Path": path}));
    assert_eq!(ways("WebhookFunction"), [post("/slack"), post("/notice"), way(json!({})), post("/pagerduty")]);
    assert_eq!(ways("ReminderFunction"), Vec::<Value>::new());
}

#[test]
fn what_is_no_webhook_takes_little_of_the_rest() {
    let api = &resource("Api")["Properties"];
    let (documented, otherwise) = (&api["DefaultRouteSettings"], &api["RouteSettings"]["$default"]);
    for limit in ["ThrottlingRateLimit", "ThrottlingBurstLimit"] {
        let [documented, otherwise] = [documented, otherwise].map(|limits| limits[limit].as_u64().unwrap());
        assert!(otherwise * 10 <= documented, "{limit}: {otherwise} of {documented}");
        let notices = api["RouteSettings"]["POST /notice"][limit].as_u64().unwrap();
        assert!(notices * 5 <= documented, "{limit}: {notices} of {documented}");
    }
}

#[test]
fn concurrency_is_reserved_only_if_it_is_asked_for() {
    assert_eq!(template()["Parameters"]["ReservedConcurrency"]["Default"], "");
    let reserved = &resource("WebhookFunction")["Properties"]["ReservedConcurrentExecutions"];
    let expected = json!([ "HasReservedConcurrency", {"Ref": "ReservedConcurrency"}, {"Ref": "AWS::NoValue"}]);
    assert_eq!(reserved["Fn::If"], expected);
}

#[test]
fn the_access_log_is_json_and_has_neither_secrets_nor_bodies() {
    let format = resource("Api")["Properties"]["AccessLogSettings"]["Format"].take();
    let line: Map<String, Value> = serde_json::from_str(format.as_str().unwrap()).unwrap();
    for (name, value) in &line {
        let variable = value.as_str().and_then(|value| value.strip_prefix("$context.")).unwrap_or_default();
        assert!(!variable.is_empty() && !variable.contains("authorizer"), "{name}: {value}");
    }
}

#[test]
fn the_functions_have_the_time_that_the_budget_counts_on() {
    for (function, time) in
        [("WebhookFunction", budget::WEBHOOK_TIMEOUT), ("ReminderFunction", budget::REMINDER_TIMEOUT)]
    {
        assert_eq!(resource(function)["Properties"]["Timeout"], json!(time.as_secs()), "{function}");
    }
}

#[test]
fn the_ledger_has_the_key_that_the_code_uses() {
    let table = &resource("LedgerTable")["Properties"];
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["KeySchema"], json!([{"AttributeName": "pk", "KeyType": "HASH"}]));
    assert_eq!(table["AttributeDefinitions"], json!([{"AttributeName": "pk", "AttributeType": "S"}]));
    assert_eq!(table["TimeToLiveSpecification"], json!({"AttributeName": "expires", "Enabled": true}));
}
