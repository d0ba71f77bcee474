//! A text as the words that are spoken: small letters, numbers and signs written out.

use super::{TranscriptError, numbers};

/// Ways to read one place of the text, each a row of words.
type Ways = Vec<Vec<String>>;

/// Longest capital word that may be an abbreviation, spelt letter by letter.
const LONGEST_ABBREVIATION: usize = 5;

/// The places of a text that are spoken.
pub(super) fn words(text: &str) -> Result<Vec<Ways>, TranscriptError> {
    let mut all = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        for word in line.split(|c: char| c.is_whitespace() || "-–—/…_".contains(c)) {
            read(word, &mut all)
                .map_err(|()| TranscriptError::Letters { line: number, word: word.chars().take(20).collect() })?;
        }
    }
    Ok(all)
}

fn read(word: &str, all: &mut Vec<Ways>) -> Result<(), ()> {
    let kept = |c: char| c.is_alphanumeric() || c == '\'' || c == '’';
    let signs = |c: char| match c {
        '&' => Some("and"),
        '%' => Some("percent"),
        '+' => Some("plus"),
        '=' => Some("equals"),
        '@' => Some("at"),
        _ => None,
    };
    let mut money = None;
    let mut rest = word;
    while let Some(first) = rest.chars().next() {
        if first.is_ascii_digit() {
            rest = number(rest, money.take(), all);
            continue;
        }
        if kept(first) {
            let end = rest.find(|c: char| !kept(c) || c.is_ascii_digit()).unwrap_or(rest.len());
            letters(&rest[..end], all)?;
            rest = &rest[end..];
            continue;
        }
        if let Some(sign) = signs(first) {
            all.push(vec![vec![sign.to_owned()]]);
        }
        money = match first {
            '$' => Some("dollars"),
            '£' => Some("pounds"),
            '€' => Some("euros"),
            _ => money,
        };
        rest = &rest[first.len_utf8()..];
    }
    Ok(())
}

/// Reads the number that `text` begins with; answers what follows it.
fn number<'a>(text: &'a str, money: Option<&str>, all: &mut Vec<Ways>) -> &'a str {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != ',').unwrap_or(text.len());
    let digits: String = text[..end].chars().filter(char::is_ascii_digit).collect();
    let rest = &text[end..];
    let lower: String = rest.chars().take(2).collect::<String>().to_lowercase();
    if ["st", "nd", "rd", "th"].contains(&lower.as_str())
        && let Ok(number) = digits.parse::<u64>()
    {
        all.push(vec![numbers::ordinal(number)]);
        return &rest[2..];
    }
    let mut ways = numbers::ways(&digits);
    if lower.starts_with('s') || lower == "'s" {
        for way in &mut ways {
            if let Some(last) = way.last_mut() {
                *last =
                    if last.ends_with('y') { format!("{}ies", &last[..last.len() - 1]) } else { format!("{last}s") };
            }
        }
        all.push(ways);
        return &rest[rest.find('s').map_or(0, |at| at + 1)..];
    }
    if let Some(fraction) = rest.strip_prefix('.').filter(|r| r.starts_with(|c: char| c.is_ascii_digit())) {
        let end = fraction.find(|c: char| !c.is_ascii_digit()).unwrap_or(fraction.len());
        for way in &mut ways {
            way.push("point".into());
            way.extend(numbers::one_by_one(&fraction[..end], "zero"));
        }
        all.push(ways);
        all.extend(money.map(|m| vec![vec![m.to_owned()]]));
        return &fraction[end..];
    }
    all.push(ways);
    all.extend(money.map(|m| vec![vec![m.to_owned()]]));
    rest
}

/// A word of letters and apostrophes.
fn letters(word: &str, all: &mut Vec<Ways>) -> Result<(), ()> {
    let mut plain = String::with_capacity(word.len());
    for c in word.chars().flat_map(char::to_lowercase) {
        match c {
            '’' => plain.push('\''),
            'a'..='z' | '\'' => plain.push(c),
            c => plain.push_str(without_mark(c).ok_or(())?),
        }
    }
    // Quotation marks are no part of a word, but 'em and dogs' are words: the dictionary decides between them.
    let bare = plain.trim_matches('\'').to_owned();
    if bare.is_empty() {
        return Ok(());
    }
    let mut ways = vec![vec![if plain.ends_with('\'') && !plain.starts_with('\'') {
        bare
    } else {
        plain.trim_end_matches('\'').to_owned()
    }]];
    if ways[0][0].starts_with('\'') && word.chars().count() > 4 {
        ways[0][0].remove(0);
    }
    let capitals = word.chars().all(|c| c.is_ascii_uppercase());
    if capitals && (2..=LONGEST_ABBREVIATION).contains(&word.len()) {
        ways.push(plain.chars().map(String::from).collect());
    }
    all.push(ways);
    Ok(())
}

/// A letter of another Latin alphabet as the English one it looks like; combining marks vanish.
fn without_mark(c: char) -> Option<&'static str> {
    Some(match c {
        'à'..='å' | 'ā' | 'ă' | 'ą' => "a",
        'æ' => "ae",
        'ç' | 'ć' | 'č' => "c",
        'ď' | 'đ' | 'ð' => "d",
        'è'..='ë' | 'ē' | 'ė' | 'ę' | 'ě' => "e",
        'ğ' => "g",
        'ì'..='ï' | 'ī' | 'ı' => "i",
        'ł' | 'ľ' => "l",
        'ñ' | 'ń' | 'ň' => "n",
        'ò'..='ö' | 'ø' | 'ō' | 'ő' => "o",
        'œ' => "oe",
        'ř' => "r",
        'ś' | 'š' | 'ş' | 'ș' => "s",
        'ß' => "ss",
        'ť' | 'ț' | 'ţ' => "t",
        'þ' => "th",
        'ù'..='ü' | 'ū' | 'ů' | 'ű' => "u",
        'ý' | 'ÿ' => "y",
        'ź' | 'ż' | 'ž' => "z",
        '\u{300}'..='\u{36f}' | 'ª' | 'º' => "",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first(text: &str) -> String {
        let all = words(text).unwrap();
        all.iter().map(|ways| ways[0].join("+")).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn texts_become_words() {
        assert_eq!(first("“Hello,” he said — it’s well-known."), "hello he said it's well known");
        assert_eq!(first("'quoted words' and rock 'n' roll, dogs' tails"), "quoted words and rock 'n roll dogs tails");
        assert_eq!(first("Café naïve"), "cafe naive");
        assert_eq!(first("$5.20, 3rd & 50%"), "five+point+two+zero dollars third and fifty percent");
        assert_eq!(first("the 1990s"), "the nineteen+nineties");
        assert_eq!(first("B2B"), "b two b");
        assert_eq!(words("NASA").unwrap()[0][1], ["n", "a", "s", "a"]);
        assert_eq!(first("… -- !"), "");
    }

    #[test]
    fn other_scripts_are_named() {
        let error = words("fine\nfine\n日本").unwrap_err();
        assert_eq!(error, TranscriptError::Letters { line: 3, word: "日本".into() });
    }
}
