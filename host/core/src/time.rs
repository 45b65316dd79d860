//! Points in time, for people and machines to read.

use std::time::{SystemTime, UNIX_EPOCH};

const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];

/// In UTC, to the millisecond (RFC 3339). Before 1970 there is only its first
/// moment.
pub fn rfc3339(time: SystemTime) -> String {
    let Moment {
        date: (year, month, day),
        time: (hour, minute, second),
        millis,
    } = Moment::of(time);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z")
}

/// In UTC, as access logs have it: `10/Oct/2000:13:55:36 +0000`.
pub fn common(time: SystemTime) -> String {
    let Moment {
        date: (year, month, day),
        time: (hour, minute, second),
        millis: _,
    } = Moment::of(time);
    let month = usize::try_from(month).map_or(0, |month| month - 1);
    let month = MONTHS.get(month).copied().unwrap_or_default();
    format!("{day:02}/{month}/{year:04}:{hour:02}:{minute:02}:{second:02} +0000")
}

/// A point in time as people say it.
struct Moment {
    date: (u64, u64, u64),
    time: (u64, u64, u64),
    millis: u32,
}

impl Moment {
    fn of(time: SystemTime) -> Self {
        const DAY_S: u64 = 86_400;
        let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
        let (days, rest) = (since.as_secs() / DAY_S, since.as_secs() % DAY_S);
        Self {
            date: date(days),
            time: (rest / 3600, rest / 60 % 60, rest % 60),
            millis: since.subsec_millis(),
        }
    }
}

/// The date so many days after 1 January 1970, in the Gregorian calendar. Years
/// are counted from March on, so that a leap day is the last of its year.
fn date(days: u64) -> (u64, u64, u64) {
    const DAYS_OF_400_YEARS: u64 = 146_097;
    // From 1 March of the year 0.
    let days = days + 719_468;
    let (era, day) = (days / DAYS_OF_400_YEARS, days % DAYS_OF_400_YEARS);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = era * 400 + year + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn dates_are_those_of_the_calendar() {
        for (seconds, text) in [
            (0, "1970-01-01T00:00:00.007Z"),
            (951_782_400, "2000-02-29T00:00:00.007Z"),
            (951_868_799, "2000-02-29T23:59:59.007Z"),
            (1_709_164_800, "2024-02-29T00:00:00.007Z"),
            (1_735_689_599, "2024-12-31T23:59:59.007Z"),
            (4_107_542_400, "2100-03-01T00:00:00.007Z"),
        ] {
            let time = UNIX_EPOCH + Duration::from_millis(seconds * 1000 + 7);
            assert_eq!(rfc3339(time), text);
        }
    }

    #[test]
    fn access_logs_have_it_as_apache_does() {
        let time = UNIX_EPOCH + Duration::from_secs(971_186_136);
        assert_eq!(common(time), "10/Oct/2000:13:55:36 +0000");
        assert_eq!(common(UNIX_EPOCH), "01/Jan/1970:00:00:00 +0000");
    }
}
