//! Formats the report of `system check`.

use crate::model::observe::check_report::{Finding, Report, Resolution};

/// Formats the problems, a line each, and a summary of what was checked.
pub fn report(report: &Report) -> String {
    let mut text = String::new();
    for finding in &report.findings {
        text.push_str(&line(finding));
        text.push('\n');
    }
    let plural =
        |count: u64, noun: &str| format!("{count} {noun}{}", if count == 1 { "" } else { "s" });
    let (images, layers) = (plural(report.images, "image"), plural(report.layers, "layer"));
    let verdict = match (report.is_healthy(), report.findings.is_empty()) {
        (true, true) => "no damage",
        (true, false) => "no damage is left",
        (false, _) => "damage is left",
    };
    text.push_str(&format!("{images} and {layers} checked: {verdict}\n"));
    text
}

fn line(finding: &Finding) -> String {
    let mut line = finding.problem.as_str().to_owned();
    if let Some(image) = &finding.image {
        line.push_str(&format!(": image `{image}`"));
    }
    line.push_str(&format!(": {}", finding.what));
    if !finding.containers.is_empty() {
        let names: Vec<_> = finding.containers.iter().map(|name| format!("`{name}`")).collect();
        line.push_str(&format!(" (used by {})", names.join(", ")));
    }
    match &finding.resolution {
        Resolution::Found => line,
        Resolution::Repaired => format!("{line}: repaired"),
        Resolution::Removed => format!("{line}: removed"),
        Resolution::Unrepaired(why) => format!("{line}: not repaired: {why}"),
    }
}

#[cfg(test)]
mod tests {
    use expect_test::expect;

    use super::*;
    use crate::model::observe::check_report::Problem;

    fn finding(problem: Problem, resolution: Resolution) -> Finding {
        Finding {
            problem,
            what: "its layer `abcdef012345`: in its files `bin/sh` has other content".into(),
            image: Some("alpine:3".into()),
            containers: vec!["db".into(), "web".into()],
            resolution,
        }
    }

    #[test]
    fn each_finding_says_whose_it_is_and_what_became_of_it() {
        let leftover = Finding {
            what: "2 unreferenced entries, 12kB".into(),
            image: None,
            containers: vec![],
            ..finding(Problem::Leftover, Resolution::Removed)
        };
        let one = Report {
            images: 1,
            layers: 2,
            findings: vec![finding(Problem::Damage, Resolution::Found), leftover.clone()],
        };
        let left = Resolution::Unrepaired("the container `web` runs on it".into());
        let other = Report {
            images: 3,
            layers: 1,
            findings: vec![finding(Problem::Damage, Resolution::Repaired), leftover],
        };
        let third = Report { findings: vec![finding(Problem::Damage, left)], ..Report::default() };
        let shown = [one, other, third, Report::default()].map(|one| report(&one));
        expect![[r#"
            damage: image `alpine:3`: its layer `abcdef012345`: in its files `bin/sh` has other content (used by `db`, `web`)
            leftover: 2 unreferenced entries, 12kB: removed
            1 image and 2 layers checked: damage is left

            damage: image `alpine:3`: its layer `abcdef012345`: in its files `bin/sh` has other content (used by `db`, `web`): repaired
            leftover: 2 unreferenced entries, 12kB: removed
            3 images and 1 layer checked: no damage is left

            damage: image `alpine:3`: its layer `abcdef012345`: in its files `bin/sh` has other content (used by `db`, `web`): not repaired: the container `web` runs on it
            0 images and 0 layers checked: damage is left

            0 images and 0 layers checked: no damage
        "#]].assert_eq(&shown.join("\n"));
    }
}
