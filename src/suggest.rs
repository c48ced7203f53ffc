//! "Did you mean": most faults in files written by hand are slips of one or two letters, so naming
//! the nearest known word is often the whole repair.

/// The candidate nearest to `name`, when it is at most two edits away (a third of the letters in a
/// long name, as rustc has it) and nearer than a rewrite of half the word. The first of equals
/// wins.
pub fn closest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let edits_max = (name.chars().count() / 3).max(2);
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|&(edits, candidate)| edits <= edits_max && edits * 2 < candidate.chars().count())
        .min_by_key(|&(edits, _)| edits)
        .map(|(_, candidate)| candidate)
}

/// The Levenshtein distance in characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, &to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[track_caller]
    fn check(name: &str, want: Option<&str>) {
        assert_eq!(closest(name, ["hit_rate", "l1_hit_rate", "min"]), want);
    }

    #[test]
    fn slips_find_their_word_and_strangers_do_not() {
        check("hit_ration", Some("hit_rate"));
        check("hitrate", Some("hit_rate"));
        check("l1_hit_rat", Some("l1_hit_rate"));
        check("mim", Some("min"));
        check("max", None);
        check("evictions", None);
        check("", None);
    }
}
