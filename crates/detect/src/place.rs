//! Where a datastore lies: its provider, its account, its region, as far as events tell.

use std::sync::Arc;

use dataward_event::audit_event::AuditEvent;
use serde::{Deserialize, Serialize};

use crate::context::Trusted;

/// Where a datastore lies.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Place {
    /// The provider: `AWS`.
    pub provider: Option<Arc<str>>,
    /// The account, tenant or project.
    pub account: Option<Arc<str>>,
    /// The region.
    pub region: Option<Arc<str>>,
}

/// What a copy leaves when it goes from one place to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Border {
    /// It stays with the provider and the account, and goes to another region.
    Region,
    /// It stays with the provider, and goes to another account.
    Account,
    /// It goes to another provider.
    Provider,
}

impl Place {
    /// The place of an event.
    pub fn of(event: &AuditEvent<'_>) -> Self {
        let own = |text: Option<&str>| text.map(Arc::<str>::from);
        Self {
            provider: own(event.provider.as_deref()),
            account: own(event.account_uid.as_deref()),
            region: own(event.region.as_deref()),
        }
    }

    /// A place as [`dataward_event::change::copy_place`] writes it.
    pub fn parse(text: &str) -> Self {
        let mut parts = text.splitn(3, '/');
        let mut next = || parts.next().filter(|part| !part.is_empty()).map(Arc::<str>::from);
        Self { provider: next(), account: next(), region: next() }
    }

    /// Takes over what another place tells and this one does not, or tells as a smaller text: whichever comes first.
    pub(crate) fn learn(&mut self, other: &Self) {
        let parts = [
            (&mut self.provider, &other.provider),
            (&mut self.account, &other.account),
            (&mut self.region, &other.region),
        ];
        for (own, told) in parts {
            let is_news =
                told.as_ref().is_some_and(|told| own.as_ref().is_none_or(|own| told < own));
            if is_news {
                own.clone_from(told);
            }
        }
    }

    /// Its parts, where there are any, as people read them.
    pub fn label(&self) -> String {
        let parts = [&self.provider, &self.account, &self.region];
        parts.into_iter().flatten().map(|part| &**part).collect::<Vec<_>>().join(" ")
    }

    /// The widest border between this place and another one. What either does not tell is no border, nor is what is
    /// trusted.
    pub fn border_to(&self, other: &Self, trusted: &Trusted) -> Option<Border> {
        let differs = |one: &Option<Arc<str>>, two: &Option<Arc<str>>| match (one, two) {
            (Some(one), Some(two)) => !one.eq_ignore_ascii_case(two),
            _ => false,
        };
        let is_listed = |list: &[String], part: &Option<Arc<str>>| {
            part.as_deref().is_some_and(|part| list.iter().any(|known| known == part))
        };
        if differs(&self.provider, &other.provider) {
            Some(Border::Provider)
        } else if differs(&self.account, &other.account)
            && !is_listed(&trusted.accounts, &other.account)
        {
            Some(Border::Account)
        } else if differs(&self.region, &other.region)
            && !is_listed(&trusted.regions, &other.region)
        {
            Some(Border::Region)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(text: &str) -> Place {
        Place::parse(text)
    }

    #[test]
    fn the_widest_border_counts_and_what_nobody_tells_is_none() {
        let home = place("AWS/1/eu-west-1");
        let trusted = Trusted::default();
        let border = |to: &str| home.border_to(&place(to), &trusted);
        assert_eq!(border("AWS/1/eu-west-1"), None);
        assert_eq!(border("AWS/1/us-east-1"), Some(Border::Region));
        assert_eq!(border("AWS/2/us-east-1"), Some(Border::Account));
        assert_eq!(border("GCP/x/us-east-1"), Some(Border::Provider));
        assert_eq!(border("//"), None);
        let trusted = Trusted { regions: vec!["us-east-1".to_owned()], ..Trusted::default() };
        assert_eq!(home.border_to(&place("AWS/1/us-east-1"), &trusted), None);
    }

    #[test]
    fn learning_does_not_depend_on_the_order() {
        let (mut one, mut other) = (place("AWS//"), place("/1/b"));
        let (before_one, before_other) = (one.clone(), other.clone());
        one.learn(&before_other);
        other.learn(&before_one);
        assert_eq!(one, other);
    }
}
