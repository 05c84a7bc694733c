//! Holds `docs/emulator.md` against the tests: each row of its tables of behaviour has exactly one test, named after it, here
//! or among the tests of the local AWS.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Result;
use rstest::rstest;

use crate::stack::root;

/// The section whose table is not one of behaviour; [`crate::coverage`] checks it.
pub(crate) const COVERAGE: &str = "Coverage";
const HEADER: [&str; 2] = ["behaviour", "source"];
const LONGEST: usize = 90;
const SILENT: &str = "not documented";

/// A row of a table of behaviour.
#[derive(Debug)]
pub(crate) struct Row {
    line: usize,
    section: String,
    sentence: String,
    source: String,
}

/// The page's rows, and what is wrong with its tables.
pub(crate) fn rows(page: &str) -> (Vec<Row>, Vec<String>) {
    let (mut rows, mut problems) = (Vec::new(), Vec::new());
    let (mut section, mut line_of_table) = (String::new(), 0);
    for (number, text) in (1..).zip(page.lines()) {
        if let Some(title) = text.strip_prefix("## ") {
            title.trim().clone_into(&mut section);
        }
        let Some(cells) = cells(text) else {
            line_of_table = 0;
            continue;
        };
        line_of_table += 1;
        let problem = match (line_of_table, cells.as_slice()) {
            _ if section == COVERAGE => None,
            (1, cells) => {
                (cells != HEADER).then(|| "a table that is not headed: behaviour, source".to_owned())
            }
            (2, cells) => cells
                .iter()
                .any(|cell| !cell.trim_matches(['-', ':']).is_empty())
                .then(|| "no line between head and rows".to_owned()),
            (_, [sentence, source]) => {
                let (section, sentence, source) =
                    (section.clone(), (*sentence).to_owned(), (*source).to_owned());
                let problem = malformed(&sentence, &source);
                rows.push(Row { line: number, section, sentence, source });
                problem
            }
            (_, cells) => Some(format!("a row of {} cells", cells.len())),
        };
        problems.extend(problem.map(|problem| format!("line {number}: {problem}: {text}")));
    }
    (rows, problems)
}

/// The cells of a line of a table.
pub(crate) fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?;
    Some(inner.strip_suffix('|').unwrap_or(inner).split('|').map(str::trim).collect())
}

fn malformed(sentence: &str, source: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ,.:;'()/-".contains(c);
    if !sentence.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit())
        || sentence.ends_with('.')
    {
        return Some("a sentence begins with a capital and ends without a stop".to_owned());
    }
    if !sentence.chars().all(plain) {
        return Some("a sentence has letters, digits, spaces and , . : ; ' ( ) / -".to_owned());
    }
    if sentence.len() > LONGEST {
        return Some(format!("a sentence of {} characters, {LONGEST} are the most", sentence.len()));
    }
    let why = source.strip_prefix(SILENT).map(|rest| rest.strip_prefix(": ").unwrap_or_default());
    match (source, why) {
        ("", _) => Some("no source".to_owned()),
        (_, Some("")) => Some(format!("a row that is {SILENT} says why it is so here, after a colon")),
        _ => None,
    }
}

/// The name of a sentence's test.
fn slug(sentence: &str) -> String {
    let kept = sentence.to_lowercase().replace('\'', "");
    let words = kept.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join("_")
}

/// What follows `fn` in a line that begins a function.
fn function(line: &str) -> Option<&str> {
    line.strip_prefix("async ").unwrap_or(line).strip_prefix("fn ")
}

/// The names of the tests in a source file, as often as they occur.
fn tests(source: &str) -> Vec<String> {
    let lines: Vec<&str> = source.lines().map(str::trim).collect();
    let named = lines.iter().enumerate().filter_map(|(at, line)| {
        let (name, _) = function(line)?.split_once(['(', '<'])?;
        let another = |line: &str| line.is_empty() || line == "}" || function(line).is_some();
        let mut attributes = lines[..at].iter().rev().take_while(|line| !another(line));
        let is_test =
            |line: &&str| ["#[test]", "#[tokio::test", "#[rstest]"].iter().any(|a| line.starts_with(a));
        attributes.any(is_test).then(|| name.to_owned())
    });
    named.collect()
}

/// All that is wrong with a page, given how many tests there are of each name.
fn problems(page: &str, tests: &BTreeMap<String, usize>) -> Vec<String> {
    let (rows, mut problems) = rows(page);
    let mut seen = BTreeMap::new();
    for row in &rows {
        let (line, sentence, name) = (row.line, &row.sentence, slug(&row.sentence));
        match tests.get(&name).copied().unwrap_or_default() {
            1 => {}
            0 => problems.push(format!("line {line}: no test is named {name}")),
            n => problems.push(format!("line {line}: {n} tests are named {name}")),
        }
        if let Some(first) = seen.insert(name, line) {
            problems.push(format!("line {line}: the row of line {first} again: {sentence}"));
        }
    }
    if rows.is_empty() {
        problems.push("the page has no rows at all".to_owned());
    }
    problems
}

/// How many rows of each section have a document, and how many have none.
fn counts(page: &str) -> Vec<String> {
    let mut sections: Vec<(String, [usize; 2])> = Vec::new();
    for row in rows(page).0 {
        if sections.last().is_none_or(|(section, _)| *section != row.section) {
            sections.push((row.section, [0, 0]));
        }
        let silent = usize::from(row.source.starts_with(SILENT));
        sections.iter_mut().last().into_iter().for_each(|(_, counts)| counts[silent] += 1);
    }
    let line =
        |(name, [known, silent]): &(String, [usize; 2])| format!("{name}: {known} documented, {silent} not");
    let mut lines: Vec<String> = sections.iter().map(line).collect();
    let total = sections.iter().fold([0, 0], |[a, b], (_, [known, silent])| [a + known, b + silent]);
    lines.push(line(&("all".to_owned(), total)));
    lines
}

fn sources(directory: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    for entry in std::fs::read_dir(directory)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the counts are for who reads the test's output")]
#[test]
fn every_row_of_the_page_has_exactly_one_test() -> Result<()> {
    let page = std::fs::read_to_string(root().join("docs/emulator.md"))?;
    let crate_root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    sources(&crate_root.join("src"), &mut files)?;
    sources(&crate_root.join("tests"), &mut files)?;
    // What the emulator and the local AWS do together is tested there.
    sources(&root().join("tests/local-stack"), &mut files)?;
    let mut found = BTreeMap::new();
    for file in files {
        for name in tests(&std::fs::read_to_string(file)?) {
            *found.entry(name).or_default() += 1;
        }
    }
    println!("{}", counts(&page).join("\n"));
    let problems = problems(&page, &found);
    assert!(problems.is_empty(), "docs/emulator.md:\n{}", problems.join("\n"));
    Ok(())
}

const HEAD: &str = "## Copies\n\n| behaviour | source |\n|---|---|\n";

#[rstest]
#[case::good("| A copy keeps its source's date | Developer Guide, \"Copies\" |", "")]
#[case::silent("| A copy keeps its source's date | not documented: the harder choice |", "")]
#[case::no_test("| A copy has no date | service model |", "no test is named a_copy_has_no_date")]
#[case::two_tests("| Two of them | service model |", "2 tests are named two_of_them")]
#[case::no_source("| A copy keeps its source's date | |", "no source")]
#[case::no_reason("| A copy keeps its source's date | not documented |", "says why")]
#[case::empty_reason("| A copy keeps its source's date | not documented: |", "says why")]
#[case::cells("| A copy keeps its source's date | a | b |", "a row of 3 cells")]
#[case::backticks("| A copy keeps its `source`s date | a |", "letters, digits")]
#[case::stop("| A copy keeps its source's date. | a |", "without a stop")]
#[case::small("| a copy keeps its source's date | a |", "with a capital")]
#[case::twice("| A copy keeps its source's date | a |\n| A copy keeps its sources date | a |", "again")]
#[case::another_table("\n| what | why |\n|---|---|\n| x | y |", "not headed")]
#[case::nothing("", "no rows at all")]
fn a_page_that_breaks_a_rule_is_reported(#[case] rows: &str, #[case] says: &str) {
    let names =
        BTreeMap::from([("a_copy_keeps_its_sources_date".to_owned(), 1), ("two_of_them".to_owned(), 2)]);
    let found = problems(&format!("{HEAD}{rows}\n"), &names).join("\n");
    assert!(if says.is_empty() { found.is_empty() } else { found.contains(says) }, "{found}");
}

#[test]
fn a_test_is_a_function_with_the_attribute_of_one() {
    let source = "
        fn helper() {}

        #[test]
        fn plain() {}

        #[tokio::test(flavor = \"multi_thread\")]
        async fn waiting() -> Result<()> {
            fn inner() {}
        }
        #[rstest]
        #[case(
            r#\"{}\"#,
            false
        )]
        fn table<T>(#[case] text: &str) {}
        fn after() {}";
    assert_eq!(tests(source), ["plain", "waiting", "table"]);
}
