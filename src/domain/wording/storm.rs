//! The words about a storm.

use super::Language;
use crate::domain::storm::PastStorm;

impl Language {
    /// That there are very many new incidents, and how many so far.
    #[must_use]
    pub fn storm(self, so_far: u64) -> String {
        self.say(
            format!("🌪️ インシデントが多発しています(これまでに {so_far} 件)"),
            format!("🌪️ A storm of incidents: {so_far} new ones so far"),
        )
    }

    /// That there are no longer very many, and how many there were.
    #[must_use]
    pub fn storm_over(self, incidents: u64) -> String {
        self.say(
            format!("🌤️ インシデントの多発は収まりました(全 {incidents} 件)"),
            format!("🌤️ The storm of incidents is over: {incidents} new ones in all"),
        )
    }

    /// The same of a day.
    #[must_use]
    pub fn past_storm(self, PastStorm { on, incidents }: PastStorm) -> String {
        let day = self.dates(&[on]);
        self.say(
            format!("🌤️ {day}のインシデントの多発は収まりました(全 {incidents} 件)"),
            format!("🌤️ The storm of incidents on {day} is over: {incidents} new ones in all"),
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

    /// What it means for them once it is over.
    #[must_use]
    pub fn storm_mentions_again(self) -> &'static str {
        self.say(
            "これからの新しいインシデントは、通常どおりメンション付きで投稿します",
            "From now on, new incidents mention people as usual",
        )
    }

    /// Introduces PagerDuty's list.
    #[must_use]
    pub fn storm_list(self) -> &'static str {
        self.say("一覧:", "All of them:")
    }
}
