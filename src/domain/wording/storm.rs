//! The words about a storm.

use super::Language;

impl Language {
    /// That there are very many new incidents, and how many so far.
    #[must_use]
    pub fn storm(self, so_far: u64) -> String {
        self.say(
            format!("🌪️ インシデントが多発しています(これまでに {so_far} 件)"),
            format!("🌪️ A storm of incidents: {so_far} new ones so far"),
        )
    }

    /// What that means for the further ones.
    #[must_use]
    pub fn storm_without_mentions(self) -> &'static str {
        self.say(
            "収まるまで、新しいインシデントはメンションなしで投稿します",
            "Until it is over, new incidents are posted without mentions",
        )
    }

    /// Introduces PagerDuty's list.
    #[must_use]
    pub fn storm_list(self) -> &'static str {
        self.say("一覧:", "All of them:")
    }
}
