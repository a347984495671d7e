//! `oncall slack manifest`: the link that creates the Slack app, with the deployed relay's address in it.

use clap::{Args, Subcommand};
use url::form_urlencoded::byte_serialize;

use crate::operator::dialogue::{Outcome, Terminal};
use crate::operator::stack::{Stack, StackArgs};

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Print the link that creates the Slack app.
    #[command(after_help = "Example: oncall slack manifest")]
    Manifest(ManifestArgs),
}

#[derive(Debug, Args)]
pub(super) struct ManifestArgs {
    #[command(flatten)]
    stack: StackArgs,
    /// Leave out buttons and the command /oncall: the app then only posts.
    #[arg(long)]
    only_post: bool,
    /// Print the manifest itself, to paste it by hand.
    #[arg(long)]
    yaml: bool,
}

pub(super) async fn run(Command::Manifest(args): Command) -> Outcome {
    let terminal = Terminal::new(true);
    let address = if args.only_post {
        None
    } else {
        let stack = Stack::find(&args.stack, &terminal).await?;
        Some(slack_address(stack.output("WebhookUrl")?)?)
    };
    let manifest = manifest(address.as_deref());
    if args.yaml {
        terminal.say(manifest);
        return Ok(());
    }
    terminal.say(format!("Open this link, choose the workspace, and press Create:\n\n{}\n", link(&manifest)));
    terminal.say(
        "Then, on the app's page: Install to Workspace. You then see a Bot User OAuth Token. Invite the bot to both \
         channels: /invite @oncall-relay\nNext: cargo oncall secrets",
    );
    Ok(())
}

/// Where Slack sends presses and commands: beside the webhooks' address.
fn slack_address(webhook_url: &str) -> Result<String, String> {
    let base = webhook_url.trim_end_matches('/').strip_suffix("/pagerduty");
    base.map(|base| format!("{base}/slack")).ok_or_else(|| format!("{webhook_url} doesn't end with /pagerduty"))
}

fn manifest(address: Option<&str>) -> String {
    let (features, scopes, settings) = match address {
        None => (String::new(), String::new(), String::new()),
        Some(url) => (
            format!(
                "  slash_commands:\n    - command: /oncall\n      url: {url}\n      description: Who is on call, and \
                 which incidents are open\n      should_escape: false\n"
            ),
            "      - commands\n".to_owned(),
            format!("  interactivity:\n    is_enabled: true\n    request_url: {url}\n"),
        ),
    };
    format!(
        "display_information:\n  name: oncall-relay\n  description: Alerts, and who is on call\nfeatures:\n  bot_user:\n    \
         display_name: oncall-relay\n    always_online: true\n{features}oauth_config:\n  scopes:\n    bot:\n      - \
         chat:write\n{scopes}      - channels:read\n      - groups:read\n      - users:read\n      - usergroups:read\n\
         settings:\n{settings}  org_deploy_enabled: false\n  socket_mode_enabled: false\n  token_rotation_enabled: false\n"
    )
}

fn link(manifest: &str) -> String {
    let encoded: String = byte_serialize(manifest.as_bytes()).collect();
    format!("https://api.slack.com/apps?new_app=1&manifest_yaml={}", encoded.replace('+', "%20"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_link_carries_the_whole_manifest_with_the_relays_address() {
        let address = slack_address("https://api.example.com/prod/pagerduty/").unwrap();
        assert_eq!(address, "https://api.example.com/prod/slack");
        let manifest = manifest(Some(&address));
        let link = url::Url::parse(&link(&manifest)).unwrap();
        let carried = link.query_pairs().find(|(name, _)| name == "manifest_yaml").unwrap().1;
        assert_eq!(carried, manifest);
        assert_eq!(manifest.matches("https://api.example.com/prod/slack").count(), 2);
        assert!(link.as_str().bytes().all(|b| b.is_ascii_graphic()));
    }

    #[test]
    fn an_app_that_only_posts_has_neither_interactivity_nor_commands() {
        let manifest = manifest(None);
        assert!(!manifest.contains("interactivity") && !manifest.contains("command"), "{manifest}");
        assert!(manifest.contains("      - chat:write\n      - channels:read\n"), "{manifest}");
    }
}
