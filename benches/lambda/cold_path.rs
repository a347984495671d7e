//! From a webhook to its post, and from a press to its answer, when the function starts cold, on as little of a processor as Lambda gives, with services
//! that are as far away as the real ones.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use chrono::SecondsFormat;
use oncall::fakes::dynamodb::DynamoDb;
use oncall::fakes::emulator::Emulator;
use oncall::fakes::people::{Button, Person, payload, slack_event};
use oncall::fakes::server::Distance;
use oncall::fakes::ssm::Ssm;
use oncall::fakes::{Fakes, SLACK_SIGNING_SECRET};
use oncall_relay::clock;

use crate::bounds::{Figure, Figures};
use crate::{Functions, Result, alert, median, on_aws};

const COLD_PATHS: usize = 9;
/// The memory of the deployed functions, in MB, and others to compare with.
const MEMORY: u32 = 256;
const OTHER_MEMORY: [u32; 2] = [128, 512];
/// Lambda gives a function with so much memory a whole processor, and others their share.
/// <https://docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html>
const OF_A_WHOLE_PROCESSOR: u32 = 1_769;
/// The kernel hands the share out in pieces of this length.
const PERIOD: Duration = Duration::from_millis(20);

const GOOGLE: Distance = Distance {
    round_trip: Duration::from_millis(3),
    works: |path| Duration::from_millis(if path == "/token" { 60 } else { 250 }),
};
const CHAT: Distance = Distance { round_trip: Duration::from_millis(5), works: |_| Duration::from_millis(300) };
/// PagerDuty's REST API.
const PAGERDUTY: Distance = Distance { round_trip: Duration::from_millis(3), works: |_| Duration::from_millis(200) };
const AWS: Distance = Distance { round_trip: Duration::from_millis(1), works: |_| Duration::from_millis(8) };

/// What one call takes, with a connection that is open or a new one.
fn takes(distance: Distance, path: &str, is_open: bool) -> Duration {
    let connecting = if is_open { Duration::ZERO } else { distance.round_trip * 3 };
    connecting + distance.round_trip + (distance.works)(path)
}

/// Measures the path of each function, and compares ours with the calls that have to wait for each other: the token,
/// the sheet, the post; with AWS's services the secrets before them, and the ledger's claim before the post.
pub(crate) async fn measure(functions: &Functions, figures: &mut Figures) -> Result<()> {
    let Some(share) = Share::new(MEMORY)? else {
        println!("cold path: not measured, because this process may make no control group for processor time");
        return Ok(());
    };
    let fakes = Fakes::start().await?;
    let (ssm, dynamodb) = (Ssm::start(0).await?, DynamoDb::start(0, "ledger").await?);
    fakes.google.move_away(GOOGLE);
    fakes.slack.move_away(CHAT);
    fakes.incidents.move_away(PAGERDUTY);
    ssm.move_away(AWS);
    dynamodb.move_away(AWS);
    let open =
        [("CHATS", "slack"), ("BUSINESS_DAYS", "Mon-Sun"), ("BUSINESS_HOURS", "00:00-24:00"), ("HOLIDAYS", "none")];
    let settings = on_aws(&fakes.settings(), &open);
    let secrets = [
        "SLACK_TOKEN",
        "GOOGLE_CREDENTIALS",
        "PAGERDUTY_SIGNING_SECRETS",
        "PAGERDUTY_TOKENS",
        "SLACK_SIGNING_SECRETS",
        "PAGERDUTY_ACTION_KEY",
    ];
    for name in secrets {
        ssm.put(&format!("/oncall/{name}"), &settings[name]);
    }
    let mut deployed = on_aws(
        &settings,
        &[
            ("SECRETS_PATH", "/oncall"),
            ("AWS_ENDPOINT_URL_SSM", &ssm.url()),
            ("LEDGER_TABLE", "ledger"),
            ("AWS_ENDPOINT_URL_DYNAMODB", &dynamodb.url()),
        ],
    );
    deployed.retain(|name, _| !secrets.contains(&name.as_str()));

    let limit = takes(GOOGLE, "/token", false) + takes(GOOGLE, "/v4", true) + takes(CHAT, "", true);
    let limit_on_aws = limit + takes(AWS, "", false) + takes(AWS, "", true);
    let mut paths = vec![
        ("pagerduty2typetalk".to_owned(), Some((Figure::ColdPath, limit)), share.wrap(&functions.webhook)?, &settings),
        (
            "pagerduty2typetalk with secrets and ledger".to_owned(),
            Some((Figure::ColdPathOnAws, limit_on_aws)),
            share.wrap(&functions.webhook)?,
            &deployed,
        ),
    ];
    if let Some(folder) = &functions.before {
        let before = folder.join("pagerduty2typetalk");
        paths.push(("before".to_owned(), None, share.wrap(&before)?, &settings));
        paths.push(("before, with secrets and ledger".to_owned(), None, share.wrap(&before)?, &deployed));
    }
    let mut others = Vec::new();
    if let Some(python) = &functions.python {
        paths.push(("Python".to_owned(), None, share.wrap(python)?, &settings));
        for memory in OTHER_MEMORY {
            let other = Share::new(memory)?.ok_or("a second control group can't be made")?;
            let name = |of: &str| format!("{of} with {memory} MB");
            let ours = name("pagerduty2typetalk with secrets and ledger,");
            paths.push((ours, None, other.wrap(&functions.webhook)?, &deployed));
            paths.push((name("Python"), None, other.wrap(python)?, &settings));
            others.push(other);
        }
    }
    let mut times = vec![<[Vec<f64>; 3]>::default(); paths.len()];
    for _ in 0..COLD_PATHS {
        for ((_, _, function, settings), times) in paths.iter().zip(&mut times) {
            let took = path(&functions.rie, function, settings, &fakes).await?;
            times.iter_mut().zip(took).for_each(|(times, time)| times.push(time));
        }
    }
    println!("cold path, median of {COLD_PATHS}, on {MEMORY} of {OF_A_WHOLE_PROCESSOR} parts of a processor");
    for ((name, bound, _, _), times) in paths.iter().zip(&mut times) {
        let [time, answer, warm] = times.each_mut().map(|times| median(times));
        let answers = format!("answer after {answer:.0} ms, to the next webhook after {warm:.0} ms");
        let Some((figure, limit)) = bound else {
            println!("  {name}: {time:.0} ms; {answers}");
            continue;
        };
        let limit = limit.as_secs_f64() * 1000.0;
        println!("  {name}: {time:.0} ms, {:.2} times the {limit:.0} ms that the calls take; {answers}", time / limit);
        figures.add(Some(*figure), time / limit);
    }
    drop(others);
    let function = share.wrap(&functions.webhook)?;
    let mut presses = Vec::new();
    for number in 0..COLD_PATHS {
        presses.push(until_the_answer(&functions.rie, &function, &deployed, &fakes, number).await?);
    }
    let time = median(&mut presses);
    let one = takes(PAGERDUTY, "/incidents", true).as_millis();
    println!("  a press, with secrets and ledger: {time:.0} ms, of which PagerDuty takes {one} ms twice");
    figures.add(Some(Figure::ColdPress), time);
    Ok(())
}

/// From a press's arrival to its answer. Nobody has an incident yet, and then somebody has.
async fn until_the_answer(
    rie: &Path,
    function: &Path,
    settings: &HashMap<String, String>,
    fakes: &Fakes,
    number: usize,
) -> Result<f64> {
    let function = Emulator::start(rie, function, settings).await?;
    let (id, at) = (format!("PPRESSED{number}"), clock::now().fixed_offset());
    let began = at.to_rfc3339_opts(SecondsFormat::Secs, true);
    fakes.incidents.open_as(&id, u64::try_from(number)? + 1, "応答が遅い", "triggered", &began);
    let presser = Person { id: "U0TANAKA1", name: "tanaka" };
    let text = "🔴 発生 応答が遅い";
    let button = Button { action: "acknowledge", value: &id, channel: "C0ALERTS", ts: "1795485600.000100", text };
    let body = payload(&presser.press(&button, u64::try_from(number)?, &fakes.slack.url()));
    let event = slack_event(SLACK_SIGNING_SECRET, at, &body);
    let _ = (fakes.incidents.take_done(), fakes.slack.take_told());
    let started = Instant::now();
    crate::invoke(&function, &event).await?;
    let time = crate::milliseconds(started);
    let done: Vec<_> = fakes.incidents.take_done().iter().map(|done| done.what).collect();
    let told = fakes.slack.take_told();
    if done != ["acknowledged"] || !told.is_empty() {
        return Err(format!("a press did {done:?} and was told {told:?}: {}", function.log()).into());
    }
    Ok(time)
}

/// From the webhook's arrival at a function that isn't running to Slack's answer, and to the function's own; then the
/// latter for one more webhook, in milliseconds.
async fn path(rie: &Path, function: &Path, settings: &HashMap<String, String>, fakes: &Fakes) -> Result<[f64; 3]> {
    let function = Emulator::start(rie, function, settings).await?;
    let (first, second) = (alert()?, alert()?);
    let _ = fakes.slack.take_posts();
    // What is measured is no team's pace.
    fakes.google.forget_reads();
    let started = Instant::now();
    crate::invoke(&function, &first).await?;
    let answer = crate::milliseconds(started);
    let answered = fakes.slack.answered_at().ok_or("no post has a time")?;
    let warm = Instant::now();
    crate::invoke(&function, &second).await?;
    let warm = crate::milliseconds(warm);
    let posts = fakes.slack.take_posts().len();
    if posts != 2 {
        return Err(format!("{posts} posts for two webhooks: {}", function.log()).into());
    }
    Ok([(answered - started).as_secs_f64() * 1000.0, answer, warm])
}

/// A control group with the share of a processor that a small function has.
struct Share {
    group: PathBuf,
}

impl Share {
    /// The share of a function with so many MB; none if this process may make no such group.
    fn new(memory: u32) -> Result<Option<Self>> {
        let (version_1, version_2) = (Path::new("/sys/fs/cgroup/cpu"), Path::new("/sys/fs/cgroup"));
        let is_version_1 = version_1.join("cpu.cfs_quota_us").exists();
        let name = format!("oncall-bench-{}-{memory}", std::process::id());
        let group = if is_version_1 { version_1 } else { version_2 }.join(name);
        if std::fs::create_dir(&group).is_err() {
            return Ok(None);
        }
        let period = PERIOD.as_micros();
        let quota = period * u128::from(memory) / u128::from(OF_A_WHOLE_PROCESSOR);
        if is_version_1 {
            std::fs::write(group.join("cpu.cfs_period_us"), period.to_string())?;
            std::fs::write(group.join("cpu.cfs_quota_us"), quota.to_string())?;
        } else if std::fs::write(group.join("cpu.max"), format!("{quota} {period}")).is_err() {
            std::fs::remove_dir(&group)?;
            return Ok(None);
        }
        Ok(Some(Self { group }))
    }

    /// The function, which joins the group before it starts. The emulator stays outside, as on AWS.
    fn wrap(&self, function: &Path) -> Result<PathBuf> {
        use std::os::unix::fs::PermissionsExt;
        let text = format!(
            "#!/bin/sh\necho $$ > {}/cgroup.procs && exec {}\n",
            self.group.display(),
            std::fs::canonicalize(function)?.display()
        );
        let number = std::fs::read_dir(env!("CARGO_TARGET_TMPDIR"))?.count();
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("small-function-{number}"));
        std::fs::write(&path, text)?;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
        Ok(path)
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        // Functions that were killed leave the group a moment later; an empty group costs nothing.
        let _ = std::fs::remove_dir(&self.group);
    }
}

/// The function in Python that `PYTHON` is to run, if that is set: an interpreter with the package `cryptography`.
pub(crate) fn python_function() -> Result<Option<PathBuf>> {
    use std::os::unix::fs::PermissionsExt;
    let Some(python) = crate::variable("PYTHON") else { return Ok(None) };
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/lambda/function.py");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("python-function");
    std::fs::write(&path, format!("#!/bin/sh\nexec {} {}\n", python.display(), script.display()))?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755))?;
    Ok(Some(path))
}
