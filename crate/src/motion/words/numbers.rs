//! Numbers as people say them.

const ONES: [&str; 20] = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
];
const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
const SCALES: [(u64, &str); 4] =
    [(1_000_000_000_000, "trillion"), (1_000_000_000, "billion"), (1_000_000, "million"), (1000, "thousand")];
/// Longer rows of digits are read one by one.
const MOST_DIGITS: usize = 15;

/// Ways to read digits (only `0` to `9`), each a row of words.
pub(super) fn ways(digits: &str) -> Vec<Vec<String>> {
    let Some(number) = digits.parse::<u64>().ok().filter(|_| digits.len() <= MOST_DIGITS) else {
        return vec![one_by_one(digits, "zero"), one_by_one(digits, "oh")];
    };
    if digits.len() > 1 && digits.starts_with('0') {
        return vec![one_by_one(digits, "zero"), one_by_one(digits, "oh")];
    }
    let mut ways = vec![cardinal(number)];
    if digits.len() == 4 && (1100..2100).contains(&number) {
        // A year.
        let mut year = cardinal(number / 100);
        match number % 100 {
            0 => year.push("hundred".into()),
            late @ 1..=9 => year.extend(["oh".into(), ONES[late as usize].into()]),
            late => year.extend(cardinal(late)),
        }
        ways.insert(0, year);
    } else if digits.len() >= 3 {
        ways.push(one_by_one(digits, "zero"));
        if digits.contains('0') {
            ways.push(one_by_one(digits, "oh"));
        }
    }
    ways
}

/// Each digit by its name.
pub(super) fn one_by_one(digits: &str, zero: &str) -> Vec<String> {
    let name = |c: char| match c.to_digit(10) {
        Some(0) | None => zero.to_owned(),
        Some(d) => ONES[d as usize].to_owned(),
    };
    digits.chars().map(name).collect()
}

/// `first`, `twenty-second` …: a cardinal whose last word is turned.
pub(super) fn ordinal(number: u64) -> Vec<String> {
    let mut words = cardinal(number);
    if let Some(last) = words.last_mut() {
        *last = match last.as_str() {
            "one" => "first".into(),
            "two" => "second".into(),
            "three" => "third".into(),
            "five" => "fifth".into(),
            "eight" => "eighth".into(),
            "nine" => "ninth".into(),
            "twelve" => "twelfth".into(),
            tens if tens.ends_with('y') => format!("{}ieth", &tens[..tens.len() - 1]),
            other => format!("{other}th"),
        };
    }
    words
}

fn cardinal(number: u64) -> Vec<String> {
    let mut words = Vec::new();
    push(number, &mut words);
    words
}

fn push(number: u64, words: &mut Vec<String>) {
    if let Some(&(scale, name)) = SCALES.iter().find(|(scale, _)| number >= *scale) {
        push(number / scale, words);
        words.push(name.into());
        if !number.is_multiple_of(scale) {
            push(number % scale, words);
        }
    } else if number >= 100 {
        words.extend([ONES[(number / 100) as usize].into(), "hundred".into()]);
        if !number.is_multiple_of(100) {
            push(number % 100, words);
        }
    } else if number >= 20 {
        words.push(TENS[(number / 10) as usize].into());
        if !number.is_multiple_of(10) {
            push(number % 10, words);
        }
    } else {
        words.push(ONES[number as usize].into());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read() {
        let first = |digits: &str| ways(digits)[0].join(" ");
        assert_eq!(first("0"), "zero");
        assert_eq!(first("42"), "forty two");
        assert_eq!(first("999999"), "nine hundred ninety nine thousand nine hundred ninety nine");
        assert_eq!(first("1995"), "nineteen ninety five");
        assert_eq!(first("1905"), "nineteen oh five");
        assert_eq!(ways("1995")[1].join(" "), "one thousand nine hundred ninety five");
        assert_eq!(first("007"), "zero zero seven");
        assert_eq!(ways("99999999999999999999")[0].len(), 20);
        assert_eq!(ordinal(21).join(" "), "twenty first");
        assert_eq!(ordinal(40).join(" "), "fortieth");
    }
}
